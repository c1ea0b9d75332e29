// Which constraint refused a write. The engine names columns in its text, which is not an interface; so the
// constraints are looked at again, uniques first, then references, in the order of declaration: the same
// answer on every engine.
import { PlatformError } from "../../base/platform-error.ts";
import { rowId } from "../row-id.ts";
import type { Row } from "../store.ts";
import { columnOf, type TableLayout, type UniqueLayout } from "../table-layout.ts";
import type { RowAccess } from "./row-access.ts";
import { encodeValue } from "./row-codec.ts";
import { constraintOf, storeError } from "./sqlite-error.ts";
import { compileStaticWhere } from "./sql-where.ts";
import { sqlName, type SqlValue } from "./sql-text.ts";

/**
 * The error to throw for a write that the engine refused.
 * @param row as it would have been. @param before as it was, null on insert.
 * @returns UNIQUE_TAKEN, REF_MISSING, or the engine's failure.
 */
export function findRefused(
  tx: Pick<RowAccess, "held" | "ask">,
  table: TableLayout,
  row: Row,
  before: Row | null,
  error: unknown,
): unknown {
  const constraint = constraintOf(error);
  if (constraint === "unique") {
    const taken = findTaken(tx, table, row, before);
    if (taken !== null) {
      return new PlatformError(
        "UNIQUE_TAKEN",
        { table: table.name, fields: taken },
        { cause: error },
      );
    }
  }
  if (constraint === "reference") {
    for (const { field, target } of table.refs) {
      const id = row[field] ?? null;
      if (id === null || (target === table.name && id === row["id"])) continue;
      if (typeof id !== "string" || tx.held(target, id) === null) {
        return new PlatformError("REF_MISSING", { table: table.name, field }, { cause: error });
      }
    }
  }
  return storeError(error);
}

function findTaken(
  tx: Pick<RowAccess, "held" | "ask">,
  table: TableLayout,
  row: Row,
  before: Row | null,
): readonly string[] | null {
  if (before === null && tx.held(table.name, rowId(row)) !== null) return ["id"];
  for (const unique of table.uniques) {
    if (collides(tx, table, unique, row)) return unique.fields;
  }
  return null;
}

/** Whether another row holds the same values, and this one is in the index's part of the table. */
function collides(
  tx: Pick<RowAccess, "ask">,
  table: TableLayout,
  unique: UniqueLayout,
  row: Row,
): boolean {
  const values: SqlValue[] = [];
  for (const field of unique.fields) {
    const value = row[field] ?? null;
    if (value === null) return false;
    values.push(encodeValue(columnOf(table, field).storage, value));
  }
  const name = sqlName(table.name);
  const same = unique.fields.map((field) => `${sqlName(field)} = ?`).join(" AND ");
  if (unique.where === null) {
    return tx.ask(`SELECT 1 FROM ${name} WHERE ${same} AND "id" <> ? LIMIT 1`, [
      ...values,
      rowId(row),
    ]);
  }
  const condition = compileStaticWhere(table, unique.where);
  const found = tx.ask(
    `SELECT 1 FROM ${name} WHERE ${same} AND (${condition}) AND "id" <> ? LIMIT 1`,
    [...values, rowId(row)],
  );
  if (!found) return false;
  // Whether the refused row itself would be in the index: its values stand in for the columns.
  const columns = table.columns.map((column) => `? AS ${sqlName(column.name)}`).join(", ");
  const own = table.columns.map((column) => encodeValue(column.storage, row[column.name] ?? null));
  return tx.ask(`SELECT 1 FROM (SELECT ${columns}) WHERE ${condition}`, own);
}
