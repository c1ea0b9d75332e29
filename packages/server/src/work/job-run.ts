// Running jobs in the writer: several in one transaction, each with the removal of its row. Whatever one of
// them throws undoes them all, and tells which one it was: the dispatcher then runs the others again without it.
import type { Json } from "../base/json.ts";
import { andThen, recover, type Later } from "../base/later.ts";
import { openDb, timeText, type Run } from "../gate/gate-app.ts";
import { anonymous, type Caller } from "../gate/identity.ts";
import type { GateApp, ProcedureScope } from "../gate/gate-app.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import { addWork, startWork } from "../gate/work.ts";
import type { Row } from "../store/store.ts";
import { jobOfRow, type Job, type JobFailure } from "./job.ts";
import { moreOf, moveJob } from "./job-write.ts";
import { originWithin } from "./lineage.ts";
import type { JobDid, JobEnd, QueuePolicy, WorkKind, WorkKinds } from "./work-kind.ts";

const jobPrefix = "work_job_";
const done: JobEnd = { kind: "done" };

/** One job of several failed. */
export class JobFailed extends Error {
  override readonly name = "JobFailed";
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super("a job failed", { cause });
    this.index = index;
  }
}

/** How many jobs of a call were dealt with, from the first on. */
export interface JobsRun {
  readonly count: number;
  /** What those did of which there is something to say. */
  readonly told?: readonly JobDid[];
}

/** The kind of a queue's jobs, or null. */
export function kindOf(kinds: WorkKinds, queue: string): WorkKind | null {
  return kinds.get(queue.slice(0, queue.indexOf(":"))) ?? null;
}

/** How the jobs of a queue run; null: the app has no such queue or function (any more), and its jobs are stranded. */
export function policyOf(kinds: WorkKinds, app: GateApp, queue: string): QueuePolicy | null {
  return kindOf(kinds, queue)?.policy(app, queue) ?? null;
}

/** Who a job runs as. */
export function callerOfMe(me: Job["me"]): Caller {
  if (me === null) return anonymous;
  const { id, role } = me;
  return {
    id: typeof id === "string" ? id : null,
    role: typeof role === "string" ? role : null,
    me,
  };
}

/** The scope of work that runs within a procedure's transaction, as somebody, for something. */
export function scopeWithin(
  { run, tx }: ProcedureScope,
  as: { readonly me: Job["me"]; readonly origin: WorkOrigin; readonly job?: Run["job"] },
): ProcedureScope {
  const own: Run = {
    ...run,
    caller: callerOfMe(as.me),
    origin: as.origin,
    authority: "caller",
    work: startWork(),
    spoiled: null,
    ...(as.job === undefined ? {} : { job: as.job }),
  };
  return { run: own, tx, db: openDb(own, tx, tx) };
}

/**
 * Runs jobs one after the other, for about `forUs` microseconds.
 * @param ids of `workJob`; those that are gone are passed over. @throws JobFailed.
 */
export function runJobs(
  scope: ProcedureScope,
  kinds: WorkKinds,
  { ids, forUs }: { readonly ids: readonly string[]; readonly forUs: number },
): Later<JobsRun> {
  const { clock } = scope.run.app;
  const untilUs = clock.monotonicUs() + forUs;
  const { started } = scope.run;
  const { workStartsMax } = scope.run.app.limits;
  const told: JobDid[] = [];
  const ran = (count: number): JobsRun => (told.length === 0 ? { count } : { count, told });
  const from = (index: number): Later<JobsRun> => {
    for (let at = index; at < ids.length; at++) {
      // What jobs start together is bounded; and other writes have their turn.
      const isFull = (started?.count ?? 0) * 2 > workStartsMax;
      if (at > 0 && (isFull || clock.monotonicUs() >= untilUs)) return ran(at);
      const done = recover(
        () => runOne(scope, kinds, { id: ids[at] as string, told }),
        (error) => {
          throw new JobFailed(at, error);
        },
      );
      if (done instanceof Promise) return done.then(() => from(at + 1));
    }
    return ran(ids.length);
  };
  return from(0);
}

function runOne(
  scope: ProcedureScope,
  kinds: WorkKinds,
  { id, told }: { readonly id: string; readonly told: JobDid[] },
): Later<void> {
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return undefined;
    const job = jobOfRow(row);
    const kind = kindOf(kinds, job.queue);
    const policy = kind?.policy(scope.run.app, job.queue) ?? null;
    // The app has no such queue any more: the job waits until it has.
    if (kind?.run === undefined || policy === null) return undefined;
    const inner = scopeOfJob(scope, job);
    const running = countingWork(scope, inner, () => kind.run?.(inner, job) ?? done);
    return andThen(running, (end) => {
      if (end.told !== undefined) told.push(end.told);
      return endJob(scope, { kind, policy, job, end });
    });
  });
}

/** Runs something in a scope within another, which has what it used and wrote to the console, also when it fails. */
export function countingWork<T>(
  scope: ProcedureScope,
  inner: ProcedureScope,
  run: () => Later<T>,
): Later<T> {
  const count = (): void => addWork(scope.run.work, inner.run.work);
  const running = recover(run, (error): never => {
    count();
    throw error;
  });
  return andThen(running, (result) => {
    count();
    return result;
  });
}

/** The scope of a job: as its `me`, as child of what caused it. */
export function scopeOfJob(scope: ProcedureScope, job: Job): ProcedureScope {
  return scopeWithin(scope, {
    me: job.me,
    origin: originWithin(job.origin, labelOf(job.queue)),
    job: { id: job.id, token: job.id, attempt: job.attempts + 1 },
  });
}

/** A queue in a chain: `queue mail.send`. */
export function labelOf(queue: string): string {
  return queue.replace(":", " ");
}

/** Does to a job's row what its end says. */
export function endJob(
  scope: ProcedureScope,
  ended: {
    readonly kind: WorkKind;
    readonly policy: QueuePolicy;
    readonly job: Job;
    readonly end: JobEnd;
  },
): Later<void> {
  const { kind, policy, job, end } = ended;
  switch (end.kind) {
    case "done":
      return andThen(scope.tx.delete("workJob", job.id), () =>
        policy.keepMs === 0 ? undefined : keepDone(scope, job, policy, end.result ?? null),
      );
    case "again": {
      const { dueMs, sinceMs = null, input = job.input } = end;
      return andThen(
        moveJob(scope, job, { dueMs, sinceMs, input, attempts: 0, failure: null }),
        () => undefined,
      );
    }
    case "dead":
      return buryJob(scope, kind, job, end.failure);
    default:
      return end satisfies never;
  }
}

/** The id of a job as a dead letter. */
export function deadIdOf(id: string): string {
  return `work_dead_${id.slice(jobPrefix.length)}`;
}

/** The id of a job, given that or the id of its dead letter or of what is kept of it. */
export function jobIdOf(id: string): string {
  return id.replace(/^work_(?:dead|done)_/, jobPrefix);
}

/** Makes a dead letter of a job, where its kind leaves any. */
export function buryJob(
  scope: ProcedureScope,
  kind: WorkKind,
  job: Job,
  failure: JobFailure,
): Later<void> {
  const { tx, run } = scope;
  const { id, queue, lane, place, key, once, attempts, input } = job;
  return andThen(dropJob(scope, kind, job, failure), (told): Later<void> => {
    if (told === "told") return undefined;
    const info = moreOf({ ...job, startedMs: null, failure });
    const diedAt = timeText(run.nowMs);
    const order = { lane, place, key, once };
    const row: Row = { id: deadIdOf(id), queue, ...order, attempts, input, info, diedAt };
    return tx.insert("workDead", row);
  });
}

/** Takes a job away for good, and tells whoever waits for it. */
export function dropJob(
  scope: ProcedureScope,
  kind: WorkKind,
  job: Job,
  failure: JobFailure,
): Later<"told" | void> {
  return andThen(scope.tx.delete("workJob", job.id), () =>
    kind.died?.(scopeOfJob(scope, job), job, failure),
  );
}

function keepDone(scope: ProcedureScope, job: Job, policy: QueuePolicy, result: Json): Later<void> {
  const { tx, run } = scope;
  return tx.insert("workDone", {
    id: `work_done_${job.id.slice(jobPrefix.length)}`,
    queue: job.queue,
    result,
    info: moreOf(job),
    doneAt: timeText(run.nowMs),
    until: timeText(run.nowMs + policy.keepMs),
  });
}
