// The JSON of `POST /api/batch`: `{ "steps": [step, ...] }`, each step named by what it does. The whole
// batch is one transaction; docs/reference/http.md shows every kind of step.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { GateOperation } from "../gate/gate-request.ts";
import { atStep } from "../gate/run-operation.ts";
import type { QueryForm } from "../model/query-form.ts";
import { parseQueryForm, type QueryScope } from "./query-form-parse.ts";

type Step = { readonly [key: string]: Json };

/** Keys that each kind of step takes beside its own. */
const stepKeys: Readonly<Record<string, readonly string[]>> = {
  call: ["args"],
  list: ["query"],
  get: ["id", "query"],
  create: ["value"],
  update: ["id", "value"],
  delete: ["id"],
};

/**
 * Reads a batch.
 * @param json the body, already parsed. @param stepsMax limits.batchStepsMax.
 * @throws REQUEST_INVALID when it is not of the form, with the step that is not.
 */
export function parseBatch(json: Json, stepsMax: number): GateOperation {
  const steps = isObject(json) && Object.keys(json).length === 1 ? json["steps"] : undefined;
  if (!Array.isArray(steps)) {
    throw new PlatformError("REQUEST_INVALID", { problem: "a batch is { steps: [...] }" });
  }
  if (steps.length === 0 || steps.length > stepsMax) {
    throw new PlatformError("REQUEST_INVALID", { problem: "too many or no steps", stepsMax });
  }
  return { kind: "batch", steps: steps.map((step, index) => parseStep(step as Json, index)) };
}

/** Reads one step. @param index its place, for the refusal. @throws REQUEST_INVALID; QUERY_INVALID. */
export function parseStep(
  step: Json,
  index: number,
): Exclude<GateOperation, { kind: "batch" | "http" }> {
  if (!isObject(step)) throw badStep(index, "a step is an object");
  const kinds = Object.keys(stepKeys).filter((kind) => Object.hasOwn(step, kind));
  const kind = kinds[0];
  if (kind === undefined || kinds.length > 1) {
    throw badStep(index, "a step has exactly one of call, list, get, create, update, delete");
  }
  const allowed = stepKeys[kind] ?? [];
  for (const key of Object.keys(step)) {
    if (key !== kind && !allowed.includes(key))
      throw badStep(index, `${kind} does not take ${key}`);
  }
  const name = text(step, kind, index);
  switch (kind) {
    case "call":
      return { kind, name, args: step["args"] ?? {} };
    case "list":
      return { kind, table: name, query: queryOf(step, "list", index) };
    case "get":
      return {
        kind,
        table: name,
        id: text(step, "id", index),
        query: queryOf(step, "row", index),
      };
    case "create":
      return { kind, table: name, value: required(step, "value", index) };
    case "update":
      return {
        kind,
        table: name,
        id: text(step, "id", index),
        value: required(step, "value", index),
      };
    default:
      return { kind: "delete", table: name, id: text(step, "id", index) };
  }
}

function queryOf(step: Step, scope: QueryScope, index: number): QueryForm {
  try {
    return parseQueryForm(step["query"], scope);
  } catch (error) {
    throw atStep(error, index);
  }
}

function text(step: Step, key: string, index: number): string {
  const value = step[key];
  if (typeof value !== "string") throw badStep(index, `${key} is a text`);
  return value;
}

function required(step: Step, key: string, index: number): Json {
  const value = step[key];
  if (value === undefined) throw badStep(index, `${key} is missing`);
  return value;
}

function isObject(json: Json): json is Step {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}

function badStep(step: number, problem: string): PlatformError {
  return new PlatformError("REQUEST_INVALID", { step, problem });
}
