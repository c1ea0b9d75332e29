// The stage "validate": what is asked for exists and its values are what they must be, before anything
// waits in a queue or opens a transaction. Rows are validated again where they are written, with all that
// is known there; this pass keeps nonsense away from the writer.
// Invariant: what it lets through names only tables and functions that are reachable from outside.
import { PlatformError } from "../base/platform-error.ts";
import { functionNotFound, functionOf } from "./call-function.ts";
import { tableNotFound } from "./db-scope.ts";
import { timeText, type Run } from "./gate-app.ts";
import type { GateOperation } from "./gate-request.ts";
import { atStep } from "./run-operation.ts";
import type { RuledTable } from "./table-rules.ts";

/**
 * Validates an operation.
 * @returns the operation, arguments of calls normalised with their defaults.
 * @throws TABLE_NOT_FOUND, FUNCTION_NOT_FOUND, ARGUMENT_INVALID, VALUE_INVALID and its kin, REQUEST_INVALID.
 */
export function validateOperation(run: Run, operation: GateOperation): GateOperation {
  switch (operation.kind) {
    case "get":
    case "list":
    case "delete":
      reachableTable(run, operation.table);
      return operation;
    case "create":
    case "update":
      reachableTable(run, operation.table).validator(operation.kind, "caller")(
        operation.value,
        timeText(run.nowMs),
      );
      return operation;
    case "call": {
      const fn = functionOf(run, operation.name);
      if (fn.model.allow === "nobody" || fn.model.kind === "http")
        throw functionNotFound(operation.name);
      return { ...operation, args: fn.args(operation.args, timeText(run.nowMs)) };
    }
    case "http": {
      const { allow, kind } = functionOf(run, operation.name).model;
      if (allow === "nobody" || kind !== "http") throw functionNotFound(operation.name);
      return operation;
    }
    case "batch":
      return { kind: "batch", steps: validateSteps(run, operation.steps) };
    default:
      return operation satisfies never;
  }
}

function validateSteps(run: Run, steps: readonly GateOperation[]): readonly GateOperation[] {
  const { batchStepsMax } = run.app.limits;
  if (steps.length === 0)
    throw new PlatformError("REQUEST_INVALID", { problem: "a batch has steps" });
  if (steps.length > batchStepsMax) {
    const problem = `a batch has at most ${batchStepsMax} steps`;
    throw new PlatformError("REQUEST_INVALID", { problem });
  }
  return steps.map((step, index) => {
    try {
      return validateStep(run, step);
    } catch (error) {
      throw atStep(error, index);
    }
  });
}

function validateStep(run: Run, step: GateOperation): GateOperation {
  if (step.kind === "batch" || step.kind === "http") {
    throw new PlatformError("REQUEST_INVALID", { problem: `a step of a batch is no ${step.kind}` });
  }
  const checked = validateOperation(run, step);
  if (step.kind === "call" && functionOf(run, step.name).model.kind === "action") {
    const problem = "an action reaches the world and can't be part of a transaction";
    throw new PlatformError("REQUEST_INVALID", { function: step.name, problem });
  }
  return checked;
}

/** A table without rules is not there for anybody outside, and answers as one that does not exist. */
function reachableTable(run: Run, name: string): RuledTable {
  const table = run.app.tables.get(name);
  if (table?.reachable === true) return table;
  throw tableNotFound(name);
}
