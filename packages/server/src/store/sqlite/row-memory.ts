// What the writer remembers of the rows of one table: those that it read or wrote, from group to group while
// nobody else writes the file, and those whose newest values are not in the file yet.
//
// Invariant: what is unwritten is never forgotten before it is written or its group is dropped. Only values
// that no constraint, reference or full-text index of the table looks at may wait, so writing them late can't fail
// for a reason that is the fault of a mutation.
import type { Row } from "../store.ts";
import type { TableLayout } from "../table-layout.ts";
import type { HeldRow } from "./row-access.ts";
import type { SqlValue } from "./sql-text.ts";
import type { TableWrites } from "./table-writes.ts";

/** A row with values that the file does not have yet. */
export interface UnwrittenRow extends HeldRow {
  /** The fields that are to be written, with `values` in their order. */
  readonly fields: readonly string[];
  readonly values: readonly SqlValue[];
}

/** Memory for rows that can be read again, of all tables together; past it the half used longest ago goes. */
const knownBytesMax = 67_108_864;
/** What a row costs besides its text: the objects and their places. About. */
const rowBytes = 200;
/** Lists and objects count as a page each. */
const nestedBytes = 4_096;

/** Rows of one table. */
export class TableMemory {
  readonly layout: TableLayout;
  readonly writes: TableWrites;
  /** Rows that wait to be written, by id. */
  readonly unwritten = new Map<string, UnwrittenRow>();
  /** Fields that a constraint, a reference or the full-text index looks at: written at once. */
  readonly #eager: ReadonlySet<string>;
  #young = new Map<string, HeldRow>();
  #old = new Map<string, HeldRow>();

  constructor(layout: TableLayout, writes: TableWrites) {
    this.layout = layout;
    this.writes = writes;
    this.#eager = eagerFields(layout);
  }

  /** Whether a change of these fields may wait. */
  mayWait(fields: readonly string[]): boolean {
    if (this.#eager.size === 0) return true;
    for (const field of fields) if (this.#eager.has(field)) return false;
    return true;
  }

  /** The row as the group has it, when it is remembered. */
  get(id: string): HeldRow | undefined {
    if (this.unwritten.size > 0) {
      const unwritten = this.unwritten.get(id);
      if (unwritten !== undefined) return unwritten;
    }
    const young = this.#young.get(id);
    if (young !== undefined) return young;
    const old = this.#old.get(id);
    if (old !== undefined) this.#young.set(id, old);
    return old;
  }

  keep(id: string, row: HeldRow): void {
    this.#young.set(id, row);
  }

  /** Notes values that are to be written. @param row with them. */
  defer(id: string, row: HeldRow, fields: readonly string[], values: readonly SqlValue[]): void {
    const before = this.unwritten.get(id);
    this.unwritten.set(id, { ...row, ...mergedFields(before, fields, values) });
  }

  /** Writes what waits. */
  flush(): void {
    for (const id of this.unwritten.keys()) this.flushRow(id);
  }

  /** Writes what waits of a row. */
  flushRow(id: string): void {
    const waiting = this.unwritten.get(id);
    if (waiting === undefined) return;
    const { n, row, fields, values } = waiting;
    this.writes.update(fields, values, n);
    this.unwritten.delete(id);
    this.#young.set(id, { n, row });
  }

  /** The row is gone, or has to be read again. */
  forget(id: string): void {
    this.unwritten.delete(id);
    this.#young.delete(id);
    this.#old.delete(id);
  }

  /** Everything has to be read again. */
  forgetAll(): void {
    this.unwritten.clear();
    this.#young.clear();
    this.#old.clear();
  }

  /** What nobody asked for since the last time goes. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/** Counts what is remembered of all tables. */
export class MemoryBudget {
  #bytes = 0;

  /** @returns whether it is time for every table to age. */
  spend(row: Row): boolean {
    this.#bytes += bytesOf(row);
    if (this.#bytes <= knownBytesMax / 2) return false;
    this.#bytes = 0;
    return true;
  }
}

function bytesOf(row: Row): number {
  let bytes = rowBytes;
  for (const field in row) {
    const value = row[field];
    if (typeof value === "string") bytes += value.length;
    else if (typeof value === "object" && value !== null) bytes += nestedBytes;
  }
  return bytes;
}

function mergedFields(
  before: UnwrittenRow | undefined,
  fields: readonly string[],
  values: readonly SqlValue[],
): Pick<UnwrittenRow, "fields" | "values"> {
  if (before === undefined || before.fields.every((field) => fields.includes(field))) {
    return { fields, values };
  }
  const merged = new Map<string, SqlValue>();
  for (const [at, field] of before.fields.entries()) merged.set(field, before.values[at] ?? null);
  for (const [at, field] of fields.entries()) merged.set(field, values[at] ?? null);
  return { fields: [...merged.keys()], values: [...merged.values()] };
}

function eagerFields(layout: TableLayout): ReadonlySet<string> {
  const eager = new Set<string>(layout.search);
  for (const { field } of layout.refs) eager.add(field);
  for (const { fields, where } of layout.uniques) {
    for (const field of fields) eager.add(field);
    const condition = where === null ? "" : JSON.stringify(where);
    for (const { name } of layout.columns) if (condition.includes(`"${name}"`)) eager.add(name);
  }
  return eager;
}
