// Steps that are jobs of their own: actions, and mutations whose first attempt failed. What came of the last attempt
// is told to the run, in one transaction with the end of the job. `step:<function>`.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { assertSignedInWhereAsked, functionOf } from "../../gate/call-function.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { callMutation, nameOfQueue } from "../function-kind.ts";
import { isLastFailure } from "../job-failure.ts";
import { callerOfMe } from "../job-run.ts";
import type { Job, JobFailure } from "../job.ts";
import type { JobEnd, WorkKind } from "../work-kind.ts";
import { answerStep, type StepEnd } from "./workflow-answer.ts";
import { isFinal, stepKindName, stepPolicy, wireFailure } from "./workflow-failure.ts";

interface StepInput {
  readonly run: string;
  readonly seq: number;
  readonly args: Json;
}

const done: JobEnd = { kind: "done" };

/** Steps. */
export const workflowStepKind: WorkKind = {
  kind: stepKindName,
  policy: (app, queue) => {
    const name = nameOfQueue(queue);
    return app.functions.has(name) ? stepPolicy(app, name) : null;
  },
  place: (app, job) =>
    app.functions.get(nameOfQueue(job.queue))?.model.kind === "action" ? "world" : "writer",
  run(scope, job) {
    const { args } = inputOf(job);
    if (job.failure !== null && isFinal(job.failure)) {
      return end(scope, job, { ok: false, error: wireFailure(job.failure) });
    }
    const name = nameOfQueue(job.queue);
    assertSignedInWhereAsked(scope.run, functionOf(scope.run, name));
    return andThen(callMutation(scope, name, args), (value) =>
      end(scope, job, { ok: true, value }),
    );
  },
  async act(world, job) {
    const name = nameOfQueue(job.queue);
    const run = { app: world.app, caller: callerOfMe(job.me) };
    assertSignedInWhereAsked(run, functionOf(run, name));
    return JSON.parse(await world.call(name, inputOf(job).args)) as Json;
  },
  ended(scope, job, outcome) {
    if (outcome.ok) return end(scope, job, { ok: true, value: outcome.result });
    const { failure } = outcome;
    const { attemptsMax } = stepPolicy(scope.run.app, nameOfQueue(job.queue));
    const isLast =
      outcome.isLast || isFinal(failure) || isLastFailure(failure) || job.attempts >= attemptsMax;
    return isLast ? end(scope, job, { ok: false, error: wireFailure(failure) }) : "default";
  },
  died(scope, job, failure: JobFailure) {
    return andThen(end(scope, job, { ok: false, error: wireFailure(failure) }), () => "told");
  },
};

function end(scope: ProcedureScope, job: Job, ended: StepEnd): Later<JobEnd> {
  const { run, seq } = inputOf(job);
  return andThen(answerStep(scope, { run, seq }, ended), () => done);
}

function inputOf(job: Job): StepInput {
  return job.input as unknown as StepInput;
}
