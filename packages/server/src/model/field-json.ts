// Values of json fields: any JSON, bounded in bytes and depth, without keys that reach a prototype.
// Returns a copy, so that nobody outside can change a value after it was checked.
import type { Json } from "../base/json.ts";
import { forbiddenKeys } from "../base/json-parse.ts";
import { textProblem } from "./field-format.ts";
import { addIssue, isPlainObject, type FieldValidator } from "./field-issue.ts";

/** @param maxBytes of the value as JSON text in UTF-8. @param depthMax arrays and objects inside each other. */
export function compileJson(maxBytes: number, depthMax: number): FieldValidator {
  return (value, path, issues) => {
    const problems: string[] = [];
    const copy = copyJson(value, depthMax, problems);
    const [problem] = problems;
    if (problem !== undefined) return addIssue(issues, path, problem);
    const text = JSON.stringify(copy);
    // A UTF-16 unit is at most three bytes: most values need no count.
    if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
      return addIssue(issues, path, `must have at most ${maxBytes} bytes as JSON`);
    }
    return copy;
  };
}

function copyJson(value: unknown, depthLeft: number, problems: string[]): Json {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) problems.push("must be JSON (it has a number that is not finite)");
    return value === 0 ? 0 : value;
  }
  if (typeof value === "string") {
    const problem = textProblem(value);
    if (problem !== null) problems.push(problem);
    return value;
  }
  if (depthLeft === 0) {
    problems.push("is nested too deeply");
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown) => copyJson(item, depthLeft - 1, problems));
  }
  if (!isPlainObject(value)) {
    problems.push("must be JSON");
    return null;
  }
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const problem = forbiddenKeys.has(key) ? "has a key that is never allowed" : textProblem(key);
    if (problem !== null) {
      problems.push(problem);
      return null;
    }
    if (value[key] !== undefined) copy[key] = copyJson(value[key], depthLeft - 1, problems);
  }
  return copy;
}
