// The `where` of a partial index, from its JSON form in the app to the filter that engines compile.
// Not the door's filter: what an app declares was type-checked and is small, so nothing is bounded here.
import type { WhereSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { FieldCondition, Where } from "../model/query-form.ts";

const operators: ReadonlySet<string> = new Set<keyof FieldCondition>([
  "eq",
  "not",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "notIn",
  "startsWith",
]);

/**
 * Reads `{ status: { not: "cancelled" } }`, with `and`, `or` and `not` of the same.
 * @throws APP_INVALID for a condition that an index cannot have.
 */
export function parseIndexWhere(spec: WhereSpec): Where {
  const parts = Object.entries(spec).map(([key, value]) => parseEntry(key, value));
  const only = parts[0];
  return parts.length === 1 && only !== undefined ? only : { kind: "and", parts };
}

function parseEntry(key: string, value: Json): Where {
  if (key === "and" || key === "or") {
    if (!Array.isArray(value)) throw invalid(key);
    return { kind: key, parts: value.map((part) => parseIndexWhere(asSpec(key, part))) };
  }
  if (key === "not") return { kind: "not", part: parseIndexWhere(asSpec(key, value)) };
  if (value === null || typeof value !== "object") {
    return { kind: "field", field: key, condition: { eq: value } };
  }
  const condition = asSpec(key, value);
  for (const operator of Object.keys(condition)) {
    if (!operators.has(operator)) throw invalid(`${key}.${operator}`);
  }
  return { kind: "field", field: key, condition };
}

function asSpec(key: string, value: Json): WhereSpec {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw invalid(key);
  return value as WhereSpec;
}

function invalid(at: string): PlatformError {
  return new PlatformError("APP_INVALID", { problem: `An index cannot have the condition ${at}.` });
}
