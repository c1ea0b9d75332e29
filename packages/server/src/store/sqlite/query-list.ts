// One page of a list: columns chosen, segments read in order until the page is full, the cursor written.
import type { ListQuery } from "../../model/query-form.ts";
import {
  fullOrder,
  orderShape,
  readCursor,
  whereShape,
  writeCursor,
  type FullOrder,
} from "../list-cursor.ts";
import type { Guard, Page, Row } from "../store.ts";
import { tableOf, type ColumnLayout, type TableLayout } from "../table-layout.ts";
import { compileList, queryShape, rankTerm, type Compiled } from "./query-compile.ts";
import { expandRows } from "./query-expand.ts";
import { boundsOf } from "./query-plan.ts";
import type { QueryRunner } from "./query-runner.ts";
import type { SnapshotRows } from "./row-cache.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import { columnsOf, finishRow, viaOf, type OpenRow } from "./row-shape.ts";
import { orderTerms, segmentsAfter, type Segment, type SqlTerm } from "./sql-order.ts";

/** Reads one page under the guard. @throws CURSOR_INVALID, QUERY_TOO_COSTLY. */
export function listPage(runner: QueryRunner, query: ListQuery, guard: Guard | null): Page {
  const table = tableOf(runner.layout, query.from);
  const ranked = query.search !== undefined && query.orderBy.length === 0;
  const isWhole = query.select === undefined && query.with === undefined && !ranked;
  const list: List = { query, guard, table, ranked, order: fullOrder(query.orderBy) };
  const { known } = runner;
  if (!isWhole || known === null) return makePage(runner, list, readRows(runner, list));
  // What comes after a cursor is asked for once.
  if (query.after !== undefined) return keptPage(list, readRows(runner, list), known);
  const first = { segment: null, counted: false, rows: query.limit + 1 };
  const compiled = compileSegment(runner, list, table.columns, first);
  if (compiled === null) return { rows: [], next: null };
  // The shape is in the cursor of the next page.
  const shape = listShape(query, orderShape(list.order));
  const statement = `${shape}\n${compiled.sql}\n${JSON.stringify(compiled.values)}`;
  const before = known.page(statement);
  if (before !== null) return before;
  const page = keptPage(list, readRows(runner, list), known);
  known.putPage(statement, isOfOneTable(compiled) ? table.name : null, page);
  return page;
}

/** Whether a statement looks at its own table only. Names of tables and fields do not begin with capitals. */
function isOfOneTable({ sql }: Compiled): boolean {
  return sql.lastIndexOf("SELECT") === 0 && !sql.includes("JOIN");
}

/** A list while it is read. */
interface List {
  readonly query: ListQuery;
  readonly guard: Guard | null;
  readonly table: TableLayout;
  readonly order: FullOrder;
  readonly ranked: boolean;
}

function compileSegment(
  runner: QueryRunner,
  list: List,
  columns: readonly ColumnLayout[],
  part: { readonly segment: Segment | null; readonly counted: boolean; readonly rows: number },
): Compiled | null {
  const { query, guard, table, ranked } = list;
  const { segment, counted, rows } = part;
  const source = { table, where: query.where, search: query.search, guard, counted };
  const page = { terms: termsOf(list), segment, rows, ranked };
  return compileList(runner.guards, source, columns, page);
}

function termsOf({ table, order, ranked }: List): readonly SqlTerm[] {
  const plain = orderTerms(table, order);
  return ranked ? [rankTerm, ...plain] : plain;
}

interface Found {
  readonly columns: readonly ColumnLayout[];
  readonly cells: readonly (readonly SqlCell[])[];
}

/** One row more than the page. */
function readRows(runner: QueryRunner, list: List): Found {
  const { query, table, order, ranked } = list;
  const needed = [...(query.with ?? []).map(viaOf), ...order.map((term) => term.field)];
  const columns = columnsOf(table, query.select, needed);
  const wanted = query.limit + 1;
  const found: (readonly SqlCell[])[] = [];
  const segments: readonly (Segment | null)[] =
    query.after === undefined
      ? [null]
      : segmentsAfter(termsOf(list), readCursor(query, order, table, ranked));
  for (const segment of segments) {
    if (found.length >= wanted) break;
    const rows = wanted - found.length;
    const cells = runner.run({
      from: table.name,
      groupBy: [],
      of: query,
      compile: (counted) => compileSegment(runner, list, columns, { segment, counted, rows }),
      shape: ({ guarded }) => ({
        shape: queryShape(query, guarded, listShape(query, orderShape(order))),
        table: table.name,
        bounds: guarded || query.search !== undefined ? null : boundsOf(query.where),
        limited: true,
      }),
    });
    for (const row of cells) found.push(row);
  }
  return { columns, cells: found };
}

/** A page that was read whole: its rows are kept. */
function keptPage(list: List, { columns, cells }: Found, known: SnapshotRows): Page {
  const { query, table } = list;
  const count = Math.min(cells.length, query.limit);
  const rows: Row[] = [];
  for (let index = 0; index < count; index++) {
    const row = cells[index] as readonly SqlCell[];
    const id = row[0] as string;
    let whole = known.row(table.name, id);
    if (whole === null) {
      whole = Object.freeze(decodeRow(columns, row, 0));
      known.putRow(table.name, id, whole);
    }
    rows.push(whole);
  }
  const next = nextOf(list, rows.at(-1), cells.length > query.limit);
  return Object.freeze({ rows: Object.freeze(rows), next });
}

function makePage(runner: QueryRunner, list: List, { columns, cells }: Found): Page {
  const { query, guard, ranked } = list;
  const more = cells.length > query.limit;
  const count = more ? query.limit : cells.length;
  const rows: OpenRow[] = [];
  for (let index = 0; index < count; index++) {
    rows.push(decodeRow(columns, cells[index] as readonly SqlCell[], 0));
  }
  const rank = ranked ? (cells[count - 1]?.[columns.length] as number) : null;
  const next = nextOf(list, rows.at(-1), more, rank);
  if (query.with !== undefined) expandRows(runner, rows, query.with, guard);
  return { rows: rows.map((row) => finishRow(row, query.select, query.with)), next };
}

/** @param last row of the page. @param rank its relevance, where that is the order. */
function nextOf(
  { query, order }: List,
  last: Row | undefined,
  more: boolean,
  rank: number | null = null,
): string | null {
  if (!more || last === undefined) return null;
  const values = order.map((term) => last[term.field] ?? null);
  return writeCursor(query, order, rank === null ? values : [rank, ...values]);
}

function listShape(query: ListQuery, order: string): string {
  const where = query.where === undefined ? "" : ` where ${whereShape(query.where)}`;
  const after = query.after === undefined ? "" : " after";
  return `${where} order ${order}${after}`;
}
