// Expansions: one statement per `with` term for all rows together, never one per row. For many rows per
// parent the inner statement is limited per parent, so a parent of a million rows costs what a page costs.
import type { Json } from "../../base/json.ts";
import type { WithTerm } from "../../model/query-form.ts";
import { fullOrder, orderShape, whereShape } from "../list-cursor.ts";
import type { Guard } from "../store.ts";
import { tableOf, type ColumnLayout, type TableLayout } from "../table-layout.ts";
import type { Compiled } from "./query-compile.ts";
import type { QueryRunner } from "./query-runner.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import { columnsOf, finishRow, viaOf, type OpenRow } from "./row-shape.ts";
import { sqlName, SqlParams } from "./sql-text.ts";
import { compileWhere } from "./sql-where.ts";

/** Fills in the terms under their names. @param rows of `table`, open; they hold `id` and every `via`. */
export function expandRows(
  runner: QueryRunner,
  table: TableLayout,
  rows: readonly OpenRow[],
  terms: readonly WithTerm[],
  guard: Guard | null,
): void {
  if (rows.length === 0) return;
  // Every `via` is read before any name is filled in: a term may carry the name of a field.
  const starts = terms.map((term) => rows.map((row) => row[viaOf(term)] ?? null));
  terms.forEach((term, index) => {
    const keys = starts[index] ?? [];
    if (term.kind === "one") fillOne(runner, rows, keys, term, guard);
    else fillMany(runner, rows, keys, term, guard);
  });
}

interface Expansion {
  readonly term: WithTerm;
  readonly target: TableLayout;
  readonly columns: readonly ColumnLayout[];
}

function fillOne(
  runner: QueryRunner,
  rows: readonly OpenRow[],
  keys: readonly Json[],
  term: WithTerm,
  guard: Guard | null,
): void {
  const expansion = expansionOf(runner, term, []);
  const ids = [...new Set(keys.filter((key) => key !== null))];
  const found = ids.length === 0 ? [] : runExpansion(runner, expansion, ids, guard);
  const targets = found.map((cells) => decodeRow(expansion.columns, cells, 1));
  if (term.with !== undefined) {
    expandRows(runner, expansion.target, targets, term.with, guard);
  }
  const byId = new Map(
    targets.map((row) => [row["id"], finishRow(row, term.select, term.with)] as const),
  );
  rows.forEach((row, index) => {
    row[term.name] = (byId.get(keys[index] ?? null) as Json | undefined) ?? null;
  });
}

function fillMany(
  runner: QueryRunner,
  rows: readonly OpenRow[],
  keys: readonly Json[],
  term: WithTerm,
  guard: Guard | null,
): void {
  const expansion = expansionOf(runner, term, [term.via]);
  const found = runExpansion(runner, expansion, keys, guard);
  const targets = found.map((cells) => decodeRow(expansion.columns, cells, 1));
  if (term.with !== undefined) {
    expandRows(runner, expansion.target, targets, term.with, guard);
  }
  const lists = rows.map((): Json[] => []);
  targets.forEach((row, index) => {
    lists[Number(found[index]?.[0])]?.push(finishRow(row, term.select, term.with));
  });
  rows.forEach((row, index) => {
    row[term.name] = Object.freeze(lists[index] ?? []);
  });
}

function expansionOf(runner: QueryRunner, term: WithTerm, needed: readonly string[]): Expansion {
  const target = tableOf(runner.layout, term.table);
  const inner = (term.with ?? []).map(viaOf);
  return { term, target, columns: columnsOf(target, term.select, [...needed, ...inner]) };
}

/** Cells: the parent's index in `keys` (many) or nothing of use (one), then the columns. */
function runExpansion(
  runner: QueryRunner,
  expansion: Expansion,
  keys: readonly Json[],
  guard: Guard | null,
): readonly (readonly SqlCell[])[] {
  const { term, target } = expansion;
  return runner.run({
    from: target.name,
    groupBy: [],
    of: { from: target.name, ...(term.where === undefined ? {} : { where: term.where }) },
    compile: (counted) => compileExpansion(runner, expansion, keys, guard, counted),
    shape: ({ guarded }) => ({
      shape: expansionShape(term, guarded),
      table: target.name,
      // One: a look-up by id for each parent. Many: rows are skipped when there are conditions.
      bounds: null,
      limited: true,
    }),
  });
}

function expansionShape(term: WithTerm, guarded: boolean): string {
  const where = term.where === undefined ? "" : ` where ${whereShape(term.where)}`;
  const order = orderShape(fullOrder(term.orderBy ?? []));
  const key = term.kind === "one" ? "id" : term.via;
  return `with ${term.table} by ${key}${where} order ${order}${guarded ? " guarded" : ""}`;
}

function compileExpansion(
  runner: QueryRunner,
  { term, target, columns }: Expansion,
  keys: readonly Json[],
  guard: Guard | null,
  counted: boolean,
): Compiled | null {
  const params = new SqlParams();
  const parents = `json_each(${params.bind(JSON.stringify(keys))}) AS p`;
  const name = sqlName(target.name);
  const start = term.kind === "one" ? "id" : term.via;
  const parts = [`t.${sqlName(start)} = p.value`];
  if (counted) parts.push(`_visit(t."_n")`);
  if (term.where !== undefined) parts.push(`(${compileWhere(target, term.where, params)})`);
  const rule = runner.guards.predicate(target.name, guard, params);
  if (rule === false) return null;
  if (rule !== null) parts.push(rule);
  const where = parts.join(" AND ");
  const guarded = rule !== null;
  if (term.kind === "one") {
    const list = columns.map((column) => `t.${sqlName(column.name)}`).join(", ");
    const sql = `SELECT p.key, ${list} FROM ${parents} CROSS JOIN ${name} AS t WHERE ${where}`;
    return { sql, values: params.values, guarded };
  }
  const order = fullOrder(term.orderBy ?? []);
  const by = (alias: string) =>
    order.map(({ field, descending }) => `${alias}.${sqlName(field)}${descending ? " DESC" : ""}`);
  const limit = params.bindUnseen(term.limit ?? runner.limits.pageRowsDefault);
  const inner = `SELECT t."_n" FROM ${name} AS t WHERE ${where} ORDER BY ${by("t").join(", ")} LIMIT ${limit}`;
  const list = columns.map((column) => `o.${sqlName(column.name)}`).join(", ");
  const sql =
    `SELECT p.key, ${list} FROM ${parents} CROSS JOIN ${name} AS o ` +
    `WHERE o."_n" IN (${inner}) ORDER BY p.key, ${by("o").join(", ")}`;
  return { sql, values: params.values, guarded };
}
