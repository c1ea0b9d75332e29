// Answers for a run: what it waits for has come, failed, or is not waited for any more. Whoever brings one does so in
// its own transaction; the run is woken by a job, and told in its next tick.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { addJob, removeJob } from "../job-write.ts";
import type { WorkflowFailure } from "./replay.ts";
import {
  eachOf,
  infoJson,
  nowText,
  originOfRun,
  readRun,
  readStep,
  readSteps,
  stopHash,
  writeRun,
  type RunInfo,
  type WorkflowRun,
  type WorkflowStep,
} from "./workflow-run.ts";

/** The kind of ticks; their queues are `workflow:<name>`. */
export const workflowKindName = "workflow";

/** How something that a run waits for ended. */
export type StepEnd =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: WorkflowFailure };

/** The fields of a step that ended so. @param place among the answers of its run. */
export function endedStep(scope: ProcedureScope, end: StepEnd, place: number) {
  return {
    state: end.ok ? "done" : "failed",
    place,
    result: end.ok ? end.value : null,
    error: end.ok ? null : (end.error as unknown as Json),
    waits: null,
    dueAt: null,
    endedAt: nowText(scope),
  } as const;
}

/** How much an answer counts for limits.workflowBytesMax. */
export function bytesOf(end: StepEnd): number {
  return Buffer.byteLength(JSON.stringify(end.ok ? end.value : end.error));
}

/** Brings the answer to a step that waits, and wakes its run. @returns whether it was waited for. */
export function answerStep(
  scope: ProcedureScope,
  at: { readonly run: string; readonly seq: number },
  end: StepEnd,
  change: (info: RunInfo) => RunInfo = (info) => info,
): Later<boolean> {
  return andThen(readRun(scope, at.run), (run) => {
    if (run === null || run.state !== "running") return false;
    return andThen(readStep(scope, at.run, at.seq), (step) => {
      if (step === null || step.state !== "waiting") return false;
      const place = run.info.answers;
      const info = change({
        ...run.info,
        answers: place + 1,
        bytes: run.info.bytes + bytesOf(end),
      });
      return andThen(scope.tx.update("workStep", step.id, endedStep(scope, end, place)), () =>
        andThen(writeRun(scope, run.id, { info: infoJson(info) }), () =>
          andThen(wakeRun(scope, run), () => true),
        ),
      );
    });
  });
}

/** A tick of a run, at once. */
export function wakeRun(scope: ProcedureScope, run: WorkflowRun): Later<string> {
  return addJob(scope, {
    queue: `${workflowKindName}:${run.workflow}`,
    input: { run: run.id },
    once: run.id,
    sooner: true,
    me: run.info.me,
    origin: originOfRun(run),
    // It goes on: it was counted when it began.
    counts: false,
  });
}

/**
 * Asks a run to end: interrupts it, unless it is ending anyway. A second `cancel`, a deadline or its parent's end do not
 * cut off what undoes its work: a refund that is under way goes through. @returns the run, or null when it does not run.
 */
export function askToEnd(
  scope: ProcedureScope,
  id: string,
  error: WorkflowFailure,
): Later<WorkflowRun | null> {
  return andThen(readRun(scope, id), (run) => {
    if (run === null || run.state !== "running") return null;
    return isEnding(run) ? run : interruptRun(scope, id, error);
  });
}

/** Whether a run undoes what it did, or was interrupted and has not been told yet. */
export function isEnding({ info }: WorkflowRun): boolean {
  const { isUndoing = false, interruptedAt = null, seen } = info;
  return isUndoing || (interruptedAt !== null && interruptedAt >= (seen ?? 0));
}

/**
 * Interrupts a run: all that it waits for fails with this error, and is given up: jobs are taken back, children are
 * cancelled. What it does then is up to its code. @returns the run as it is then, or null when it does not run.
 */
export function interruptRun(
  scope: ProcedureScope,
  id: string,
  error: WorkflowFailure,
): Later<WorkflowRun | null> {
  return andThen(readRun(scope, id), (run) => {
    if (run === null || run.state !== "running") return null;
    return andThen(giveUpSteps(scope, run), () => {
      const place = run.info.answers;
      const now = nowText(scope);
      const row = {
        id: scope.run.app.newId("workStep"),
        run: id,
        seq: -1 - place,
        kind: "interrupt",
        name: error.code,
        hash: run.info.isUndoing === true ? stopHash : "",
        state: "failed",
        place,
        result: null,
        error: error as unknown as Json,
        waits: null,
        dueAt: null,
        job: null,
        askedAt: now,
        endedAt: now,
      };
      const info = { ...run.info, answers: place + 1, interruptedAt: place };
      return andThen(scope.tx.insert("workStep", row), () =>
        andThen(writeRun(scope, id, { info: infoJson(info) }), (next) =>
          andThen(wakeRun(scope, next), () => next),
        ),
      );
    });
  });
}

/** Nothing that a run waits for is waited for any more. */
export function giveUpSteps(scope: ProcedureScope, run: WorkflowRun): Later<void> {
  return andThen(readSteps(scope, run.id), (steps) => {
    const waiting = steps.filter(({ state }) => state === "waiting");
    const children = waiting.flatMap(({ kind, job }) =>
      kind === "child" && job !== null ? [job] : [],
    );
    return andThen(
      eachOf(waiting, (step) => giveUp(scope, step)),
      () => cancelChildren(scope, run, children),
    );
  });
}

/** Children that one transaction cancels; a job cancels the others. */
const childrenMax = 10;

/** Cancels runs, those that are too many for one transaction by a job. */
export function cancelChildren(
  scope: ProcedureScope,
  parent: { readonly info: Pick<RunInfo, "me" | "root" | "chain"> },
  children: readonly string[],
): Later<void> {
  const rest = children.slice(childrenMax);
  const now = eachOf(children.slice(0, childrenMax), (child) => askToEnd(scope, child, cancelled));
  return andThen(now, () => {
    if (rest.length === 0) return undefined;
    const { me, root, chain } = parent.info;
    const input = { children: rest, me, root, chain: [...chain] };
    const queue = `${workflowKindName}:children`;
    const origin = { root, chain };
    return andThen(addJob(scope, { queue, input, me, origin, counts: false }), () => undefined);
  });
}

/** What cancelling tells. */
export const cancelled: WorkflowFailure = {
  code: "WORKFLOW_CANCELLED",
  text: "The workflow was cancelled.",
  details: {},
};

function giveUp(scope: ProcedureScope, step: WorkflowStep): Later<void> {
  const { job, kind } = step;
  const patch = { state: "cancelled", waits: null, dueAt: null, endedAt: nowText(scope) };
  return andThen(scope.tx.update("workStep", step.id, patch), () => {
    // A step that cancels its own run goes on to its end; nobody takes its result.
    if (job === null || kind === "child" || job === scope.run.job?.id) return undefined;
    return andThen(removeJob(scope, job), () => undefined);
  });
}
