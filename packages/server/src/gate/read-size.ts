// How much a read brought: rows, those of expansions too, and about how many bytes they are as JSON. Rows
// that stand in an answer many times (the film of each of its notes) are one object here and many texts in
// the answer, so a small read can make an endless answer: the count ends where the limits do.
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { TableModel } from "../model/manifest.ts";
import type { WithTerm } from "../model/query-form.ts";
import { bytesAtMost } from "../store/row-size.ts";
import type { Row } from "../store/store.ts";

/** What was read, and from where. */
export interface ReadRows {
  readonly table: TableModel;
  readonly rows: readonly Row[];
  readonly terms: readonly WithTerm[];
}

/** Bytes of a value that is no text, with its key, quotes and commas: about. */
const valueBytes = 12;

/**
 * Counts rows.
 * @returns how many; one more than limits.rowsReadMax when they are more than that.
 * @throws QUERY_TOO_COSTLY when they are more than limits.readBytesMax.
 */
export function countRows({ table, rows, terms }: ReadRows, limits: Limits): number {
  const isSmall = rows.length * rowBytesAtMost(table) <= limits.readBytesMax;
  if (terms.length === 0 && isSmall) return rows.length;
  const { rowsReadMax, readBytesMax } = limits;
  // Without expansions, an object inside a row is a value of it.
  const isExpanded = terms.length > 0;
  const pending: Json[] = [...rows];
  let count = rows.length;
  let bytes = 0;
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value === null || typeof value !== "object") continue;
    for (const inner of Object.values<Json>(value)) {
      bytes += valueBytes;
      if (typeof inner === "string") bytes += inner.length;
      if (inner === null || typeof inner !== "object") continue;
      pending.push(inner);
      if (isExpanded && !Array.isArray(inner) && "id" in inner) count++;
    }
    if (count > rowsReadMax) return count;
    if (bytes > readBytesMax) throw tooLarge(table, readBytesMax);
  }
  return count;
}

const rowBounds = new WeakMap<TableModel, number>();

function rowBytesAtMost(table: TableModel): number {
  let bound = rowBounds.get(table);
  if (bound === undefined) {
    bound = Object.values(table.fields).reduce((sum, spec) => sum + bytesAtMost(spec), 0);
    rowBounds.set(table, bound);
  }
  return bound;
}

function tooLarge({ name }: TableModel, max: number): PlatformError {
  const problem = "ask for fewer rows, fewer expansions or, with select, fewer fields";
  return new PlatformError("QUERY_TOO_COSTLY", {
    table: name,
    limit: "readBytesMax",
    max,
    problem,
  });
}
