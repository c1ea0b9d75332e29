// Binds the parameters of a rule's predicate: prepared once per predicate, bound per caller.
import type { Json } from "../base/json.ts";
import { assert } from "../base/assert.ts";
import { isLater, type Later } from "../base/later.ts";
import {
  compileRule,
  compileRuleValue,
  type RuleInput,
  type RuleOuterRows,
} from "./rule-evaluate.ts";
import type { RuleParam } from "./rule-sql-piece.ts";
import type { RuleClass } from "./rule-type.ts";

/** What an engine binds to a `?`. Bools are 1 and 0. */
export type SqlScalar = string | number | null;

/** Rows outside of the statement (for `some`), the caller and the time. */
export type RuleParamSource = RuleOuterRows;

/**
 * Prepares the binding of parameters.
 * @returns a function that gives one value per `?`, in order.
 */
export function prepareRuleParams(
  params: readonly RuleParam[],
): (source: RuleParamSource) => readonly SqlScalar[] {
  const reads = params.map(prepare);
  return (source) => {
    const input: RuleInput = {
      row: source.row,
      next: source.next,
      items: source.items,
      me: source.bindings.me,
      now: source.bindings.now,
      lookup: noLookup,
      some: noLookup,
    };
    return reads.map((read) => read(input));
  };
}

/** Bindings of a caller alone, for predicates without outer rows. */
export function callerSource(bindings: RuleParamSource["bindings"]): RuleParamSource {
  return { row: null, next: null, items: {}, bindings };
}

function prepare(param: RuleParam): (input: RuleInput) => SqlScalar {
  switch (param.kind) {
    case "literal": {
      const { value } = param;
      return () => value;
    }
    case "value": {
      const read = compileRuleValue(param.value);
      const { as, mismatch } = param;
      return (input) => scalar(now(read(input)), as, mismatch);
    }
    case "truth": {
      const test = compileRule(param.expr);
      return (input) => scalar(now(test(input)), "bool", "absent");
    }
    case "items": {
      const read = compileRuleValue(param.value);
      return (input) => {
        const list = now(read(input));
        if (!Array.isArray(list)) return null;
        return JSON.stringify(
          (list as readonly Json[]).filter((item) => isOfClass(item, param.as)),
        );
      };
    }
    case "field": {
      const read = compileRuleValue({
        kind: "path",
        root: param.root,
        steps: [param.field],
        through: [],
        at: { file: "", start: 0, end: 0 },
      });
      return (input) => {
        const value = now(read(input));
        return Array.isArray(value) ? JSON.stringify(value) : scalar(value, "any", "absent");
      };
    }
    default:
      return param satisfies never;
  }
}

function scalar(value: Json, as: RuleClass, mismatch: "absent" | "other"): SqlScalar {
  if (value === null || typeof value === "object") return null;
  if (!isOfClass(value, as)) {
    if (mismatch === "absent") return null;
    return as === "text" ? 0 : "";
  }
  return typeof value === "boolean" ? Number(value) : value;
}

function isOfClass(value: Json, as: RuleClass): boolean {
  switch (as) {
    case "text":
      return typeof value === "string" && value.isWellFormed();
    case "number":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "any":
      return true;
    default:
      return as satisfies never;
  }
}

function now<T>(value: Later<T>): T {
  return isLater(value) ? noLookup() : value;
}

function noLookup(): never {
  assert(false, "a parameter needs no row of the database");
}
