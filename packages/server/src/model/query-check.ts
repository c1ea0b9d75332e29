// The one way from the JSON of a query (law 4) to what engines run. Every door, `db.*` in functions and
// live queries pass here. Invariant: a checked query names only tables and fields that exist and that its
// reader may know of, its values have the types of their fields, and it is within the limits.
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { textProblem } from "./field-format.ts";
import { isGiven, isPlainObject } from "./field-issue.ts";
import { recordError, type RecordWriter } from "./field-record.ts";
import type { Manifest } from "./manifest.ts";
import { checkAggregate } from "./query-aggregate.ts";
import { QueryContext, type FieldTouch } from "./query-context.ts";
import type { AggregateQuery, ListQuery, OrderTerm, Where, WithTerm } from "./query-form.ts";
import {
  checkGroupLimit,
  checkKeys,
  checkLimit,
  checkOrderBy,
  checkSelect,
  orderById,
} from "./query-order.ts";
import { queryTable, type QueryTable } from "./query-table.ts";
import { checkWhere } from "./query-where.ts";
import { checkWith } from "./query-with.ts";

const listKeys: readonly string[] = [
  "where",
  "search",
  "orderBy",
  "limit",
  "after",
  "with",
  "select",
];
const aggregateKeys: readonly string[] = ["where", "search", "aggregate", "groupBy", "limit"];
const getKeys: readonly string[] = ["with", "select"];

/** Who asks, and within which limits. */
export interface QueryReader {
  /** To a caller private fields do not exist; the system (`db.asSystem`) sees them. */
  readonly as: RecordWriter;
  readonly limits: Limits;
}

/** A query that may run, once the fields it touches are allowed. */
export interface Checked<Query> {
  readonly query: Query;
  /**
   * Every field whose value decides which rows come, in which order or what is computed: of filters,
   * orders, searches, aggregates, groups, and the back reference of a `many` expansion. Whoever may not read
   * one of them must be refused, or its values could be found by asking. Each once; `id` too when it is named.
   */
  readonly touches: readonly FieldTouch[];
}

/** What a get takes besides the id. */
export interface GetQuery {
  readonly from: string;
  readonly select?: readonly string[];
  readonly with?: readonly WithTerm[];
}

/**
 * Checks a list or, when the form has `aggregate` or `groupBy`, an aggregate.
 * @param form untrusted JSON: a QueryForm, or undefined for everything.
 * @throws TABLE_NOT_FOUND; QUERY_INVALID with details `{ issues: [{ path, problem }] }`.
 */
export function checkQuery(
  manifest: Manifest,
  table: string,
  form: unknown,
  reader: QueryReader,
): Checked<ListQuery | AggregateQuery> {
  return check(manifest, table, form, reader, (context, prepared, given) =>
    isGiven(given["aggregate"]) || isGiven(given["groupBy"])
      ? checkAggregateForm(context, prepared, given)
      : checkListForm(context, prepared, given),
  );
}

/** Checks a list query. @throws as checkQuery. */
export function checkList(
  manifest: Manifest,
  table: string,
  form: unknown,
  reader: QueryReader,
): Checked<ListQuery> {
  return check(manifest, table, form, reader, checkListForm);
}

/** Checks an aggregate query. @throws as checkQuery. */
export function checkAggregateQuery(
  manifest: Manifest,
  table: string,
  form: unknown,
  reader: QueryReader,
): Checked<AggregateQuery> {
  return check(manifest, table, form, reader, checkAggregateForm);
}

/** Checks the `with` and `select` of a get. @throws as checkQuery. */
export function checkGet(
  manifest: Manifest,
  table: string,
  form: unknown,
  reader: QueryReader,
): Checked<GetQuery> {
  return check(manifest, table, form, reader, (context, prepared, given) => {
    checkKeys(context, given, getKeys, "a get");
    const query: Writable<GetQuery> = { from: prepared.model.name };
    setShape(query, context, prepared, given);
    return query;
  });
}

function check<Query>(
  manifest: Manifest,
  name: string,
  form: unknown,
  reader: QueryReader,
  run: (
    context: QueryContext,
    table: QueryTable,
    given: Readonly<Record<string, unknown>>,
  ) => Query,
): Checked<Query> {
  const table = queryTable(manifest, name);
  if (table === null) throw new PlatformError("TABLE_NOT_FOUND", {});
  const context = new QueryContext(manifest, reader.limits, reader.as);
  const given = form ?? {};
  if (!isPlainObject(given)) {
    context.refuse("", "a query must be an object");
    throw recordError(context.issues, "QUERY_INVALID");
  }
  const query = run(context, table, given);
  if (context.issues.length > 0) throw recordError(context.issues, "QUERY_INVALID");
  return { query, touches: context.touches };
}

function checkListForm(
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): ListQuery {
  checkKeys(context, given, listKeys, "a list");
  const query: Writable<ListQuery> = {
    kind: "list",
    from: table.model.name,
    orderBy: checkOrder(context, table, given),
    limit: checkLimit(context, given["limit"], "limit"),
  };
  setRows(query, context, table, given);
  setShape(query, context, table, given);
  const after = checkCursor(context, given["after"]);
  if (after !== undefined) query.after = after;
  return query;
}

function checkAggregateForm(
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): AggregateQuery {
  checkKeys(context, given, aggregateKeys, "an aggregate");
  const limit = checkGroupLimit(context, given["limit"]);
  const { groupBy, values } = checkAggregate(context, table, given);
  const query: Writable<AggregateQuery> = {
    kind: "aggregate",
    from: table.model.name,
    groupBy,
    values,
    limit,
  };
  setRows(query, context, table, given);
  return query;
}

/** A query while it is made: every request makes one, so parts are set, not spread together. */
type Writable<Query> = { -readonly [Part in keyof Query]: Query[Part] };

/** Which rows: filter and search. */
function setRows(
  query: { where?: Where; search?: string },
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): void {
  const { where: filter, search: words } = given;
  // Null is no filter that was left out: more likely a value that was lost on the way.
  const where = filter === undefined ? undefined : checkWhere(context, table, filter, "where");
  if (where !== undefined) query.where = where;
  const search = isGiven(words) ? checkSearch(context, table, words) : null;
  if (search !== null) query.search = search;
}

/** @returns null when there is nothing to search for, as in a search box that nobody typed in yet, or a mistake. */
function checkSearch(context: QueryContext, table: QueryTable, value: unknown): string | null {
  const { search, name } = table.model;
  const { searchCharsMax } = context.limits;
  const refuse = (problem: string): null => {
    context.refuse("search", problem);
    return null;
  };
  // Also while the box is empty: the first letter would be refused.
  if (search.length === 0) {
    return refuse(`${name} has no search; declare it with .search("field") on the table`);
  }
  if (typeof value !== "string") return refuse("must be a text");
  if (isBlank(value)) return null;
  if (value.length > searchCharsMax)
    return refuse(`must have at most ${searchCharsMax} characters`);
  const problem = textProblem(value);
  if (problem !== null) return refuse(problem);
  for (const field of search) context.touch(table, field);
  return value;
}

function isBlank(search: unknown): boolean {
  return typeof search === "string" && search.trim() === "";
}

/** A search without an order ranks by relevance: its orderBy is empty. */
function checkOrder(
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): readonly OrderTerm[] {
  const { orderBy, search } = given;
  if (!isGiven(orderBy) || orderBy === "" || (Array.isArray(orderBy) && orderBy.length === 0)) {
    return isGiven(search) && !isBlank(search) ? [] : orderById;
  }
  return checkOrderBy(context, table, orderBy, "orderBy") ?? orderById;
}

function checkCursor(context: QueryContext, value: unknown): string | undefined {
  if (!isGiven(value)) return undefined;
  const { cursorCharsMax } = context.limits;
  if (typeof value === "string" && value !== "" && value.length <= cursorCharsMax) return value;
  return context.refuse("after", "must be the cursor that a page came with");
}

/** What a row of the answer holds. */
function setShape(
  query: Pick<Writable<GetQuery>, "select" | "with">,
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): void {
  const { select: names, with: expansions } = given;
  const select = isGiven(names) ? checkSelect(context, table, names, "select") : undefined;
  if (select !== undefined) query.select = select;
  const terms = isGiven(expansions) ? checkWith(context, table, expansions, "with") : undefined;
  if (terms !== undefined) query.with = terms;
}
