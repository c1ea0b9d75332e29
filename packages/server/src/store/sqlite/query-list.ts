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
import { askableRead, judgedPage } from "./query-judge.ts";
import type { CostlyQuery, QueryRunner } from "./query-runner.ts";
import type { KeptPage, SnapshotRows, WholePage } from "./row-cache.ts";
import { decodeRow, type SqlCell } from "./row-codec.ts";
import { columnsOf, finishRow, viaOf, type OpenRow } from "./row-shape.ts";
import { orderTerms, segmentsAfter, type Segment, type SqlTerm } from "./sql-order.ts";

const nothing: Page = Object.freeze({ rows: Object.freeze([]), next: null });

/** Reads one page under the guard. @throws CURSOR_INVALID, QUERY_TOO_COSTLY. */
export function listPage(runner: QueryRunner, query: ListQuery, guard: Guard | null): Page {
  const table = tableOf(runner.layout, query.from);
  const ranked = query.search !== undefined && query.orderBy.length === 0;
  const isWhole = query.select === undefined && query.with === undefined && !ranked;
  const list: List = { query, guard, table, ranked, order: fullOrder(query.orderBy) };
  const { known } = runner;
  if (!isWhole || known === null) return makePage(runner, list, readRows(runner, list));
  // What comes after a cursor is asked for once.
  if (query.after !== undefined) return keptPage(list, readRows(runner, list), known).page;
  return sharedPage(runner, list, known) ?? ownPage(runner, list, known);
}

/**
 * The page out of one that callers with different rights share: what the query finds for the system, each row
 * judged in memory. @returns null when it has to be read for this caller.
 */
function sharedPage(runner: QueryRunner, list: List, known: SnapshotRows): Page | null {
  const { query, guard, table, order } = list;
  if (query.search !== undefined) return null;
  const rule = guard === null ? null : guard.readRule(table.name);
  if (rule === false) return nothing;
  const askable = rule === null ? null : askableRead(rule);
  if (askable !== null && !askable.ofRowAlone) return null;
  const where = query.where === undefined ? "" : JSON.stringify(query.where);
  const key = `${table.name} ${query.limit} ${orderShape(order)} ${where}`;
  const isJudged = rule !== null && rule.kind !== "constant";
  const all = { ...list, guard: null, isJudged };
  const kept = known.page(key) ?? pageToShare(runner, all, known, key);
  const whole = kept ?? knownPage(runner, all, known);
  if (whole === null) return null;
  const page = askable === null || guard === null ? whole.page : judgedPage(whole, askable, guard);
  if (kept === null) known.noteMet(table.name, page !== null);
  else if (page !== null) kept.isUsed = true;
  return page;
}

/**
 * Reads what the query finds for the system, if that visits no row in vain and was asked for before.
 * @param all the list of the system.
 */
function pageToShare(
  runner: QueryRunner,
  all: List,
  known: SnapshotRows,
  key: string,
): KeptPage | null {
  if (!known.isWorthKeeping(key)) return null;
  const whole = knownPage(runner, all, known) ?? wholePage(runner, all, known);
  return whole === null ? null : known.putPage(key, all.table.name, whole);
}

function wholePage(runner: QueryRunner, all: List, known: SnapshotRows): WholePage | null {
  const found = readRows(runner, all, "tight");
  return found === null ? null : keptPage(all, found, known);
}

/**
 * The page of which only the ids are read: an index tells them, its rows are known.
 * @param all the list of the system. @returns null when one of them is not known, or rows would be visited in vain.
 */
function knownPage(runner: QueryRunner, all: List, known: SnapshotRows): WholePage | null {
  const { query, table } = all;
  if (!known.areMet(table.name)) return null;
  const found = readRows(runner, all, "ids");
  if (found === null) return null;
  const { cells } = found;
  const count = Math.min(cells.length, query.limit);
  const rows: Row[] = [];
  for (let index = 0; index < count; index++) {
    const row = known.row(table.name, (cells[index] as readonly SqlCell[])[0] as string);
    if (row === null) {
      known.noteMet(table.name, false);
      return null;
    }
    rows.push(row);
  }
  const [id] = cells[count] ?? [];
  const next = nextOf(all, rows.at(-1), id !== undefined);
  const behind = id === undefined ? null : known.row(table.name, id as string);
  return { page: Object.freeze({ rows: Object.freeze(rows), next }), behind };
}

/** The page as this caller's statement finds it. */
function ownPage(runner: QueryRunner, list: List, known: SnapshotRows): Page {
  const { query, table, order } = list;
  const first = { segment: null, counted: false, rows: query.limit + 1 };
  const compiled = compileSegment(runner, list, table.columns, first);
  if (compiled === null) return nothing;
  // The shape is in the cursor of the next page.
  const shape = listShape(query, orderShape(order));
  const statement = `${shape}\n${compiled.sql}\n${JSON.stringify(compiled.values)}`;
  const before = known.page(statement);
  if (before !== null) return before.page;
  const whole = keptPage(list, readRows(runner, list), known);
  if (known.isWorthKeeping(statement)) {
    known.putPage(statement, isOfOneTable(compiled) ? table.name : null, whole).isUsed = true;
  }
  return whole.page;
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
  /** The guard's rule is asked afterwards, of rows in memory. */
  readonly isJudged?: boolean;
}

function compileSegment(
  runner: QueryRunner,
  list: List,
  columns: readonly ColumnLayout[],
  part: {
    readonly segment: Segment | null;
    readonly counted: boolean;
    readonly rows: number;
    /** No index gives the order. Default: one may. */
    readonly sorted?: boolean;
  },
): Compiled | null {
  const { query, guard, table, ranked } = list;
  const { segment, counted, rows, sorted = false } = part;
  const source = { table, where: query.where, search: query.search, guard, counted };
  const terms = termsOf(list);
  const page = { terms: sorted ? terms.map(unindexed) : terms, segment, rows, ranked };
  return compileList(runner.guards, source, columns, page);
}

/** The same order, which no index gives: https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_ */
function unindexed(term: SqlTerm): SqlTerm {
  return { ...term, sql: `+${term.sql}` };
}

function termsOf({ table, order, ranked }: List): readonly SqlTerm[] {
  const plain = orderTerms(table, order);
  return ranked ? [rankTerm, ...plain] : plain;
}

interface Found {
  readonly columns: readonly ColumnLayout[];
  readonly cells: readonly (readonly SqlCell[])[];
}

function readRows(runner: QueryRunner, list: List): Found;
function readRows(runner: QueryRunner, list: List, plan: "tight" | "ids"): Found | null;
/**
 * One row more than the page.
 * @param plan tight: null when rows would be visited in vain; ids: so too, and nothing but the ids.
 */
function readRows(runner: QueryRunner, list: List, plan?: "tight" | "ids"): Found | null {
  const { query, table, order, ranked, isJudged = false } = list;
  const needed = [...(query.with ?? []).map(viaOf), ...order.map((term) => term.field)];
  const columns =
    plan === "ids" ? table.columns.slice(0, 1) : columnsOf(table, query.select, needed);
  const wanted = query.limit + 1;
  const found: (readonly SqlCell[])[] = [];
  const segments: readonly (Segment | null)[] =
    query.after === undefined
      ? [null]
      : segmentsAfter(termsOf(list), readCursor(query, order, table, ranked));
  for (const segment of segments) {
    if (found.length >= wanted) break;
    const rows = wanted - found.length;
    const asked: CostlyQuery = {
      from: table.name,
      groupBy: [],
      of: query,
      compile: (counted) => compileSegment(runner, list, columns, { segment, counted, rows }),
      compileSorted: () =>
        compileSegment(runner, list, columns, { segment, counted: true, rows, sorted: true }),
      shape: ({ guarded }) => ({
        shape: queryShape(query, guarded || isJudged, listShape(query, orderShape(order))),
        table: table.name,
        bounds: guarded || query.search !== undefined ? null : boundsOf(query.where),
        limited: true,
      }),
    };
    const cells = plan === undefined ? runner.run(asked) : runner.runTight(asked);
    if (cells === null) return null;
    for (const row of cells) found.push(row);
  }
  return { columns, cells: found };
}

/** A page that was read whole: its rows are kept, and the one behind it. */
function keptPage(list: List, { columns, cells }: Found, known: SnapshotRows): WholePage {
  const { query, table } = list;
  const rows: Row[] = [];
  let areKnown = true;
  for (const row of cells) {
    const id = row[0] as string;
    let whole = known.row(table.name, id);
    if (whole === null) {
      areKnown = false;
      whole = Object.freeze(decodeRow(columns, row, 0));
      known.putRow(table.name, id, whole);
    }
    rows.push(whole);
  }
  known.noteMet(table.name, areKnown);
  const behind = rows.length > query.limit ? (rows.pop() ?? null) : null;
  const next = nextOf(list, rows.at(-1), behind !== null);
  return { page: Object.freeze({ rows: Object.freeze(rows), next }), behind };
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
