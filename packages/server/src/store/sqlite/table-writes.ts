// The write statements of one table, prepared once, and its full-text index kept in step.
import type { Row } from "../store.ts";
import type { TableLayout } from "../table-layout.ts";
import type { SqliteConnection, Statement } from "./sqlite-connection.ts";
import { searchName } from "./sqlite-schema.ts";
import { sqlName, type SqlValue } from "./sql-text.ts";
import { withStoreErrors } from "./sqlite-error.ts";

/** Writes single rows of a table by their number. */
export class TableWrites {
  /** Whether the table has a full-text index. */
  readonly searched: boolean;
  readonly #connection: SqliteConnection;
  readonly #table: TableLayout;
  readonly #insert: Statement;
  readonly #remove: Statement;
  readonly #insertText: Statement | null;
  readonly #removeText: Statement | null;
  /** The last that changed rows, and the fields that it sets: most writers of a table change the same. */
  #update: { readonly fields: readonly string[]; readonly statement: Statement } | null = null;

  constructor(connection: SqliteConnection, table: TableLayout) {
    this.#connection = connection;
    this.#table = table;
    this.searched = table.search.length > 0;
    const name = sqlName(table.name);
    const columns = table.columns.map((column) => sqlName(column.name));
    const marks = columns.map(() => "?").join(", ");
    this.#insert = connection.prepare(
      `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${marks})`,
    );
    this.#remove = connection.prepare(`DELETE FROM ${name} WHERE "_n" = ?`);
    if (!this.searched) {
      this.#insertText = null;
      this.#removeText = null;
      return;
    }
    const index = sqlName(searchName(table.name));
    const fields = table.search.map(sqlName).join(", ");
    this.#insertText = connection.prepare(
      `INSERT INTO ${index} (rowid, ${fields}) VALUES (?, ${table.search.map(() => "?").join(", ")})`,
    );
    this.#removeText = connection.prepare(`DELETE FROM ${index} WHERE rowid = ?`);
  }

  /** @returns the number of the new row. */
  insert(values: readonly SqlValue[]): number {
    return this.#insert.insert(values);
  }

  /** @param fields those that change, with `values` in their order. */
  update(fields: readonly string[], values: readonly SqlValue[], n: number): void {
    let update = this.#update;
    if (update === null || !areSame(update.fields, fields)) {
      let set = "";
      for (const field of fields) set += `${set === "" ? "" : ", "}${sqlName(field)} = ?`;
      const sql = `UPDATE ${sqlName(this.#table.name)} SET ${set} WHERE "_n" = ?`;
      update = { fields, statement: this.#connection.prepare(sql) };
      this.#update = update;
    }
    update.statement.run(...values, n);
  }

  remove(n: number): void {
    withStoreErrors(() => {
      this.#remove.run(n);
      this.#removeText?.run(n);
    });
  }

  /** Adds a row's text to the index. */
  indexText(n: number, row: Row): void {
    const texts = this.#table.search.map((field) => textOf(row, field));
    withStoreErrors(() => this.#insertText?.run(n, ...texts));
  }

  /** Indexes a row again when one of the changed fields is searched. */
  reindexText(n: number, row: Row, changed: readonly string[]): void {
    if (!this.#table.search.some((field) => changed.includes(field))) return;
    withStoreErrors(() => this.#removeText?.run(n));
    this.indexText(n, row);
  }
}

function areSame(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

function textOf(row: Row, field: string): string | null {
  const value = row[field] ?? null;
  return typeof value === "string" || value === null ? value : JSON.stringify(value);
}
