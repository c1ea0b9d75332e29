// Transactions of workflows: what functions of the app ask for, and what the operator does by hand.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Procedure, ProcedureScope, Procedures } from "../../gate/gate-app.ts";
import { textProblem } from "../../model/field-format.ts";
import { askToEnd, cancelled, interruptRun, wakeRun } from "./workflow-answer.ts";
import { workflowOf } from "./workflow-app.ts";
import { keepVersion } from "./workflow-code.ts";
import { nowText, readRun, writeRun } from "./workflow-run.ts";
import { listRuns, showRun } from "./workflow-show.ts";
import { endRun, startRun } from "./workflow-start.ts";
import { sendSignal } from "./workflow-wait.ts";

type Input = Readonly<Record<string, Json>>;

const forFunctions: Readonly<Record<string, Procedure["run"]>> = {
  "workflow.start": (scope, input) => {
    const { name, args, key } = input as Input;
    return startRun(scope, {
      workflow: textOf(name, "name"),
      args: args ?? {},
      key: key === undefined || key === null ? null : textOf(key, "key"),
    });
  },
  "workflow.signal": (scope, input) => {
    const { name, run, signal, payload } = input as Input;
    return signalRun(scope, {
      workflow: textOf(name, "name"),
      run: textOf(run, "run"),
      signal: textOf(signal, "signal"),
      payload: payload ?? {},
    });
  },
  "workflow.cancel": (scope, input) =>
    cancelRun(scope, textOf((input as Input)["run"], "run"), askToEnd),
};

const forOperators: Readonly<Record<string, Procedure["run"]>> = {
  "workflow.sendSignal": (scope, input) => {
    const { run, signal, payload } = input as Input;
    const id = textOf(run, "run");
    return andThen(readRun(scope, id), (found) => {
      if (found === null) throw new PlatformError("WORK_NOT_FOUND", { run: id });
      const { workflow } = found;
      const name = textOf(signal, "signal");
      return signalRun(scope, { workflow, run: id, signal: name, payload: payload ?? {} });
    });
  },
  "workflow.list": (scope, input) => listRuns(scope, input as Input),
  "workflow.show": (scope, input) => showRun(scope, textOf((input as Input)["run"], "run")),
  // The operator's word goes: also for a run whose undoing waits for what never comes.
  "workflow.stop": (scope, input) =>
    cancelRun(scope, textOf((input as Input)["run"], "run"), interruptRun),
  "workflow.retry": (scope, input) => retryRun(scope, textOf((input as Input)["run"], "run")),
};

/** By name. */
export const workflowProcedures: Procedures = new Map([
  ...Object.entries(forFunctions).map(([name, run]): [string, Procedure] => [
    name,
    { run, forFunctions: true },
  ]),
  ...Object.entries(forOperators).map(([name, run]): [string, Procedure] => [name, { run }]),
]);

function signalRun(
  scope: ProcedureScope,
  to: {
    readonly workflow: string;
    readonly run: string;
    readonly signal: string;
    readonly payload: Json;
  },
): Later<boolean> {
  const { workflow, run: id, signal } = to;
  const { signals } = workflowOf(scope.run.app, workflow);
  const check = signals.get(signal);
  if (check === undefined) {
    throw new PlatformError("WORK_NOT_FOUND", { workflow, signal, there: [...signals.keys()] });
  }
  const payload = check(to.payload, nowText(scope));
  return andThen(readRun(scope, id), (run) => {
    if (run === null || run.workflow !== workflow) return false;
    return sendSignal(scope, { run: id, name: signal, payload });
  });
}

function cancelRun(
  scope: ProcedureScope,
  id: string,
  interrupt: typeof interruptRun,
): Later<boolean> {
  return andThen(readRun(scope, id), (run) => {
    if (run === null) return false;
    // Its code can't be run any further: it ends where it is.
    if (run.state === "stuck") {
      const ended = endRun(scope, run, { state: "cancelled", error: cancelled });
      return andThen(ended, () => true);
    }
    return andThen(interrupt(scope, id, cancelled), (interrupted) => interrupted !== null);
  });
}

/** A run that is stuck goes on, on the newest code: if that does what the run did before, it goes through. */
function retryRun(scope: ProcedureScope, id: string): Later<string> {
  return andThen(readRun(scope, id), (run) => {
    if (run === null || (run.state !== "stuck" && run.state !== "running")) {
      throw new PlatformError("WORK_NOT_FOUND", {
        run: id,
        ...(run === null ? {} : { state: run.state }),
      });
    }
    return andThen(keepVersion(scope), (version) =>
      andThen(writeRun(scope, id, { state: "running", error: null, version }), (next) =>
        andThen(wakeRun(scope, next), () => version),
      ),
    );
  });
}

const textCharsMax = 200;

function textOf(value: Json | undefined, name: string): string {
  const isShort = typeof value === "string" && value !== "" && value.length <= textCharsMax;
  const unfit = isShort ? textProblem(value) : null;
  if (isShort && unfit === null) return value;
  const problem =
    unfit === null ? `${name} is a text of 1 to ${textCharsMax} characters` : `${name} ${unfit}`;
  throw new PlatformError("ARGUMENT_INVALID", { problem });
}
