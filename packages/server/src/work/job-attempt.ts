// Attempts that are more than one transaction: the start of one in the world is recorded before it runs, and
// what came of it after. A failed one is tried again by the policy, or becomes a dead letter.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { jobOfRow, type Job, type JobFailure } from "./job.ts";
import { backoffMs, isLastFailure, isStoreFailure } from "./job-failure.ts";
import { buryJob, endJob, kindOf, scopeOfJob } from "./job-run.ts";
import { moreOf, moveJob } from "./job-write.ts";
import type { ActOutcome, JobEnd, QueuePolicy, WorkKind, WorkKinds } from "./work-kind.ts";

/** After a failure of the disk. */
const fullMs = 1_000;

/** An attempt that ends. */
export interface AttemptEnd {
  readonly id: string;
  /** Which attempt it was: what an older one says is not taken. */
  readonly attempt: number;
  readonly outcome: ActOutcome;
}

/**
 * Records that attempts begin. Jobs that were begun as often as they may be, and never ended, are dead letters:
 * they take the process with them.
 * @returns those to run, as they are now.
 */
export function beginJobs(
  scope: ProcedureScope,
  kinds: WorkKinds,
  {
    ids,
    again = [],
  }: {
    readonly ids: readonly string[];
    /** Of these: whose last attempt ended, and the machine could not write that down. It is not counted twice. */
    readonly again?: readonly string[];
  },
): Later<readonly Job[]> {
  const begun: Job[] = [];
  const from = (index: number): Later<readonly Job[]> => {
    const id = ids[index];
    if (id === undefined) return begun;
    return andThen(beginOne(scope, kinds, { id, isAgain: again.includes(id) }), (job) => {
      if (job !== null) begun.push(job);
      return from(index + 1);
    });
  };
  return from(0);
}

function beginOne(
  scope: ProcedureScope,
  kinds: WorkKinds,
  { id, isAgain }: { readonly id: string; readonly isAgain: boolean },
): Later<Job | null> {
  const { tx, run } = scope;
  return andThen(tx.get("workJob", id, null), (row) => {
    if (row === null) return null;
    const job = jobOfRow(row);
    const found = known(scope, kinds, job);
    if (found === null) return null;
    const { kind, policy } = found;
    const isCounted = isAgain && job.startedMs !== null && job.attempts > 0;
    if (job.attempts >= policy.attemptsMax && !isCounted) {
      const text =
        "Every attempt ended without an answer: the process was stopped, or stopped by it.";
      const failure = job.failure ?? {
        code: "FUNCTION_INTERRUPTED",
        text,
        details: {},
        atMs: run.nowMs,
      };
      return andThen(buryJob(scope, kind, job, failure), () => null);
    }
    const attempts = isCounted ? job.attempts : job.attempts + 1;
    const next: Job = { ...job, attempts, startedMs: run.nowMs };
    const patch = { attempts: next.attempts, info: moreOf(next) };
    return andThen(tx.update("workJob", id, patch), () => next);
  });
}

/** Records what came of an attempt in the world. @returns whether it was the one under way. */
export function endAttempt(
  scope: ProcedureScope,
  kinds: WorkKinds,
  { id, attempt, outcome }: AttemptEnd,
): Later<boolean> {
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return false;
    const job = jobOfRow(row);
    const found = known(scope, kinds, job);
    if (job.attempts !== attempt || found === null) return false;
    const { kind, policy } = found;
    const inner = scopeOfJob(scope, { ...job, attempts: job.attempts - 1 });
    const asked: Later<JobEnd | "default"> = kind.ended?.(inner, job, outcome) ?? "default";
    return andThen(asked, (end) => {
      if (end !== "default") return andThen(endJob(scope, { kind, policy, job, end }), () => true);
      if (outcome.ok) {
        const done: JobEnd = { kind: "done", result: outcome.result };
        return andThen(endJob(scope, { kind, policy, job, end: done }), () => true);
      }
      const isLast = outcome.isLast || isLastFailure(outcome.failure);
      const failed = { kind, policy, job, failure: outcome.failure, isLast };
      return andThen(tryAgain(scope, failed), () => true);
    });
  });
}

/** Records that an attempt in the writer failed. */
export function failJob(
  scope: ProcedureScope,
  kinds: WorkKinds,
  {
    id,
    failure,
    quiet = false,
  }: {
    readonly id: string;
    readonly failure: JobFailure;
    /** The kind is not told when it becomes a dead letter: telling it failed. */
    readonly quiet?: boolean;
  },
): Later<Json> {
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return null;
    const job = jobOfRow(row);
    const found = known(scope, kinds, job);
    if (found === null) return null;
    const counted = { ...job, attempts: job.attempts + 1 };
    const { died: _died, ...silent } = found.kind;
    const kind = quiet ? silent : found.kind;
    const failed = { ...found, kind, job: counted, failure, isLast: isLastFailure(failure) };
    return andThen(tryAgain(scope, failed), () => null);
  });
}

/** @param failed.job with the attempt counted. */
function tryAgain(
  scope: ProcedureScope,
  failed: {
    readonly kind: WorkKind;
    readonly policy: QueuePolicy;
    readonly job: Job;
    readonly failure: JobFailure;
    readonly isLast: boolean;
  },
): Later<void> {
  const { kind, policy, job, failure, isLast } = failed;
  if (isStoreFailure(failure) && job.attempts > 0) return putOff(scope, failed);
  if (isLast || job.attempts >= policy.attemptsMax) return buryJob(scope, kind, job, failure);
  const { run } = scope;
  const dueMs = run.nowMs + backoffMs(policy, job.attempts, run.app.random);
  const { attempts } = job;
  const moved = moveJob(scope, job, {
    dueMs,
    sinceMs: run.nowMs,
    attempts,
    failure,
    inLine: policy.ordered,
  });
  return andThen(moved, () => undefined);
}

/** The data could not be written: that is no attempt, and there is room again as suddenly as there was none. */
function putOff(
  scope: ProcedureScope,
  { job, policy, failure }: Pick<Parameters<typeof tryAgain>[1], "job" | "policy" | "failure">,
): Later<void> {
  const { nowMs } = scope.run;
  const moved = moveJob(scope, job, {
    dueMs: nowMs + fullMs,
    sinceMs: nowMs,
    attempts: job.attempts - 1,
    failure,
    inLine: policy.ordered,
  });
  return andThen(moved, () => undefined);
}

function known(
  { run }: ProcedureScope,
  kinds: WorkKinds,
  job: Job,
): { readonly kind: WorkKind; readonly policy: QueuePolicy } | null {
  const kind = kindOf(kinds, job.queue);
  const policy = kind?.policy(run.app, job.queue) ?? null;
  return kind === null || policy === null ? null : { kind, policy };
}
