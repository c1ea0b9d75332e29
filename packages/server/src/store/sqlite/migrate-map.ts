// How the rows of a table become rows of its new form: for every new column the old one that it comes
// from, or the value that fills it. Every check and the copy itself read rows through one mapped SELECT.
import type { FieldSpec } from "@keelson/sdk/spec";
import type { ColumnLayout, StorageClass, TableLayout } from "../table-layout.ts";
import { encodeValue } from "./row-codec.ts";
import { sqlLiteral, sqlName, type SqlValue } from "./sql-text.ts";

/** One column of the new form. */
export interface ColumnMap {
  readonly column: ColumnLayout;
  /** The old column whose values it takes over, or null. */
  readonly source: ColumnLayout | null;
  /** What required values that are absent become; null: there is nothing to fill them with. */
  readonly fill: SqlValue;
}

/** One table that stays. */
export interface TableMap {
  readonly table: TableLayout;
  readonly old: TableLayout;
  readonly columns: readonly ColumnMap[];
  /** Old columns whose values go. */
  readonly dropped: readonly ColumnLayout[];
}

/** Old names by what they are now: `{ "film.rating": "score" }`. */
export type Renamed = Readonly<Record<string, string>>;

/** Maps a table. @param now the time for defaults that are the time of the call, or null. */
export function mapTable(
  old: TableLayout,
  table: TableLayout,
  renamed: Renamed,
  now: string | null,
): TableMap {
  const sourceOf = new Map<string, ColumnLayout>();
  for (const column of old.columns) {
    sourceOf.set(renamed[`${old.name}.${column.name}`] ?? column.name, column);
  }
  const columns = table.columns.map((column): ColumnMap => {
    const found = sourceOf.get(column.name);
    const source = found !== undefined && converts(found.storage, column.storage) ? found : null;
    return { column, source, fill: fillOf(column, now) };
  });
  const kept = new Set(columns.map(({ source }) => source));
  return { table, old, columns, dropped: old.columns.filter((column) => !kept.has(column)) };
}

/** `SELECT "_n", ... FROM "film"`: the rows of the old table in the new form. */
export function mappedSelect(map: TableMap): string {
  const columns = map.columns.map((each) => `${mappedSql(each)} AS ${sqlName(each.column.name)}`);
  return `SELECT "_n", ${columns.join(", ")} FROM ${sqlName(map.old.name)}`;
}

/** The part of a field that says what a value may be, as text; flags and onDelete left out. */
export function valueSpec(spec: FieldSpec): string {
  const flags = new Set(["optional", "default", "private", "immutable", "unique", "onDelete"]);
  return JSON.stringify(spec, (key, value: unknown) => (flags.has(key) ? undefined : value));
}

/** Whether the old column, as it stands, is the new one. */
export function isSameColumn({ column, source }: ColumnMap): boolean {
  return (
    source !== null &&
    source.name === column.name &&
    source.storage === column.storage &&
    source.optional === column.optional &&
    refTarget(source) === refTarget(column)
  );
}

/** Whether columns that stay are in another order: it is part of a table's definition. */
export function isReordered({ columns, old }: TableMap): boolean {
  return columns.some(({ column }, index) => {
    const before = old.columns[index];
    return before !== undefined && before.name !== column.name;
  });
}

/** The table that a reference leads to, or null. */
export function refTarget({ spec }: ColumnLayout): string | null {
  return spec.kind === "ref" ? spec.table : null;
}

function mappedSql({ column, source, fill }: ColumnMap): string {
  if (source === null) return column.optional ? "NULL" : sqlLiteral(fill);
  const name = sqlName(source.name);
  const value = convertedSql(name, source.storage, column.storage);
  return column.optional || fill === null ? value : `coalesce(${value}, ${sqlLiteral(fill)})`;
}

function convertedSql(name: string, from: StorageClass, to: StorageClass): string {
  if (from === "integer" && to === "real") return `CAST(${name} AS REAL)`;
  if (from === "real" && to === "integer") {
    // A number with a fraction stays as it is, and the check of the new field refuses it.
    return `CASE WHEN ${name} = CAST(${name} AS INTEGER) THEN CAST(${name} AS INTEGER) ELSE ${name} END`;
  }
  return name;
}

/** Whether values can be taken over; whether each fits is a question to the rows. */
function converts(from: StorageClass, to: StorageClass): boolean {
  if (from === to) return true;
  return (from === "integer" && to === "real") || (from === "real" && to === "integer");
}

function fillOf(column: ColumnLayout, now: string | null): SqlValue {
  const initial = column.spec.default;
  if (initial === undefined) return null;
  if ("value" in initial) return encodeValue(column.storage, initial.value);
  if (now === null) return null;
  return column.spec.kind === "date" ? now.slice(0, 10) : now;
}
