// The rows of the app under attack as the judge knows them: read once, then kept by the log of commits.
import type { Change, Row } from "../../store/store.ts";

/** All rows, by table and id. */
export class World {
  readonly #tables = new Map<string, Map<string, Row>>();

  /** @param tables names of every table. */
  constructor(tables: readonly string[]) {
    for (const table of tables) this.#tables.set(table, new Map());
  }

  row(table: string, id: string): Row | null {
    return this.#tables.get(table)?.get(id) ?? null;
  }

  /** The rows as they are now; those that are gone are left out. */
  live(table: string, rows: readonly Row[]): readonly Row[] {
    return rows
      .map((row) => this.row(table, String(row["id"])))
      .filter((row): row is Row => row !== null);
  }

  rows(table: string): readonly Row[] {
    return [...(this.#tables.get(table)?.values() ?? [])];
  }

  put(table: string, row: Row): void {
    this.#tables.get(table)?.set(String(row["id"]), row);
  }

  /** Takes over what a commit changed. */
  apply(changes: readonly Change[]): void {
    for (const { table, id, after } of changes) {
      if (after === null) this.#tables.get(table)?.delete(id);
      else this.#tables.get(table)?.set(id, after);
    }
  }

  /** Takes back what `apply` took over. */
  revert(changes: readonly Change[]): void {
    for (const { table, id, before } of changes.toReversed()) {
      if (before === null) this.#tables.get(table)?.delete(id);
      else this.#tables.get(table)?.set(id, before);
    }
  }
}
