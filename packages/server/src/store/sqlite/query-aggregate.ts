// Computed values per group, under the guard. Sums of nothing are 0; other values of nothing are absent.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { AggregateQuery, AggregateTerm } from "../../model/query-form.ts";
import { whereShape } from "../list-cursor.ts";
import type { Guard, Row } from "../store.ts";
import { sumOverflow } from "../sum-overflow.ts";
import { columnOf, tableOf, type TableLayout } from "../table-layout.ts";
import { compileAggregate, queryShape } from "./query-compile.ts";
import type { QueryRunner } from "./query-runner.ts";
import { decodeValue, type SqlCell } from "./row-codec.ts";

/**
 * One row per group, in the order of the group's fields.
 * @param sizeOf how many rows a table has.
 * @throws QUERY_TOO_COSTLY; QUERY_INVALID for a sum that is too large.
 */
export function aggregateRows(
  runner: QueryRunner,
  query: AggregateQuery,
  guard: Guard | null,
  sizeOf: (table: string) => number,
): readonly Row[] {
  const table = tableOf(runner.layout, query.from);
  if (countsAll(query, guard)) {
    const size = sizeOf(table.name);
    return [Object.freeze(Object.fromEntries(query.values.map(({ name }) => [name, size])))];
  }
  const found = runAggregate(runner, table, query, guard);
  if (found.length === 0 && query.groupBy.length === 0) return [nothing(query)];
  return found.map((cells) => {
    const row: { [field: string]: Json } = {};
    query.groupBy.forEach((field, index) => {
      row[field] = decodeValue(columnOf(table, field).storage, cells[index] as SqlCell);
    });
    query.values.forEach((term, index) => {
      const cell = cells[query.groupBy.length + index] as SqlCell;
      row[term.name] = decodeTerm(table, term, cell);
    });
    return Object.freeze(row);
  });
}

/** Whether only the number of all rows is asked, which is kept. */
function countsAll(query: AggregateQuery, guard: Guard | null): boolean {
  if (query.where !== undefined || query.search !== undefined) return false;
  if (query.groupBy.length > 0 || query.limit < 1) return false;
  if (query.values.some((term) => term.field !== undefined)) return false;
  if (guard === null) return true;
  const rule = guard.readRule(query.from);
  return rule !== false && rule.kind === "constant" && rule.value === true;
}

function runAggregate(
  runner: QueryRunner,
  table: TableLayout,
  query: AggregateQuery,
  guard: Guard | null,
): readonly (readonly SqlCell[])[] {
  const { where, search } = query;
  try {
    return runner.run({
      from: table.name,
      groupBy: query.groupBy,
      of: query,
      compile: (counted) =>
        compileAggregate(runner.guards, { table, where, search, guard, counted }, query),
      shape: ({ guarded }) => ({
        shape: queryShape(query, guarded, aggregateShape(query)),
        table: table.name,
        bounds: null,
        limited: false,
      }),
    });
  } catch (error) {
    throw isOverflow(error) ? sumOverflow(query, table) : error;
  }
}

/** What a query without groups answers when the guard hides everything. */
function nothing(query: AggregateQuery): Row {
  return Object.freeze(
    Object.fromEntries(
      query.values.map(({ name, op }) => [name, op === "count" || op === "sum" ? 0 : null]),
    ),
  );
}

function decodeTerm(table: TableLayout, term: AggregateTerm, cell: SqlCell): Json {
  if (term.field === undefined || (term.op !== "min" && term.op !== "max")) {
    return cell === null ? null : Number(cell);
  }
  return decodeValue(columnOf(table, term.field).storage, cell);
}

/** A sum of integers beyond what a JavaScript number (or SQLite's integer) holds exactly. */
function isOverflow(error: unknown): boolean {
  const cause = error instanceof PlatformError ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  return /integer overflow|too large to be represented/.test(cause.message);
}

function aggregateShape(query: AggregateQuery): string {
  const where = query.where === undefined ? "" : ` where ${whereShape(query.where)}`;
  const values = query.values.map((term) => `${term.op}(${term.field ?? "*"})`).join(",");
  return `${where} group ${query.groupBy.join(",")} ${values}`;
}
