// What the parts of a write ask of the open transaction: single rows, and whether a row exists.
import type { Change, Row } from "../store.ts";
import type { SqlValue } from "./sql-text.ts";

/** A row with the number that the file knows it by. */
export interface HeldRow {
  readonly n: number;
  readonly row: Row;
}

/** Rows of the open transaction. */
export interface RowAccess {
  /** The row and its number, from the group's memory or the file; null when there is none. */
  held(table: string, id: string): HeldRow | null;
  /** Whether a statement answers any row. */
  ask(sql: string, values: readonly SqlValue[]): boolean;
  update(table: string, id: string, patch: Row): Row;
  /** Removes one row, with nothing else: references were dealt with. */
  remove(table: string, id: string): void;
  /** Takes back what was noted of a change that the engine has undone. */
  revert(change: Change): void;
}
