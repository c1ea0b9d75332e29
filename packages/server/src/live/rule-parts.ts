// What a rule tells about the rows that can change its answer: which values of a field a row must have (to
// find subscriptions by), whether a row can pass at all (to be surer), and which other rows it looks at.
// Everything here errs to one side: a row that could matter is never ruled out. What one row cannot decide
// (references, `some`, the time) counts as "maybe".
import type { Json } from "../base/json.ts";
import { analyseRule, isRowFree, ruleChildren } from "../model/rule-analyse.ts";
import type { RuleExpr, RuleValue } from "../model/rule-ast.ts";
import { compileRule, compileRuleValue, type RuleInput } from "../model/rule-evaluate.ts";
import type { RuleCaller } from "../model/rule-simplify.ts";
import type { Row } from "../store/store.ts";
import {
  jointKeys,
  prefixRange,
  rangeKeys,
  unionOfKeys,
  type IndexKeys,
  type Narrowest,
} from "./index-key.ts";

/** Which row a rule is asked about: `row`, or the item of a `some` by its alias. */
export type RowRoot = { readonly kind: "row" } | { readonly kind: "item"; readonly alias: string };

/** Whether a row could make a rule true. */
export type MayHold = (row: Row, caller: RuleCaller) => boolean;

/** The values that a row must have to make `expr` true for this caller. */
export function ruleKeys(
  expr: RuleExpr,
  root: RowRoot,
  caller: RuleCaller,
  narrowest: Narrowest,
): IndexKeys {
  switch (expr.kind) {
    case "constant":
      return expr.value === true ? null : [];
    case "truth":
      return isOwnField(expr.value, root)
        ? [{ kind: "value", field: fieldOf(expr.value), value: true }]
        : null;
    case "compare":
      return compareKeys(expr, root, caller);
    case "text":
      return textKeys(expr, root, caller);
    case "among":
      return equalityKeys(expr.value, expr.options, root, caller);
    case "and":
      return jointKeys(
        expr.parts.map((part) => ruleKeys(part, root, caller, narrowest)),
        narrowest,
      );
    case "or":
      return unionOfKeys(expr.parts.map((part) => ruleKeys(part, root, caller, narrowest)));
    case "presence":
    case "not":
    case "contains":
    case "some":
    case "if":
      return null;
    default:
      return expr satisfies never;
  }
}

function compareKeys(
  { op, left, right }: RuleExpr & { kind: "compare" },
  root: RowRoot,
  caller: RuleCaller,
): IndexKeys {
  switch (op) {
    case "==":
      return equalityKeys(left, [right], root, caller) ?? equalityKeys(right, [left], root, caller);
    case "!=":
      return null;
    case "<":
    case "<=":
      return upperKeys(left, right, root, caller) ?? lowerKeys(right, left, root, caller);
    case ">":
    case ">=":
      return lowerKeys(left, right, root, caller) ?? upperKeys(right, left, root, caller);
    default:
      return op satisfies never;
  }
}

/** `own` is not above `end`. */
function upperKeys(own: RuleValue, end: RuleValue, root: RowRoot, caller: RuleCaller): IndexKeys {
  if (!isOwnField(own, root) || !isCallers(end)) return null;
  const value = valueOf(end, root, caller);
  // What compares with an absent value is never true.
  return value === null ? [] : rangeKeys(fieldOf(own), null, value);
}

/** `own` is not below `end`. */
function lowerKeys(own: RuleValue, end: RuleValue, root: RowRoot, caller: RuleCaller): IndexKeys {
  if (!isOwnField(own, root) || !isCallers(end)) return null;
  const value = valueOf(end, root, caller);
  return value === null ? [] : rangeKeys(fieldOf(own), value, null);
}

function textKeys(
  { op, subject, value }: RuleExpr & { kind: "text" },
  root: RowRoot,
  caller: RuleCaller,
): IndexKeys {
  if (op !== "startsWith" || !isOwnField(subject, root) || !isCallers(value)) return null;
  const prefix = valueOf(value, root, caller);
  if (typeof prefix !== "string") return [];
  return [{ kind: "range", field: fieldOf(subject), range: prefixRange(prefix) }];
}

function equalityKeys(
  own: RuleValue,
  others: readonly RuleValue[],
  root: RowRoot,
  caller: RuleCaller,
): IndexKeys {
  if (!isOwnField(own, root) || !others.every(isCallers)) return null;
  const field = fieldOf(own);
  return others.flatMap((other) => {
    const value = valueOf(other, root, caller);
    // An absent value equals nothing.
    return value === null ? [] : [{ kind: "value", field, value } as const];
  });
}

function valueOf(value: RuleValue, root: RowRoot, caller: RuleCaller): Json {
  return compileRuleValue(value)(inputOf(root, null, caller)) as Json;
}

function isOwnField(value: RuleValue, root: RowRoot): value is RuleValue & { kind: "path" } {
  if (value.kind !== "path" || value.through.length > 0 || value.steps.length !== 1) return false;
  if (root.kind === "row") return value.root.kind === "row";
  return value.root.kind === "item" && value.root.alias === root.alias;
}

function fieldOf(value: RuleValue & { kind: "path" }): string {
  return value.steps[0] ?? "id";
}

function isCallers(value: RuleValue): boolean {
  return isRowFree(value) && !analyseRule(value).dependsOnNow;
}

const tests = new WeakMap<RuleExpr, Map<string, MayHold>>();

/** Compiles the question whether a row could make `expr` true. Remembered: simplified rules are shared. */
export function ruleMayHold(expr: RuleExpr, root: RowRoot): MayHold {
  const name = root.kind === "row" ? "" : root.alias;
  let byRoot = tests.get(expr);
  if (byRoot === undefined) {
    byRoot = new Map();
    tests.set(expr, byRoot);
  }
  let test = byRoot.get(name);
  if (test === undefined) {
    test = compileMay(expr, root);
    byRoot.set(name, test);
  }
  return test;
}

function compileMay(expr: RuleExpr, root: RowRoot): MayHold {
  if (isLocal(expr, root)) {
    const test = compileRule(expr);
    return (row, caller) => test(inputOf(root, row, caller)) === true;
  }
  if (expr.kind !== "and" && expr.kind !== "or") return () => true;
  const parts = expr.parts.map((part) => compileMay(part, root));
  if (expr.kind === "and") return (row, caller) => parts.every((part) => part(row, caller));
  return (row, caller) => parts.some((part) => part(row, caller));
}

/** Whether this row and the caller alone decide it, at any time. */
function isLocal(expr: RuleExpr, root: RowRoot): boolean {
  const facts = analyseRule(expr);
  if (facts.dependsOnNow || facts.dependsOnNext || Object.keys(facts.reads).length > 0)
    return false;
  if (facts.someTables.length > 0) return false;
  if (root.kind === "row") return facts.freeItems.length === 0;
  return !facts.dependsOnRow && facts.freeItems.every((alias) => alias === root.alias);
}

function inputOf(root: RowRoot, row: Row | null, { me, now }: RuleCaller): RuleInput {
  const items = root.kind === "item" && row !== null ? { [root.alias]: row } : {};
  const own = root.kind === "row" ? row : null;
  return { row: own, next: null, me, now, items, lookup: noOther, some: noOther };
}

function noOther(): never {
  throw new Error("a part that one row decides reads no other");
}

/** Other rows that a rule looks at. */
export interface RuleOthers {
  /** Through references: fields by table. */
  readonly lookups: ReadonlyMap<string, ReadonlySet<string>>;
  readonly somes: readonly (RuleExpr & { kind: "some" })[];
}

const others = new WeakMap<RuleExpr, RuleOthers>();

/** Which other rows decide `expr`. */
export function ruleOthers(expr: RuleExpr): RuleOthers {
  const known = others.get(expr);
  if (known !== undefined) return known;
  const lookups = new Map<string, Set<string>>();
  const somes: (RuleExpr & { kind: "some" })[] = [];
  const pending: (RuleExpr | RuleValue)[] = [expr];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    pending.push(...ruleChildren(node));
    if (node.kind === "some") somes.push(node);
    if (node.kind !== "path") continue;
    for (const [index, table] of node.through.entries()) {
      const fields = lookups.get(table) ?? new Set();
      lookups.set(table, fields.add(node.steps[index + 1] ?? "id"));
    }
  }
  const found = { lookups, somes };
  others.set(expr, found);
  return found;
}
