// Writes of the naive engine: constraints are checked by walking every row.
import { assert } from "../../base/assert.ts";
import type { Json } from "../../base/json.ts";
import { isLater, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { ChangeSet, sameValue } from "../change-set.ts";
import { assertRowSize } from "../row-size.ts";
import { rowId } from "../row-id.ts";
import type { Change, Row, WriteTx } from "../store.ts";
import { columnOf, tableOf, type RefLayout, type TableLayout } from "../table-layout.ts";
import { MemoryReadTx } from "./memory-read-tx.ts";
import { matchWhere } from "./where-match.ts";

interface Doomed {
  readonly table: string;
  readonly id: string;
}

/** Writes of one mutation. */
export class MemoryWriteTx extends MemoryReadTx implements WriteTx {
  #changes: ChangeSet | null = null;

  begin(changes: ChangeSet | null): void {
    this.#changes = changes;
  }

  insert(table: string, row: Row): void {
    const layout = tableOf(this.layout, table);
    const kept: { [field: string]: Json } = {};
    for (const { name, optional } of layout.columns) {
      const value = row[name];
      assert(value !== undefined, `${table}.${name} is missing: rows are complete`);
      assert(value !== null || optional, `${table}.${name} is required`);
      kept[name] = value;
    }
    assertRowSize(layout, kept, this.limits);
    const id = rowId(kept);
    if (this.rows(table).has(id)) {
      throw new PlatformError("UNIQUE_TAKEN", { table, fields: ["id"] });
    }
    this.#put(layout, id, null, Object.freeze(kept));
  }

  update(table: string, id: string, patch: Row): Row {
    const layout = tableOf(this.layout, table);
    const before = this.rows(table).get(id);
    if (before === undefined) throw new PlatformError("NOT_FOUND", { table, id });
    const after: { [field: string]: Json } = { ...before };
    for (const field in patch) {
      const column = columnOf(layout, field);
      assert(patch[field] !== null || column.optional, `${table}.${field} is required`);
      if (!sameValue(before[field], patch[field])) after[field] = patch[field] as Json;
    }
    if (sameValue(before, after)) return before;
    assertRowSize(layout, after, this.limits);
    return this.#put(layout, id, before, Object.freeze(after));
  }

  delete(table: string, id: string, judge?: Parameters<WriteTx["delete"]>[2]): void {
    if (!this.rows(table).has(id)) throw new PlatformError("NOT_FOUND", { table, id });
    const doomed: Doomed[] = [{ table, id }];
    const clears: { readonly row: Doomed; readonly ref: RefLayout }[] = [];
    const isDoomed = (row: Doomed) =>
      doomed.some((each) => each.table === row.table && each.id === row.id);
    for (const target of doomed) {
      for (const ref of tableOf(this.layout, target.table).referrers) {
        if (ref.onDelete === "refuse") continue;
        for (const row of this.#referring(ref, target.id)) {
          if (ref.onDelete === "clear") clears.push({ row, ref });
          else if (!isDoomed(row)) doomed.push(row);
        }
      }
      if (doomed.length + clears.length > this.limits.rowsWrittenMax) {
        const max = this.limits.rowsWrittenMax;
        throw new PlatformError("FUNCTION_ROWS_EXCEEDED", { limit: "rowsWrittenMax", max });
      }
    }
    for (const target of doomed) this.#refuseIfUsed(target, isDoomed);
    const applied: Change[] = [];
    const stays = new ChangeSet();
    try {
      for (const { row, ref } of clears) {
        if (isDoomed(row)) continue;
        const before = this.rows(row.table).get(row.id) ?? null;
        const after = this.update(row.table, row.id, { [ref.field]: null });
        applied.push({ ...row, before, after });
        stays.add(row.table, row.id, before, after);
      }
      for (const row of doomed.toReversed()) {
        const before = this.rows(row.table).get(row.id) ?? null;
        this.rows(row.table).delete(row.id);
        this.#note(row.table, row.id, before, null);
        applied.push({ ...row, before, after: null });
      }
      if (judge !== undefined) for (const change of stays.changes()) atOnce(judge(change));
    } catch (error) {
      for (const change of applied.toReversed()) this.#revert(change);
      throw error;
    }
  }

  #revert({ table, id, before, after }: Change): void {
    if (before !== null) this.rows(table).set(id, before);
    this.#note(table, id, after, before);
  }

  #refuseIfUsed(target: Doomed, isDoomed: (row: Doomed) => boolean): void {
    for (const ref of tableOf(this.layout, target.table).referrers) {
      if (ref.onDelete !== "refuse") continue;
      const count = this.#referring(ref, target.id).filter((row) => !isDoomed(row)).length;
      if (count === 0) continue;
      throw new PlatformError("REF_IN_USE", { table: ref.table, field: ref.field, count });
    }
  }

  #referring(ref: RefLayout, id: string): readonly Doomed[] {
    return [...this.rows(ref.table).values()]
      .filter((row) => row[ref.field] === id)
      .map((row) => ({ table: ref.table, id: rowId(row) }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #put(table: TableLayout, id: string, before: Row | null, after: Row): Row {
    for (const unique of table.uniques) {
      const holds = (row: Row) => unique.where === null || matchWhere(unique.where, row) === true;
      if (!holds(after) || unique.fields.some((field) => after[field] === null)) continue;
      for (const other of this.rows(table.name).values()) {
        if (other["id"] === id || !holds(other)) continue;
        if (unique.fields.every((field) => sameValue(other[field], after[field]))) {
          throw new PlatformError("UNIQUE_TAKEN", { table: table.name, fields: unique.fields });
        }
      }
    }
    for (const { field, target } of table.refs) {
      const ref = after[field] ?? null;
      if (typeof ref !== "string" || (target === table.name && ref === id)) continue;
      if (!this.rows(target).has(ref)) {
        throw new PlatformError("REF_MISSING", { table: table.name, field });
      }
    }
    this.rows(table.name).set(id, after);
    this.#note(table.name, id, before, after);
    return after;
  }

  #note(table: string, id: string, before: Row | null, after: Row | null): void {
    assert(this.#changes !== null, "a transaction is not used after its mutation ended");
    this.#changes.add(table, id, before, after);
  }
}

function atOnce(judged: Later<void>): void {
  assert(!isLater(judged), "rules are decided at once on this engine");
}
