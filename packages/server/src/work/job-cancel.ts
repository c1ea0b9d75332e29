// Taking back a job that has not ended. Who waits for it is told as when it fails for good: a step's run gets an
// error, a cron waits for its next tick, a delivery is dead in its log. It leaves no dead letter.
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { failureOf } from "./job-failure.ts";
import { jobOfRow } from "./job.ts";
import { dropJob, kindOf } from "./job-run.ts";
import { removeJob } from "./job-write.ts";
import type { WorkKinds } from "./work-kind.ts";

/** @returns whether there was one. A mutation's own job is none: it ends with this transaction. */
export function cancelJob(scope: ProcedureScope, kinds: WorkKinds, id: string): Later<boolean> {
  const { tx, run } = scope;
  return andThen(tx.get("workJob", id, null), (row): Later<boolean> => {
    if (row === null) return false;
    const job = jobOfRow(row);
    if (id === run.job?.id && job.startedMs === null) return false;
    const kind = kindOf(kinds, job.queue);
    if (kind?.died === undefined) return andThen(removeJob(scope, id), () => true);
    const failure = failureOf(new PlatformError("WORK_CANCELLED", { job: id }), run.nowMs);
    return andThen(dropJob(scope, kind, job, failure), () => true);
  });
}
