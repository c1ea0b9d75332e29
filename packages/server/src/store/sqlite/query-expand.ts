// Expansions: one statement per `with` term for all rows together, never one per row. For many rows per
// parent the inner statement is limited per parent, so a parent of a million rows costs what a page costs.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
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

/**
 * Fills in the terms under their names.
 * @param rows of one table, open; they hold `id` and every `via`.
 * @throws FUNCTION_ROWS_EXCEEDED when all terms together bring more rows than limits.rowsReadMax.
 */
export function expandRows(
  runner: QueryRunner,
  rows: readonly OpenRow[],
  terms: readonly WithTerm[],
  guard: Guard | null,
): void {
  expandWithin({ runner, guard, rowsLeft: runner.limits.rowsReadMax }, rows, terms);
}

/** One expansion of a page, nested ones included. */
interface Expanding {
  readonly runner: QueryRunner;
  readonly guard: Guard | null;
  rowsLeft: number;
}

function expandWithin(
  expanding: Expanding,
  rows: readonly OpenRow[],
  terms: readonly WithTerm[],
): void {
  if (rows.length === 0) return;
  // Every `via` is read before any name is filled in: a term may carry the name of a field.
  const starts = terms.map((term) => rows.map((row) => row[viaOf(term)] ?? null));
  terms.forEach((term, index) => {
    const keys = starts[index] ?? [];
    if (term.kind === "one") fillOne(expanding, rows, keys, term);
    else fillMany(expanding, rows, keys, term);
  });
}

interface Expansion {
  readonly term: WithTerm;
  readonly target: TableLayout;
  readonly columns: readonly ColumnLayout[];
}

function fillOne(
  expanding: Expanding,
  rows: readonly OpenRow[],
  keys: readonly Json[],
  term: WithTerm,
): void {
  const expansion = expansionOf(expanding.runner, term, []);
  const ids = [...new Set(keys.filter((key) => key !== null))];
  const found = ids.length === 0 ? [] : runExpansion(expanding, expansion, ids);
  const targets = found.map((cells) => decodeRow(expansion.columns, cells, 1));
  if (term.with !== undefined) expandWithin(expanding, targets, term.with);
  const byId = new Map(
    targets.map((row) => [row["id"], finishRow(row, term.select, term.with)] as const),
  );
  rows.forEach((row, index) => {
    row[term.name] = (byId.get(keys[index] ?? null) as Json | undefined) ?? null;
  });
}

function fillMany(
  expanding: Expanding,
  rows: readonly OpenRow[],
  keys: readonly Json[],
  term: WithTerm,
): void {
  const expansion = expansionOf(expanding.runner, term, [term.via]);
  const found = runExpansion(expanding, expansion, keys);
  const targets = found.map((cells) => decodeRow(expansion.columns, cells, 1));
  if (term.with !== undefined) expandWithin(expanding, targets, term.with);
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
  expanding: Expanding,
  expansion: Expansion,
  keys: readonly Json[],
): readonly (readonly SqlCell[])[] {
  const { runner, guard } = expanding;
  const { term, target } = expansion;
  const found = runner.run({
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
  expanding.rowsLeft -= found.length;
  if (expanding.rowsLeft >= 0) return found;
  const max = runner.limits.rowsReadMax;
  throw new PlatformError("FUNCTION_ROWS_EXCEEDED", { limit: "rowsReadMax", max });
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
