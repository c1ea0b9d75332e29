// Cursors of lists: where a page ended, by the order's own values. Opaque to callers. A cursor carries a
// hash of the query's shape (table, order, filter without values), so that one of another query is refused;
// the same on every engine. Absent values come first in ascending order and last in descending order.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { ListQuery, OrderTerm, Where } from "../model/query-form.ts";
import { columnOf, type TableLayout } from "./table-layout.ts";
import { textHash } from "./text-hash.ts";

/** One term of an order, complete: `id` ends it. */
export type FullOrder = readonly OrderTerm[];

/** The order of a list: ends in `id`, in the direction of the last term, so that an index can serve it. */
export function fullOrder(orderBy: readonly OrderTerm[]): FullOrder {
  const end = orderBy.findIndex((term) => term.field === "id");
  if (end !== -1) return end === orderBy.length - 1 ? orderBy : orderBy.slice(0, end + 1);
  return [...orderBy, { field: "id", descending: orderBy.at(-1)?.descending ?? false }];
}

/** Stable text of a filter without its values. */
export function whereShape(where: Where): string {
  switch (where.kind) {
    case "field":
      return `${where.field}${Object.entries(where.condition)
        .map(([operator, value]) => (value === null ? `.${operator}.null` : `.${operator}`))
        .join("")}`;
    case "and":
    case "or":
      return `${where.kind}(${where.parts.map(whereShape).join(",")})`;
    case "not":
      return `not(${whereShape(where.part)})`;
    default:
      return where satisfies never;
  }
}

/** Stable text of an order: `-rating,id`. */
export function orderShape(order: FullOrder): string {
  return order.map((term) => `${term.descending ? "-" : ""}${term.field}`).join(",");
}

/** @param last the order's values of the page's last row. @param ranked whether the first is a relevance. */
export function writeCursor(query: ListQuery, order: FullOrder, last: readonly Json[]): string {
  return Buffer.from(JSON.stringify([cursorHash(query, order), ...last])).toString("base64url");
}

/**
 * The values that a page goes on after.
 * @param ranked whether a relevance (a number) precedes the order's values.
 * @throws CURSOR_INVALID when it is malformed or belongs to another query.
 */
export function readCursor(
  query: ListQuery,
  order: FullOrder,
  table: TableLayout,
  ranked: boolean,
): readonly Json[] {
  const parsed = parseCursor(query.after ?? "");
  const values = parsed.slice(1);
  const expected = order.length + (ranked ? 1 : 0);
  if (parsed[0] !== cursorHash(query, order) || values.length !== expected) throw invalid();
  values.forEach((value, index) => {
    if (ranked && index === 0) {
      if (!Number.isFinite(value)) throw invalid();
      return;
    }
    const term = order[ranked ? index - 1 : index];
    const column = columnOf(table, term?.field ?? "id");
    if (value === null ? !column.optional : !fits(column.storage, value)) throw invalid();
  });
  return values;
}

function cursorHash(query: ListQuery, order: FullOrder): string {
  const where = query.where === undefined ? "" : whereShape(query.where);
  const search = query.search === undefined ? "" : "search";
  return textHash(`${query.from}|${where}|${search}|${orderShape(order)}`);
}

function parseCursor(text: string): readonly Json[] {
  try {
    const value = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown;
    if (Array.isArray(value)) return value as readonly Json[];
  } catch (cause) {
    throw new PlatformError("CURSOR_INVALID", {}, { cause });
  }
  throw invalid();
}

function fits(storage: string, value: Json): boolean {
  if (storage === "integer") return Number.isSafeInteger(value);
  // `1e400` in JSON is Infinity, which no row holds.
  if (storage === "real") return Number.isFinite(value);
  if (storage === "bool") return typeof value === "boolean";
  return typeof value === "string";
}

function invalid(): PlatformError {
  return new PlatformError("CURSOR_INVALID");
}
