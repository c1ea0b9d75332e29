// A function with its definition ready to hold it to: what its arguments must be, and what it may return.
import { PlatformError } from "../base/platform-error.ts";
import { issueDetails, compileRecord, type RecordValidator } from "../model/field-record.ts";
import type { FieldValidator, Issue } from "../model/field-issue.ts";
import { compileField } from "../model/field-validate.ts";
import type { FunctionModel, Manifest } from "../model/manifest.ts";

/** A function and its validators. */
export interface CheckedFunction {
  readonly model: FunctionModel;
  /** Checks and normalises arguments. @throws ARGUMENT_INVALID. */
  readonly args: RecordValidator;
  /**
   * Checks a result. @param resultJson what the function returned, as JSON text.
   * @returns the result normalised, as JSON text. @throws RESULT_INVALID.
   */
  readonly result: (resultJson: string) => string;
}

/** Compiles every function of a manifest. */
export function compileFunctions(manifest: Manifest): ReadonlyMap<string, CheckedFunction> {
  const functions = Object.values(manifest.functions);
  return new Map(functions.map((model) => [model.name, compileFunction(model)]));
}

function compileFunction(model: FunctionModel): CheckedFunction {
  return { model, args: compileRecord(model.args, "args"), result: compileResult(model) };
}

function compileResult(model: FunctionModel): CheckedFunction["result"] {
  const { name, returns, kind } = model;
  if (kind === "http") return (resultJson) => checkRawAnswer(name, resultJson);
  if (returns === undefined) return (resultJson) => resultJson;
  if (returns.kind === "nothing") {
    return (resultJson) => {
      if (resultJson === "null") return resultJson;
      throw invalid(name, [{ path: "", problem: "must be nothing", code: "VALUE_INVALID" }]);
    };
  }
  const check: FieldValidator = compileField(returns);
  return (resultJson) => {
    const issues: Issue[] = [];
    const value = check(JSON.parse(resultJson), "", issues);
    if (issues.length > 0) throw invalid(name, issues);
    return JSON.stringify(value);
  };
}

function checkRawAnswer(name: string, resultJson: string): string {
  const answer: unknown = JSON.parse(resultJson);
  if (isRawAnswer(answer)) return resultJson;
  const problem = "must be { status, headers, body }";
  throw invalid(name, [{ path: "", problem, code: "VALUE_INVALID" }]);
}

function isRawAnswer(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers, body } = value as Readonly<Record<string, unknown>>;
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599)
    return false;
  if (!Array.isArray(headers) || !headers.every(isHeader)) return false;
  return body === null || typeof body === "string";
}

function isHeader(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return value.every((part) => typeof part === "string");
}

function invalid(name: string, issues: readonly Issue[]): PlatformError {
  return new PlatformError("RESULT_INVALID", { function: name, ...issueDetails(issues) });
}
