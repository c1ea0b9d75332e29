// Pieces of SQL text and the values bound to them, collected from left to right so that every `?` meets
// its value. Names are quoted here and nowhere else; values are never written into the text, except the
// literals of partial indexes.
import { PlatformError } from "../../base/platform-error.ts";

/** What can be bound to a statement. */
export type SqlValue = null | number | string | Uint8Array;

/** A table, column or index name, safe in SQL. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value as SQL text, for DDL and partial indexes only. */
export function sqlLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") {
    if (value.includes("\0")) throw new PlatformError("APP_INVALID", { problem: "NUL in a value" });
    return `'${value.replaceAll("'", "''")}'`;
  }
  if (typeof value === "number") return Object.is(value, -0) ? "0" : String(value);
  return `X'${Buffer.from(value).toString("hex")}'`;
}

/** Values of the `?` marks, in the order of the text. */
export class SqlParams {
  readonly values: SqlValue[] = [];

  /** Remembers a value. @returns its mark. */
  bind(value: SqlValue): string {
    this.values.push(value);
    return "?";
  }

  /**
   * Remembers a value that planners must not look at. They prepare a statement anew for every value of a
   * plain mark behind LIMIT or in the condition of a partial index, which costs as much as a short query.
   */
  bindUnseen(value: SqlValue): string {
    this.values.push(value);
    return "+?";
  }
}
