// Rules decided the naive way, by walking the tree over plain rows. Shares no code with the gate's evaluator
// and the SQL compiler on purpose: when they are wrong, this one must say otherwise.
// Kleene logic: a comparison with an absent value is unknown (null); only true allows.
import type { Json } from "../../base/json.ts";
import type { RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import type { Row } from "../../store/store.ts";
import type { World } from "./world.ts";

/** What a rule speaks of. */
export interface RuleScene {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly me: Readonly<Record<string, Json>>;
  /** RFC 3339, UTC, milliseconds. */
  readonly now: string;
  readonly world: World;
  /** Rows of enclosing `some`, by alias. */
  readonly items: Readonly<Record<string, Row>>;
}

/** True, false, or null for unknown. */
export function judgeRule(expr: RuleExpr, scene: RuleScene): boolean | null {
  switch (expr.kind) {
    case "constant":
      return expr.value;
    case "truth": {
      const value = judgeValue(expr.value, scene);
      return typeof value === "boolean" ? value : null;
    }
    case "compare":
      return compared(expr.op, judgeValue(expr.left, scene), judgeValue(expr.right, scene));
    case "presence":
      return (judgeValue(expr.of, scene) !== null) === expr.present;
    case "and": {
      const truths = expr.parts.map((part) => judgeRule(part, scene));
      if (truths.includes(false)) return false;
      return truths.includes(null) ? null : true;
    }
    case "or": {
      const truths = expr.parts.map((part) => judgeRule(part, scene));
      if (truths.includes(true)) return true;
      return truths.includes(null) ? null : false;
    }
    case "not": {
      const truth = judgeRule(expr.part, scene);
      return truth === null ? null : !truth;
    }
    case "among": {
      const value = judgeValue(expr.value, scene);
      const truths = expr.options.map((option) => same(value, judgeValue(option, scene)));
      if (truths.includes(true)) return true;
      return truths.includes(null) ? null : false;
    }
    case "contains":
      return contained(judgeValue(expr.list, scene), judgeValue(expr.value, scene));
    case "text": {
      const subject = judgeValue(expr.subject, scene);
      const value = judgeValue(expr.value, scene);
      if (typeof subject !== "string" || typeof value !== "string") return null;
      if (expr.op === "startsWith") return subject.indexOf(value) === 0;
      if (expr.op === "endsWith") return value === "" || subject.slice(-value.length) === value;
      return subject.split(value).length > 1 || value === "";
    }
    case "some":
      return scene.world
        .rows(expr.table)
        .some(
          (row) =>
            judgeRule(expr.where, { ...scene, items: { ...scene.items, [expr.alias]: row } }) ===
            true,
        );
    case "if": {
      const when = judgeRule(expr.when, scene);
      if (when === null) return null;
      return judgeRule(when ? expr.yes : expr.no, scene);
    }
    default:
      return expr satisfies never;
  }
}

/** A value, null for absent. */
export function judgeValue(value: RuleValue, scene: RuleScene): Json {
  switch (value.kind) {
    case "literal":
      return value.value;
    case "now":
      return scene.now;
    case "path":
      return walked(value, scene);
    case "length": {
      const of = judgeValue(value.of, scene);
      return typeof of === "string" || Array.isArray(of) ? of.length : null;
    }
    case "choose": {
      const when = judgeRule(value.when, scene);
      if (when === null) return null;
      return judgeValue(when ? value.yes : value.no, scene);
    }
    case "arithmetic": {
      const a = judgeValue(value.left, scene);
      const b = judgeValue(value.right, scene);
      if (typeof a !== "number" || typeof b !== "number") return null;
      const result = calculated(value.op, a, b);
      return result === null || Number.isNaN(result) ? null : result;
    }
    default:
      return value satisfies never;
  }
}

function walked(path: RuleValue & { readonly kind: "path" }, scene: RuleScene): Json {
  const [first = "id"] = path.steps;
  let at: Json;
  if (path.root.kind === "me") {
    const claim = scene.me[first] ?? null;
    if (claim !== null && typeof claim === "object" && !Array.isArray(claim)) return null;
    if (typeof claim === "string" && !claim.isWellFormed()) return null;
    if ((first === "id" || first === "role") && typeof claim !== "string") return null;
    at = claim;
  } else if (path.root.kind === "item") at = scene.items[path.root.alias]?.[first] ?? null;
  else at = (path.root.kind === "row" ? scene.row : scene.next)?.[first] ?? null;
  for (const [index, table] of path.through.entries()) {
    if (typeof at !== "string") return null;
    at = scene.world.row(table, at)?.[path.steps[index + 1] ?? "id"] ?? null;
  }
  return at;
}

function calculated(op: "+" | "-" | "*" | "/" | "%", a: number, b: number): number | null {
  if (op === "+") return a + b;
  if (op === "-") return a - b;
  if (op === "*") return a * b;
  if (op === "%") return a % b;
  return b === 0 ? null : a / b;
}

function same(a: Json, b: Json): boolean | null {
  if (a === null || b === null || typeof a === "object" || typeof a !== typeof b) return null;
  return a === b;
}

function contained(list: Json, value: Json): boolean | null {
  if (list === null || value === null || typeof value === "object") return null;
  if (Array.isArray(list)) return list.includes(value);
  return typeof list === "string" && typeof value === "string" ? list.includes(value) : null;
}

function compared(op: string, a: Json, b: Json): boolean | null {
  if (op === "==" || op === "!=") {
    const equal = same(a, b);
    return equal === null ? null : equal === (op === "==");
  }
  let order: number;
  if (typeof a === "number" && typeof b === "number") order = Math.sign(a - b);
  else if (typeof a === "string" && typeof b === "string") order = textOrder(a, b);
  else return null;
  if (op === "<") return order < 0;
  if (op === "<=") return order <= 0;
  return op === ">" ? order > 0 : order >= 0;
}

function textOrder(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (const [index, letter] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const difference = (letter.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
