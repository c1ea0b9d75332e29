// AppIsolate on isolated-vm. The host enters the isolate in slices: one to start a call, one for each answer
// that came later. Everything else happens inside a slice: system calls are answered synchronously, user
// code's promises are settled before the slice is over. Only text and numbers cross the border.
//
// States of an isolate: idle -> in a slice -> idle ...; dead when a slice broke the CPU or memory limit, or
// when it was disposed. Calls of a dead isolate end with FUNCTION_INTERRUPTED, the guilty one with its limit.
//
// isolated-vm's `onCatastrophicError` is not used: it would run in this thread, which stands still inside the
// isolate at that moment, for ever. Without it V8 ends the process, and whoever supervises it starts another.
import ivm from "isolated-vm";
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { AppSpec } from "@keelson/sdk/spec";
import type {
  AppIsolate,
  CallInput,
  CallOutcome,
  LogLine,
  RowsAhead,
  SystemCall,
} from "./app-isolate.ts";
import type { CpuSlot, CpuWatchdog } from "./cpu-watchdog.ts";
import type { Egress } from "./egress.ts";
import { mailWords, type EndKind } from "./guest/link.ts";
import { guestError } from "./guest-error.ts";
import { connectGuest, type GuestCallbacks, type GuestLink } from "./guest-link.ts";
import { HostEffects } from "./host-effects.ts";
import type { IsolateImage } from "./isolate-image.ts";
import { loadBundle } from "./isolate-load.ts";
import { isTimeout, stackOf } from "./isolate-timeout.ts";
import { keepHandles } from "./kept-handles.ts";
import { isDeeper } from "./json-depth.ts";
import { answerPure } from "./pure-calls.ts";
import { RunningCall } from "./running-call.ts";
import { RowTargets } from "./row-targets.ts";
import { numberedCalls, rowCall } from "./system-calls.ts";

/** What isolates are given of the world. */
export interface IsolatePorts {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly egress: Egress;
  /** An environment variable of the server; null: it is not set. Default: none is. */
  readonly secret?: (name: string) => string | null;
  readonly watchdog: CpuWatchdog;
  /** Whether errors tell callers the app's file and line. */
  readonly development: boolean;
}

const mebibyte = 1_048_576;
const idsMax = 0x3fff_ffff;
const timedEveryUs = 5_000;
const timedGraceMs = 100;
const timedSystemCalls = 8;

/** One isolate with the app loaded. */
export class IsolatedApp implements AppIsolate {
  readonly spec: AppSpec;
  readonly #ports: IsolatePorts;
  readonly #image: IsolateImage;
  readonly #kept = keepHandles();
  readonly #isolate: ivm.Isolate;
  readonly #slot: CpuSlot;
  readonly #guest: GuestLink;
  readonly #indexes = new Map<string, number>();
  readonly #effects: HostEffects;
  readonly #targets = new RowTargets();
  /** While developing: when the next slice may carry isolated-vm's own limit. */
  #timedFromUs = 0;
  readonly #calls = new Map<number, RunningCall>();
  readonly #queue: (() => void)[] = [];
  #current: RunningCall | null = null;
  #ids = 0;
  #tokens = 0;
  #isAlive = true;
  #isEntered = false;

  /**
   * Makes an isolate and loads the app.
   * @throws AppInvalid when its modules throw while they are evaluated, or export no app; LoadStarved.
   */
  constructor(image: IsolateImage, ports: IsolatePorts) {
    const { limits } = ports;
    this.#image = image;
    this.#ports = ports;
    const kept = this.#kept;
    this.#isolate = kept.keep(
      new ivm.Isolate({
        memoryLimit: Math.max(8, Math.ceil(limits.isolateBytesMax / mebibyte)),
        snapshot: image.guest.snapshot,
      }),
    );
    this.#effects = new HostEffects(ports, (name) => this.spec.functions[name]);
    const { cpuMsMax } = limits;
    const laterMs = ports.development ? cpuMsMax + timedGraceMs : cpuMsMax;
    this.#slot = ports.watchdog.watch(this.#isolate, laterMs);
    try {
      const context = kept.keep(this.#isolate.createContextSync());
      this.#guest = connectGuest(context, this.#callbacks(), { limits, kept });
      const { take } = this.#guest;
      const place = { isolate: this.#isolate, context, slot: this.#slot, take, kept };
      const { spec, names } = loadBundle(image, { ...place, cpuMsMax, clock: ports.clock });
      this.spec = spec;
      for (const [index, name] of names.entries()) this.#indexes.set(name, index);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get alive(): boolean {
    return this.#isAlive;
  }

  /** Whether a slice runs right now: a call from inside a system call has to wait. */
  get isEntered(): boolean {
    return this.#isEntered;
  }

  /** Calls that have begun and not ended. */
  get callsRunning(): number {
    return this.#calls.size;
  }

  /** Bytes of heap in use, memory of buffers included. */
  usedBytes(): number {
    const { used_heap_size, externally_allocated_size } = this.#isolate.getHeapStatisticsSync();
    return used_heap_size + externally_allocated_size;
  }

  call(input: CallInput, system: SystemCall): Later<CallOutcome> {
    if (!this.#isAlive) throw interrupted(input);
    if (this.#isEntered) return this.#queued(input, system);
    const index = this.#indexes.get(input.name);
    if (index === undefined)
      throw new PlatformError("FUNCTION_NOT_FOUND", { function: input.name });
    this.#ids = this.#ids === idsMax ? 1 : this.#ids + 1;
    const call = new RunningCall(this.#ids, input, system);
    const { nowMs, requestId, seed, argsJson, job } = input;
    const about =
      job === undefined ? requestId : `${requestId}\t${job.id} ${job.token} ${job.attempt}`;
    const plain = `${nowMs}\n${about}\n${seed}\n${meJson(input)}\n${argsJson}`;
    const told = input.ahead === undefined ? plain : `${plain}\n${this.#aheadText(input.ahead)}`;
    const { head, start } = this.#guest;
    head[mailWords.startId] = call.id;
    head[mailWords.startIndex] = index;
    head[mailWords.aheadAt] = 0;
    if (input.ahead !== undefined) {
      head[mailWords.aheadAt] = plain.length + 1;
      // A call that never comes to its end may have read them all.
      input.ahead.used = -1;
    }
    this.#slice(call, start, [told]);
    return call.outcome();
  }

  dispose(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#interruptAll();
    this.#slot.release();
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
    this.#kept.release();
  }

  /** As guest/rows-ahead.ts reads it. */
  #aheadText({ rows }: RowsAhead): string {
    let text = "";
    for (const { target, text: row } of rows) {
      text += `${text === "" ? "[" : ","}${this.#targets.number(target)},${row}`;
    }
    return `${text}]`;
  }

  #callbacks(): GuestCallbacks {
    const { clock } = this.#ports;
    return {
      system: (payload) => this.#onSystem(payload),
      target: (table, reason) => this.#targets.number({ table, reason }),
      effect: (id, operation, payload) => this.#onEffect(id, operation, payload),
      pure: (operation, first, second) => answerPure(clock, operation, first, second),
      end: (id, kind, text) => this.#onEnd(id, kind, text),
      log: (id, level, text) => this.#onLog(id, level, text),
    };
  }

  /** One stay inside the isolate. */
  #slice(call: RunningCall, entry: ivm.Reference, args: (string | number)[]): void {
    assert(!this.#isEntered, "a slice inside a slice");
    const { clock } = this.#ports;
    this.#isEntered = true;
    this.#current = call;
    let rejection: unknown;
    const startUs = clock.monotonicUs();
    call.startedUs ??= startUs;
    this.#slot.begin();
    try {
      // An options object costs two microseconds, whatever is in it.
      const options = this.#runOptions(startUs);
      if (options === null) entry.applySync(undefined, args);
      else entry.applySync(undefined, args, options);
    } catch (error) {
      rejection = error;
    }
    const isInTime = this.#slot.end() && !isTimeout(rejection);
    this.#isEntered = false;
    call.cpuUs += Math.max(0, clock.monotonicUs() - startUs);
    if (!this.#isAlive) call.fail(interrupted(call.input));
    else if (!isInTime) this.#die(call, "FUNCTION_CPU_EXCEEDED", rejection);
    else if (this.#isolate.isDisposed) this.#die(call, "FUNCTION_MEMORY_EXCEEDED", rejection);
    else this.#afterSlice(call, rejection);
    this.#current = null;
    if (this.#queue.length > 0) this.#drain();
  }

  /**
   * While developing, now and then a slice carries isolated-vm's own limit, which can tell the line where
   * the time went. Not each: that limit costs more than most calls, and a hundred thousand of its timers
   * that come due together (after the process stood still) overflow the stack of its timer thread.
   */
  #runOptions(nowUs: number): ivm.RunOptions | null {
    const { development, limits } = this.#ports;
    if (!development || nowUs < this.#timedFromUs) return null;
    this.#timedFromUs = nowUs + timedEveryUs;
    return { timeout: limits.cpuMsMax };
  }

  #afterSlice(call: RunningCall, rejection: unknown): void {
    const mail = this.#guest.readMail();
    if (mail !== null) this.#onEnd(mail.callId, "done", mail.resultJson);
    if (rejection !== undefined) this.#noteRejection(call, rejection);
    if (call.end === null) {
      if (call.pending > 0) {
        this.#calls.set(call.id, call);
        return;
      }
      const { name } = call.input;
      call.fail(call.broken ?? new PlatformError("FUNCTION_NEVER_SETTLES", { function: name }));
    }
    this.#finish(call);
  }

  /** A promise that failed and that nobody waited for: told in the log, as the call may have gone well. */
  #noteRejection(call: RunningCall, rejection: unknown): void {
    const { message } = (rejection ?? {}) as { readonly message?: unknown };
    const place = this.#image.map.placeIn(stackOf(rejection));
    const at = place === null ? "" : ` (${place.file}:${place.line}:${place.column})`;
    this.#addLog(
      call,
      "error",
      `Unhandled rejection: ${typeof message === "string" ? message : "no error"}${at}`,
    );
  }

  #finish(call: RunningCall): void {
    this.#calls.delete(call.id);
    if (call.pending > 0 && this.#isAlive && !this.#isEntered) {
      this.#guest.forget.applySync(undefined, [call.id]);
    }
  }

  #queued(input: CallInput, system: SystemCall): Promise<CallOutcome> {
    return new Promise((resolve, reject) => {
      this.#queue.push(() => {
        try {
          resolve(this.call(input, system));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #drain(): void {
    while (!this.#isEntered) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      next();
    }
  }

  #die(
    guilty: RunningCall,
    code: "FUNCTION_CPU_EXCEEDED" | "FUNCTION_MEMORY_EXCEEDED",
    thrown: unknown,
  ): void {
    const { limits, development } = this.#ports;
    const place = development ? this.#image.map.placeIn(stackOf(thrown)) : null;
    const limit =
      code === "FUNCTION_CPU_EXCEEDED"
        ? { cpuMsMax: limits.cpuMsMax }
        : { isolateBytesMax: limits.isolateBytesMax };
    const told = place === null ? {} : { development: { ...place } };
    guilty.fail(new PlatformError(code, { function: guilty.input.name, ...limit, ...told }));
    this.#calls.delete(guilty.id);
    this.dispose();
  }

  #interruptAll(): void {
    for (const call of this.#calls.values()) {
      call.fail(interrupted(call.input));
    }
    this.#calls.clear();
  }

  #callOf(id: number): RunningCall | null {
    const current = this.#current;
    if (current !== null && current.id === id) return current;
    return this.#calls.get(id) ?? null;
  }

  #onSystem(text: string): string | number {
    const { head } = this.#guest;
    const call = this.#callOf(head[mailWords.asker] as number);
    if (call === null || call.end !== null) return ended;
    const { limits } = this.#ports;
    if (++call.systemCalls > limits.systemCallsMax) {
      call.broken ??= new PlatformError("FUNCTION_CALLS_EXCEEDED", {
        function: call.input.name,
        systemCallsMax: limits.systemCallsMax,
      });
      return refusalText(call, call.broken);
    }
    this.#assertInTime(call);
    if (call.broken !== null) return refusalText(call, call.broken);
    this.#slot.outside();
    try {
      const answer = this.#ask(call.system, text);
      if (typeof answer === "string") return answer;
      return this.#later(call, answer);
    } catch (error) {
      return refusalText(call, error);
    } finally {
      this.#slot.inside();
    }
  }

  #ask(system: SystemCall, text: string): Later<string> {
    const { head } = this.#guest;
    const number = head[mailWords.operation] as number;
    if (number === rowCall) {
      return system("db.row", text, this.#targets.target(head[mailWords.target] as number));
    }
    const name = numberedCalls[number] ?? null;
    if (name !== null) return system(name, text);
    const end = text.indexOf("\n");
    return system(text.slice(0, Math.max(0, end)), text.slice(end + 1));
  }

  /**
   * Time in the host is no CPU time of the function's, and a call whose answers are all there at once never comes
   * back to the event loop, where its deadline is. The clock is asked at every eighth system call: it costs too.
   */
  #assertInTime(call: RunningCall): void {
    if (call.systemCalls % timedSystemCalls !== 0) return;
    const msMax = this.#msMaxOf(call);
    const { clock } = this.#ports;
    if (clock.monotonicUs() - (call.startedUs ?? 0) <= msMax * 1_000) return;
    call.broken ??= new PlatformError("FUNCTION_TIMEOUT", { function: call.input.name, msMax });
  }

  #onEffect(id: number, operation: string, payload: string): string | number {
    const call = this.#callOf(id);
    if (call === null || call.end !== null) return ended;
    this.#slot.outside();
    try {
      const answer = this.#effects.answer(call, operation, payload);
      return typeof answer === "string" ? answer : this.#later(call, answer);
    } catch (error) {
      return refusalText(call, error);
    } finally {
      this.#slot.inside();
    }
  }

  #later(call: RunningCall, answer: Promise<string>): number {
    this.#tokens = this.#tokens === idsMax ? 1 : this.#tokens + 1;
    const token = this.#tokens;
    if (call.pending++ === 0 && !call.hasDeadline) this.#setDeadline(call);
    answer.then(
      (text) => this.#resume(call, token, text),
      (error: unknown) => this.#resume(call, token, refusalText(call, error)),
    );
    return token;
  }

  #msMaxOf({ input }: RunningCall): number {
    const { limits } = this.#ports;
    const isAction = input.kind === "action" || input.kind === "http";
    return isAction ? limits.actionMsMax : limits.wallMsMax;
  }

  #setDeadline(call: RunningCall): void {
    const { clock } = this.#ports;
    const { name } = call.input;
    const msMax = this.#msMaxOf(call);
    call.hasDeadline = true;
    call.onEnd(
      clock.after(msMax, () => {
        call.fail(new PlatformError("FUNCTION_TIMEOUT", { function: name, msMax }));
        this.#finish(call);
      }),
    );
  }

  /** Goes on with a call whose answer came. */
  #resume(call: RunningCall, token: number, answer: string): void {
    call.pending--;
    if (call.end !== null || !this.#isAlive) return;
    if (this.#isEntered) {
      call.pending++;
      this.#queue.push(() => this.#resume(call, token, answer));
      return;
    }
    this.#slice(call, this.#guest.resume, [token, answer]);
  }

  #onEnd(id: number, kind: EndKind, text: string): void {
    const call = this.#callOf(id);
    if (call === null) return;
    const { ahead } = call.input;
    if (ahead !== undefined) ahead.used = this.#guest.head[mailWords.aheadUsed] as number;
    if (kind === "done") {
      this.#settle(call, text);
      return;
    }
    const { development } = this.#ports;
    call.fail(guestError(call, kind, text, { map: this.#image.map, development }));
  }

  #settle(call: RunningCall, resultJson: string): void {
    const { resultBytesMax, resultDepthMax } = this.#ports.limits;
    const { name } = call.input;
    if (Buffer.byteLength(resultJson) > resultBytesMax) {
      call.fail(new PlatformError("RESULT_TOO_LARGE", { function: name, resultBytesMax }));
    } else if (isDeeper(resultJson, resultDepthMax)) {
      call.fail(new PlatformError("RESULT_INVALID", { function: name, resultDepthMax }));
    } else call.settle({ kind: "done", resultJson });
  }

  #onLog(id: number, level: LogLine["level"], text: string): void {
    const call = this.#callOf(id);
    if (call !== null && call.end === null) this.#addLog(call, level, text);
  }

  #addLog(call: RunningCall, level: LogLine["level"], text: string): void {
    const { logLinesMax, logLineCharsMax } = this.#ports.limits;
    call.addLine({ level, text: call.scrub(text).slice(0, logLineCharsMax) }, logLinesMax);
  }
}

function interrupted({ name }: CallInput): PlatformError {
  return new PlatformError("FUNCTION_INTERRUPTED", { function: name });
}

const meTexts = new WeakMap<object, string>();

/** `me` as JSON: callers make many calls, and theirs is frozen. */
function meJson({ me }: CallInput): string {
  const known = meTexts.get(me);
  if (known !== undefined) return known;
  const text = JSON.stringify(me);
  if (Object.isFrozen(me)) meTexts.set(me, text);
  return text;
}

const ended = `!${JSON.stringify({ i: -1, code: "FUNCTION_INTERRUPTED", text: "The call is over.", details: {} })}`;

/** A refusal as the guest reads it; the original is kept, to be thrown again when user code lets it through. */
function refusalText(call: RunningCall, error: unknown): string {
  const index = call.keepError(error);
  if (error instanceof PlatformError) {
    const { code, message, details } = error;
    return `!${JSON.stringify({ i: index, code, text: message, details })}`;
  }
  // A bug of ours: user code may not swallow it, nor read it.
  call.fail(error);
  return `!${JSON.stringify({ i: index, code: "INTERNAL", text: "Something went wrong.", details: {} })}`;
}
