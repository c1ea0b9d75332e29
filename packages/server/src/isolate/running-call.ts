// One call as the host sees it, from its start to its outcome.
import { PlatformError } from "../base/platform-error.ts";
import type { CallInput, CallOutcome, LogLine, SystemCall } from "./app-isolate.ts";
import { keepFailureLog } from "./failure-log.ts";

/** What became of a call. */
export type CallEnd =
  | { readonly kind: "done"; readonly resultJson: string }
  | { readonly kind: "failed"; readonly error: unknown };

// Most calls log nothing and meet no error: they share these, which are never written to.
const noErrors = Object.freeze<unknown[]>([]) as unknown[];
const noLines = Object.freeze<LogLine[]>([]) as LogLine[];

const secretCharsMin = 6;

/** A call that runs or waits. */
export class RunningCall {
  readonly id: number;
  readonly input: CallInput;
  readonly system: SystemCall;
  /** Errors that system calls threw, to be thrown again as they were. */
  errors: unknown[] = noErrors;
  log: LogLine[] = noLines;
  systemCalls = 0;
  cpuUs = 0;
  /** When its first slice began; monotonic. */
  startedUs: number | null = null;
  /** Answers and timers that are still to come. */
  pending = 0;
  /** Whether its wall time is watched; a call that never waits needs no timer. */
  hasDeadline = false;
  timers = 0;
  fetches = 0;
  end: CallEnd | null = null;
  /** A limit that was broken: the outcome, whatever user code makes of it. */
  broken: PlatformError | null = null;
  #secrets: Map<string, string> | null = null;
  #cancels: Set<() => void> | null = null;
  #waiter: PromiseWithResolvers<CallOutcome> | null = null;

  constructor(id: number, input: CallInput, system: SystemCall) {
    this.id = id;
    this.input = input;
    this.system = system;
  }

  /** Keeps an error that a system call threw. @returns where. */
  keepError(error: unknown): number {
    if (this.errors === noErrors) this.errors = [];
    const last = this.errors.length - 1;
    return this.errors[last] === error ? last : this.errors.push(error) - 1;
  }

  /** Remembers a secret that the call was given. */
  keepSecret(name: string, value: string): void {
    // Shorter ones would take ordinary words out of every line.
    if (value.length >= secretCharsMin) (this.#secrets ??= new Map()).set(value, name);
  }

  /** A text without the secrets that the call was given, as they are or as JSON has them. For logs and errors. */
  scrub(text: string): string {
    let clean = text;
    for (const [value, name] of this.#secrets ?? []) {
      const mark = `[secret ${name}]`;
      clean = clean.replaceAll(value, mark).replaceAll(JSON.stringify(value).slice(1, -1), mark);
    }
    return clean;
  }

  /** Adds a console line. */
  addLine(line: LogLine, linesMax: number): void {
    if (this.log === noLines) this.log = [];
    if (this.log.length < linesMax) this.log.push(line);
  }

  /** Decides the outcome. Only the first counts. */
  settle(end: CallEnd): void {
    if (this.end !== null) return;
    this.end = this.broken === null ? end : { kind: "failed", error: this.broken };
    if (this.end.kind === "failed") keepFailureLog(this.end.error, this.log);
    for (const cancel of this.#cancels ?? []) cancel();
    this.#cancels = null;
    const waiter = this.#waiter;
    if (waiter === null) return;
    if (this.end.kind === "done") waiter.resolve(this.#outcome(this.end.resultJson));
    else waiter.reject(this.end.error);
  }

  /** Ends the call with an error. */
  fail(error: unknown): void {
    this.settle({ kind: "failed", error });
  }

  /** Runs `cancel` when the call is over. @returns a function that takes it back. */
  onEnd(cancel: () => void): () => void {
    const cancels = (this.#cancels ??= new Set());
    cancels.add(cancel);
    return () => cancels.delete(cancel);
  }

  /** The outcome now, or a promise of it. @throws the call's error when it is there already. */
  outcome(): CallOutcome | Promise<CallOutcome> {
    if (this.end === null) {
      this.#waiter ??= Promise.withResolvers<CallOutcome>();
      return this.#waiter.promise;
    }
    if (this.end.kind === "failed") throw this.end.error;
    return this.#outcome(this.end.resultJson);
  }

  #outcome(resultJson: string): CallOutcome {
    return { resultJson, cpuUs: this.cpuUs, systemCalls: this.systemCalls, log: this.log };
  }
}
