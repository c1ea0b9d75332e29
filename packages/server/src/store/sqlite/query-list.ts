// One page of a list: columns chosen, segments read in order until the page is full, the cursor written.
import type { ListQuery } from "../../model/query-form.ts";
import { fullOrder, orderShape, readCursor, whereShape, writeCursor } from "../list-cursor.ts";
import type { Guard, Page } from "../store.ts";
import { tableOf, type ColumnLayout } from "../table-layout.ts";
import { compileList, queryShape, rankTerm } from "./query-compile.ts";
import { expandRows } from "./query-expand.ts";
import { boundsOf } from "./query-plan.ts";
import type { QueryRunner } from "./query-runner.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import { columnsOf, finishRow, viaOf, type OpenRow } from "./row-shape.ts";
import { orderTerms, segmentsAfter, type Segment } from "./sql-order.ts";

/** Reads one page under the guard. @throws CURSOR_INVALID, QUERY_TOO_COSTLY. */
export function listPage(runner: QueryRunner, query: ListQuery, guard: Guard | null): Page {
  const table = tableOf(runner.layout, query.from);
  const ranked = query.search !== undefined && query.orderBy.length === 0;
  const order = fullOrder(query.orderBy);
  const plain = orderTerms(table, order);
  const terms = ranked ? [rankTerm, ...plain] : plain;
  const needed = [...(query.with ?? []).map(viaOf), ...order.map((term) => term.field)];
  const columns = columnsOf(table, query.select, needed);
  const wanted = query.limit + 1;
  const found: (readonly SqlCell[])[] = [];
  const segments: readonly (Segment | null)[] =
    query.after === undefined
      ? [null]
      : segmentsAfter(terms, readCursor(query, order, table, ranked));
  for (const segment of segments) {
    const rows = wanted - found.length;
    if (rows <= 0) break;
    const cells = runner.run({
      from: table.name,
      groupBy: [],
      of: query,
      compile: (counted) => {
        const source = { table, where: query.where, search: query.search, guard, counted };
        return compileList(runner.guards, source, columns, { terms, segment, rows, ranked });
      },
      shape: ({ guarded }) => ({
        shape: queryShape(query, guarded, listShape(query, orderShape(order))),
        table: table.name,
        bounds: guarded || query.search !== undefined ? null : boundsOf(query.where),
        limited: true,
      }),
    });
    for (const row of cells) found.push(row);
  }
  return makePage(runner, { query, guard, columns, ranked, found });
}

function makePage(
  runner: QueryRunner,
  page: {
    readonly query: ListQuery;
    readonly guard: Guard | null;
    readonly columns: readonly ColumnLayout[];
    readonly ranked: boolean;
    readonly found: readonly (readonly SqlCell[])[];
  },
): Page {
  const { query, guard, columns, ranked, found } = page;
  const more = found.length > query.limit;
  const count = more ? query.limit : found.length;
  const rows: OpenRow[] = [];
  for (let index = 0; index < count; index++) {
    rows.push(decodeRow(columns, found[index] as readonly SqlCell[], 0));
  }
  let next: string | null = null;
  const last = rows.at(-1);
  if (more && last !== undefined) {
    const order = fullOrder(query.orderBy);
    const values = order.map((term) => last[term.field] ?? null);
    const rank = found[count - 1]?.[columns.length] as number;
    next = writeCursor(query, order, ranked ? [rank, ...values] : values);
  }
  if (query.with !== undefined) expandRows(runner, rows, query.with, guard);
  return { rows: rows.map((row) => finishRow(row, query.select, query.with)), next };
}

function listShape(query: ListQuery, order: string): string {
  const where = query.where === undefined ? "" : ` where ${whereShape(query.where)}`;
  const after = query.after === undefined ? "" : " after";
  return `${where} order ${order}${after}`;
}
