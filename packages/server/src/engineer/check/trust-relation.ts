// Checks of what a row is under: a tenant that rules compare with a claim, a parent whose owner or members the rules
// ask for. Who may put a row under another's, or move it there, gets past what those rules guard. References must
// lead to rows that the caller may read, so only parents that everybody sees are judged.
import type { Rule, RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import { ruleChildren } from "../../model/rule-analyse.ts";
import type { TableModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import { forOrdinary, mentionsNext } from "./rule-caller.ts";
import { isRightsTable, isSettable, rulesOf } from "./trust-rule.ts";

/** A field that says what a row is under, with what shows it. */
interface Relation {
  readonly field: string;
  readonly parent: string;
  readonly rule: Rule;
}

/** Looks at every table's relations. */
export function checkRelations(review: AppReview): void {
  for (const table of review.tables) {
    for (const relation of relationsOf(review, table)) {
      checkCreate(review, table, relation);
      checkUpdate(review, table, relation);
    }
  }
}

function checkCreate(review: AppReview, table: TableModel, relation: Relation): void {
  const { create } = table.rules;
  const { field, parent } = relation;
  if (create === undefined || isHeld(table, create, relation, "create")) return;
  // Of memberships it is told what they open.
  if (isRightsTable(review, table)) return;
  review.say(
    "K105",
    { rule: create },
    {
      says: `Whoever may create rows of ${table.name} can put them under anybody's ${parent}: ${field} is not asked for.`,
      evidence: [`create: ${create.text}`, shownBy(review, table, relation)],
      fix: `create: ({ next, me }) => ... && ${wanted(relation, "next")}`,
    },
  );
}

function checkUpdate(review: AppReview, table: TableModel, relation: Relation): void {
  const { update } = table.rules;
  const { field, parent } = relation;
  if (update === undefined || isHeld(table, update, relation, "update")) return;
  review.say(
    "K104",
    { rule: update },
    {
      says: `A row of ${table.name} can be moved under anybody's ${parent}: the rule looks at ${field} before the change, not after it.`,
      evidence: [`update: ${update.text}`, shownBy(review, table, relation)],
      fix: `${field}: t.ref("${parent}").immutable()   // or: ... && next.${field} === row.${field}`,
    },
  );
}

/** Whether something stands against it: the rule itself, a field rule, a flag, or that it is for staff. */
function isHeld(
  table: TableModel,
  rule: Rule,
  { field }: Relation,
  on: "create" | "update",
): boolean {
  if (mentionsNext(rule, field) || !isSettable(table, field, on)) return true;
  const left = forOrdinary(rule);
  if (left === false || table.rules.fields[field]?.write !== undefined) return true;
  // Always true is told elsewhere, and for everything at once.
  return on === "update" && left === true;
}

function shownBy(review: AppReview, table: TableModel, { field, rule }: Relation) {
  return {
    text: `${table.name}.${field} decides who may do what: ${rule.text}`,
    at: review.placeOf({ rule }),
  };
}

function wanted({ field, rule }: Relation, root: "next"): string {
  const path = pathTo(rule.expr, field);
  return path === null ? `${root}.${field} === ...` : `${root}.${path}`;
}

function relationsOf(review: AppReview, table: TableModel): readonly Relation[] {
  return Object.entries(table.fields).flatMap(([field, spec]) => {
    if (spec.kind !== "ref" || spec.table === "user" || spec.table === table.name) return [];
    const parent = review.manifest.tables[spec.table];
    if (parent === undefined || forOrdinary(parent.rules.read) !== true) return [];
    const rule = rulesOf(table).find(
      (one) => one !== table.rules.create && decides(one.expr, field),
    );
    return rule === undefined ? [] : [{ field, parent: spec.table, rule }];
  });
}

/** Whether what the field leads to is compared with the caller, at once or among the rows of a table. */
function decides(expr: RuleExpr, field: string): boolean {
  if (expr.kind === "some") return mentionsMe(expr.where) && leadsTo(expr.where, field);
  if (expr.kind === "compare" && expr.op === "==") {
    const sides = [expr.left, expr.right];
    return sides.some(isMine) && sides.some((side) => isUnder(side, field));
  }
  return partsOf(expr).some((part) => decides(part, field));
}

/** A comparison as the rule has it, from the field on: `order.customer === me.id`. */
function pathTo(expr: RuleExpr, field: string): string | null {
  if (expr.kind === "compare" && expr.op === "==") {
    const under = [expr.left, expr.right].find((side) => isUnder(side, field));
    const mine = [expr.left, expr.right].find(isMine);
    if (under?.kind !== "path" || mine?.kind !== "path") return null;
    return `${under.steps.join(".")} === me.${mine.steps.join(".")}`;
  }
  for (const part of partsOf(expr)) {
    const found = pathTo(part, field);
    if (found !== null) return found;
  }
  return null;
}

function partsOf(expr: RuleExpr): readonly RuleExpr[] {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others hold values only
  switch (expr.kind) {
    case "and":
    case "or":
      return expr.parts;
    case "if":
      return [expr.yes, expr.no];
    default:
      return [];
  }
}

function isUnder(value: RuleValue, field: string): boolean {
  return value.kind === "path" && value.root.kind === "row" && value.steps[0] === field;
}

function isMine(value: RuleValue): boolean {
  return value.kind === "path" && value.root.kind === "me" && value.steps[0] !== "role";
}

type Node = RuleExpr | RuleValue;

function mentionsMe(node: Node): boolean {
  if (node.kind === "path") return isMine(node);
  return ruleChildren(node).some(mentionsMe);
}

function leadsTo(node: Node, field: string): boolean {
  if (node.kind === "path") return isUnder(node, field);
  return ruleChildren(node).some((child) => leadsTo(child, field));
}
