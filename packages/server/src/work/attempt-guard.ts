// Writes of an action that runs for a job are taken while its attempt is under way, which the writer sees in the
// transaction of the write itself: what cancelled the job, or ended the attempt, may have been durable before whoever
// runs the action hears of it. One job in memory is looked at; writes for no job are not touched.
import { andThen } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { ExecuteWrite } from "../gate/execute-write.ts";
import type { WriteJob } from "../gate/writer.ts";
import type { Row } from "../store/store.ts";
import { jobOfRow } from "./job.ts";

/**
 * What the writer does with a job, and refuses for an attempt that is over: FUNCTION_INTERRUPTED. To say how far it is
 * is no write of that kind: it is answered false.
 */
export function guardAttempts(execute: ExecuteWrite): ExecuteWrite {
  return (write, tx, work) => {
    const { job } = write;
    if (job === undefined) return execute(write, tx, work);
    return andThen(tx.get("workJob", job.id, null), (row) => {
      if (isUnderWay(row, job.attempt)) return execute(write, tx, work);
      if (isProgress(write)) return "false";
      throw new PlatformError("FUNCTION_INTERRUPTED", { job: job.id });
    });
  };
}

function isUnderWay(row: Row | null, attempt: number): boolean {
  if (row === null) return false;
  const { attempts, startedMs } = jobOfRow(row);
  return attempts === attempt && startedMs !== null;
}

function isProgress({ operation }: WriteJob): boolean {
  return operation.kind === "procedure" && operation.name === "work.progress";
}
