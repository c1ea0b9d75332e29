// What the operator does with work by hand (`keelson work`): dead letters tried again, with another input if
// need be, or dropped; jobs moved up; consumers sent back to an earlier place.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Procedure, ProcedureScope } from "../gate/gate-app.ts";
import { jobOfRow } from "./job.ts";
import { deadIdOf, jobIdOf } from "./job-run.ts";
import { moreOf, moveJob } from "./job-write.ts";
import { readyLane } from "./lane.ts";
import { nextPlace } from "./place-number.ts";
import { readPosition, writePosition } from "./position.ts";
import { workOf } from "./work-app.ts";

type Input = Readonly<Record<string, Json>>;

/** By name. */
export const operatorProcedures: Readonly<Record<string, Procedure["run"]>> = {
  "work.retry": (scope, input) => retry(scope, input as Input),
  "work.drop": (scope, input) => drop(scope, (input as Input)["id"] as string),
  "work.replay": (scope, input) => replay(scope, input as Input),
};

/** A dead letter waits again, with its attempts counted anew; a job that waits for a time runs at once. */
function retry(scope: ProcedureScope, { id, input }: Input): Later<Json> {
  const jobId = jobIdOf(id as string);
  const { tx } = scope;
  return andThen(tx.get("workJob", jobId, null), (waiting) => {
    if (waiting !== null) {
      const job = jobOfRow(waiting);
      const given = input === undefined ? {} : { input };
      return andThen(moveJob(scope, job, { dueMs: null, attempts: 0, ...given }), () => jobId);
    }
    return andThen(tx.get("workDead", deadIdOf(jobId), null), (dead) => {
      if (dead === null) throw new PlatformError("WORK_NOT_FOUND", { id: jobId });
      const job = { ...jobOfRow(dead), dueMs: null };
      const row = {
        id: jobId,
        queue: job.queue,
        lane: readyLane(job.queue, job.priority, job.key),
        place: nextPlace(scope),
        key: job.key,
        once: job.once,
        attempts: 0,
        input: input === undefined ? job.input : input,
        info: moreOf(job),
      };
      return andThen(tx.delete("workDead", deadIdOf(jobId)), () =>
        andThen(tx.insert("workJob", row), () => jobId),
      );
    });
  });
}

function drop(scope: ProcedureScope, id: string): Later<Json> {
  const deadId = deadIdOf(jobIdOf(id));
  return andThen(scope.tx.get("workDead", deadId, null), (row) => {
    if (row === null) throw new PlatformError("WORK_NOT_FOUND", { id });
    return andThen(scope.tx.delete("workDead", deadId), () => deadId);
  });
}

/** @param input `consumer`, and `place`: the last one that it is taken to have had. */
function replay(scope: ProcedureScope, { consumer, place }: Input): Later<Json> {
  const name = consumer as string;
  if (!workOf(scope.run.app).consumers.has(name)) {
    throw new PlatformError("WORK_NOT_FOUND", { consumer: name.slice(0, 130) });
  }
  return andThen(readPosition(scope.tx, name), (before) => {
    if (before !== null && (place as number) > before) {
      const problem = "a consumer is sent back, not forward";
      throw new PlatformError("ARGUMENT_INVALID", { consumer: name, problem });
    }
    return andThen(writePosition(scope, name, place as number), () => place as number);
  });
}
