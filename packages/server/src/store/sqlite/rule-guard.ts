// The guard's rules inside statements: each rule compiled once to a predicate on alias `t`, bound per
// caller. The guard hands out expressions that were simplified for its kind of caller and are shared, so
// they are remembered by identity.
import { assert } from "../../base/assert.ts";
import { typeIdPrefix } from "../../base/type-id.ts";
import { compileRuleSql, type RuleSqlOptions, type RuleSqlRoot } from "../../model/rule-sql.ts";
import {
  callerSource,
  prepareRuleParams,
  type RuleParamSource,
} from "../../model/rule-sql-params.ts";
import type { RuleExpr } from "../../model/rule-ast.ts";
import type { RuleTables } from "../../model/rule-type.ts";
import { rowId } from "../row-id.ts";
import type { Guard, Row, RuleOuter } from "../store.ts";
import type { SqlParams } from "./sql-text.ts";

type Roots = RuleSqlOptions["roots"];

interface Predicate {
  readonly sql: string;
  readonly bind: (source: RuleParamSource) => readonly (string | number | null)[];
}

/** Compiles rules for one schema. */
export class RuleGuards {
  readonly #tables: RuleTables;
  readonly #guards = new WeakMap<RuleExpr, Map<string, Predicate>>();
  readonly #somes = new WeakMap<RuleExpr, Predicate>();
  readonly #tableOfPrefix: ReadonlyMap<string, string>;

  constructor(tables: RuleTables) {
    this.#tables = tables;
    this.#tableOfPrefix = new Map(Object.keys(tables).map((name) => [typeIdPrefix(name), name]));
  }

  /**
   * What a row of `table` (alias `t`) must make true for this reader.
   * @returns null when every row may be read, false when none may.
   */
  predicate(table: string, guard: Guard | null, params: SqlParams): string | null | false {
    if (guard === null) return null;
    const rule = guard.readRule(table);
    if (rule === false) return false;
    if (rule.kind === "constant") return rule.value === true ? null : false;
    const predicate = this.#guard(table, rule);
    for (const value of predicate.bind(callerSource(guard.bindings))) params.bind(value);
    return predicate.sql;
  }

  /** The condition of `db.table.some((alias) => where)` on alias `t`, outer rows bound. */
  some(table: string, alias: string, where: RuleExpr, outer: RuleOuter, params: SqlParams): string {
    let predicate = this.#somes.get(where);
    if (predicate === undefined) {
      predicate = this.#compile(where, this.#someRoots(table, alias, outer));
      this.#somes.set(where, predicate);
    }
    for (const value of predicate.bind(outer)) params.bind(value);
    return predicate.sql;
  }

  /** The tables of outer rows are told by their ids; `row` and `next` are of one table. */
  #someRoots(table: string, alias: string, outer: RuleOuter): Roots {
    const items: Record<string, RuleSqlRoot> = {};
    for (const [name, row] of Object.entries(outer.items)) {
      items[name] = { kind: "bound", table: this.#tableOfRow(row) };
    }
    items[alias] = { kind: "alias", alias: "t", table };
    const own = outer.row ?? outer.next;
    if (own === null) return { items };
    const root: RuleSqlRoot = { kind: "bound", table: this.#tableOfRow(own) };
    return { row: root, next: root, items };
  }

  #tableOfRow(row: Row): string {
    const id = rowId(row);
    const table = this.#tableOfPrefix.get(id.slice(0, id.lastIndexOf("_")));
    assert(table !== undefined, "an id tells its table");
    return table;
  }

  #guard(table: string, rule: RuleExpr): Predicate {
    let byTable = this.#guards.get(rule);
    if (byTable === undefined) {
      byTable = new Map();
      this.#guards.set(rule, byTable);
    }
    let predicate = byTable.get(table);
    if (predicate === undefined) {
      predicate = this.#compile(rule, { row: { kind: "alias", alias: "t", table } });
      byTable.set(table, predicate);
    }
    return predicate;
  }

  #compile(expr: RuleExpr, roots: Roots): Predicate {
    const { sql, params } = compileRuleSql(expr, {
      dialect: "sqlite",
      tables: this.#tables,
      roots,
    });
    return { sql, bind: prepareRuleParams(params) };
  }
}
