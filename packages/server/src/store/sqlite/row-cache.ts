// Rows that the reads of one thread have met, by id, so that a busy row is not looked up and decoded again.
// Nobody tells it of changes: a row is asked for at the mark of a snapshot, and the row's stamp in shared
// memory (store/commit-mark.ts) says whether it is the same in that snapshot.
//
// Invariant: a row that it answers is, value for value, what the snapshot itself would answer.
import { isAfter, marksApartMax, stampPlace, type CommitMark } from "../commit-mark.ts";
import { keepRowText } from "../row-text.ts";
import type { Row } from "../store.ts";

interface Known {
  readonly table: string;
  readonly row: Row;
  /** Mark of the snapshot that it was read from. */
  readonly mark: number;
  readonly place: number;
  readonly bytes: number;
}

/** What a row costs besides its text: the object, its entry, a cell for each field. About. */
const rowBytes = 300;
const fieldBytes = 24;
/** A character of a text: in the row, and in its JSON. */
const charBytes = 3;
/** A list or an object takes so many times the length of its JSON. */
const nestedFactor = 8;

/** Two generations stand for "least recently used": what nobody asked for goes with the old one. */
export class RowCache {
  readonly #mark: CommitMark;
  readonly #generationBytesMax: number;
  /** Tables whose lists find their rows here: see SnapshotRows. */
  readonly warm = new Set<string>();
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  #youngBytes = 0;
  #bornMark = 0;

  /** @param bytesMax memory of all rows, about. 0: none are kept. */
  constructor(mark: CommitMark, bytesMax: number) {
    this.#mark = mark;
    this.#generationBytesMax = bytesMax / 2;
  }

  /** A snapshot begins. @param mark that it was proved to stand on. */
  begin(mark: number): void {
    const age = (mark - this.#bornMark) | 0;
    if (age >= 0 && age < marksApartMax / 2) return;
    this.#bornMark = mark;
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  /** The row in the snapshot of `mark`, or null when it has to be read. */
  get(table: string, id: string, mark: number): Row | null {
    const young = this.#young.get(id);
    const known = young ?? this.#old.get(id);
    if (known === undefined || known.table !== table) return null;
    const stamp = this.#mark.stamp(known.place);
    if (isAfter(stamp, known.mark) || isAfter(stamp, mark)) return null;
    if (young === undefined) {
      this.#old.delete(id);
      this.#keep(id, known);
    }
    return known.row;
  }

  /** Keeps a row that was read from the snapshot of `mark`. */
  put(table: string, id: string, mark: number, row: Row): void {
    const bytes = bytesOf(row);
    // One that is a large part of the whole would push out all others.
    if (bytes * 16 > this.#generationBytesMax) return;
    keepRowText(row);
    this.#keep(id, { table, row, mark, place: stampPlace(id), bytes });
  }

  #keep(id: string, known: Known): void {
    if (this.#youngBytes + known.bytes > this.#generationBytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    const before = this.#young.get(id);
    this.#youngBytes += known.bytes - (before?.bytes ?? 0);
    this.#young.set(id, known);
  }
}

/** Rows in the snapshot of one transaction. */
export class SnapshotRows {
  readonly #cache: RowCache;
  readonly #mark: () => number | null;

  /** @param mark of the snapshot; null: nothing is known of it. */
  constructor(cache: RowCache, mark: () => number | null) {
    this.#cache = cache;
    this.#mark = mark;
  }

  /** The row as the snapshot has it, or null when it has to be read. */
  get(table: string, id: string): Row | null {
    const mark = this.#mark();
    return mark === null ? null : this.#cache.get(table, id, mark);
  }

  /** Keeps a row that was read from the snapshot. @param row whole, frozen. */
  put(table: string, id: string, row: Row): void {
    const mark = this.#mark();
    if (mark !== null) this.#cache.put(table, id, mark, row);
  }

  /** Whether the rows of this table's last list were all here. */
  isWarm(table: string): boolean {
    return this.#mark() !== null && this.#cache.warm.has(table);
  }

  /** @param missed how many rows of a list had to be read, of how many. */
  noteList(table: string, missed: number, of: number): void {
    if (of === 0) return;
    const { warm } = this.#cache;
    if (missed * coldShare > of) warm.delete(table);
    else warm.add(table);
  }
}

/** A list of which one row in so many had to be read says that the next one had better read all. */
const coldShare = 8;

/** Memory of a row with its JSON text. */
function bytesOf(row: Row): number {
  let bytes = rowBytes;
  for (const field in row) {
    const value = row[field];
    bytes += fieldBytes + 2 * field.length;
    if (typeof value === "string") bytes += charBytes * value.length;
    else if (typeof value === "object" && value !== null) {
      bytes += nestedFactor * JSON.stringify(value).length;
    }
  }
  return bytes;
}
