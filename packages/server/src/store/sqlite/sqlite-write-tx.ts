// The writes of one mutation. The engine's own constraints decide (one statement per write, no look-ups
// before it); when one refuses, the code here finds out which, in the order of declaration. Rows read or
// written are kept, from group to group too while nobody else writes the file, so that a write after a read
// costs one statement, and a busy row is not read again.
import { assert } from "../../base/assert.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Json } from "../../base/json.ts";
import { ChangeSet, sameValue } from "../change-set.ts";
import { rowId } from "../row-id.ts";
import type { Change, Row, WriteTx } from "../store.ts";
import { columnOf, tableOf, type TableLayout } from "../table-layout.ts";
import { assertRowSize } from "../row-size.ts";
import { findRefused } from "./constraint-find.ts";
import { deleteRow } from "./row-delete.ts";
import type { HeldRow, RowAccess } from "./row-access.ts";
import { decodeRow, encodeField, encodeRow, type SqlCell } from "./row-codec.ts";
import type { SqlValue } from "./sql-text.ts";
import { SqliteReadTx } from "./sqlite-read-tx.ts";
import { TableWrites } from "./table-writes.ts";
import type { QueryRunner } from "./query-runner.ts";

/** Rows kept; past this, or this much text, all are dropped and read again. */
const heldRowsMax = 16_384;
const heldCharsMax = 16_777_216;

/** What the open mutation needs of its group. */
export interface WriteHooks {
  /** Called before the first write of a mutation. */
  beforeWrite(): void;
}

/** The transaction as bodies of mutations see it. One is used for all mutations of a writer, one by one. */
export class SqliteWriteTx extends SqliteReadTx implements WriteTx, RowAccess {
  readonly #hooks: WriteHooks;
  readonly #writes = new Map<string, TableWrites>();
  readonly #held = new Map<string, Map<string, HeldRow>>();
  #heldCount = 0;
  #heldChars = 0;
  #dataVersion: SqlCell = null;
  #changes: ChangeSet | null = null;
  /** Rows more (or fewer) than at the start of the group, by table. */
  readonly sizeChanges = new Map<string, number>();

  constructor(runner: QueryRunner, seq: () => number, hooks: WriteHooks) {
    super(runner, seq);
    this.#hooks = hooks;
  }

  /** Starts a mutation. */
  begin(changes: ChangeSet): void {
    assert(this.#changes === null, "one mutation at a time");
    this.#changes = changes;
  }

  /** Ends a mutation: later use of the transaction is a bug of its body. */
  end(): void {
    this.#changes = null;
  }

  /** Drops what is held of rows that an undone mutation touched. */
  forget(changes: ChangeSet): void {
    for (const { table, id } of changes.touched()) this.#held.get(table)?.delete(id);
  }

  /** Another group: rows stay known unless another connection has written since. */
  beginGroup(): void {
    const [version = null] = this.runner.connection.prepare("PRAGMA data_version").get() ?? [];
    if (version === null || version !== this.#dataVersion) this.#dropHeld();
    this.#dataVersion = version;
    this.sizeChanges.clear();
    this.runner.forgetSizes();
  }

  /** A group that did not become durable: what it wrote is not there. */
  dropGroup(): void {
    this.#dropHeld();
    this.sizeChanges.clear();
  }

  #dropHeld(): void {
    for (const rows of this.#held.values()) rows.clear();
    this.#heldCount = 0;
    this.#heldChars = 0;
  }

  insert(table: string, row: Row): void {
    const changes = this.#startWrite();
    const layout = tableOf(this.runner.layout, table);
    const values = encodeRow(layout, row);
    const kept = completeRow(layout, row);
    const id = rowId(kept);
    assertRowSize(layout, kept, this.runner.limits);
    const writes = this.#writesOf(layout);
    let n: number;
    try {
      n = writes.insert(values);
    } catch (error) {
      throw findRefused(this, layout, kept, null, error);
    }
    if (writes.searched) writes.indexText(n, kept);
    this.#hold(table, id, { n, row: kept });
    this.resize(table, 1);
    changes.add(table, id, null, kept);
  }

  update(table: string, id: string, patch: Row): Row {
    const changes = this.#startWrite();
    const layout = tableOf(this.runner.layout, table);
    const held = this.held(table, id);
    if (held === null) throw new PlatformError("NOT_FOUND", { table, id });
    const { n, row: before } = held;
    const after: { [field: string]: Json } = { ...before };
    const fields: string[] = [];
    for (const field in patch) {
      const column = columnOf(layout, field);
      assert(column.name !== "id", "an id never changes");
      const value = patch[field] as Json;
      if (sameValue(before[field], value)) continue;
      after[field] = value;
      fields.push(field);
    }
    if (fields.length === 0) return before;
    const values = fields.map((field) =>
      encodeField(layout, columnOf(layout, field), after[field]),
    );
    const kept = Object.freeze(after);
    assertRowSize(layout, kept, this.runner.limits);
    const writes = this.#writesOf(layout);
    try {
      writes.update(fields, values, n);
    } catch (error) {
      throw findRefused(this, layout, kept, before, error);
    }
    if (writes.searched) writes.reindexText(n, kept, fields);
    this.#hold(table, id, { n, row: kept });
    changes.add(table, id, before, kept);
    return kept;
  }

  delete(table: string, id: string, judge?: Parameters<WriteTx["delete"]>[2]): void {
    this.#startWrite();
    deleteRow(this, this.runner, { table, id }, judge);
  }

  /** Removes one row, with nothing else: references were dealt with. */
  remove(table: string, id: string): void {
    const changes = this.#startWrite();
    const held = this.held(table, id);
    assert(held !== null, "a row that is removed is there");
    this.#writesOf(tableOf(this.runner.layout, table)).remove(held.n);
    this.#held.get(table)?.delete(id);
    this.resize(table, -1);
    changes.add(table, id, held.row, null);
  }

  /** Takes back what was noted of a change that the engine has undone. */
  revert({ table, id, before, after }: Change): void {
    this.#held.get(table)?.delete(id);
    if (after === null) this.resize(table, 1);
    this.#changes?.add(table, id, after, before);
  }

  /** The row and its number, from the group's memory or the file. */
  held(table: string, id: string): HeldRow | null {
    const known = this.#held.get(table)?.get(id);
    if (known !== undefined) return known;
    const cells = this.cells(table, id);
    if (cells === undefined) return null;
    const { columns } = tableOf(this.runner.layout, table);
    const row = Object.freeze(decodeRow(columns, cells, 0));
    const found = { n: Number(cells[columns.length]), row };
    this.#hold(table, id, found);
    return found;
  }

  /** Whether a statement answers any row. */
  ask(sql: string, values: readonly SqlValue[]): boolean {
    return this.runner.connection.prepare(sql).get(...values) !== undefined;
  }

  protected override sizeOf(table: string): number {
    return super.sizeOf(table) + (this.sizeChanges.get(table) ?? 0);
  }

  protected override row(table: string, id: string): Row | null {
    return this.held(table, id)?.row ?? null;
  }

  #startWrite(): ChangeSet {
    assert(this.#changes !== null, "a transaction is not used after its mutation ended");
    this.#hooks.beforeWrite();
    return this.#changes;
  }

  #writesOf(layout: TableLayout): TableWrites {
    let writes = this.#writes.get(layout.name);
    if (writes === undefined) {
      writes = new TableWrites(this.runner.connection, layout);
      this.#writes.set(layout.name, writes);
    }
    return writes;
  }

  #hold(table: string, id: string, row: HeldRow): void {
    let rows = this.#held.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#held.set(table, rows);
    }
    if (this.#heldCount >= heldRowsMax || this.#heldChars >= heldCharsMax) this.#dropHeld();
    // Both grow with rows that replace themselves as well: bounds on what is held, not counts of it.
    if (!rows.has(id)) this.#heldCount += 1;
    this.#heldChars += charsOf(row.row);
    rows.set(id, row);
  }

  /** Notes that a table has more (or fewer) rows. */
  resize(table: string, by: number): void {
    this.sizeChanges.set(table, (this.sizeChanges.get(table) ?? 0) + by);
  }
}

/** Text of a row; lists and objects count as a page each. */
function charsOf(row: Row): number {
  let chars = 0;
  for (const field in row) {
    const value = row[field];
    if (typeof value === "string") chars += value.length;
    else if (typeof value === "object" && value !== null) chars += 4_096;
  }
  return chars;
}

/** The row that was written, as it will be read: fields in the order of the table, frozen. */
function completeRow(table: TableLayout, row: Row): Row {
  const kept: { [field: string]: Json } = {};
  for (const { name } of table.columns) kept[name] = row[name] as Json;
  for (const field in row) assert(table.byName.has(field), `${table.name} has no field ${field}`);
  return Object.freeze(kept);
}
