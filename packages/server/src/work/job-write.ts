// Rows of `workJob` as they are written, inside the transaction of whoever causes the work: it waits or
// vanishes with that transaction. The dispatcher learns of them from the commit.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import { rowWith } from "../store/row-find.ts";
import type { Row } from "../store/store.ts";
import { jobOfRow, type Job, type JobMore } from "./job.ts";
import { priorityMax, priorityMin, readyLane, timedLane } from "./lane.ts";
import { countStart, originOf } from "./lineage.ts";
import { nextPlace } from "./place-number.ts";

/** A job to add. */
export interface NewJob {
  /** `<kind>:<name>`. */
  readonly queue: string;
  readonly input: Json;
  readonly key?: string | null;
  /** While a job of this queue with the same text waits or runs, no second one is added. */
  readonly once?: string | null;
  /** -4 to 4, higher runs first. Default: 0. */
  readonly priority?: number;
  /** Milliseconds since the epoch; null or absent: at once. */
  readonly dueMs?: number | null;
  /** Now, when `dueMs` is a length of time from now and no time on the wall. Default: it is one on the wall. */
  readonly sinceMs?: number | null;
  /** Whose rights it runs with. Default: those of who causes it; null: nobody's. */
  readonly me?: Job["me"];
  /** Default: what the run that adds it comes from. */
  readonly origin?: WorkOrigin;
  /** When `once` is taken by a job that waits for later than `dueMs`: moves it there. Default: it stays. */
  readonly sooner?: boolean;
  /** Attempts that have failed before it became a job, and how the last one did. Default: none. */
  readonly attempts?: number;
  readonly failure?: Job["failure"];
  /** It has a place in line before it is due: later jobs of its key wait for it. Default: no. */
  readonly inLine?: boolean;
  /** Whether it counts for depth and fuel of what it comes from. Default: yes; no for what was counted before. */
  readonly counts?: boolean;
}

/** What may change of a job that waits. */
export interface JobMove {
  /** Null: at once. */
  readonly dueMs: number | null;
  /** As of a new job. */
  readonly sinceMs?: number | null;
  readonly input?: Json;
  readonly attempts?: number;
  readonly failure?: Job["failure"];
  /** It keeps its place in line while it waits: later jobs of its key wait with it. */
  readonly inLine?: boolean;
}

/**
 * Adds a job.
 * @returns its id, or that of the job that holds `once`.
 * @throws WORK_TOO_DEEP, WORK_FUEL_SPENT, WORK_TOO_MUCH.
 */
export function addJob(scope: ProcedureScope, job: NewJob): Later<string> {
  const { queue, once = null } = job;
  if (once === null) return insertJob(scope, job);
  return andThen(jobByOnce(scope, queue, once), (taken) => {
    if (taken === null) return insertJob(scope, job);
    const dueMs = job.dueMs ?? null;
    const isSooner = taken.dueMs !== null && (dueMs === null || dueMs < taken.dueMs);
    if (job.sooner !== true || !isSooner) return taken.id;
    return andThen(moveJob(scope, taken, { dueMs }), () => taken.id);
  });
}

/** The job of a queue that holds `once`, or null. */
export function jobByOnce(scope: ProcedureScope, queue: string, once: string): Later<Job | null> {
  const found = rowWith(scope.tx, "workJob", { queue, once });
  return andThen(found, (row) => (row === null ? null : jobOfRow(row)));
}

/** Changes when a waiting job runs, and what of it is given. @returns it as it is then. */
export function moveJob(scope: ProcedureScope, job: Job, move: JobMove): Later<Job> {
  const {
    dueMs,
    sinceMs = null,
    attempts = job.attempts,
    failure = job.failure,
    input = job.input,
  } = move;
  const order = move.inLine === true ? null : orderOf(scope, { ...job, dueMs });
  const next: Job = { ...job, dueMs, sinceMs, attempts, failure, input, startedMs: null, ...order };
  const { lane, place } = next;
  const patch: Row = { lane, place, attempts, input, info: moreOf(next) };
  return andThen(scope.tx.update("workJob", job.id, patch), () => next);
}

/** A clock may be off by so much and is not taken to be set back. */
const backMs = 1_000;

/** Whether the clock was set back since a job was put off for a length of time. */
export function isBehindClock(sinceMs: number | null, nowMs: number): boolean {
  return sinceMs !== null && sinceMs > nowMs + backMs;
}

/**
 * Puts jobs off anew, for as long as they were put off, when the clock was set back since.
 * @param told of each that was, in this transaction. @returns how many.
 */
export function putOffAnew(
  scope: ProcedureScope,
  ids: readonly string[],
  told: (job: Job) => Later<void> = () => undefined,
): Later<number> {
  const { nowMs } = scope.run;
  let count = 0;
  const from = (index: number): Later<number> => {
    const id = ids[index];
    if (id === undefined) return count;
    return andThen(scope.tx.get("workJob", id, null), (row) => {
      const job = row === null ? null : jobOfRow(row);
      if (
        (job?.dueMs ?? null) === null ||
        job === null ||
        job.dueMs === null ||
        job.sinceMs === null ||
        !isBehindClock(job.sinceMs, nowMs)
      ) {
        return from(index + 1);
      }
      count += 1;
      const dueMs = nowMs + Math.max(0, job.dueMs - job.sinceMs);
      const inLine = job.lane !== timedLane(job.queue);
      const moved = moveJob(scope, job, { dueMs, sinceMs: nowMs, inLine });
      return andThen(moved, (moved) => andThen(told(moved), () => from(index + 1)));
    });
  };
  return from(0);
}

/** Moves jobs whose time has come to the lanes of those that may run at once. @returns how many. */
export function wakeJobs(scope: ProcedureScope, ids: readonly string[]): Later<number> {
  const { nowMs } = scope.run;
  let count = 0;
  const from = (index: number): Later<number> => {
    const id = ids[index];
    if (id === undefined) return count;
    return andThen(scope.tx.get("workJob", id, null), (row) => {
      const job = row === null ? null : jobOfRow(row);
      const isDue = job?.lane === timedLane(job?.queue ?? "") && (job.dueMs ?? 0) <= nowMs;
      if (job === null || !isDue) return from(index + 1);
      count += 1;
      return andThen(moveJob(scope, job, { dueMs: null }), () => from(index + 1));
    });
  };
  return from(0);
}

/** Takes a job away, whatever it waits for. @returns it, or null when there was none. */
export function removeJob(scope: ProcedureScope, id: string): Later<Job | null> {
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return null;
    return andThen(scope.tx.delete("workJob", id), () => jobOfRow(row));
  });
}

/** `info` of a job's row. */
export function moreOf(
  job: Pick<
    Job,
    | "me"
    | "origin"
    | "createdMs"
    | "priority"
    | "dueMs"
    | "sinceMs"
    | "startedMs"
    | "failure"
    | "progress"
  >,
): Json {
  const { me, origin, createdMs, priority, dueMs, sinceMs, startedMs, failure, progress } = job;
  const more: JobMore = {
    root: origin.root,
    chain: origin.chain,
    createdMs,
    ...(me === null ? {} : { me }),
    ...(priority === 0 ? {} : { priority }),
    ...(dueMs === null ? {} : { dueMs }),
    ...(sinceMs === null ? {} : { sinceMs }),
    ...(startedMs === null ? {} : { startedMs }),
    ...(failure === null ? {} : { failure }),
    ...(progress === null ? {} : { progress }),
  };
  return more as unknown as Json;
}

function orderOf(
  scope: ProcedureScope,
  { queue, priority, key, dueMs }: Pick<Job, "queue" | "priority" | "key" | "dueMs">,
): Pick<Job, "lane" | "place"> {
  if (dueMs !== null) return { lane: timedLane(queue), place: dueMs };
  return { lane: readyLane(queue, priority, key), place: nextPlace(scope) };
}

function insertJob(scope: ProcedureScope, job: NewJob): Later<string> {
  const { run, tx } = scope;
  const { queue, key = null, once = null, input, priority = 0, dueMs = null } = job;
  const { attempts = 0, failure = null, inLine = false } = job;
  assertWhole("dueMs", dueMs ?? 0, 0, Number.MAX_SAFE_INTEGER);
  assertWhole("priority", priority, priorityMin, priorityMax);
  const { caller } = run;
  const own = caller.id === null ? null : caller.me;
  const me = job.me === undefined ? own : job.me;
  const id = run.app.newId("workJob");
  return andThen(job.counts === false ? undefined : countStart(scope), () => {
    const info = moreOf({
      me,
      origin: job.origin ?? originOf(run),
      priority,
      createdMs: run.nowMs,
      dueMs,
      sinceMs: job.sinceMs ?? null,
      startedMs: null,
      failure,
      progress: null,
    });
    const { lane, place } = orderOf(scope, { queue, priority, key, dueMs: inLine ? null : dueMs });
    const row: Row = { id, queue, lane, place, key, once, attempts, input, info };
    return andThen(tx.insert("workJob", row), () => id);
  });
}

function assertWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new PlatformError("ARGUMENT_INVALID", { [name]: String(value), min, max });
}
