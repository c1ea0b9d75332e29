// What a rule gives to an ordinary caller: somebody who is signed in and has no role. A rule that gives such a
// caller nothing is for staff, and what it lets through is theirs to judge.
import type { Json } from "../../base/json.ts";
import { analyseRule } from "../../model/rule-analyse.ts";
import type { Rule, RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import { simplifyRule } from "../../model/rule-simplify.ts";
import { typeIdOfUuid, typeIdPrefix } from "../../base/type-id.ts";

/** The id of the ordinary caller. */
export const ordinaryId = typeIdOfUuid(
  typeIdPrefix("user"),
  "01890a5d-ac96-774b-bcce-b302099a8057",
);
const noon = "2026-01-31T12:00:00.000Z";
/** Claims that say where somebody belongs, not what they may. */
const belongs = /tenant|org|team|company|workspace|group|site|school|clinic/i;

/** What is left of a rule for an ordinary caller; false: nothing. An absent rule gives nothing. */
export function forOrdinary(rule: Rule | undefined): boolean | RuleExpr {
  if (rule === undefined) return false;
  return simplifyRule(rule.expr, { me: ordinaryMe([rule]), now: noon });
}

/** The ordinary caller with the claims that these rules ask for and that say where somebody belongs. */
export function ordinaryMe(rules: readonly (Rule | undefined)[]): {
  readonly [claim: string]: Json;
} {
  const claims = rules.flatMap((rule) => (rule === undefined ? [] : analyseRule(rule.expr).claims));
  const own = claims.filter((claim) => belongs.test(claim)).map((claim) => [claim, "x"] as const);
  return { ...Object.fromEntries(own), id: ordinaryId, role: null };
}

/** What is left of a rule for somebody who is not signed in. */
export function forAnonymous(rule: Rule | undefined): boolean | RuleExpr {
  if (rule === undefined) return false;
  return simplifyRule(rule.expr, { me: { id: null, role: null }, now: noon });
}

/** Fields of a root (`row`, `next`) that an expression demands to be the caller: `row.owner === me.id`. */
export function fieldsThatAreMe(
  expr: boolean | RuleExpr,
  root: "row" | "next",
): ReadonlySet<string> {
  if (typeof expr === "boolean") return new Set();
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other expressions demand nothing of one field
  switch (expr.kind) {
    case "compare": {
      if (expr.op !== "==") return new Set();
      const [a, b] = [expr.left, expr.right];
      const field = isMyId(a) ? ownField(b, root) : ownField(a, root);
      return field !== null && (isMyId(a) || isMyId(b)) ? new Set([field]) : new Set();
    }
    case "and":
      return new Set(expr.parts.flatMap((part) => [...fieldsThatAreMe(part, root)]));
    case "or": {
      const each = expr.parts.map((part) => fieldsThatAreMe(part, root));
      return new Set([...(each[0] ?? [])].filter((field) => each.every((set) => set.has(field))));
    }
    default:
      return new Set();
  }
}

/** Fields that any part of an expression compares with the caller's id. */
export function fieldsComparedWithMe(
  expr: boolean | RuleExpr,
  root: "row" | "next",
): ReadonlySet<string> {
  if (typeof expr === "boolean") return new Set();
  if (expr.kind === "and" || expr.kind === "or") {
    return new Set(expr.parts.flatMap((part) => [...fieldsComparedWithMe(part, root)]));
  }
  return fieldsThatAreMe(expr, root);
}

/** Whether anything that the next row leads to is compared with the caller: `next.room.owner === me.id`. */
export function comparesNextWithMe(expr: boolean | RuleExpr): boolean {
  if (typeof expr === "boolean") return false;
  if (expr.kind === "and" || expr.kind === "or") return expr.parts.some(comparesNextWithMe);
  if (expr.kind !== "compare" || expr.op !== "==") return false;
  const sides = [expr.left, expr.right];
  return (
    sides.some(isMyId) && sides.some((side) => side.kind === "path" && side.root.kind === "next")
  );
}

/** Whether an expression speaks of a field of the next row. */
export function mentionsNext(rule: Rule | undefined, field: string): boolean {
  return rule !== undefined && analyseRule(rule.expr).nextFields.includes(field);
}

function isMyId(value: RuleValue): boolean {
  return value.kind === "path" && value.root.kind === "me" && value.steps.join(".") === "id";
}

function ownField(value: RuleValue, root: "row" | "next"): string | null {
  if (value.kind !== "path" || value.root.kind !== root) return null;
  const [field, rest] = value.steps;
  const isWhole = value.steps.length === 1 || (value.steps.length === 2 && rest === "id");
  return isWhole ? (field ?? null) : null;
}
