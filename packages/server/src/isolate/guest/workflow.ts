// A workflow's function as it is replayed. Whatever it asks for gets a number and a promise; the host then hands out
// answers, one in each slice, so that what follows from one is done before the next one comes. When the host has
// none, nothing here waits for it any more: the slice ends, and with it the call.
import { durationMs, functionName, workName } from "@keelson/sdk/guest";
import { ask, askAtOnce } from "./ask.ts";
import { assertKnown } from "./known-options.ts";
import {
  create,
  parse,
  RealDate,
  RealPromise,
  rejected,
  toJson,
  whenSettled,
} from "./primordials.ts";
import type { Call } from "./running.ts";

/** What a workflow runs on, beside its arguments. */
interface WorkflowInput {
  readonly id: string;
  readonly args: unknown;
  /** The function has been here before. */
  readonly isOld: boolean;
}

interface Failure {
  readonly code: string;
  readonly text: string;
  readonly details: unknown;
}

/** What the host tells next. */
interface Told {
  /** Of what was asked for; absent: of all of it. */
  readonly seq?: number;
  readonly value?: unknown;
  readonly error?: Failure;
  /** What undoes is to end, too. */
  readonly isStop?: boolean;
  readonly nowMs: number;
  readonly isOld: boolean;
}

interface Waiter {
  readonly isUndo: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface WaitOptions {
  readonly timeout?: unknown;
  readonly key?: unknown;
}
const signalOptions = ["timeout"];
const eventOptions = ["key", "timeout"];

/** What a step, a wait or a child failed with, or an interrupt. */
class WorkflowError extends Error {
  override readonly name = "WorkflowError";
  readonly code: string;
  readonly details: unknown;

  constructor({ code, text, details }: Failure) {
    super(text);
    this.code = code;
    this.details = details;
  }
}

/** Thrown by `restart`. */
class Restart {
  readonly args: unknown;

  constructor(args: unknown) {
    this.args = args;
  }
}

type Run = (ctx: object, args: unknown) => unknown;

/**
 * Runs a workflow.
 * @param base members of its context that do not depend on what it does.
 * @returns `{ value }`, `{ error }` or `{ restart }`; rejects with what is none of its own errors.
 */
export function runWorkflow(call: Call, run: Run, base: object): Promise<unknown> {
  const { id, args, isOld } = parse(call.argsJson) as WorkflowInput;
  call.isQuiet = isOld;
  const flow = new Flow(call);
  const body = flow.body(run, { ...base, id, ...flow.context() }, args);
  flow.pump();
  return body;
}

class Flow {
  readonly #call: Call;
  #waiters = create(null) as Record<number, Waiter | undefined>;
  readonly #undos: (() => unknown)[] = [];
  #isUndoing = false;

  constructor(call: Call) {
    this.#call = call;
  }

  async body(run: Run, ctx: object, args: unknown): Promise<unknown> {
    try {
      const value = await run(ctx, args);
      return { value: value === undefined ? null : value };
    } catch (error) {
      if (error instanceof Restart) return { restart: error.args };
      await this.#undo();
      if (error instanceof WorkflowError) {
        const { code, message, details } = error;
        return { error: { code, text: message, details } };
      }
      throw error;
    } finally {
      askAtOnce(this.#call, "workflow.end", "{}");
    }
  }

  context(): object {
    return {
      now: () => new RealDate(this.#call.nowMs).toISOString(),
      step: (fn: unknown, args?: unknown) =>
        this.#ask("step", nameOf(fn, "step"), { args: args ?? {} }),
      sleep: (time: unknown) => this.#ask("sleep", "", timeOf(time)),
      waitFor: (event: unknown, options?: WaitOptions) => {
        assertKnown("waitFor", options, eventOptions);
        return this.#ask("event", event as string, waitOf(options));
      },
      signal: (name: unknown, options?: WaitOptions) => {
        assertKnown("signal", options, signalOptions);
        return this.#ask("signal", name as string, waitOf(options));
      },
      child: (workflow: unknown, args?: unknown) =>
        this.#ask("child", nameOf(workflow, "child"), { args: args ?? {} }),
      compensate: (undo: unknown) => {
        if (typeof undo !== "function") throw new TypeError("compensate takes a function.");
        this.#undos.push(undo as () => unknown);
      },
      tell: (status: unknown) => {
        askAtOnce(this.#call, "workflow.tell", toJson({ status: status ?? null }) ?? "{}");
      },
      restart: (args: unknown) => {
        throw new Restart(args ?? {});
      },
    };
  }

  /** Asks the host for what comes next, again and again. */
  pump(): void {
    const next = ask(this.#call, "workflow.next", "{}");
    whenSettled(
      next,
      (told) => {
        if (told === null) return;
        this.#tell(told as Told);
        this.pump();
      },
      () => undefined,
    );
  }

  #tell({ seq, value, error, isStop = false, nowMs, isOld }: Told): void {
    this.#call.nowMs = nowMs;
    this.#call.isQuiet = isOld;
    if (seq === undefined) {
      const waiters = this.#waiters;
      this.#waiters = create(null) as Record<number, Waiter | undefined>;
      for (const key of Object.keys(waiters)) {
        const waiter = waiters[+key];
        // A refund that is under way goes through.
        if (waiter?.isUndo === true && !isStop) this.#waiters[+key] = waiter;
        else waiter?.reject(errorOf(error));
      }
      return;
    }
    const waiter = this.#waiters[seq];
    delete this.#waiters[seq];
    if (error === undefined) waiter?.resolve(value);
    else waiter?.reject(errorOf(error));
  }

  #ask(kind: string, name: string, input: object): Promise<unknown> {
    const isUndo = this.#isUndoing;
    const payload = toJson({ kind, name, input, isUndo }) ?? "{}";
    let seq: number;
    try {
      seq = askAtOnce(this.#call, "workflow.ask", payload) as number;
    } catch (error) {
      return rejected(error);
    }
    const promise = new RealPromise((resolve, reject) => {
      this.#waiters[seq] = { isUndo, resolve, reject };
    });
    // One that nobody waits for may fail: what it failed with is recorded.
    whenSettled(
      promise,
      () => undefined,
      () => undefined,
    );
    return promise;
  }

  /** The last one first. One that fails does not keep the others from being tried. */
  async #undo(): Promise<void> {
    this.#isUndoing = true;
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (error) {
        askAtOnce(this.#call, "workflow.undoFailed", toJson({ text: textOf(error) }) ?? "{}");
      }
    }
  }
}

function textOf(error: unknown): string {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === "string" ? message : "It failed.";
}

function errorOf(failure: Failure | undefined): WorkflowError {
  return new WorkflowError(failure ?? { code: "INTERNAL", text: "It failed.", details: {} });
}

function nameOf(given: unknown, what: string): string {
  const named = given as { [functionName]?: unknown; [workName]?: unknown } | null | undefined;
  const name = named?.[functionName] ?? named?.[workName];
  if (typeof name === "string") return name;
  throw new TypeError(`${what} takes what app.ts lists: ${what}(cinema.book, args).`);
}

function timeOf(time: unknown): object {
  const ms = durationMs(time);
  if (ms !== null) return { ms };
  const { until } = (time ?? {}) as { readonly until?: unknown };
  const untilMs = typeof until === "string" ? RealDate.parse(until) : Number.NaN;
  if (untilMs === untilMs) return { until: new RealDate(untilMs).toISOString() };
  throw new TypeError('sleep takes a length of time, "90s", "30d", or { until: a time }.');
}

function waitOf(options: WaitOptions | null | undefined): object {
  const { timeout, key } = options ?? {};
  const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
  if (timeoutMs === null) throw new TypeError('`timeout` is a length of time: "90s", "10m", "3d".');
  return { timeoutMs, key };
}
