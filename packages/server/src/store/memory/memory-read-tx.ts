// Reads of the naive engine: every query walks every row. No index, no SQL, no plan.
import { assert } from "../../base/assert.ts";
import type { Json } from "../../base/json.ts";
import type { Limits } from "../../base/limits.ts";
import type { AggregateQuery, AggregateTerm, ListQuery, WithTerm } from "../../model/query-form.ts";
import type { RuleExpr } from "../../model/rule-ast.ts";
import { compileRule } from "../../model/rule-evaluate.ts";
import { fullOrder, readCursor, writeCursor, type FullOrder } from "../list-cursor.ts";
import type { Guard, Page, ReadTx, Row, RuleOuter } from "../store.ts";
import { sumOverflow } from "../sum-overflow.ts";
import { columnOf, tableOf, type StoreLayout, type TableLayout } from "../table-layout.ts";
import { lastSeqOf, type MemoryState } from "./memory-state.ts";
import { matchSearch } from "./search-match.ts";
import { compareValues, matchWhere } from "./where-match.ts";

/** Reads of one state. */
export class MemoryReadTx implements ReadTx {
  protected readonly layout: StoreLayout;
  protected readonly limits: Limits;
  readonly #state: () => MemoryState;

  constructor(layout: StoreLayout, limits: Limits, state: () => MemoryState) {
    this.layout = layout;
    this.limits = limits;
    this.#state = state;
  }

  get seq(): number {
    return lastSeqOf(this.#state());
  }

  get(table: string, id: string, guard: Guard | null, expand?: readonly WithTerm[]): Row | null {
    const row = this.rows(table).get(id);
    if (row === undefined || !this.#readable(table, row, guard)) return null;
    return this.#finish(row, undefined, expand, guard);
  }

  list(query: ListQuery, guard: Guard | null): Page {
    const table = tableOf(this.layout, query.from);
    const ranked = query.search !== undefined && query.orderBy.length === 0;
    const order = fullOrder(query.orderBy);
    const rows = this.#matching(query, guard).toSorted((a, b) => compareRows(order, a, b));
    let from = 0;
    if (query.after !== undefined) {
      const values = readCursor(query, order, table, ranked).slice(ranked ? 1 : 0);
      const last = Object.fromEntries(order.map(({ field }, index) => [field, values[index]]));
      while (from < rows.length && compareRows(order, rows[from] as Row, last as Row) <= 0) from++;
    }
    const page = rows.slice(from, from + query.limit);
    const end = page.at(-1);
    const values = end === undefined ? [] : order.map(({ field }) => end[field] as Json);
    return {
      rows: page.map((row) => this.#finish(row, query.select, query.with, guard)),
      next:
        end === undefined || from + query.limit >= rows.length
          ? null
          : writeCursor(query, order, ranked ? [0, ...values] : values),
    };
  }

  aggregate(query: AggregateQuery, guard: Guard | null): readonly Row[] {
    const table = tableOf(this.layout, query.from);
    const valueOf = (term: AggregateTerm, rows: readonly Row[]): Json => {
      const isWhole = term.field !== undefined && columnOf(table, term.field).storage === "integer";
      if (isWhole && term.op === "sum") return exactSum(term.field, rows) ?? raise(query, table);
      return aggregateOf(term, rows);
    };
    const groups = new Map<string, Row[]>();
    if (query.groupBy.length === 0) groups.set("[]", []);
    for (const row of this.#matching(query, guard)) {
      const key = JSON.stringify(query.groupBy.map((field) => row[field]));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const order = query.groupBy.map((field) => ({ field, descending: false }));
    return [...groups]
      .map(([key, rows]) => {
        const group = JSON.parse(key) as readonly Json[];
        return Object.freeze({
          ...Object.fromEntries(query.groupBy.map((field, index) => [field, group[index] as Json])),
          ...Object.fromEntries(query.values.map((term) => [term.name, valueOf(term, rows)])),
        });
      })
      .toSorted((a, b) => compareRows(order, a, b))
      .slice(0, query.limit);
  }

  some(table: string, alias: string, where: RuleExpr, outer: RuleOuter): boolean {
    const test = compileRule(where);
    const { row, next, bindings } = outer;
    return [...this.rows(table).values()].some(
      (each) =>
        test({ ...this.#input(bindings), row, next, items: { ...outer.items, [alias]: each } }) ===
        true,
    );
  }

  /** The rows of a table by id. */
  protected rows(table: string): Map<string, Row> {
    const rows = this.#state().tables.get(tableOf(this.layout, table).name);
    assert(rows !== undefined, "a state holds every table");
    return rows;
  }

  #matching(query: ListQuery | AggregateQuery, guard: Guard | null): readonly Row[] {
    const { search, where } = query;
    const fields = tableOf(this.layout, query.from).search;
    return [...this.rows(query.from).values()].filter(
      (row) =>
        (where === undefined || matchWhere(where, row) === true) &&
        (search === undefined || matchSearch(fields, search, row)) &&
        this.#readable(query.from, row, guard),
    );
  }

  #readable(table: string, row: Row, guard: Guard | null): boolean {
    if (guard === null) return true;
    const rule = guard.readRule(table);
    if (rule === false) return false;
    return compileRule(rule)({ ...this.#input(guard.bindings), row, next: null }) === true;
  }

  #input(bindings: Guard["bindings"]) {
    return {
      me: bindings.me,
      now: bindings.now,
      items: {},
      lookup: (table: string, id: string) => this.rows(table).get(id) ?? null,
      some: (table: string, alias: string, where: RuleExpr, outer: RuleOuter) =>
        this.some(table, alias, where, outer),
    };
  }

  #finish(
    row: Row,
    select: readonly string[] | undefined,
    expand: readonly WithTerm[] | undefined,
    guard: Guard | null,
  ): Row {
    const kept: { [field: string]: Json } = {};
    for (const field in row) {
      if (select === undefined || field === "id" || select.includes(field)) {
        kept[field] = row[field] as Json;
      }
    }
    for (const term of expand ?? []) kept[term.name] = this.#expand(row, term, guard);
    return Object.freeze(kept);
  }

  #expand(row: Row, term: WithTerm, guard: Guard | null): Json {
    const isOne = term.kind === "one";
    const order = fullOrder(term.orderBy ?? []);
    const found = [...this.rows(term.table).values()]
      .filter(
        (each) =>
          (isOne ? each["id"] === row[term.via] : each[term.via] === row["id"]) &&
          (term.where === undefined || matchWhere(term.where, each) === true) &&
          this.#readable(term.table, each, guard),
      )
      .toSorted((a, b) => compareRows(order, a, b))
      .map((each) => this.#finish(each, term.select, term.with, guard) as Json);
    if (isOne) return found[0] ?? null;
    return found.slice(0, term.limit ?? this.limits.pageRowsDefault);
  }
}

function compareRows(order: FullOrder, a: Row, b: Row): number {
  for (const { field, descending } of order) {
    const compared = compareValues(a[field] ?? null, b[field] ?? null);
    if (compared !== 0) return descending ? -compared : compared;
  }
  return 0;
}

/** @returns null when no number holds it exactly. */
function exactSum(field: string, rows: readonly Row[]): number | null {
  const sum = Number(rows.reduce((total, row) => total + BigInt(Number(row[field] ?? 0)), 0n));
  return Number.isSafeInteger(sum) ? sum : null;
}

function raise(query: AggregateQuery, table: TableLayout): never {
  throw sumOverflow(query, table);
}

function aggregateOf(term: AggregateTerm, rows: readonly Row[]): Json {
  const { field } = term;
  if (field === undefined) return rows.length;
  const values = rows.map((row) => row[field] ?? null).filter((value) => value !== null);
  const sorted = values.toSorted(compareValues);
  const sum = values.reduce((total: number, value) => total + Number(value), 0);
  switch (term.op) {
    case "count":
      return values.length;
    case "sum":
      return sum;
    case "min":
      return sorted[0] ?? null;
    case "max":
      return sorted.at(-1) ?? null;
    case "avg":
      return values.length === 0 ? null : sum / values.length;
    default:
      return term.op satisfies never;
  }
}
