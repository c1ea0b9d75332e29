// A job: one piece of work that waits in the table `workJob`. The row is written by jobs' own procedures only
// (job-write.ts); everybody else sees this form. docs/internals/work.md shows lanes and places.
import type { Json } from "../base/json.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import type { Row } from "../store/store.ts";

/** Why the last attempt failed. */
export interface JobFailure {
  readonly code: string;
  readonly text: string;
  readonly details: Json;
  readonly atMs: number;
}

/** A job, read from its row. */
export interface Job {
  /** `workJob_...` */
  readonly id: string;
  /** `<kind>:<name>`: the kind of work runs it, by the policy that it has for this queue. */
  readonly queue: string;
  /** Jobs of one key share limits, and run in order where the queue says so. */
  readonly key: string | null;
  readonly once: string | null;
  /** Attempts that have failed or, of an action, have begun. */
  readonly attempts: number;
  readonly input: Json;
  /** Whose rights it runs with: `me` of whoever caused it; null: nobody's. */
  readonly me: { readonly [claim: string]: Json } | null;
  readonly origin: WorkOrigin;
  readonly priority: number;
  readonly createdMs: number;
  /** Not before; null: at once. */
  readonly dueMs: number | null;
  /** When it was put off, if `dueMs` counts from then: a clock that is set back does not make it wait longer. */
  readonly sinceMs: number | null;
  /** When an action's attempt under way began, else null. */
  readonly startedMs: number | null;
  readonly failure: JobFailure | null;
  readonly progress: Json;
  readonly lane: string;
  readonly place: number;
}

/** What `info` of a row holds; absent members are left out. */
export interface JobMore {
  readonly me?: Job["me"];
  readonly root: string;
  readonly chain: readonly string[];
  readonly createdMs: number;
  readonly priority?: number;
  readonly dueMs?: number;
  readonly sinceMs?: number;
  readonly startedMs?: number;
  readonly failure?: JobFailure;
  readonly progress?: Json;
}

/** Reads a row of `workJob` or `workDead`. */
export function jobOfRow(row: Row): Job {
  const more = row["info"] as unknown as JobMore;
  return {
    id: row["id"] as string,
    queue: row["queue"] as string,
    key: row["key"] as string | null,
    once: row["once"] as string | null,
    attempts: row["attempts"] as number,
    input: row["input"] ?? null,
    me: more.me ?? null,
    origin: { root: more.root, chain: more.chain },
    priority: more.priority ?? 0,
    createdMs: more.createdMs,
    dueMs: more.dueMs ?? null,
    sinceMs: more.sinceMs ?? null,
    startedMs: more.startedMs ?? null,
    failure: more.failure ?? null,
    progress: more.progress ?? null,
    lane: row["lane"] as string,
    place: row["place"] as number,
  };
}
