// The stage "filter the answer": takes from rows what their reader may not read, at any depth. The store
// has left out whole rows; fields go here. Rows of a caller who may read every field pass untouched.
//
// An expansion stands in the answer in place of the reference that it follows. Rules of fields judge the
// row with the reference in it, so where a table has such rules the store is asked for the expansion under
// a name that no field can have, and it moves to its place here.
import { allOf, andThen, type Later } from "../base/later.ts";
import type { Json } from "../base/json.ts";
import type { WithTerm } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";
import type { TableReach } from "./caller-rights.ts";
import { allows, tableOf, type DbScope } from "./db-scope.ts";

/** What was asked for of a table's rows. */
export interface AnswerShape {
  readonly table: string;
  readonly with: readonly WithTerm[];
  /** Fields still to pick, or null: the rows hold only what is wanted. */
  readonly select: readonly string[] | null;
}

const noTerms: readonly WithTerm[] = [];

/** Rows as their reader may see them, in their order. */
export function filterRows(
  scope: DbScope,
  shape: AnswerShape,
  rows: readonly Row[],
): Later<readonly Row[]> {
  if (passesWhole(scope, shape)) return rows;
  return allOf(rows.map((row) => rebuilt(scope, shape, row)));
}

/** A row as its reader may see it. @param row with every field that its field rules look at. */
export function filterRow(scope: DbScope, shape: AnswerShape, row: Row): Later<Row> {
  return passesWhole(scope, shape) ? row : rebuilt(scope, shape, row);
}

/** Expansions as the store is asked for them. */
export function storeTerms(
  scope: DbScope,
  table: string,
  terms: readonly WithTerm[],
): readonly WithTerm[] {
  if (terms.length === 0) return terms;
  return terms.map((term) => {
    const { select: _, with: inner, ...rest } = term;
    const select = selectOfStore(scope, term.table, term.select);
    return {
      ...rest,
      name: storeName(reachOf(scope, table), term),
      ...(select === null ? {} : { select }),
      ...(inner === undefined ? {} : { with: storeTerms(scope, term.table, inner) }),
    };
  });
}

/** The fields that the store is asked for; null (all of them) when rules of fields look at the rows first. */
export function selectOfStore(
  scope: DbScope,
  table: string,
  select: readonly string[] | undefined,
): readonly string[] | null {
  if (select === undefined) return null;
  return reachOf(scope, table).conditional.length === 0 ? select : null;
}

/** The fields still to pick from rows of the store. */
export function selectLeft(
  scope: DbScope,
  table: string,
  select: readonly string[] | undefined,
): readonly string[] | null {
  if (select === undefined || selectOfStore(scope, table, select) !== null) return null;
  return select;
}

function reachOf(scope: DbScope, table: string): TableReach {
  return scope.reach.of(tableOf(scope, table));
}

/** Whether this caller's rows of this table, and all that comes with them, can go as they are. */
function passesWhole(scope: DbScope, shape: AnswerShape): boolean {
  if (shape.select !== null) return false;
  if (!reachOf(scope, shape.table).everyField) return false;
  return shape.with.every((term) => passesWhole(scope, shapeOfTerm(scope, term)));
}

function shapeOfTerm(scope: DbScope, term: WithTerm): AnswerShape {
  const select = selectLeft(scope, term.table, term.select);
  return { table: term.table, with: term.with ?? noTerms, select };
}

function storeName(parent: TableReach, term: WithTerm): string {
  return parent.conditional.length === 0 ? term.name : `with:${term.name}`;
}

/** A row on which something changes. */
function rebuilt(scope: DbScope, shape: AnswerShape, row: Row): Later<Row> {
  const reach = reachOf(scope, shape.table);
  const unread = unreadFields(scope, reach, row);
  if (unread instanceof Promise) {
    return unread.then((unread) => assembled(scope, shape, row, unread));
  }
  return assembled(scope, shape, row, unread);
}

const allRead: readonly string[] = [];

/** The conditional fields whose rule is not true of this row. */
function unreadFields(scope: DbScope, reach: TableReach, row: Row): Later<readonly string[]> {
  const { conditional } = reach;
  if (conditional.length === 0) return allRead;
  const judged = conditional.map(({ field, test }) =>
    andThen(allows(scope, test, row, null), (readable) => (readable ? null : field)),
  );
  return andThen(allOf(judged), (fields) => fields.filter((field) => field !== null));
}

/** @param unread fields that go from this row, besides those that go from every row. */
function assembled(
  scope: DbScope,
  shape: AnswerShape,
  row: Row,
  unread: readonly string[],
): Later<Row> {
  const reach = reachOf(scope, shape.table);
  const { select, with: terms } = shape;
  const answer: Record<string, Json> = {};
  for (const field of reach.shown) {
    if (unread.includes(field)) continue;
    if (select !== null && field !== "id" && !select.includes(field)) continue;
    const value = row[field];
    if (value !== undefined) answer[field] = value;
  }
  return terms.length === 0 ? answer : expanded(scope, shape, row, answer, unread);
}

/** Puts the expansions of a row into its answer. */
function expanded(
  scope: DbScope,
  shape: AnswerShape,
  row: Row,
  answer: Record<string, Json>,
  unread: readonly string[],
): Later<Row> {
  const reach = reachOf(scope, shape.table);
  const filtered = shape.with.map((term): Later<readonly [string, Json]> | null => {
    // An expansion may stand in the place of the reference.
    if (term.name in answer) delete answer[term.name];
    // What a reference leads to tells the reference: the two go together.
    const followed = term.kind === "one" ? term.via : null;
    if (followed !== null && (reach.hidden.has(followed) || unread.includes(followed))) return null;
    const value = row[storeName(reach, term)] ?? null;
    return andThen(filterExpansion(scope, term, value), (value) => [term.name, value] as const);
  });
  return andThen(allOf(filtered.filter((entry) => entry !== null)), (entries) => {
    for (const [name, value] of entries) answer[name] = value;
    return answer;
  });
}

function filterExpansion(scope: DbScope, term: WithTerm, value: Json): Later<Json> {
  if (value === null || typeof value !== "object") return null;
  const shape = shapeOfTerm(scope, term);
  if (Array.isArray(value)) return filterRows(scope, shape, value as readonly Row[]);
  return filterRow(scope, shape, value as Row);
}
