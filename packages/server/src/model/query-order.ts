// The small parts of a query: orderBy, select, limit.
import type { Limits } from "../base/limits.ts";
import { didYouMean } from "./field-issue.ts";
import { recordError } from "./field-record.ts";
import type { QueryContext } from "./query-context.ts";
import type { OrderTerm } from "./query-form.ts";
import type { QueryTable } from "./query-table.ts";

/**
 * Checks `"-rating,id"` or `["-rating", "id"]`. `id` is added at the end when it is absent, in the direction
 * of the last field: then one index serves the order, read forwards or backwards.
 */
export function checkOrderBy(
  context: QueryContext,
  table: QueryTable,
  value: unknown,
  path: string,
): readonly OrderTerm[] | undefined {
  const names = checkNames(context, value, path);
  if (names === undefined) return undefined;
  if (names.length > context.limits.orderTermsMax) {
    return context.refuse(path, `has more than ${context.limits.orderTermsMax} fields`);
  }
  const terms: OrderTerm[] = [];
  for (const text of names) {
    const descending = text.startsWith("-");
    const name = descending ? text.slice(1) : text;
    const field = context.field(table, name, path);
    if (field === undefined) continue;
    if (!field.sortable)
      context.refuse(path, `cannot order by ${name}, a ${field.spec.kind} field`);
    if (terms.some((term) => term.field === name)) context.refuse(path, `has ${name} twice`);
    context.touch(table, name);
    terms.push({ field: name, descending });
  }
  return withId(terms);
}

/** The order of a list that names none: by id, which is by creation. */
export const orderById: readonly OrderTerm[] = Object.freeze([
  Object.freeze({ field: "id", descending: false }),
]);

function withId(terms: readonly OrderTerm[]): readonly OrderTerm[] {
  const last = terms.at(-1);
  if (last === undefined) return orderById;
  if (terms.some((term) => term.field === "id")) return terms;
  return [...terms, { field: "id", descending: last.descending }];
}

/** Checks `["title", "rating"]` or `"title,rating"`: fields of the answer, each once. */
export function checkSelect(
  context: QueryContext,
  table: QueryTable,
  value: unknown,
  path: string,
): readonly string[] | undefined {
  const names = checkNames(context, value, path);
  if (names === undefined) return undefined;
  if (names.length === 0) return context.refuse(path, "must name at least one field");
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) return context.refuse(path, `has ${name} twice`);
    context.field(table, name, path);
    if (context.issues.length > 0) return undefined;
  }
  return names;
}

/** Checks a page size. @returns the default when none is given. */
export function checkLimit(context: QueryContext, value: unknown, path: string): number {
  const { pageRowsDefault, pageRowsMax } = context.limits;
  if (value === undefined) return Math.min(pageRowsDefault, pageRowsMax);
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= pageRowsMax) {
    return value as number;
  }
  context.refuse(path, `must be a whole number from 1 to ${pageRowsMax}`);
  return pageRowsDefault;
}

/** Groups of an aggregate. Without a limit all are asked for: one more than there may be, so that more are noticed. */
export function checkGroupLimit(context: QueryContext, value: unknown): number {
  if (value === undefined) return context.limits.pageRowsMax + 1;
  return checkLimit(context, value, "limit");
}

/** @throws QUERY_INVALID when an aggregate without a limit has more groups than one answer may have. */
export function assertAllGroups(groups: number, { pageRowsMax }: Limits): void {
  if (groups <= pageRowsMax) return;
  const problem = `makes more than ${pageRowsMax} groups; narrow the query with \`where\`, or give a \`limit\` to get the first ones only`;
  throw recordError([{ path: "groupBy", problem, code: "VALUE_INVALID" }], "QUERY_INVALID");
}

/** A list of names, or names with commas between. */
export function checkNames(
  context: QueryContext,
  value: unknown,
  path: string,
): readonly string[] | undefined {
  if (typeof value === "string")
    return value === "" ? [] : value.split(",").map((name) => name.trim());
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
  return context.refuse(path, "must be field names, as a list or with commas between");
}

/** Refuses keys that are not among those known. */
export function checkKeys(
  context: QueryContext,
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  what: string,
): void {
  for (const key in value) {
    if (known.includes(key) || value[key] === undefined) continue;
    const shown = key.length > 64 ? `${key.slice(0, 64)}...` : key;
    context.refuse(
      shown,
      `is no part of ${what}${didYouMean(key, known) || `; there are ${known.join(", ")}`}`,
    );
  }
}
