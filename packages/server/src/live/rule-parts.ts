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

/** A value that a field must have. */
export interface IndexKey {
  readonly field: string;
  readonly value: Json;
}

/** A row that can matter has one of these; null: any row can. */
export type IndexKeys = readonly IndexKey[] | null;

/** Which row a rule is asked about: `row`, or the item of a `some` by its alias. */
export type RowRoot = { readonly kind: "row" } | { readonly kind: "item"; readonly alias: string };

/** Whether a row could make a rule true. */
export type MayHold = (row: Row, caller: RuleCaller) => boolean;

/** Chooses the narrowest of several bounds that all hold. */
export type Narrowest = (bounds: readonly (readonly IndexKey[])[]) => IndexKeys;

/** Past it a bound is not worth the entries that it takes. */
export const keysMax = 500;

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
      return isOwnField(expr.value, root) ? [{ field: fieldOf(expr.value), value: true }] : null;
    case "compare":
      if (expr.op !== "==") return null;
      return (
        equalityKeys(expr.left, [expr.right], root, caller) ??
        equalityKeys(expr.right, [expr.left], root, caller)
      );
    case "among":
      return equalityKeys(expr.value, expr.options, root, caller);
    case "and":
      return narrowest(
        expr.parts
          .map((part) => ruleKeys(part, root, caller, narrowest))
          .filter((keys) => keys !== null),
      );
    case "or":
      return unionOfKeys(expr.parts.map((part) => ruleKeys(part, root, caller, narrowest)));
    case "presence":
    case "not":
    case "contains":
    case "text":
    case "some":
    case "if":
      return null;
    default:
      return expr satisfies never;
  }
}

/** Bounds of which one must hold. */
export function unionOfKeys(parts: readonly IndexKeys[]): IndexKeys {
  const all: IndexKey[] = [];
  for (const part of parts) {
    if (part === null) return null;
    all.push(...part);
  }
  return all.length > keysMax ? null : all;
}

function equalityKeys(
  own: RuleValue,
  others: readonly RuleValue[],
  root: RowRoot,
  caller: RuleCaller,
): IndexKeys {
  if (!isOwnField(own, root) || !others.every(isCallers)) return null;
  const field = fieldOf(own);
  const input = inputOf(root, null, caller);
  return others.flatMap((other) => {
    const value = compileRuleValue(other)(input) as Json;
    // An absent value equals nothing.
    return value === null ? [] : [{ field, value }];
  });
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
