// The stage "meter": what every operation of the app has cost since the start, added up by name. The
// names are those of the manifest (`film.list`, `cinema.book`, `batch`), so the table stays small.
import type { ErrorCode } from "../base/error-codes.ts";
import type { Work } from "./work.ts";

/** Upper edges of the time histogram are 2^0 .. 2^(n-1) microseconds; the last holds everything above. */
export const wallBuckets = 28;

/** What one operation has cost. */
export interface Usage {
  requests: number;
  /** Refusals and failures by code. */
  readonly codes: Map<ErrorCode, number>;
  wallUs: number;
  cpuUs: number;
  rowsRead: number;
  rowsWritten: number;
  systemCalls: number;
  bytesOut: number;
  /** Requests by time: bucket i counts those under 2^i microseconds and not under 2^(i-1). */
  readonly wall: Uint32Array;
}

/** One finished request, as the meter sees it. */
export interface Metered {
  /** A name of the manifest, or `unknown`. */
  readonly operation: string;
  readonly code: ErrorCode | null;
  readonly wallUs: number;
  readonly bytesOut: number;
  readonly work: Work;
}

/** Adds up requests. */
export class Meter {
  readonly #usage = new Map<string, Usage>();

  /** Counts a finished request. */
  count(request: Metered): void {
    let usage = this.#usage.get(request.operation);
    if (usage === undefined) {
      usage = emptyUsage();
      this.#usage.set(request.operation, usage);
    }
    const { work } = request;
    usage.requests++;
    usage.wallUs += request.wallUs;
    usage.cpuUs += work.cpuUs;
    usage.rowsRead += work.rowsRead;
    usage.rowsWritten += work.rowsWritten;
    usage.systemCalls += work.systemCalls;
    usage.bytesOut += request.bytesOut;
    const bucket = 32 - Math.clz32(Math.min(request.wallUs, 2 ** (wallBuckets - 2)));
    (usage.wall[bucket] as number)++;
    if (request.code !== null) {
      usage.codes.set(request.code, (usage.codes.get(request.code) ?? 0) + 1);
    }
  }

  /** What every operation has cost so far; live, do not change. */
  usage(): ReadonlyMap<string, Usage> {
    return this.#usage;
  }
}

function emptyUsage(): Usage {
  return {
    requests: 0,
    codes: new Map(),
    wallUs: 0,
    cpuUs: 0,
    rowsRead: 0,
    rowsWritten: 0,
    systemCalls: 0,
    bytesOut: 0,
    wall: new Uint32Array(wallBuckets),
  };
}
