// Which columns an answer needs, and the rows of an answer while they are put together.
import type { Json } from "../../base/json.ts";
import type { WithTerm } from "../../model/query-form.ts";
import type { Row } from "../store.ts";
import type { ColumnLayout, TableLayout } from "../table-layout.ts";

/** A row while it is put together. */
export type OpenRow = { [field: string]: Json };

/** The columns of an answer: `id`, those selected, and those needed on the way. */
export function columnsOf(
  table: TableLayout,
  select: readonly string[] | undefined,
  needed: readonly string[],
): readonly ColumnLayout[] {
  if (select === undefined) return table.columns;
  const names = new Set(["id", ...select, ...needed]);
  return table.columns.filter((column) => names.has(column.name));
}

/** The field of this table that an expansion starts at. */
export function viaOf(term: WithTerm): string {
  return term.kind === "one" ? term.via : "id";
}

/** The row without what was only needed on the way. Frozen. */
export function finishRow(
  row: OpenRow,
  select: readonly string[] | undefined,
  expand: readonly WithTerm[] | undefined,
): Row {
  if (select === undefined) return Object.freeze(row);
  const kept: OpenRow = {};
  const names = new Set(["id", ...select, ...(expand ?? []).map((term) => term.name)]);
  for (const name in row) if (names.has(name)) kept[name] = row[name] as Json;
  return Object.freeze(kept);
}
