// The one enforcement of rights on data. Doors' table operations, steps of a batch and the `db.*` system
// calls of functions all come through here, as the caller or, for `db.asSystem`, as the system: rules are
// skipped then, validation, checks and constraints are not.
// Invariant: nothing that the caller may not read is in what a method returns or in what it throws.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { checkAggregateQuery, checkGet, checkList } from "../model/query-check.ts";
import type { FieldTouch } from "../model/query-context.ts";
import type { AggregateQuery, ListQuery, QueryForm, WithTerm } from "../model/query-form.ts";
import { assertAllGroups } from "../model/query-order.ts";
import type { Page, Row } from "../store/store.ts";
import {
  filterRow,
  filterRows,
  selectLeft,
  selectOfStore,
  storeTerms,
  type AnswerShape,
} from "./answer-filter.ts";
import { countRead, tableOf, type DbScope } from "./db-scope.ts";
import { noteRuleDenial, refuse } from "./denial.ts";
import { createRow, deleteRow, updateRow } from "./guarded-write.ts";
import { countRows } from "./read-size.ts";
import { assertTouchesReadable } from "./readable-check.ts";
import type { Authority, RuledTable } from "./table-rules.ts";
import { noted, type QueryNote } from "./work.ts";

/** What of a row is asked for, besides itself. */
export type GetForm = Pick<QueryForm, "with" | "select">;

const noTouches: readonly FieldTouch[] = [];
const noTerms: readonly WithTerm[] = [];
const newestFirst: ListQuery["orderBy"] = Object.freeze([
  Object.freeze({ field: "id", descending: true }),
]);

/** Data as a caller may use it, on one transaction. */
export class GuardedDb {
  readonly scope: DbScope;

  constructor(scope: DbScope) {
    this.scope = scope;
  }

  /**
   * @returns the row as `as` may read it, or null when there is none that it may read.
   * @throws TABLE_NOT_FOUND, QUERY_INVALID, FIELD_NOT_READABLE.
   */
  get(table: string, id: string, form: GetForm | undefined, as: Authority): Later<Row | null> {
    const { scope } = this;
    if (form === undefined) return this.#getWhole(tableOf(scope, table), id, as);
    tableOf(scope, table);
    const { query, touches } = checkGet(scope.manifest, table, form, this.#as(as));
    const { with: terms = noTerms, select } = query;
    if (as === "system") {
      const came = this.#recordRow(table, id, terms, as);
      return andThen(scope.tx.get(table, id, null, terms), (row) => {
        came?.(row);
        this.#note({ kind: "get", table, touches, as }, row === null ? [] : [row], terms);
        return row === null || select === undefined ? row : picked(row, select, terms);
      });
    }
    assertTouchesReadable(scope, touches);
    const stored = storeTerms(scope, table, terms);
    const came = this.#recordRow(table, id, stored, as);
    return andThen(scope.tx.get(table, id, scope.reach, stored), (row) => {
      came?.(row);
      this.#note({ kind: "get", table, touches, as }, row === null ? [] : [row], terms);
      if (row === null) return this.#unseen(table, id);
      return filterRow(scope, { table, with: terms, select: select ?? null }, row);
    });
  }

  /** The same without a form: the shortest way, because functions read so more than in any other. */
  #getWhole(table: RuledTable, id: string, as: Authority): Later<Row | null> {
    const { scope } = this;
    const { name } = table.model;
    const came = scope.reads === null ? null : this.#recordRow(name, id, noTerms, as);
    const found = scope.tx.get(name, id, as === "system" ? null : scope.reach);
    if (!(found instanceof Promise)) return this.#gotWhole(table, id, as, found, came);
    return found.then((row) => this.#gotWhole(table, id, as, row, came));
  }

  #gotWhole(
    table: RuledTable,
    id: string,
    as: Authority,
    row: Row | null,
    came: ((row: Row | null) => void) | null,
  ): Later<Row | null> {
    const { scope } = this;
    const { name } = table.model;
    came?.(row);
    const rows = row === null ? 0 : 1;
    this.#noteRows({
      kind: "get",
      table: name,
      touches: noTouches,
      rows,
      seen: this.#seen(table, as),
    });
    if (as === "system") return row;
    if (row === null) return this.#unseen(name, id);
    return filterRow(scope, { table: name, with: noTerms, select: null }, row);
  }

  /**
   * The row as `get` would answer it, without anybody being told: for rows that are read before they are asked for.
   * @returns null also when the engine does not answer at once. @see notePeeked
   */
  peek(table: string, id: string, as: Authority): Row | null {
    const { scope } = this;
    const ruled = scope.tables.get(table);
    if (ruled === undefined) return null;
    const row = atOnce(scope.tx.get(table, id, as === "system" ? null : scope.reach));
    if (row === null || as === "system") return row;
    return atOnce(filterRow(scope, { table, with: noTerms, select: null }, row));
  }

  /** Now it was asked for. @throws FUNCTION_ROWS_EXCEEDED. */
  notePeeked(table: string, id: string, as: Authority, row: Row): void {
    const { scope } = this;
    if (scope.reads !== null) this.#recordRow(table, id, noTerms, as)?.(row);
    const seen = this.#seen(tableOf(scope, table), as);
    this.#noteRows({ kind: "get", table, touches: noTouches, rows: 1, seen });
  }

  /**
   * A page of rows that `as` may read.
   * @throws RULE_DENIED when the table has no read rule; FIELD_NOT_READABLE; what checkList and the store throw.
   */
  list(table: string, form: QueryForm, as: Authority): Later<Page> {
    const { scope } = this;
    tableOf(scope, table);
    const { query, touches } = checkList(scope.manifest, table, form, this.#as(as));
    const terms = query.with ?? noTerms;
    if (as === "system") {
      const came = this.#recordRows(query, as);
      return andThen(scope.tx.list(query, null), (page) => {
        came?.(page);
        this.#note({ kind: "list", table, touches, as }, page.rows, terms);
        return page;
      });
    }
    return andThen(this.#assertListable(table), () => {
      assertTouchesReadable(scope, touches);
      const stored = this.#storeQuery(query);
      const came = this.#recordRows(stored, as);
      return andThen(scope.tx.list(stored, scope.reach), (page) => {
        came?.(page);
        this.#note({ kind: "list", table, touches, as }, page.rows, terms);
        const select = selectLeft(scope, table, query.select);
        const shape: AnswerShape = { table, with: terms, select };
        const rows = filterRows(scope, shape, page.rows);
        if (rows === page.rows) return page;
        return andThen(rows, (rows) => ({ rows, next: page.next }));
      });
    });
  }

  /** One row per group of what `as` may read. @throws as list does; QUERY_INVALID when there are more groups than fit. */
  aggregate(table: string, form: QueryForm, as: Authority): Later<readonly Row[]> {
    const { scope } = this;
    tableOf(scope, table);
    const { query, touches } = checkAggregateQuery(scope.manifest, table, form, this.#as(as));
    const noteRows = (rows: readonly Row[]): readonly Row[] => {
      assertAllGroups(rows.length, scope.limits);
      this.#note({ kind: "aggregate", table, touches, as }, rows, noTerms);
      return rows;
    };
    if (as === "system") {
      this.#recordRows(query, as);
      return andThen(scope.tx.aggregate(query, null), noteRows);
    }
    return andThen(this.#assertListable(table), () => {
      assertTouchesReadable(scope, touches);
      this.#recordRows(query, as);
      return andThen(scope.tx.aggregate(query, scope.reach), noteRows);
    });
  }

  /** @returns the new row as its maker may read it. @see createRow */
  create(table: string, value: Json, as: Authority): Later<Row> {
    return createRow(this.scope, tableOf(this.scope, table), value, as);
  }

  /** As the system, with the id that the value brings, if any. @see createRow */
  import(table: string, value: Json): Later<Row> {
    return createRow(this.scope, tableOf(this.scope, table), value, "system", "import");
  }

  /** @returns the row after, as its writer may read it. @see updateRow */
  update(table: string, id: string, value: Json, as: Authority): Later<Row> {
    return updateRow(this.scope, tableOf(this.scope, table), { id, value }, as);
  }

  /** @see deleteRow */
  delete(table: string, id: string, as: Authority): Later<null> {
    return deleteRow(this.scope, tableOf(this.scope, table), id, as);
  }

  #recordRow(table: string, id: string, terms: readonly WithTerm[], as: Authority) {
    const { reads, reach } = this.scope;
    return reads === null ? null : reads.row({ table, id, terms }, { as, reach });
  }

  #recordRows(query: ListQuery | AggregateQuery, as: Authority) {
    const { reads, reach } = this.scope;
    return reads === null ? null : reads.rows(query, { as, reach });
  }

  #as(as: Authority) {
    return { as, limits: this.scope.limits };
  }

  #assertListable(table: string): Later<void> {
    const { read } = tableOf(this.scope, table);
    if (read !== null) return undefined;
    return refuse(this.scope, { table, right: "read" }, { rule: null, row: null, next: null });
  }

  #storeQuery(asked: ListQuery): ListQuery {
    const { scope } = this;
    const query = this.#withoutRank(asked);
    if (query.select === undefined && query.with === undefined) return query;
    const { select: _, with: terms, ...rest } = query;
    const select = selectOfStore(scope, query.from, query.select);
    return {
      ...rest,
      ...(select === null ? {} : { select }),
      ...(terms === undefined ? {} : { with: storeTerms(scope, query.from, terms) }),
    };
  }

  /**
   * Relevance weighs a word by how many rows hold it, hidden ones too: its order, and the number in the cursor,
   * would tell. So whoever may not read every row gets what a search finds newest first.
   */
  #withoutRank(query: ListQuery): ListQuery {
    if (query.search === undefined || query.orderBy.length > 0) return query;
    if (this.scope.reach.of(tableOf(this.scope, query.from)).everyRow) return query;
    return { ...query, orderBy: newestFirst };
  }

  /** A row that may not be read does not exist. While developing, the trace tells which rule hid it. */
  #unseen(table: string, id: string): Later<null> {
    const { scope } = this;
    if (!scope.development) return null;
    return andThen(scope.tx.get(table, id, null), (row) => {
      if (row === null) return null;
      const asked = { rule: tableOf(scope, table).read, row, next: null };
      const denial = { table, right: "read", field: null } as const;
      return andThen(noteRuleDenial(scope, denial, asked), () => null);
    });
  }

  #note(
    query: Pick<QueryNote, "kind" | "table" | "touches"> & { readonly as: Authority },
    rows: readonly Row[],
    terms: readonly WithTerm[],
  ): void {
    const { scope } = this;
    const { kind, table, touches, as } = query;
    const ruled = tableOf(scope, table);
    const count = countRows({ table: ruled.model, rows, terms }, scope.limits);
    this.#noteRows({ kind, table, touches, rows: count, seen: this.#seen(ruled, as) });
  }

  #noteRows(note: QueryNote): void {
    const { scope } = this;
    scope.work.queries = noted(scope.work.queries, note, scope.limits.traceNotesMax);
    countRead(scope, note.rows);
  }

  #seen(table: RuledTable, as: Authority): QueryNote["seen"] {
    if (as === "system") return "system";
    return this.scope.reach.of(table).everyRow ? "all" : "rule";
  }
}

/** What is there already. */
function atOnce(found: Later<Row | null>): Row | null {
  if (!(found instanceof Promise)) return found;
  // Whoever asks for the row meets the failure.
  found.catch(() => undefined);
  return null;
}

function picked(row: Row, select: readonly string[], terms: readonly WithTerm[]): Row {
  const wanted = new Set(["id", ...select, ...terms.map(({ name }) => name)]);
  return Object.freeze(
    Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name))),
  );
}
