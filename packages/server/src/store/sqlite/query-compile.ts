// Checked queries to SQL text with parameters: lists and aggregates under the guard. The text says
// everything about a shape and nothing about its values, so it is the key of the statement and plan caches.
import type { AggregateQuery, AggregateTerm, ListQuery, Where } from "../../model/query-form.ts";
import type { Guard } from "../store.ts";
import { columnOf, type ColumnLayout, type TableLayout } from "../table-layout.ts";
import type { RuleGuards } from "./rule-guard.ts";
import { searchExpression } from "./sql-search.ts";
import { searchName } from "./sqlite-schema.ts";
import { orderSql, type Segment, type SqlTerm } from "./sql-order.ts";
import { sqlName, SqlParams, type SqlValue } from "./sql-text.ts";
import { compileWhere } from "./sql-where.ts";

/** SQL text with what is bound to it. */
export interface Compiled {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** Whether a rule narrows it. */
  readonly guarded: boolean;
}

/** What rows are wanted, whatever is done with them. */
export interface Source {
  readonly table: TableLayout;
  readonly where: Where | undefined;
  readonly search: string | undefined;
  readonly guard: Guard | null;
  /** Counts every visited row and ends at the bound of `allowVisits`. */
  readonly counted: boolean;
}

/** The relevance of a row: smaller is better. */
export const rankTerm: SqlTerm = {
  sql: "s.rank",
  descending: false,
  optional: false,
  encode: (value) => value as number,
};

/**
 * A page's statement. Answers the columns, then the values of `terms`, one row more than the page.
 * @returns null when nothing can be found.
 */
export function compileList(
  guards: RuleGuards,
  source: Source,
  columns: readonly ColumnLayout[],
  page: {
    readonly terms: readonly SqlTerm[];
    readonly segment: Segment | null;
    readonly rows: number;
    readonly ranked: boolean;
  },
): Compiled | null {
  const params = new SqlParams();
  const rank = page.ranked ? ", s.rank" : "";
  const found = fromWhere(guards, source, params, page.segment);
  if (found === null) return null;
  const limit = params.bindUnseen(page.rows);
  const sql = `SELECT ${columnList(columns)}${rank} ${found.sql} ORDER BY ${orderSql(page.terms)} LIMIT ${limit}`;
  return { sql, values: params.values, guarded: found.guarded };
}

/** A statement of one row per group: the group's fields, then the values. */
export function compileAggregate(
  guards: RuleGuards,
  source: Source,
  query: AggregateQuery,
): Compiled | null {
  const params = new SqlParams();
  const groups = query.groupBy.map((field) => `t.${sqlName(columnOf(source.table, field).name)}`);
  const values = query.values.map((term) => aggregateSql(source.table, term));
  const found = fromWhere(guards, source, params, null);
  if (found === null) return null;
  const grouped =
    groups.length === 0 ? "" : ` GROUP BY ${groups.join(", ")} ORDER BY ${groups.join(", ")}`;
  const sql = `SELECT ${[...groups, ...values].join(", ")} ${found.sql}${grouped} LIMIT ${params.bindUnseen(query.limit)}`;
  return { sql, values: params.values, guarded: found.guarded };
}

/** `t."id", t."title"`. */
export function columnList(columns: readonly ColumnLayout[]): string {
  let list = "";
  for (const column of columns) list += `${list === "" ? "" : ", "}t.${sqlName(column.name)}`;
  return list;
}

/** Stable text of a query's shape. */
export function queryShape(
  query: ListQuery | AggregateQuery,
  guarded: boolean,
  shapes: string,
): string {
  const search = query.search === undefined ? "" : " search";
  return `${query.from}${search}${shapes}${guarded ? " guarded" : ""}`;
}

/** FROM and WHERE. @returns null when the guard hides the table or the search has no word. */
function fromWhere(
  guards: RuleGuards,
  source: Source,
  params: SqlParams,
  segment: Segment | null,
): { readonly sql: string; readonly guarded: boolean } | null {
  const { table, where, search, guard } = source;
  const parts: string[] = [];
  let from = `FROM ${sqlName(table.name)} AS t`;
  if (search !== undefined) {
    const expression = searchExpression(search);
    if (expression === null) return null;
    const index = sqlName(searchName(table.name));
    from = `FROM ${index} AS s JOIN ${sqlName(table.name)} AS t ON t."_n" = s.rowid`;
    parts.push(`s.${index} MATCH ${params.bind(expression)}`);
  }
  if (source.counted) parts.push(`_visit(t."_n")`);
  if (where !== undefined) parts.push(`(${compileWhere(table, where, params)})`);
  const rule = guards.predicate(table.name, guard, params);
  if (rule === false) return null;
  if (rule !== null) parts.push(rule);
  if (segment !== null) parts.push(`(${segment(params)})`);
  return {
    sql: parts.length === 0 ? from : `${from} WHERE ${parts.join(" AND ")}`,
    guarded: rule !== null,
  };
}

function aggregateSql(table: TableLayout, term: AggregateTerm): string {
  if (term.field === undefined) return "count(*)";
  const name = `t.${sqlName(columnOf(table, term.field).name)}`;
  switch (term.op) {
    case "count":
      return `count(${name})`;
    case "sum":
      return `coalesce(sum(${name}), 0)`;
    case "min":
    case "max":
    case "avg":
      return `${term.op}(${name})`;
    default:
      return term.op satisfies never;
  }
}
