// Rows to and from SQLite's values. Types are asserted on the way in (a bug above this floor) and again on
// the way out (a damaged file, or a writer that is not ours).
import { assert } from "../../base/assert.ts";
import type { Json } from "../../base/json.ts";
import type { Row } from "../store.ts";
import type { ColumnLayout, StorageClass, TableLayout } from "../table-layout.ts";
import type { SqlValue } from "./sql-text.ts";

/** What a statement answers. */
export type SqlCell = SqlValue | bigint;

/** A value as SQLite holds it. */
export function encodeValue(storage: StorageClass, value: Json): SqlValue {
  if (value === null) return null;
  switch (storage) {
    case "text":
      assert(typeof value === "string", "a text column takes text");
      return value;
    case "integer":
      assert(Number.isSafeInteger(value), "an integer column takes safe integers");
      return value as number;
    case "real":
      assert(Number.isFinite(value), "a real column takes finite numbers");
      return value as number;
    case "bool":
      assert(typeof value === "boolean", "a bool column takes true or false");
      return value ? 1 : 0;
    case "json":
      return JSON.stringify(value);
    case "bytes":
      assert(typeof value === "string", "a bytes column takes base64 text");
      return Buffer.from(value, "base64");
    default:
      return storage satisfies never;
  }
}

/** The values of a whole row, in the order of the columns. */
export function encodeRow(table: TableLayout, row: Row): SqlValue[] {
  const { columns } = table;
  const values: SqlValue[] = [];
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as ColumnLayout;
    values.push(encodeField(table, column, row[column.name]));
  }
  return values;
}

/** One field's value, required ones present. */
export function encodeField(
  table: TableLayout,
  column: ColumnLayout,
  value: Json | undefined,
): SqlValue {
  if (value === null) {
    assert(column.optional, `${table.name}.${column.name} is required`);
    return null;
  }
  assert(value !== undefined, `${table.name}.${column.name} is missing: rows are complete`);
  return encodeValue(column.storage, value);
}

/** A value as functions and doors see it. */
export function decodeValue(storage: StorageClass, cell: SqlCell): Json {
  if (cell === null) return null;
  switch (storage) {
    case "text":
      assert(typeof cell === "string", "a text column holds text");
      return cell;
    case "integer":
    case "real":
      assert(typeof cell === "number", "a number column holds numbers");
      return cell;
    case "bool":
      assert(cell === 0 || cell === 1, "a bool column holds 0 or 1");
      return cell === 1;
    case "json":
      assert(typeof cell === "string", "a json column holds text");
      return JSON.parse(cell) as Json;
    case "bytes": {
      assert(cell instanceof Uint8Array, "a bytes column holds bytes");
      return Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString("base64");
    }
    default:
      return storage satisfies never;
  }
}

/**
 * The row of `columns` out of a statement's answer. Not frozen: expansions may be added first.
 * @param from index of the first column's cell.
 */
export function decodeRow(
  columns: readonly ColumnLayout[],
  cells: readonly SqlCell[],
  from: number,
): { [field: string]: Json } {
  const row: { [field: string]: Json } = {};
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as ColumnLayout;
    const cell = cells[from + index] as SqlCell;
    // Text is by far the most common: decided without a call.
    if (typeof cell === "string" && column.storage === "text") row[column.name] = cell;
    else if (cell === null) row[column.name] = null;
    else row[column.name] = decodeValue(column.storage, cell);
  }
  return row;
}
