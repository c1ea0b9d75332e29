// Partial evaluation: a rule for one caller at one time. What the caller decides alone disappears; claims
// that are present stay symbolic (`row.customer === me.id`), so that every caller of a kind shares one
// expression, one SQL text and one prepared statement.
// Invariant: the result is true of exactly the rows that the rule is true of.
import type { Json } from "../base/json.ts";
import { assert } from "../base/assert.ts";
import { isRowFree } from "./rule-analyse.ts";
import type { RuleExpr, RuleValue } from "./rule-ast.ts";
import { compileRule, compileRuleValue, type RuleInput, type Truth } from "./rule-evaluate.ts";

/** Who asks, and when (RFC 3339, UTC, milliseconds). */
export interface RuleCaller {
  readonly me: { readonly [claim: string]: Json };
  readonly now: string;
}

/**
 * Simplifies a rule for a caller.
 * @returns true or false when no row matters (unknown allows nothing, so it is false), else what is left.
 */
export function simplifyRule(expr: RuleExpr, caller: RuleCaller): boolean | RuleExpr {
  const left = simplify(expr, inputOf(caller), true);
  return left.kind === "constant" ? left.value === true : left;
}

const keys = new WeakMap<RuleExpr, string>();

/** A stable text that two expressions share exactly when they mean the same steps; for caches. */
export function ruleKey(expr: RuleExpr): string {
  const before = keys.get(expr);
  if (before !== undefined) return before;
  const key = JSON.stringify(expr, (name, value: unknown) => (name === "at" ? undefined : value));
  keys.set(expr, key);
  return key;
}

/** @param positive whether unknown and false mean the same here. */
function simplify(expr: RuleExpr, input: RuleInput, positive: boolean): RuleExpr {
  if (isRowFree(expr)) return constant(compiled(expr)(input) as Truth, expr, positive);
  switch (expr.kind) {
    case "constant":
      return constant(expr.value, expr, positive);
    case "and":
    case "or":
      return simplifyParts(expr, input, positive);
    case "not":
      return negated(simplify(expr.part, input, false), expr, positive);
    case "if": {
      const when = simplify(expr.when, input, false);
      if (when.kind === "constant") {
        if (when.value === null) return constant(null, expr, positive);
        return simplify(when.value ? expr.yes : expr.no, input, positive);
      }
      const yes = simplify(expr.yes, input, positive);
      const no = simplify(expr.no, input, positive);
      return { ...expr, when, yes, no };
    }
    case "some": {
      const where = simplify(expr.where, input, true);
      if (where.kind === "constant" && where.value !== true) return constant(false, expr, positive);
      return { ...expr, where };
    }
    case "truth":
      return orUnknown([expr.value], input, expr, positive, ([value]) => ({ ...expr, value }));
    case "compare":
      return orUnknown([expr.left, expr.right], input, expr, positive, ([left, right]) => ({
        ...expr,
        left,
        right,
      }));
    case "contains":
      return orUnknown([expr.list, expr.value], input, expr, positive, ([list, value]) => ({
        ...expr,
        list,
        value,
      }));
    case "text":
      return orUnknown([expr.subject, expr.value], input, expr, positive, ([subject, value]) => ({
        ...expr,
        subject,
        value,
      }));
    case "among": {
      const options = expr.options.map((option) => reduce(option, input));
      const kept = positive ? options.filter((option) => !isAbsent(option)) : options;
      if (kept.length === 0) return constant(false, expr, positive);
      return orUnknown([expr.value], input, expr, positive, ([value]) => ({
        ...expr,
        value,
        options: kept,
      }));
    }
    case "presence": {
      const of = reduce(expr.of, input);
      if (isAbsent(of)) return constant(!expr.present, expr, positive);
      return { ...expr, of };
    }
    default:
      return expr satisfies never;
  }
}

function simplifyParts(
  expr: RuleExpr & { kind: "and" | "or" },
  input: RuleInput,
  positive: boolean,
): RuleExpr {
  const end = expr.kind === "or";
  const parts: RuleExpr[] = [];
  let unknown = false;
  for (const part of expr.parts) {
    const left = simplify(part, input, positive);
    if (left.kind !== "constant") parts.push(left);
    else if (left.value === end) return constant(end, expr, positive);
    else if (left.value === null) unknown = true;
  }
  if (unknown) {
    // In an `and` where unknown means false nothing else matters; elsewhere it must stay.
    if (parts.length === 0) return constant(null, expr, positive);
    parts.push({ kind: "constant", value: null, at: expr.at });
  }
  if (parts.length === 0) return constant(!end, expr, positive);
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { ...expr, parts };
}

function negated(part: RuleExpr, expr: RuleExpr, positive: boolean): RuleExpr {
  if (part.kind === "constant") {
    return constant(part.value === null ? null : !part.value, expr, positive);
  }
  if (part.kind === "not") return part.part;
  if (part.kind === "compare" && (part.op === "==" || part.op === "!=")) {
    return { ...part, op: part.op === "==" ? "!=" : "==" };
  }
  if (part.kind === "presence") return { ...part, present: !part.present };
  return { kind: "not", part, at: expr.at };
}

/** Builds from reduced values, unless one of them is absent: then the operator is unknown. */
function orUnknown<const Values extends readonly RuleValue[]>(
  values: Values,
  input: RuleInput,
  expr: RuleExpr,
  positive: boolean,
  build: (values: { [Index in keyof Values]: RuleValue }) => RuleExpr,
): RuleExpr {
  const reduced = values.map((value) => reduce(value, input));
  if (reduced.some(isAbsent)) return constant(null, expr, positive);
  return build(reduced as { [Index in keyof Values]: RuleValue });
}

/** A value for this caller: absent claims become the absent literal, decided choices their branch. */
function reduce(value: RuleValue, input: RuleInput): RuleValue {
  if (isRowFree(value)) {
    if (value.kind === "literal" || compileRuleValue(value)(input) !== null) return value;
    return absent(value);
  }
  switch (value.kind) {
    case "arithmetic": {
      const left = reduce(value.left, input);
      const right = reduce(value.right, input);
      return isAbsent(left) || isAbsent(right) ? absent(value) : { ...value, left, right };
    }
    case "length": {
      const of = reduce(value.of, input);
      return isAbsent(of) ? absent(value) : { ...value, of };
    }
    case "choose": {
      const when = simplify(value.when, input, false);
      if (when.kind === "constant") {
        if (when.value === null) return absent(value);
        return reduce(when.value ? value.yes : value.no, input);
      }
      return { ...value, when, yes: reduce(value.yes, input), no: reduce(value.no, input) };
    }
    case "path":
    case "literal":
    case "now":
      return value;
    default:
      return value satisfies never;
  }
}

function constant(value: Truth, from: RuleExpr, positive: boolean): RuleExpr {
  return { kind: "constant", value: positive && value === null ? false : value, at: from.at };
}

function absent(from: RuleValue): RuleValue {
  return { kind: "literal", value: null, at: from.at };
}

function isAbsent(value: RuleValue): boolean {
  return value.kind === "literal" && value.value === null;
}

const tests = new WeakMap<RuleExpr, ReturnType<typeof compileRule>>();

function compiled(expr: RuleExpr): ReturnType<typeof compileRule> {
  const before = tests.get(expr);
  if (before !== undefined) return before;
  const test = compileRule(expr);
  tests.set(expr, test);
  return test;
}

function inputOf({ me, now }: RuleCaller): RuleInput {
  return { row: null, next: null, items: {}, me, now, lookup: noLookup, some: noLookup };
}

function noLookup(): never {
  assert(false, "a part that no row decides reads no row");
}
