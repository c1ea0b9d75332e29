// Finished requests of a door's thread on their way to the supervisor. One alone goes at once; of many, those
// of twenty milliseconds go in one message, as JSON text. What one message may hold is bounded.
import { fromPortableError, toPortableError, type PortableError } from "../gate/portable-error.ts";
import type { Trace } from "../gate/trace-log.ts";

/** A trace whose error is data. */
export interface PortableTrace extends Omit<Trace, "error"> {
  readonly error: PortableError | null;
}

const sendMs = 20;
const waitingMax = 10_000;

/** Collects traces and sends them. */
export class TraceSender {
  readonly #send: (text: string) => void;
  #waiting: PortableTrace[] = [];
  #isQuiet = true;

  /** @param send gets JSON of PortableTrace[]. */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  add(trace: Trace): void {
    if (this.#waiting.length >= waitingMax) this.#waiting.splice(0, waitingMax / 2);
    this.#waiting.push(portableTrace(trace));
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    setImmediate(() => this.flush());
    setTimeout(() => this.#tick(), sendMs);
  }

  /** Sends what waits. */
  flush(): void {
    const traces = this.#waiting;
    if (traces.length === 0) return;
    this.#waiting = [];
    this.#send(JSON.stringify(traces));
  }

  #tick(): void {
    this.#isQuiet = this.#waiting.length === 0;
    if (this.#isQuiet) return;
    this.flush();
    setTimeout(() => this.#tick(), sendMs);
  }
}

/** A trace that can cross. */
export function portableTrace(trace: Trace): PortableTrace {
  return { ...trace, error: trace.error === null ? null : toPortableError(trace.error) };
}

/** The trace again. */
export function traceOf(trace: PortableTrace): Trace {
  return { ...trace, error: trace.error === null ? null : fromPortableError(trace.error) };
}
