// Reads at one moment on one connection: a reader's snapshot, or the writer's own view of its open group.
import { assert } from "../../base/assert.ts";
import type { AggregateQuery, ListQuery, WithTerm } from "../../model/query-form.ts";
import type { RuleExpr } from "../../model/rule-ast.ts";
import type { RuleInput } from "../../model/rule-evaluate.ts";
import type { Guard, Page, ReadTx, Row, RuleOuter } from "../store.ts";
import { tableOf } from "../table-layout.ts";
import { aggregateRows } from "./query-aggregate.ts";
import { columnList } from "./query-compile.ts";
import { expandRows } from "./query-expand.ts";
import { askableRead } from "./query-judge.ts";
import { listPage } from "./query-list.ts";
import type { QueryRunner } from "./query-runner.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import type { OpenRow } from "./row-shape.ts";
import type { SomeQuestion } from "./some-memory.ts";
import type { Statement } from "./sqlite-connection.ts";
import { withStoreErrors } from "./sqlite-error.ts";
import { sqlName, SqlParams } from "./sql-text.ts";

const noItems = Object.freeze({});

/** The transaction as bodies see it. */
export class SqliteReadTx implements ReadTx {
  protected readonly runner: QueryRunner;
  readonly #seq: () => number;
  readonly #getStatements = new Map<string, Statement>();
  readonly #sizeOf = (table: string) => this.sizeOf(table);
  readonly #lookup: RuleInput["lookup"] = (table, id) => this.row(table, id);
  readonly #some: RuleInput["some"] = (table, alias, where, outer) =>
    this.some(table, alias, where, outer);

  constructor(runner: QueryRunner, seq: () => number) {
    this.runner = runner;
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq();
  }

  get(table: string, id: string, guard: Guard | null, expand?: readonly WithTerm[]): Row | null {
    const rule = guard === null ? null : guard.readRule(table);
    if (rule === false) return null;
    const row = this.row(table, id);
    if (row === null) return null;
    if (rule !== null && guard !== null && !this.#allows(rule, row, guard)) return null;
    if (expand === undefined || expand.length === 0) return row;
    return this.#expanded(row, guard, expand);
  }

  list(query: ListQuery, guard: Guard | null): Page {
    return listPage(this.runner, query, guard);
  }

  aggregate(query: AggregateQuery, guard: Guard | null): readonly Row[] {
    return aggregateRows(this.runner, query, guard, this.#sizeOf);
  }

  some(table: string, alias: string, where: RuleExpr, outer: RuleOuter): boolean {
    return this.isAny(table, this.question(table, alias, where, outer));
  }

  /** What `some` asks of a table. */
  protected question(
    table: string,
    alias: string,
    where: RuleExpr,
    outer: RuleOuter,
  ): SomeQuestion {
    const params = new SqlParams();
    const condition = this.runner.guards.some(table, alias, where, outer, params);
    return { condition, values: params.values };
  }

  /** Whether any row of a table makes a condition true. */
  protected isAny(table: string, { condition, values }: SomeQuestion): boolean {
    const { runner } = this;
    const name = sqlName(tableOf(runner.layout, table).name);
    const found = runner.run({
      from: table,
      groupBy: [],
      of: { from: table },
      compile: (counted) => {
        const visit = counted ? `_visit(t."_n") AND ` : "";
        const sql = `SELECT 1 FROM ${name} AS t WHERE ${visit}${condition} LIMIT 1`;
        return { sql, values, guarded: true };
      },
      shape: () => ({ shape: `${table} some`, table, bounds: null, limited: true }),
    });
    return found.length > 0;
  }

  /** How many rows a table has in this transaction. */
  protected sizeOf(table: string): number {
    return this.runner.sizeOf(table);
  }

  /** The row as it is, with the system's rights. */
  protected row(table: string, id: string): Row | null {
    const cells = this.cells(table, id);
    if (cells === undefined) return null;
    return Object.freeze(decodeRow(tableOf(this.runner.layout, table).columns, cells, 0));
  }

  /** The row's cells, its `_n` after its columns. */
  protected cells(table: string, id: string): readonly SqlCell[] | undefined {
    let statement = this.#getStatements.get(table);
    if (statement === undefined) {
      const { columns, name } = tableOf(this.runner.layout, table);
      const sql = `SELECT ${columnList(columns)}, t."_n" FROM ${sqlName(name)} AS t WHERE t."id" = ?`;
      statement = this.runner.connection.prepare(sql);
      this.#getStatements.set(table, statement);
    }
    const chosen = statement;
    return withStoreErrors(() => chosen.get(id));
  }

  #allows(rule: RuleExpr, row: Row, guard: Guard): boolean {
    if (rule.kind === "constant") return rule.value === true;
    const { test } = askableRead(rule);
    const { me, now } = guard.bindings;
    const truth = test({
      row,
      next: null,
      me,
      now,
      items: noItems,
      lookup: this.#lookup,
      some: this.#some,
    });
    assert(!(truth instanceof Promise), "rules are decided at once on this engine");
    return truth === true;
  }

  #expanded(row: Row, guard: Guard | null, expand: readonly WithTerm[]): Row {
    const open: OpenRow = { ...row };
    expandRows(this.runner, [open], expand, guard);
    return Object.freeze(open);
  }
}
