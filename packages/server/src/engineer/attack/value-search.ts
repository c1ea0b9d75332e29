// Finds values that rules and checks accept: the equalities of a rule are set, everything else is drawn, and
// the judge says when it fits. What it finds makes the positive controls; what it does not find is said.
import type { Json } from "../../base/json.ts";
import type { RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import { judgeValue, type RuleScene } from "./judge-rule.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** A row under construction. */
export type Draft = Record<string, Json>;

const dayMs = 86_400_000;

/** Changes fields of `draft` so that `expr` is more likely to be true of it as the next row. */
export function suggest(
  expr: RuleExpr,
  draft: Draft,
  scene: Omit<RuleScene, "next">,
  random: SeededRandom,
): void {
  const read = (value: RuleValue): Json => judgeValue(value, { ...scene, next: draft });
  switch (expr.kind) {
    case "and":
      for (const part of expr.parts) suggest(part, draft, scene, random);
      return;
    case "or":
      suggest(random.pick(expr.parts), draft, scene, random);
      return;
    case "if":
      suggest(random.next() < 0.5 ? expr.yes : expr.no, draft, scene, random);
      return;
    case "compare": {
      const left = fieldOf(expr.left);
      const right = fieldOf(expr.right);
      if (left !== null) place(draft, left, expr.op, read(expr.right), random);
      else if (right !== null) place(draft, right, flipped(expr.op), read(expr.left), random);
      return;
    }
    case "truth": {
      const field = fieldOf(expr.value);
      if (field !== null) draft[field] = true;
      return;
    }
    case "not": {
      if (expr.part.kind !== "truth") return;
      const field = fieldOf(expr.part.value);
      if (field !== null) draft[field] = false;
      return;
    }
    case "among": {
      const field = fieldOf(expr.value);
      if (field !== null) draft[field] = read(random.pick(expr.options));
      return;
    }
    case "presence": {
      const field = fieldOf(expr.of);
      if (field !== null && !expr.present) draft[field] = null;
      return;
    }
    case "contains": {
      const field = fieldOf(expr.list);
      if (field !== null) draft[field] = [read(expr.value)];
      return;
    }
    case "constant":
    case "text":
    case "some":
      return;
    default:
      expr satisfies never;
  }
}

/** The field of the next row that a value is, when it is one. */
function fieldOf(value: RuleValue): string | null {
  if (value.kind !== "path" || value.root.kind !== "next" || value.steps.length !== 1) return null;
  const [field = "id"] = value.steps;
  return field === "id" ? null : field;
}

function place(draft: Draft, field: string, op: string, other: Json, random: SeededRandom): void {
  if (other === null) return;
  const equal = op !== "==" && op.endsWith("=") && op !== "!=" && random.next() < 0.5;
  const step = typeof other !== "number" || equal || op === "==" ? 0 : random.int(1, 3);
  const value = valueBeside(op, other, step);
  if (value !== null) draft[field] = value;
}

/** A value that stands to another as a comparison asks; null: none is known. @param step between numbers that differ. */
export function valueBeside(op: string, other: Json, step = 1): Json {
  if (op === "==") return other;
  if (op === "!=") return null;
  const up = op.startsWith(">");
  if (typeof other === "number") return up ? other + step : other - step;
  if (typeof other !== "string" || !/^\d{4}-\d\d-\d\dT/.test(other)) return null;
  // oxlint-disable-next-line no-restricted-globals -- arithmetic on a given instant, no clock is read
  return new Date(Date.parse(other) + (up ? dayMs : -dayMs)).toISOString();
}

/** The comparison with its sides changed. */
export function flipped(op: string): string {
  if (op.startsWith("<")) return op.replace("<", ">");
  return op.startsWith(">") ? op.replace(">", "<") : op;
}
