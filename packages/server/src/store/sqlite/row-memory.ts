// What the writer remembers of the rows of one table: those that it read or wrote, from group to group while
// nobody else writes the file, and those whose newest values are not in the file yet, or that are not there at all.
//
// Invariant: what is unwritten is never forgotten before it is written or its group is dropped. Only values and rows
// that no constraint, reference or full-text index of the table looks at may wait, so writing them late can't fail
// for a reason that is the fault of a mutation. A new row that leaves before it was written never was in the file.
import type { Limits } from "../../base/limits.ts";
import type { Row } from "../store.ts";
import type { TableLayout } from "../table-layout.ts";
import type { HeldRow } from "./row-access.ts";
import { encodeRow } from "./row-codec.ts";
import { SomeMemory } from "./some-memory.ts";
import type { SqlValue } from "./sql-text.ts";
import type { TableWrites } from "./table-writes.ts";

/** Values that the file does not have yet. */
interface Waiting {
  /** The fields that are to be written, with `values` in their order. */
  readonly fields: readonly string[];
  readonly values: readonly SqlValue[];
}

/** A row that is remembered: one object for as long as it is. Only its table's memory changes it. */
export interface KeptRow extends HeldRow {
  readonly id: string;
  /** Whether it is not in the file yet: `n` is 0 then. */
  readonly isNew: boolean;
}

class MemoryRow implements KeptRow {
  readonly id: string;
  n: number;
  row: Row;
  waiting: Waiting | null = null;
  isNew = false;

  constructor(id: string, n: number, row: Row) {
    this.id = id;
    this.n = n;
    this.row = row;
  }
}

/** The writer remembers this many times what a reading thread keeps, and some rows in any case. */
const shareOfReaders = 2;
const leastBytes = 4_096;
/** What a row costs besides its text: the objects and their places. About. */
const rowBytes = 200;
/** Lists and objects count as a page each. */
const nestedBytes = 4_096;

/** Rows of one table. */
export class TableMemory {
  readonly layout: TableLayout;
  readonly writes: TableWrites;
  /** Whoever writes a row past this memory clears it. */
  readonly somes = new SomeMemory();
  /** Fields that a constraint, a reference or the full-text index looks at: written at once. */
  readonly #eager: ReadonlySet<string>;
  /** Those that had to wait since the last time that all were written, some of them written since. */
  #unwritten: MemoryRow[] = [];
  #young = new Map<string, MemoryRow>();
  #old = new Map<string, MemoryRow>();

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

  /** Whether a new row may wait. @param id that no row of the file has. */
  mayArrive(id: string, row: Row): boolean {
    const { brief, uniques } = this.layout;
    if (!brief || this.#find(id) !== undefined) return false;
    // Absent values collide with none.
    return uniques.every(({ fields }) => fields.some((field) => row[field] === null));
  }

  /** Remembers a row that the file does not have. */
  arrive(id: string, row: Row): KeptRow {
    this.somes.clear();
    const added = this.#add(id, 0, row);
    this.#awaits(added);
    return added;
  }

  /** One that was forgotten before it was written waits again. */
  comeBack(row: KeptRow, value: Row): void {
    const known = row as MemoryRow;
    this.somes.clear();
    known.row = value;
    this.#young.set(known.id, known);
    this.#awaits(known);
  }

  /** The row as the group has it, when it is remembered. */
  get(id: string): KeptRow | undefined {
    return this.#find(id);
  }

  /** Remembers a row as the file has it. */
  keep(id: string, { n, row }: HeldRow): KeptRow {
    const known = this.#find(id);
    if (known === undefined) return this.#add(id, n, row);
    known.n = n;
    known.row = row;
    return known;
  }

  /** Notes values that are to be written. @param held the row with them. */
  defer(id: string, held: HeldRow, fields: readonly string[], values: readonly SqlValue[]): void {
    this.somes.clear();
    const { n, row } = held;
    const known = this.#find(id) ?? this.#add(id, n, row);
    known.row = row;
    if (known.isNew) return;
    if (known.waiting === null) {
      known.waiting = { fields, values };
      this.#unwritten.push(known);
    } else known.waiting = mergedFields(known.waiting, fields, values);
  }

  /** Writes what waits. */
  flush(): void {
    const unwritten = this.#unwritten;
    if (unwritten.length === 0) return;
    for (const row of unwritten) this.#write(row);
    this.#unwritten = [];
  }

  /** Writes what waits of a row. */
  flushRow(id: string): void {
    const known = this.#find(id);
    if (known !== undefined) this.#write(known);
  }

  /** The row is gone, or has to be read again. */
  forget(id: string): void {
    this.somes.clear();
    const known = this.#find(id);
    if (known === undefined) return;
    known.waiting = null;
    known.isNew = false;
    this.#young.delete(id);
    this.#old.delete(id);
  }

  /** Everything has to be read again. */
  forgetAll(): void {
    this.somes.clear();
    this.#unwritten = [];
    this.#young.clear();
    this.#old.clear();
  }

  /** What nobody asked for since the last time goes, unless it is unwritten. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
    for (const row of this.#unwritten) {
      if (row.waiting !== null || row.isNew) this.#young.set(row.id, row);
    }
  }

  #awaits(row: MemoryRow): void {
    row.isNew = true;
    this.#unwritten.push(row);
  }

  #find(id: string): MemoryRow | undefined {
    const young = this.#young.get(id);
    if (young !== undefined || this.#old.size === 0) return young;
    const old = this.#old.get(id);
    if (old !== undefined) this.#young.set(id, old);
    return old;
  }

  #add(id: string, n: number, row: Row): MemoryRow {
    const added = new MemoryRow(id, n, row);
    this.#young.set(id, added);
    return added;
  }

  #write(known: MemoryRow): void {
    if (known.isNew) {
      known.n = this.writes.insert(encodeRow(this.layout, known.row));
      known.isNew = false;
      return;
    }
    const { waiting } = known;
    if (waiting === null) return;
    this.writes.update(waiting.fields, waiting.values, known.n);
    known.waiting = null;
  }
}

/** Counts what is remembered of all tables: past the budget the half used longest ago goes, of what can be read again. */
export class MemoryBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor({ rowCacheBytesMax }: Limits) {
    this.#bytesMax = Math.max(leastBytes, shareOfReaders * rowCacheBytesMax);
  }

  /** @returns whether it is time for every table to age. */
  spend(row: Row): boolean {
    this.#bytes += bytesOf(row);
    if (this.#bytes <= this.#bytesMax / 2) return false;
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
  before: Waiting,
  fields: readonly string[],
  values: readonly SqlValue[],
): Waiting {
  if (before.fields.every((field) => fields.includes(field))) return { fields, values };
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
