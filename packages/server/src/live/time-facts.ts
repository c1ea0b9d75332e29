// When a rule's answer changes by itself: which fields of rows it compares with `now`, and at which moments.
import type { RuleExpr, RuleValue } from "../model/rule-ast.ts";
import { analyseRule, ruleChildren } from "../model/rule-analyse.ts";
import { parseTime } from "../model/field-time.ts";
import type { Manifest } from "../model/manifest.ts";

/** What time does to a rule. */
export interface TimeFacts {
  /** Fields that are compared with `now`: rows change sides when their time is reached. */
  readonly fields: readonly { readonly table: string; readonly field: string }[];
  /** Claims that are compared with `now`. */
  readonly claims: readonly string[];
  /** Constants that are (RFC 3339). */
  readonly moments: readonly string[];
  /** `now` is used in another way: only looking again and again helps. */
  readonly isPeriodic: boolean;
}

const known = new WeakMap<RuleExpr, TimeFacts>();
const timeless: TimeFacts = Object.freeze({
  fields: [],
  claims: [],
  moments: [],
  isPeriodic: false,
});

/** @param table whose row the rule is about. */
export function timeFacts(expr: RuleExpr, table: string, manifest: Manifest): TimeFacts {
  if (!analyseRule(expr).dependsOnNow) return timeless;
  const before = known.get(expr);
  if (before !== undefined) return before;
  const found = collect(expr, table, manifest);
  known.set(expr, found);
  return found;
}

function collect(expr: RuleExpr, table: string, manifest: Manifest): TimeFacts {
  const fields: { table: string; field: string }[] = [];
  const claims: string[] = [];
  const moments: string[] = [];
  let isPeriodic = false;

  const compared = (other: RuleValue, aliases: ReadonlyMap<string, string>): boolean => {
    if (other.kind === "literal") {
      if (typeof other.value !== "string") return true;
      // Texts compare as texts: one that is no time of ours turns at a moment that is hard to tell.
      if (parseTime(other.value) !== other.value) return false;
      moments.push(other.value);
      return true;
    }
    if (other.kind !== "path") return false;
    const { root, steps, through } = other;
    if (root.kind === "me") {
      claims.push(steps[0] ?? "id");
      return true;
    }
    const start = root.kind === "item" ? aliases.get(root.alias) : table;
    const end = through.at(-1) ?? start;
    const field = steps.at(-1) ?? "id";
    if (end === undefined || manifest.tables[end]?.fields[field]?.kind !== "time") return false;
    fields.push({ table: end, field });
    return true;
  };

  const walk = (node: RuleExpr | RuleValue, aliases: ReadonlyMap<string, string>): void => {
    if (node.kind === "now") {
      isPeriodic = true;
      return;
    }
    if (node.kind === "compare") {
      const { left, right } = node;
      if (left.kind === "now" && compared(right, aliases)) return;
      if (right.kind === "now" && compared(left, aliases)) return;
    }
    const inner = node.kind === "some" ? new Map([...aliases, [node.alias, node.table]]) : aliases;
    for (const child of ruleChildren(node)) walk(child, inner);
  };
  walk(expr, new Map());
  return { fields, claims, moments, isPeriodic };
}
