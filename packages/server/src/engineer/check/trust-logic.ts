// Checks of what rules say as logic: conditions that can't hold, clauses that change nothing, roles that nobody
// can have, tables that nothing leads to, origins that are everybody.
import { analyseRule, ruleChildren } from "../../model/rule-analyse.ts";
import { findApp } from "../../model/rule-app.ts";
import type { Rule, RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import { printRule } from "../../model/rule-print.ts";
import { ruleKey } from "../../model/rule-simplify.ts";
import type { AppReview } from "./app-review.ts";
import { hasNode, memberName } from "./syntax.ts";
import { rulesOf } from "./trust-rule.ts";

/** Looks at all rules and at the app as a whole. */
export function checkTrustLogic(review: AppReview): void {
  for (const table of review.tables) {
    for (const rule of rulesOf(table)) {
      checkContradictions(review, rule);
      checkIdleClauses(review, rule);
      checkRoles(review, rule);
    }
  }
  checkAllowedRoles(review);
  checkUnreachable(review);
  if (review.manifest.cors.includes("*")) {
    review.say(
      "K118",
      { place: findApp(review.sources)?.cors },
      {
        says: "Pages of every website may call this app from their visitors' browsers.",
        evidence: ['cors: ["*"]'],
        fix: 'app({ ..., cors: ["https://my-app.example"] })',
      },
    );
  }
}

function checkContradictions(review: AppReview, rule: Rule): void {
  visit(rule.expr, (expr) => {
    if (expr.kind !== "and") return;
    const clash = clashOf(expr.parts);
    if (clash === null) return;
    review.say(
      "K113",
      { rule },
      {
        says: `These can't both hold: ${clash.map((part) => printRule(part)).join("  and  ")}.`,
        evidence: [rule.text, "so this part of the rule is never true"],
        fix: clash.map((part) => printRule(part)).join(" || "),
      },
    );
  });
}

/** Two parts of an `and` that exclude each other; null when none were found. */
function clashOf(parts: readonly RuleExpr[]): readonly [RuleExpr, RuleExpr] | null {
  const fixed = new Map<string, { readonly part: RuleExpr; readonly value: string }>();
  for (const part of parts) {
    const facts = equality(part);
    if (facts === null) continue;
    const before = fixed.get(facts.path);
    if (before !== undefined && before.value !== facts.value) return [before.part, part];
    fixed.set(facts.path, { part, value: facts.value });
  }
  for (const part of parts) {
    // `me.id === null && row.owner === me.id`: what is absent equals nothing.
    if (part.kind !== "presence" || part.present) continue;
    const absent = printRule(part.of);
    const other = parts.find(
      (each) =>
        each.kind === "compare" &&
        [each.left, each.right].some((side) => printRule(side) === absent),
    );
    if (other !== undefined) return [part, other];
  }
  return null;
}

/** `path === literal`. */
function equality(expr: RuleExpr): { readonly path: string; readonly value: string } | null {
  if (expr.kind !== "compare" || expr.op !== "==") return null;
  const [path, literal] =
    expr.left.kind === "path" ? [expr.left, expr.right] : [expr.right, expr.left];
  if (path.kind !== "path" || literal.kind !== "literal") return null;
  return { path: printRule(path), value: JSON.stringify(literal.value) };
}

function checkIdleClauses(review: AppReview, rule: Rule): void {
  visit(rule.expr, (expr) => {
    if (expr.kind !== "and" && expr.kind !== "or") return;
    const idle = idleOf(expr.parts, expr.kind);
    if (idle === null) return;
    review.say(
      "K114",
      { rule },
      {
        says: `"${printRule(idle.part)}" changes nothing: ${idle.because}.`,
        evidence: [rule.text],
        fix: expr.parts
          .filter((part) => part !== idle.part)
          .map((part) => printRule(part))
          .join(expr.kind === "and" ? " && " : " || "),
      },
    );
  });
}

function idleOf(
  parts: readonly RuleExpr[],
  kind: "and" | "or",
): { readonly part: RuleExpr; readonly because: string } | null {
  const end = kind === "or";
  const deciding = parts.find((part) => analyseRule(part).always === end);
  const other = parts.find((part) => part !== deciding);
  if (deciding !== undefined && other !== undefined) {
    return { part: other, because: `"${printRule(deciding)}" decides alone` };
  }
  const keys = parts.map(ruleKey);
  for (const [index, part] of parts.entries()) {
    const key = keys[index] ?? "";
    if (keys.indexOf(key) !== index) return { part, because: "it stands there twice" };
    // `a && (a || b)` and `a || (a && b)` are `a`.
    const opposite = kind === "and" ? "or" : "and";
    if (part.kind !== opposite) continue;
    const inner = part.parts.find((each) => keys.includes(ruleKey(each)));
    if (inner !== undefined)
      return { part, because: `"${printRule(inner)}" beside it says the same` };
  }
  return null;
}

function checkRoles(review: AppReview, rule: Rule): void {
  const roles = knownRoles(review);
  if (roles === null) return;
  visitAll(rule.expr, (node) => {
    const named = rolesNamed(node);
    for (const role of named) {
      if (roles.includes(role)) continue;
      review.say(
        "K115",
        { rule },
        {
          says: `Nobody can have the role "${role}": user.role is one of ${roles.join(", ")}.`,
          evidence: [
            rule.text,
            { text: "user.role", at: review.placeOf(review.fieldAt("user", "role")) },
          ],
          fix: `role: t.oneOf(${[...roles, role].map((each) => JSON.stringify(each)).join(", ")})`,
        },
      );
    }
  });
}

function checkAllowedRoles(review: AppReview): void {
  const roles = knownRoles(review);
  if (roles === null) return;
  for (const { allow, name, at } of Object.values(review.manifest.functions)) {
    for (const role of typeof allow === "object" ? allow.role : []) {
      if (roles.includes(role)) continue;
      review.say(
        "K115",
        { place: at },
        {
          says: `${name} is for the role "${role}", which nobody can have: user.role is one of ${roles.join(", ")}.`,
          evidence: [`allow: { role: ["${role}"] }`],
          fix: `role: t.oneOf(${[...roles, role].map((each) => JSON.stringify(each)).join(", ")})`,
        },
      );
    }
  }
}

/** The roles that `user.role` takes; null when it takes any text. */
function knownRoles(review: AppReview): readonly string[] | null {
  const role = review.manifest.tables["user"]?.fields["role"];
  return role?.kind === "oneOf" ? role.values : null;
}

function rolesNamed(node: RuleExpr | RuleValue): readonly string[] {
  if (node.kind === "compare") {
    const sides = [node.left, node.right];
    if (!sides.some(isRole)) return [];
    return sides.flatMap((side) =>
      side.kind === "literal" && typeof side.value === "string" ? [side.value] : [],
    );
  }
  if (node.kind !== "among" || !isRole(node.value)) return [];
  return node.options.flatMap((each) =>
    each.kind === "literal" && typeof each.value === "string" ? [each.value] : [],
  );
}

function isRole(value: RuleValue): boolean {
  return value.kind === "path" && value.root.kind === "me" && value.steps.join(".") === "role";
}

function checkUnreachable(review: AppReview): void {
  for (const table of review.tables) {
    if (!review.isDeclared(table.name) || rulesOf(table).length > 0) continue;
    const isUsed = review.sources.files.some((file) =>
      hasNode(
        file.program,
        (node) => node.type === "MemberExpression" && memberName(node) === table.name,
      ),
    );
    const isFetched = review.tables.some(
      (other) =>
        other !== table &&
        Object.values(other.fields).some(
          (spec) => spec.kind === "ref" && spec.table === table.name,
        ),
    );
    if (isUsed || isFetched) continue;
    review.say("K116", review.tableAt(table.name), {
      says: `Nothing leads to ${table.name}: it has no rules, and no function names it.`,
      evidence: ["no entry in rules(...)", `no db.${table.name} in any function`],
      fix: `${table.name}: { read: ({ row, me }) => row.owner === me.id }   // in rules.ts, or remove the table`,
    });
  }
}

function visit(expr: RuleExpr, see: (expr: RuleExpr) => void): void {
  visitAll(expr, (node) => see(node as RuleExpr));
}

function visitAll(node: RuleExpr | RuleValue, see: (node: RuleExpr | RuleValue) => void): void {
  see(node);
  for (const child of ruleChildren(node)) visitAll(child, see);
}
