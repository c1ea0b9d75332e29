// The writes of one mutation. The engine's own constraints decide (one statement per write, no look-ups
// before it); when one refuses, the code here finds out which, in the order of declaration. Rows read or
// written are remembered (row-memory.ts), and changes that no constraint looks at wait there for the commit, or
// for the first statement that could see them. A mutation that fails is taken back write by write; one
// that deletes has a savepoint from then on. Savepoints copy every page that changes, so others have none.
import { assert } from "../../base/assert.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Json } from "../../base/json.ts";
import { ChangeSet, sameValue } from "../change-set.ts";
import { rowId } from "../row-id.ts";
import type { WithTerm } from "../../model/query-form.ts";
import type { Change, Guard, Page, Row, WriteTx } from "../store.ts";
import { columnOf, tableOf, type TableLayout } from "../table-layout.ts";
import { assertRowSize } from "../row-size.ts";
import { findRefused } from "./constraint-find.ts";
import { deleteRow } from "./row-delete.ts";
import type { HeldRow, RowAccess } from "./row-access.ts";
import { decodeRow, encodeField, encodeRow, type SqlCell } from "./row-codec.ts";
import { MemoryBudget, TableMemory, type KeptRow } from "./row-memory.ts";
import { isOfOneTable } from "./some-memory.ts";
import type { SqlValue } from "./sql-text.ts";
import type { Statement } from "./sqlite-connection.ts";
import { withStoreErrors } from "./sqlite-error.ts";
import { SqliteReadTx } from "./sqlite-read-tx.ts";
import { TableWrites } from "./table-writes.ts";
import type { QueryRunner } from "./query-runner.ts";

/** How one write of the open mutation is taken back. */
type Undo =
  | {
      readonly kind: "insert";
      readonly memory: TableMemory;
      readonly kept: KeptRow;
    }
  | {
      /** Of a row that was not written yet. */
      readonly kind: "leave";
      readonly memory: TableMemory;
      readonly kept: KeptRow;
      readonly row: Row;
    }
  | {
      readonly kind: "update";
      readonly memory: TableMemory;
      readonly id: string;
      readonly before: HeldRow;
      readonly fields: readonly string[];
    };

/** The transaction as bodies of mutations see it. One is used for all mutations of a writer, one by one. */
export class SqliteWriteTx extends SqliteReadTx implements WriteTx, RowAccess {
  readonly #memories = new Map<string, TableMemory>();
  readonly #budget: MemoryBudget;
  readonly #savepoint: {
    readonly begin: Statement;
    readonly undo: Statement;
    readonly end: Statement;
  };
  #dataVersion: SqlCell = null;
  #changes: ChangeSet | null = null;
  #undo: Undo[] = [];
  /** Whether anything may be unwritten. */
  #isUnwritten = false;
  /** How much of `#undo` lies before the savepoint; null: the mutation has none. */
  #savedAt: number | null = null;
  /** Rows more (or fewer) than at the start of the group, by table. */
  readonly sizeChanges = new Map<string, number>();

  constructor(runner: QueryRunner, seq: () => number) {
    super(runner, seq);
    const { connection, limits } = runner;
    this.#budget = new MemoryBudget(limits);
    this.#savepoint = {
      begin: connection.prepare("SAVEPOINT _mutation"),
      undo: connection.prepare("ROLLBACK TO _mutation"),
      end: connection.prepare("RELEASE _mutation"),
    };
  }

  /** Starts a mutation. */
  begin(changes: ChangeSet): void {
    assert(this.#changes === null, "one mutation at a time");
    this.#changes = changes;
  }

  /** Ends a mutation that stays: later use of the transaction is a bug of its body. */
  end(): void {
    if (this.#savedAt !== null) withStoreErrors(() => this.#savepoint.end.run());
    this.#ended();
  }

  /** Ends a mutation that failed: everything is as it was before it. */
  undo(changes: ChangeSet): void {
    const undo = this.#undo;
    const savedAt = this.#savedAt;
    this.#ended();
    for (const { table, size } of changes.sizes()) this.resize(table, -size);
    if (savedAt !== null) {
      this.#savepoint.undo.run();
      this.#savepoint.end.run();
      for (const { table, id } of changes.touched()) this.#memoryOf(table).forget(id);
    }
    for (let at = (savedAt ?? undo.length) - 1; at >= 0; at--) this.#takeBack(undo[at] as Undo);
  }

  /** Another group. @returns whether another connection has written since: then nothing is known of any row. */
  beginGroup(): boolean {
    const [version = null] = this.runner.connection.prepare("PRAGMA data_version").get() ?? [];
    const isOther = version === null || version !== this.#dataVersion;
    if (isOther) this.#forgetAll();
    this.#dataVersion = version;
    this.sizeChanges.clear();
    this.runner.forgetSizes();
    return isOther;
  }

  /** A group that did not become durable: what it wrote is not there. */
  dropGroup(): void {
    this.#ended();
    this.#forgetAll();
    this.sizeChanges.clear();
  }

  /** Writes what waits to be written: before the commit, and before any statement that could see it. */
  flush(): void {
    if (!this.#isUnwritten) return;
    withStoreErrors(() => {
      for (const memory of this.#memories.values()) memory.flush();
    });
    this.#isUnwritten = false;
  }

  override get(
    table: string,
    id: string,
    guard: Guard | null,
    expand?: readonly WithTerm[],
  ): Row | null {
    // Of a rule only `some` looks at tables otherwise than row by row, and comes back to this transaction.
    if (expand !== undefined && expand.length > 0) this.flush();
    return super.get(table, id, guard, expand);
  }

  override list(...asked: Parameters<SqliteReadTx["list"]>): Page {
    this.flush();
    return super.list(...asked);
  }

  override aggregate(...asked: Parameters<SqliteReadTx["aggregate"]>): readonly Row[] {
    this.flush();
    return super.aggregate(...asked);
  }

  override some(...asked: Parameters<SqliteReadTx["some"]>): boolean {
    const [table] = asked;
    const question = this.question(...asked);
    if (!isOfOneTable(question)) {
      this.flush();
      return this.isAny(table, question);
    }
    const { somes } = this.#memoryOf(table);
    const known = somes.get(question);
    if (known !== undefined) return known;
    this.flush();
    const found = this.isAny(table, question);
    somes.put(question, found);
    return found;
  }

  insert(table: string, row: Row): void {
    const changes = this.#startWrite();
    const memory = this.#memoryOf(table);
    const { layout, writes } = memory;
    const values = encodeRow(layout, row);
    const kept = completeRow(layout, row);
    const id = rowId(kept);
    assertRowSize(layout, kept, this.runner.limits, values);
    if (this.#savedAt === null && memory.mayArrive(id, kept)) {
      this.#spend(kept);
      this.#undo.push({ kind: "insert", memory, kept: memory.arrive(id, kept) });
      this.#isUnwritten = true;
      this.resize(table, 1);
      changes.add(table, id, null, kept);
      return;
    }
    let n: number;
    try {
      n = writes.insert(values);
    } catch (error) {
      throw findRefused(this, layout, kept, null, error);
    }
    memory.somes.clear();
    this.#undo.push({ kind: "insert", memory, kept: this.#keep(memory, id, { n, row: kept }) });
    if (writes.searched) writes.indexText(n, kept);
    this.resize(table, 1);
    changes.add(table, id, null, kept);
  }

  update(table: string, id: string, patch: Row): Row {
    const changes = this.#startWrite();
    const memory = this.#memoryOf(table);
    const { layout } = memory;
    const held = this.#held(memory, table, id);
    if (held === null) throw new PlatformError("NOT_FOUND", { table, id });
    const { n, row: before } = held;
    const after: { [field: string]: Json } = { ...before };
    const fields: string[] = [];
    const values: SqlValue[] = [];
    for (const field in patch) {
      const column = columnOf(layout, field);
      assert(column.name !== "id", "an id never changes");
      const value = patch[field] as Json;
      if (sameValue(before[field], value)) continue;
      after[field] = value;
      fields.push(column.name);
      values.push(encodeField(layout, column, value));
    }
    if (fields.length === 0) return before;
    const kept = Object.freeze(after);
    assertRowSize(layout, kept, this.runner.limits);
    // The id that is remembered already, so that what a caller brought can go.
    this.#change(memory, held.id, { n, row: kept }, before, fields, values);
    changes.add(table, held.id, before, kept);
    return kept;
  }

  delete(table: string, id: string, judge?: Parameters<WriteTx["delete"]>[2]): void {
    this.#startWrite();
    if (this.#leave(table, id)) return;
    this.#save();
    deleteRow(this, this.runner, { table, id }, judge);
  }

  /** Deletes a row that was not written yet. @returns whether it was one. */
  #leave(table: string, id: string): boolean {
    const memory = this.#memoryOf(table);
    const kept = memory.get(id);
    if (kept?.isNew !== true) return false;
    const { row } = kept;
    memory.forget(kept.id);
    this.#undo.push({ kind: "leave", memory, kept, row });
    this.resize(table, -1);
    this.#changes?.add(table, kept.id, row, null);
    return true;
  }

  /** Removes one row, with nothing else: references were dealt with. */
  remove(table: string, id: string): void {
    const changes = this.#startWrite();
    assert(this.#savedAt !== null, "a removal is taken back by its savepoint");
    const held = this.held(table, id);
    assert(held !== null, "a row that is removed is there");
    const memory = this.#memoryOf(table);
    memory.writes.remove(held.n);
    memory.forget(id);
    this.resize(table, -1);
    changes.add(table, id, held.row, null);
  }

  /** Takes back what was noted of a change that the engine has undone. */
  revert({ table, id, before, after }: Change): void {
    this.#memoryOf(table).forget(id);
    if (after === null) this.resize(table, 1);
    this.#changes?.add(table, id, after, before);
  }

  /** The row and its number, from memory or the file. */
  held(table: string, id: string): HeldRow | null {
    return this.#held(this.#memoryOf(table), table, id);
  }

  #held(memory: TableMemory, table: string, id: string): KeptRow | null {
    const known = memory.get(id);
    if (known !== undefined) return known;
    const cells = this.cells(table, id);
    if (cells === undefined) return null;
    const { columns } = memory.layout;
    const row = Object.freeze(decodeRow(columns, cells, 0));
    return this.#keep(memory, id, { n: Number(cells[columns.length]), row });
  }

  /** Whether a statement answers any row. */
  ask(sql: string, values: readonly SqlValue[]): boolean {
    this.flush();
    return this.runner.connection.prepare(sql).get(...values) !== undefined;
  }

  /** Notes that a table has more (or fewer) rows. */
  resize(table: string, by: number): void {
    this.sizeChanges.set(table, (this.sizeChanges.get(table) ?? 0) + by);
  }

  protected override sizeOf(table: string): number {
    return super.sizeOf(table) + (this.sizeChanges.get(table) ?? 0);
  }

  protected override row(table: string, id: string): Row | null {
    return this.held(table, id)?.row ?? null;
  }

  #startWrite(): ChangeSet {
    assert(this.#changes !== null, "a transaction is not used after its mutation ended");
    return this.#changes;
  }

  #ended(): void {
    this.#changes = null;
    this.#savedAt = null;
    if (this.#undo.length > 0) this.#undo = [];
  }

  /** From here on the engine takes the mutation back: nothing waits, as the engine does not know of it. */
  #save(): void {
    if (this.#savedAt !== null) return;
    this.flush();
    withStoreErrors(() => this.#savepoint.begin.run());
    this.#savedAt = this.#undo.length;
  }

  /** Gives a row new values: in memory where that may wait, else in the file. */
  #change(
    memory: TableMemory,
    id: string,
    held: HeldRow,
    before: Row,
    fields: readonly string[],
    values: readonly SqlValue[],
  ): void {
    const { layout, writes } = memory;
    const { row } = held;
    const undo: Undo = { kind: "update", memory, id, before: { n: held.n, row: before }, fields };
    if (this.#savedAt === null && memory.mayWait(fields)) {
      this.#undo.push(undo);
      memory.defer(id, held, fields, values);
      this.#isUnwritten = true;
      return;
    }
    withStoreErrors(() => memory.flushRow(id));
    // One that was new has its number from now on.
    const n = memory.get(id)?.n ?? held.n;
    try {
      writes.update(fields, values, n);
    } catch (error) {
      throw findRefused(this, layout, row, before, error);
    }
    memory.somes.clear();
    this.#undo.push(undo);
    if (writes.searched) writes.reindexText(n, row, fields);
    this.#keep(memory, id, { n, row });
  }

  #takeBack(undo: Undo): void {
    const { memory } = undo;
    if (undo.kind === "leave") {
      memory.comeBack(undo.kept, undo.row);
      this.#isUnwritten = true;
      return;
    }
    if (undo.kind === "insert") {
      const { id, n, isNew } = undo.kept;
      memory.forget(id);
      if (!isNew) memory.writes.remove(n);
      return;
    }
    const { id, fields } = undo;
    const { layout, writes } = memory;
    // One that was new then has its number by now, unless it is new still.
    const n = undo.before.n === 0 ? (this.#held(memory, layout.name, id)?.n ?? 0) : undo.before.n;
    const before: HeldRow = { n, row: undo.before.row };
    const values = fields.map((field) =>
      encodeField(layout, columnOf(layout, field), before.row[field]),
    );
    if (memory.mayWait(fields)) {
      memory.defer(id, before, fields, values);
      this.#isUnwritten = true;
      return;
    }
    memory.flushRow(id);
    writes.update(fields, values, before.n);
    memory.somes.clear();
    if (writes.searched) writes.reindexText(before.n, before.row, fields);
    this.#keep(memory, id, before);
  }

  #memoryOf(table: string): TableMemory {
    let memory = this.#memories.get(table);
    if (memory === undefined) {
      const layout = tableOf(this.runner.layout, table);
      memory = new TableMemory(layout, new TableWrites(this.runner.connection, layout));
      this.#memories.set(table, memory);
    }
    return memory;
  }

  #keep(memory: TableMemory, id: string, row: HeldRow): KeptRow {
    this.#spend(row.row);
    return memory.keep(id, row);
  }

  #spend(row: Row): void {
    if (this.#budget.spend(row)) for (const each of this.#memories.values()) each.age();
  }

  #forgetAll(): void {
    for (const memory of this.#memories.values()) memory.forgetAll();
    this.#isUnwritten = false;
  }
}

/** The row that was written, as it will be read: fields in the order of the table, frozen. */
function completeRow(table: TableLayout, row: Row): Row {
  const kept: { [field: string]: Json } = {};
  for (const { name } of table.columns) kept[name] = row[name] as Json;
  for (const field in row) assert(table.byName.has(field), `${table.name} has no field ${field}`);
  return Object.freeze(kept);
}
