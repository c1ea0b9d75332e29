// One page of a list: columns chosen, segments read in order until the page is full, the cursor written.
import { assert } from "../../base/assert.ts";
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
import { columnList, compileList, queryShape, rankTerm } from "./query-compile.ts";
import { expandRows } from "./query-expand.ts";
import { boundsOf } from "./query-plan.ts";
import type { QueryRunner } from "./query-runner.ts";
import type { SnapshotRows } from "./row-cache.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import { columnsOf, finishRow, viaOf, type OpenRow } from "./row-shape.ts";
import { orderTerms, segmentsAfter, type Segment } from "./sql-order.ts";
import { sqlName } from "./sql-text.ts";
import { withStoreErrors } from "./sqlite-error.ts";

/** Rows that a warm list may find missing, and read one by one; with more it is read again, whole. */
const missingMax = 2;

/** Reads one page under the guard. @throws CURSOR_INVALID, QUERY_TOO_COSTLY. */
export function listPage(runner: QueryRunner, query: ListQuery, guard: Guard | null): Page {
  const table = tableOf(runner.layout, query.from);
  const ranked = query.search !== undefined && query.orderBy.length === 0;
  const isWhole = query.select === undefined && query.with === undefined && !ranked;
  const list: List = { query, guard, table, ranked, order: fullOrder(query.orderBy) };
  const { known } = runner;
  if (!isWhole || known === null) return makePage(runner, list, readRows(runner, list));
  const page = known.isWarm(table.name) ? warmPage(runner, list, known) : null;
  return page ?? keptPage(list, readRows(runner, list), known);
}

/** A list while it is read. */
interface List {
  readonly query: ListQuery;
  readonly guard: Guard | null;
  readonly table: TableLayout;
  readonly order: FullOrder;
  readonly ranked: boolean;
}

interface Found {
  readonly columns: readonly ColumnLayout[];
  readonly cells: readonly (readonly SqlCell[])[];
}

/** One row more than the page. @param columns those of the answer by default. */
function readRows(
  runner: QueryRunner,
  { query, guard, table, order, ranked }: List,
  chosen?: readonly ColumnLayout[],
): Found {
  const plain = orderTerms(table, order);
  const terms = ranked ? [rankTerm, ...plain] : plain;
  const needed = [...(query.with ?? []).map(viaOf), ...order.map((term) => term.field)];
  const columns = chosen ?? columnsOf(table, query.select, needed);
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
        isVariant: chosen !== undefined,
      }),
    });
    for (const row of cells) found.push(row);
  }
  return { columns, cells: found };
}

/** The engine says which rows, in which order; what is in them is known. @returns null when too few are. */
function warmPage(runner: QueryRunner, list: List, known: SnapshotRows): Page | null {
  const { query, table } = list;
  const { cells } = readRows(runner, list, table.columns.slice(0, 1));
  const count = Math.min(cells.length, query.limit);
  const rows: (Row | null)[] = [];
  let missed = 0;
  for (let index = 0; index < count; index++) {
    const row = known.get(table.name, cells[index]?.[0] as string);
    if (row === null) missed += 1;
    rows.push(row);
  }
  known.noteList(table.name, missed, count);
  if (missed > missingMax) return null;
  const whole = rows.map((row, index) => row ?? readOne(runner, list, cells[index]?.[0] as string));
  return { rows: whole, next: nextOf(list, whole.at(-1), cells.length > query.limit) };
}

function readOne(runner: QueryRunner, { table }: List, id: string): Row {
  const sql = `SELECT ${columnList(table.columns)} FROM ${sqlName(table.name)} AS t WHERE t."id" = ?`;
  const cells = withStoreErrors(() => runner.connection.prepare(sql).get(id));
  assert(cells !== undefined, "a row of a list is in its snapshot");
  const row = Object.freeze(decodeRow(table.columns, cells, 0));
  runner.known?.put(table.name, id, row);
  return row;
}

/** A page that was read whole: its rows are kept. */
function keptPage(list: List, { columns, cells }: Found, known: SnapshotRows): Page {
  const { query, table } = list;
  const count = Math.min(cells.length, query.limit);
  const rows: Row[] = [];
  let missed = 0;
  for (let index = 0; index < count; index++) {
    const row = cells[index] as readonly SqlCell[];
    const id = row[0] as string;
    let whole = known.get(table.name, id);
    if (whole === null) {
      missed += 1;
      whole = Object.freeze(decodeRow(columns, row, 0));
      known.put(table.name, id, whole);
    }
    rows.push(whole);
  }
  known.noteList(table.name, missed, count);
  return { rows, next: nextOf(list, rows.at(-1), cells.length > query.limit) };
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
