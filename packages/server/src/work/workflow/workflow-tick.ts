// A tick: a run is replayed from its start, told what came since, and goes on until it can't. One tick is one
// transaction with all that it begins and records; killed before its end, it never was. `workflow:<name>`.
//
// A run: running -> (stuck ->) done | failed | cancelled. While it runs it has a job, or something else wakes it.
import type { Json } from "../../base/json.ts";
import { andThen, recover, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText, type ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { failureOf } from "../job-failure.ts";
import { isBehindClock } from "../job-write.ts";
import type { Job } from "../job.ts";
import { policyOf } from "../work-app.ts";
import type { JobDid, JobEnd, WorkKind } from "../work-kind.ts";
import {
  cancelChildren,
  cancelled,
  endedStep,
  giveUpSteps,
  interruptRun,
  isEnding,
  workflowKindName,
} from "./workflow-answer.ts";
import { workflowOf } from "./workflow-app.ts";
import { beginCommand, type Due, type Tick } from "./workflow-begin.ts";
import { keepVersion, runnerOf } from "./workflow-code.ts";
import { evaluate, type Evaluated } from "./workflow-evaluate.ts";
import { wireFailure } from "./workflow-failure.ts";
import { historyOf } from "./workflow-history.ts";
import { Replay } from "./replay.ts";
import {
  eachOf,
  infoJson,
  nowText,
  readRun,
  readSteps,
  writeRun,
  type WorkflowRun,
  type WorkflowStep,
} from "./workflow-run.ts";
import { endRun, failRun } from "./workflow-start.ts";
import { tellRuns, type ToldEvent } from "./workflow-wait.ts";

/** A tick that fails by no fault of the workflow is tried again so often. */
const attemptsMax = 20;
const backoffMs = 5;
const done: JobEnd = { kind: "done" };
/** Of what a tick began, so many are named to whoever watches. */
const begunShown = 4;

/** What a job of this kind brings: a run to go on with, or what was too much for the transaction that began it. */
interface TickInput {
  readonly run?: string;
  readonly event?: ToldEvent;
  readonly children?: readonly string[];
}

/** Ticks. */
export const workflowKind: WorkKind = {
  kind: workflowKindName,
  hasOwnInput: true,
  // Also of workflows that the app has no more: their runs end on the code that they began with.
  policy: (app) => policyOf(app, { attempts: attemptsMax, backoffMs }),
  place: () => "writer",
  run(scope, job) {
    const { run: id, event, children } = job.input as unknown as TickInput;
    if (event !== undefined) return andThen(tellRuns(scope, event), () => done);
    if (children !== undefined) {
      const parent = { info: job.input as unknown as WorkflowRun["info"] };
      return andThen(cancelChildren(scope, parent, children), () => done);
    }
    if (id === undefined) return done;
    return andThen(readRun(scope, id), (run) => {
      if (run === null || run.state !== "running") return done;
      return andThen(readSteps(scope, id), (steps) =>
        andThen(timesUp(scope, run, steps), (isChanged) =>
          isChanged ? tickAnew(scope, job, id) : tick(scope, job, run, steps),
        ),
      );
    });
  },
  // Its job's delay began anew: so do those of the steps that it stands for.
  clockSetBack(scope, job) {
    const { run } = job.input as unknown as TickInput;
    if (run === undefined) return undefined;
    return andThen(readSteps(scope, run), (steps) =>
      eachOf(
        steps.filter(
          ({ state, dueMs, sinceMs }) =>
            state === "waiting" && dueMs !== null && isBehindClock(sinceMs, scope.run.nowMs),
        ),
        (step) => beginAnew(scope, step),
      ),
    );
  },
  died(scope, job, failure) {
    const { run } = job.input as { readonly run?: string };
    if (run === undefined) return undefined;
    // The run shows what it failed with: there is nothing to try again. A tick that somebody takes back is a run
    // that is cancelled: what it did is undone.
    const ended =
      failure.code === "WORK_CANCELLED"
        ? interruptRun(scope, run, cancelled)
        : failRun(scope, run, wireFailure(failure));
    return andThen<unknown, "told">(ended, () => "told");
  },
};

/** Answers what is over by itself: sleeps, waits with a timeout, the run's deadline. @returns whether anything was. */
function timesUp(
  scope: ProcedureScope,
  run: WorkflowRun,
  steps: readonly WorkflowStep[],
): Later<boolean> {
  const { nowMs } = scope.run;
  const { deadlineMs } = run.info;
  const isLate = deadlineMs !== null && deadlineMs <= nowMs && !isEnding(run);
  const waiting = steps.filter(({ state, dueMs }) => state === "waiting" && dueMs !== null);
  const due = waiting
    .filter(({ dueMs }) => (dueMs ?? 0) <= nowMs)
    .toSorted((left, right) => (left.dueMs ?? 0) - (right.dueMs ?? 0) || left.seq - right.seq);
  const behind = waiting.filter(({ sinceMs }) => isBehindClock(sinceMs, nowMs));
  if (due.length === 0 && behind.length === 0 && !isLate) return false;
  let { answers } = run.info;
  const ending = eachOf(due, ({ id }) =>
    scope.tx.update("workStep", id, endedStep(scope, { ok: true, value: null }, answers++)),
  );
  const writing = andThen(ending, () => eachOf(behind, (step) => beginAnew(scope, step)));
  return andThen(writing, () => {
    const info = { ...run.info, answers, deadlineMs: isLate ? null : deadlineMs };
    return andThen(writeRun(scope, run.id, { info: infoJson(info) }), () => {
      if (!isLate) return true;
      const error = new PlatformError("WORKFLOW_DEADLINE", { deadline: timeText(deadlineMs) });
      const { code, message, details } = error;
      const interrupted = interruptRun(scope, run.id, { code, text: message, details });
      return andThen(interrupted, () => true);
    });
  });
}

/** The clock was set back: no delay becomes longer by that than it is. */
function beginAnew(scope: ProcedureScope, { id, dueMs, sinceMs }: WorkflowStep): Later<unknown> {
  const { nowMs } = scope.run;
  const askedAt = timeText(nowMs);
  const dueAt = timeText(nowMs + Math.max(0, (dueMs ?? 0) - (sinceMs ?? 0)));
  return scope.tx.update("workStep", id, { askedAt, dueAt });
}

function tickAnew(scope: ProcedureScope, job: Job, id: string): Later<JobEnd> {
  return andThen(readRun(scope, id), (run) =>
    run === null ? done : andThen(readSteps(scope, id), (steps) => tick(scope, job, run, steps)),
  );
}

function tick(
  scope: ProcedureScope,
  job: Job,
  run: WorkflowRun,
  steps: readonly WorkflowStep[],
): Later<JobEnd> {
  const { limits } = scope.run.app;
  const under: Tick = {
    scope,
    job,
    run,
    steps: new Map(steps.map((step) => [step.seq, step])),
    commands: [],
    answers: run.info.answers,
    hasRun: false,
    isUnfinished: false,
    isUndoing: false,
    due: [],
    begun: [],
  };
  const replay = new Replay(historyOf(steps, run.info), {
    begin: (seq) => andThen(noteUndoing(under), () => beginCommand(under, seq)),
    commandsMax: limits.workflowStepsMax,
    isFull: () => run.info.bytes > limits.workflowBytesMax,
  });
  return andThen(runnerOf(scope, run.version), (runner) =>
    andThen(evaluate(under, replay, runner), (evaluated) =>
      andThen(settle(under, replay, evaluated), (end) => ({
        ...end,
        told: didOf(under, evaluated.end),
      })),
    ),
  );
}

/** Before the first of what undoes is begun: from then on neither its deadline nor a cancel cuts that off. */
function noteUndoing({ scope, run, isUndoing }: Tick): Later<void> {
  if (!isUndoing || run.info.isUndoing === true) return undefined;
  return andThen(readRun(scope, run.id), (fresh) => {
    if (fresh === null || fresh.info.isUndoing === true) return undefined;
    const info = { ...fresh.info, isUndoing, deadlineMs: null };
    return andThen(writeRun(scope, run.id, { info: infoJson(info) }), () => undefined);
  });
}

/** What a tick did, for whoever watches: `step seats.hold, sleep` or `done`. */
function didOf({ begun }: Tick, end: Evaluated["end"]): JobDid {
  const failure = end.kind === "stuck" || end.kind === "failed" ? end.error : null;
  const more = begun.length - begunShown;
  const shown = begun.slice(0, begunShown);
  const parts = [...shown, ...(more > 0 ? [`${more} more`] : [])];
  if (end.kind !== "parked") parts.push(end.kind);
  return {
    did: parts.length === 0 ? "waits" : parts.join(", "),
    failure: failure === null ? null : { ...failure, details: failure.details ?? {} },
  };
}

/** Records what came of a tick. */
function settle(under: Tick, replay: Replay, evaluated: Evaluated): Later<JobEnd> {
  const { scope, run } = under;
  return andThen(readRun(scope, run.id), (fresh) => {
    // It was ended by one of its own steps.
    if (fresh === null || fresh.state !== "running") return done;
    const { status, undoFailures, end } = evaluated;
    const info = {
      ...fresh.info,
      seen: replay.given,
      fullAt: replay.fullAt,
      undoFailures: [...fresh.info.undoFailures, ...undoFailures],
    };
    switch (end.kind) {
      case "stuck": {
        const error = end.error as unknown as Json;
        return andThen(writeRun(scope, run.id, { state: "stuck", error }), () => done);
      }
      case "done":
        return andThen(
          endRun(scope, fresh, { state: "done", result: end.result }, { status, info }),
          () => done,
        );
      case "failed": {
        const isCancelled = end.error.code === "WORKFLOW_CANCELLED";
        const state = isCancelled ? "cancelled" : "failed";
        const ended = endRun(scope, fresh, { state, error: end.error }, { status, info });
        return andThen(ended, () => done);
      }
      case "restart":
        return restart(scope, { ...fresh, status }, end.args);
      case "parked":
        return andThen(
          writeRun(scope, run.id, { info: infoJson(info), ...statusOf(fresh, status) }),
          (next) => parked(under, next),
        );
      default:
        return end satisfies never;
    }
  });
}

function statusOf(run: WorkflowRun, status: Json): Row {
  return JSON.stringify(run.status) === JSON.stringify(status) ? {} : { status };
}

/** When the run is looked at again, if nothing wakes it before. */
function parked(under: Tick, run: WorkflowRun): JobEnd {
  const { info } = run;
  if (under.isUnfinished || info.answers > (info.seen ?? 0)) return { kind: "again", dueMs: null };
  const waits = [...under.steps.values()].flatMap((step) => dueOf(step));
  const deadline = info.deadlineMs === null ? [] : [{ dueMs: info.deadlineMs, sinceMs: null }];
  const [first] = [...waits, ...under.due, ...deadline].toSorted(
    (left, right) => left.dueMs - right.dueMs,
  );
  if (first === undefined) return done;
  const { dueMs, sinceMs } = first;
  return { kind: "again", dueMs, ...(sinceMs === null ? {} : { sinceMs }) };
}

function dueOf({ state, dueMs, sinceMs }: WorkflowStep): readonly Due[] {
  return state === "waiting" && dueMs !== null ? [{ dueMs, sinceMs }] : [];
}

const nothingSeen = { seen: null, interruptedAt: null, fullAt: null, bytes: 0 };

/** The same run from its start: with other arguments, the newest code, and no history. */
function restart(scope: ProcedureScope, run: WorkflowRun, given: Json): Later<JobEnd> {
  const args = recover<Json | PlatformError>(
    () => workflowOf(scope.run.app, run.workflow).args(given, nowText(scope)),
    (error) => {
      if (!(error instanceof PlatformError)) throw error;
      return error;
    },
  );
  return andThen(args, (args) => {
    if (args instanceof PlatformError) {
      const error = wireFailure(failureOf(args, scope.run.nowMs));
      return andThen(endRun(scope, run, { state: "failed", error }), () => done);
    }
    return andThen(forgetSteps(scope, run), () =>
      andThen(keepVersion(scope), (version) => {
        const info = { ...run.info, answers: 0, ...nothingSeen };
        const patch = { args, version, status: run.status, info: infoJson(info) };
        return andThen(writeRun(scope, run.id, patch), (): JobEnd => ({
          kind: "again",
          dueMs: null,
        }));
      }),
    );
  });
}

function forgetSteps(scope: ProcedureScope, run: WorkflowRun): Later<void> {
  return andThen(giveUpSteps(scope, run), () =>
    andThen(readSteps(scope, run.id), (steps) =>
      eachOf(steps, ({ id }) => scope.tx.delete("workStep", id)),
    ),
  );
}
