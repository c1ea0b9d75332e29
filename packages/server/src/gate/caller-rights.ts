// What one caller may read: the rules of every table with everything that only depends on the caller
// already decided. Worked out table by table when first asked, kept with the caller, and shared between
// callers for whom a rule comes out the same, so that the store sees few distinct predicates. Rules that
// speak of the time are worked out anew for every moment.
import type { Limits } from "../base/limits.ts";
import { analyseRule } from "../model/rule-analyse.ts";
import type { RuleExpr } from "../model/rule-ast.ts";
import type { RuleTest } from "../model/rule-evaluate.ts";
import { ruleKey, simplifyRule, type RuleCaller } from "../model/rule-simplify.ts";
import type { Guard } from "../store/store.ts";
import type { Caller } from "./identity.ts";
import type { RuledTable } from "./table-rules.ts";

/** Whether a caller reads a field: of every row that it may read, of some of them, or of none. */
export type FieldReach = "always" | "sometimes" | "never";

/** A field that is read of some rows only. */
export interface ConditionalField {
  readonly field: string;
  /** What is left of the rule for this caller. */
  readonly rule: RuleExpr;
  readonly test: RuleTest;
}

/** What a caller may read of one table. */
export interface TableReach {
  /** What the store adds to every read; false hides the table. */
  readonly rule: RuleExpr | false;
  /** Every row may be read. */
  readonly everyRow: boolean;
  /** Every field of every row that may be read. */
  readonly everyField: boolean;
  /** Fields that go from every row. */
  readonly hidden: ReadonlySet<string>;
  /** The others, in their order. */
  readonly shown: readonly string[];
  /** Fields that go from the rows where their rule is not true. */
  readonly conditional: readonly ConditionalField[];
  field(name: string): FieldReach;
}

/** What a caller may read at one moment; the store's guard. */
export interface Reach extends Guard {
  /** @param table a table of the manifest. */
  of(table: RuledTable): TableReach;
}

/** What every caller may read, remembered. */
export interface RightsBook {
  /** @param now RFC 3339, UTC, milliseconds. */
  reach(caller: Caller, now: string): Reach;
}

/** Opens the book of one manifest's tables. */
export function openRightsBook(
  tables: ReadonlyMap<string, RuledTable>,
  limits: Limits,
): RightsBook {
  // A caller that comes by token is the same object every time. One that comes from another thread is a
  // copy every time, and is known by what it says of itself.
  const byCaller = new WeakMap<Caller, CallerTables>();
  const byText = new Map<string, CallerTables>();
  const shapes = new Map<string, RuleExpr>();

  function shared(expr: RuleExpr): RuleExpr {
    const key = ruleKey(expr);
    const known = shapes.get(key);
    if (known !== undefined) return known;
    if (shapes.size >= limits.rightsCacheMax) shapes.clear();
    shapes.set(key, expr);
    return expr;
  }

  function tablesOf(caller: Caller): CallerTables {
    const text = JSON.stringify(caller.me);
    let known = byText.get(text);
    if (known === undefined) {
      known = { tables, shared, byName: new Map() };
      if (byText.size >= limits.rightsCacheMax) byText.clear();
      byText.set(text, known);
    }
    byCaller.set(caller, known);
    return known;
  }

  return {
    reach(caller, now) {
      return new ReachOfCaller(byCaller.get(caller) ?? tablesOf(caller), caller, now);
    },
  };
}

/** What was worked out for a caller. `now` null: it holds at any time. */
interface CallerTables {
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly shared: (expr: RuleExpr) => RuleExpr;
  readonly byName: Map<string, { readonly now: string | null; readonly reach: TableReach }>;
}

class ReachOfCaller implements Reach {
  readonly bindings: RuleCaller;
  readonly #known: CallerTables;

  constructor(known: CallerTables, caller: Caller, now: string) {
    this.bindings = { me: caller.me, now };
    this.#known = known;
  }

  readRule(name: string): RuleExpr | false {
    const table = this.#known.tables.get(name);
    return table === undefined ? false : this.of(table).rule;
  }

  of(table: RuledTable): TableReach {
    const { byName, shared } = this.#known;
    const { name } = table.model;
    const before = byName.get(name);
    if (before !== undefined && (before.now === null || before.now === this.bindings.now)) {
      return before.reach;
    }
    const reach = workOut(table, this.bindings, shared);
    const now = speaksOfTime(table) ? this.bindings.now : null;
    byName.set(name, { now, reach });
    return reach;
  }
}

function speaksOfTime(table: RuledTable): boolean {
  if (table.read !== null && analyseRule(table.read.rule.expr).dependsOnNow) return true;
  return [...table.fieldReads.values()].some(({ rule }) => analyseRule(rule.expr).dependsOnNow);
}

function workOut(
  table: RuledTable,
  caller: RuleCaller,
  shared: (expr: RuleExpr) => RuleExpr,
): TableReach {
  const hidden = new Set(table.privateFields);
  const conditional: ConditionalField[] = [];
  for (const [field, { rule, test }] of table.fieldReads) {
    if (hidden.has(field)) continue;
    const left = simplifyRule(rule.expr, caller);
    if (left === false) hidden.add(field);
    else if (left !== true) conditional.push({ field, rule: left, test });
  }
  const sometimes = new Set(conditional.map(({ field }) => field));
  const read = table.read === null ? false : simplifyRule(table.read.rule.expr, caller);
  return {
    rule: typeof read === "boolean" ? read && everyRowRule(table) : shared(read),
    everyRow: read === true,
    everyField: hidden.size === 0 && sometimes.size === 0,
    hidden,
    shown: Object.keys(table.model.fields).filter((field) => !hidden.has(field)),
    conditional,
    field(name) {
      if (hidden.has(name)) return "never";
      return sometimes.has(name) ? "sometimes" : "always";
    },
  };
}

const everyRowRules = new WeakMap<RuledTable, RuleExpr>();

/** The rule "true" of a table: one object, which engines remember statements by. */
function everyRowRule(table: RuledTable): RuleExpr | false {
  const before = everyRowRules.get(table);
  if (before !== undefined) return before;
  if (table.read === null) return false;
  const rule: RuleExpr = Object.freeze({ kind: "constant", value: true, at: table.read.rule.at });
  everyRowRules.set(table, rule);
  return rule;
}
