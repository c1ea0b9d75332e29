// The stage "trace": the latest requests with what they did, for `explain` and the development console.
// Bounded; requests that failed have room of their own, so that a flood of good ones does not push out the
// one that somebody asks about. A trace holds names and counts, never bodies, rows or tokens.
import type { ErrorCode } from "../base/error-codes.ts";
import { Meter } from "./meter.ts";
import type { Work } from "./work.ts";

/** One finished request. */
export interface Trace {
  readonly requestId: string;
  /** What it is called in the log: `POST /api/tables/film`. */
  readonly cause: string;
  /** `film.list`, `cinema.book`, `batch`; `unknown` when there is no such thing. */
  readonly operation: string;
  readonly caller: string | null;
  readonly role: string | null;
  readonly startedAtMs: number;
  readonly wallUs: number;
  /** Null when it was answered. */
  readonly code: ErrorCode | null;
  /** What lay behind a refusal or failure; stays inside the process. */
  readonly error: unknown;
  /** The commit it made or stood on; -1 when it got to neither. */
  readonly seq: number;
  readonly repeated: boolean;
  /** Length of the answer in UTF-16 code units. */
  readonly bytesOut: number;
  readonly work: Work;
}

/** Keeps traces and meters. Made once a process; outlives reloads of the app. */
export interface TraceLog {
  /** Whether denials are explained in traces. Never in answers. */
  readonly development: boolean;
  readonly meter: Meter;
  record(trace: Trace): void;
  /** @returns the newest trace of a request, or null when it is not kept any more. */
  find(requestId: string): Trace | null;
  /** The newest traces, newest first. @param count at most this many. */
  recent(count: number): readonly Trace[];
}

/**
 * Makes a trace log.
 * @param options.keepMax traces kept (limits.traceKeepMax), and as many again of failed requests.
 * @param options.development explain denials. Default: no.
 * @param options.onTrace called with every finished request; must not throw and must not wait.
 */
export function openTraceLog(options: {
  readonly keepMax: number;
  readonly development?: boolean;
  readonly onTrace?: (trace: Trace) => void;
}): TraceLog {
  const { keepMax, onTrace } = options;
  const all = new Ring(keepMax);
  const failed = new Ring(keepMax);
  const meter = new Meter();
  return {
    development: options.development ?? false,
    meter,
    record(trace) {
      meter.count(trace);
      forgetFrames(trace.error);
      all.push(trace);
      if (trace.code !== null) failed.push(trace);
      onTrace?.(trace);
    },
    find: (requestId) => all.find(requestId) ?? failed.find(requestId),
    recent: (count) => all.newest(count),
  };
}

/** Causes of causes that are looked at. */
const causesMax = 8;

/** Makes stacks texts: until somebody reads one, V8 keeps all that its functions can see, bodies of requests too. */
function forgetFrames(error: unknown): void {
  for (let depth = 0; depth < causesMax && error instanceof Error; depth++) {
    void error.stack;
    error = error.cause;
  }
}

class Ring {
  readonly #slots: (Trace | undefined)[];
  #next = 0;

  constructor(size: number) {
    this.#slots = Array.from<Trace | undefined>({ length: size });
  }

  push(trace: Trace): void {
    this.#slots[this.#next] = trace;
    this.#next = this.#next + 1 === this.#slots.length ? 0 : this.#next + 1;
  }

  /** Walks from the newest to the oldest: asked by people, not by requests. */
  find(requestId: string): Trace | null {
    for (let back = 1; back <= this.#slots.length; back++) {
      const trace = this.#at(back);
      if (trace === undefined) return null;
      if (trace.requestId === requestId) return trace;
    }
    return null;
  }

  newest(count: number): readonly Trace[] {
    const traces: Trace[] = [];
    for (let back = 1; back <= Math.min(count, this.#slots.length); back++) {
      const trace = this.#at(back);
      if (trace === undefined) break;
      traces.push(trace);
    }
    return traces;
  }

  #at(back: number): Trace | undefined {
    return this.#slots[(this.#next - back + this.#slots.length) % this.#slots.length];
  }
}
