// What one request used and met on its way: the meter's and the trace's raw material. Plain data, so that
// a writer in another thread can send it back. Lists are made when the first note comes: most requests
// have none, and hot reads pay for one small object.
import type { Json } from "../base/json.ts";
import type { FieldTouch } from "../model/query-context.ts";
import type { LogLine } from "../isolate/app-isolate.ts";

/** One read of the store. */
export interface QueryNote {
  readonly kind: "get" | "list" | "aggregate";
  readonly table: string;
  /** Fields filtered, searched, ordered or grouped by; never values. */
  readonly touches: readonly FieldTouch[];
  /** Rows that came back, those of expansions too. */
  readonly rows: number;
  /** `all`: every row may be read; `rule`: the store filtered by a rule; `system`: rules were skipped. */
  readonly seen: "all" | "rule" | "system";
}

/** One use of `db.asSystem`. */
export interface ElevationNote {
  readonly reason: string;
  readonly operation: string;
  readonly table: string;
}

/** A right that was refused. */
export interface DenialNote {
  readonly table: string;
  readonly right: "read" | "create" | "update" | "delete" | "check" | "field.read" | "field.write";
  readonly field: string | null;
  /** Which clause of the rule decided, with its values; only while developing. */
  readonly explanation: Json;
}

/** What one request used. */
export interface Work {
  rowsRead: number;
  rowsWritten: number;
  systemCalls: number;
  /** CPU time of user code, in microseconds. */
  cpuUs: number;
  queries: QueryNote[] | null;
  elevations: ElevationNote[] | null;
  denials: DenialNote[] | null;
  log: LogLine[] | null;
}

/** Nothing used yet. */
export function startWork(): Work {
  return {
    rowsRead: 0,
    rowsWritten: 0,
    systemCalls: 0,
    cpuUs: 0,
    queries: null,
    elevations: null,
    denials: null,
    log: null,
  };
}

/** Adds what another run used: a job of the writer to the request that sent it. */
export function addWork(into: Work, from: Work): void {
  into.rowsRead += from.rowsRead;
  into.rowsWritten += from.rowsWritten;
  into.systemCalls += from.systemCalls;
  into.cpuUs += from.cpuUs;
  into.queries = joined(into.queries, from.queries);
  into.elevations = joined(into.elevations, from.elevations);
  into.denials = joined(into.denials, from.denials);
  into.log = joined(into.log, from.log);
}

/** Adds a note to a list that may not be there yet. @param max from it on notes are dropped. */
export function noted<T>(list: T[] | null, note: T, max: number): T[] {
  if (list === null) return [note];
  if (list.length < max) list.push(note);
  return list;
}

function joined<T>(left: T[] | null, right: T[] | null): T[] | null {
  if (left === null || right === null) return left ?? right;
  return left.concat(right);
}
