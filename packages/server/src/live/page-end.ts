// The end of a full page: rows that sort behind its last one are not on it.
import type { ListQuery } from "../model/query-form.ts";
import { fullOrder } from "../store/list-cursor.ts";
import { compareValues } from "../store/memory/where-match.ts";
import type { Row } from "../store/store.ts";

/**
 * @param last the last row of a full page that more follow.
 * @returns whether a row sorts behind it; null when the order is by relevance, or is of fields not selected.
 */
export function pageEnd(query: ListQuery, last: Row | undefined): ((row: Row) => boolean) | null {
  if (last === undefined || (query.search !== undefined && query.orderBy.length === 0)) return null;
  const order = fullOrder(query.orderBy);
  const expanded = new Set(query.with?.map(({ name }) => name));
  if (order.some(({ field }) => !(field in last) || expanded.has(field))) return null;
  const ends = order.map(({ field, descending }) => ({
    field,
    sign: descending ? -1 : 1,
    value: last[field] ?? null,
  }));
  return (row) => {
    for (const { field, sign, value } of ends) {
      const compared = compareValues(row[field] ?? null, value) * sign;
      if (compared !== 0) return compared > 0;
    }
    return false;
  };
}
