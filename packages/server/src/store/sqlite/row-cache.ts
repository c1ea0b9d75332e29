// Rows and pages that the reads of one thread have met, so that what is busy is not looked up and decoded again.
// Nobody tells it of changes: a row is asked for at the mark of a snapshot, and the row's stamp in shared
// memory (store/commit-mark.ts) says whether it is the same in that snapshot. A page is the same while no row
// of its table changed; one whose statement looks at other tables too, while nothing was committed at all.
//
// Invariant: what it answers is, value for value, what the snapshot itself would answer.
import { isAfter, marksApartMax, stampPlace, type CommitMark } from "../commit-mark.ts";
import { keepPageText, keepRowText } from "../row-text.ts";
import type { Page, Row } from "../store.ts";

interface Known {
  /** Mark of the snapshot that it was read from. */
  readonly mark: number;
  readonly bytes: number;
}

interface KnownRow extends Known {
  readonly kind: "row";
  readonly table: string;
  readonly row: Row;
  readonly place: number;
}

interface KnownPage extends Known, KeptPage {
  readonly kind: "page";
  /** Of its table; null when it depends on others. */
  readonly place: number | null;
}

/** A page, and what stands behind it: whether there is more for a caller depends on that row. */
export interface WholePage {
  readonly page: Page;
  /** Null: nothing stands there, or it is not known what. */
  readonly behind: Row | null;
}

/** A page that is kept. */
export interface KeptPage extends WholePage {
  /** Somebody got an answer from it. */
  isUsed: boolean;
}

/** What a row costs besides its text: the object, its entry, a cell for each field. About. */
const rowBytes = 300;
const fieldBytes = 24;
/** A character of a text: in the row, and in its JSON. */
const charBytes = 3;
/** A list or an object takes so many times the length of its JSON. */
const nestedFactor = 8;

/** Statements are remembered this long. */
const askedMax = 4_096;

/** A list that was read in vain counts as much as so many that were not. */
const inVain = 4;
const metMax = 8;

/** What one thread remembers of a file. */
export class RowCache {
  readonly #mark: CommitMark;
  /** Rows by id, pages by statement. No statement is an id: what a caller makes up as one meets a page at most. */
  readonly #known: AgingMap<KnownRow | KnownPage>;
  /** Statements of pages that were asked for once. */
  readonly #asked = new Set<string>();
  /** By table: lists of late of which every row was known before, less those of which one was not. */
  readonly #met = new Map<string, number>();
  #bornMark = 0;

  /** @param bytesMax memory of all, about. 0: nothing is kept. */
  constructor(mark: CommitMark, bytesMax: number) {
    this.#mark = mark;
    this.#known = new AgingMap(bytesMax);
  }

  /** A snapshot begins. @param mark that it was proved to stand on. */
  begin(mark: number): void {
    const age = (mark - this.#bornMark) | 0;
    if (age >= 0 && age < marksApartMax / 2) return;
    this.#bornMark = mark;
    this.#known.clear();
  }

  /** The row in the snapshot of `mark`, or null when it has to be read. */
  row(table: string, id: string, mark: number): Row | null {
    const known = this.#known.get(id);
    if (known?.kind !== "row" || known.table !== table) return null;
    return this.#isSame(known.place, known.mark, mark) ? known.row : null;
  }

  /** Keeps a row that was read from the snapshot of `mark`. */
  putRow(table: string, id: string, mark: number, row: Row): void {
    const place = stampPlace(id);
    const known: KnownRow = { kind: "row", table, row, mark, place, bytes: bytesOf(row) };
    if (this.#known.put(id, known)) keepRowText(row);
  }

  /** The page of a statement in the snapshot of `mark`, or null when it has to be read. */
  page(statement: string, mark: number): KeptPage | null {
    const known = this.#known.get(statement);
    if (known?.kind !== "page") return null;
    const { place } = known;
    const isSame = place === null ? known.mark === mark : this.#isSame(place, known.mark, mark);
    return isSame ? known : null;
  }

  /**
   * Whether a page is to be kept once it is read: when it is asked for the second time. Most are not, and to keep
   * those costs more than it saves. Nor is one of which nobody could use what was kept before.
   */
  isWorthKeeping(statement: string): boolean {
    const before = this.#known.get(statement);
    if (before?.kind === "page" && !before.isUsed) return false;
    if (this.#asked.delete(statement)) return true;
    if (this.#asked.size >= askedMax) this.#asked.clear();
    this.#asked.add(statement);
    return false;
  }

  /** Keeps a page that was read from the snapshot of `mark`. @param table that it depends on; null: on several. */
  putPage(statement: string, table: string | null, mark: number, whole: WholePage): KeptPage {
    const { page, behind } = whole;
    let bytes = rowBytes + statement.length;
    for (const row of page.rows) bytes += bytesOf(row);
    const place = table === null ? null : stampPlace(table);
    const kept: KnownPage = { kind: "page", page, behind, isUsed: false, mark, place, bytes };
    if (this.#known.put(statement, kept)) keepPageText(page);
    return kept;
  }

  /** Whether the rows of a table's lists have been known of late. */
  areMet(table: string): boolean {
    return (this.#met.get(table) ?? 0) > 0;
  }

  /** A list was read. @param all whether its rows, every one, were known and of use. */
  noteMet(table: string, all: boolean): void {
    const before = this.#met.get(table) ?? 0;
    this.#met.set(table, all ? Math.min(metMax, before + 1) : Math.max(-metMax, before - inVain));
  }

  /** Whether what stood at `place` in one snapshot stands in another. */
  #isSame(place: number, knownMark: number, mark: number): boolean {
    const stamp = this.#mark.stamp(place);
    return !isAfter(stamp, knownMark) && !isAfter(stamp, mark);
  }
}

/** Two generations stand for "least recently used": what nobody asked for goes with the old one. */
class AgingMap<T extends Known> {
  readonly #generationBytesMax: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#generationBytesMax = bytesMax / 2;
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#keep(key, old);
    return old;
  }

  /** @returns whether it is kept: not when it is a large part of the whole, which would push out all others. */
  put(key: string, known: T): boolean {
    if (known.bytes * 16 > this.#generationBytesMax) return false;
    this.#keep(key, known);
    return true;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  #keep(key: string, known: T): void {
    if (this.#youngBytes + known.bytes > this.#generationBytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    const before = this.#young.get(key);
    this.#youngBytes += known.bytes - (before?.bytes ?? 0);
    this.#young.set(key, known);
  }
}

/** Rows and pages in the snapshot of one transaction. */
export class SnapshotRows {
  readonly #cache: RowCache;
  readonly #mark: () => number | null;

  /** @param mark of the snapshot; null: nothing is known of it. */
  constructor(cache: RowCache, mark: () => number | null) {
    this.#cache = cache;
    this.#mark = mark;
  }

  /** The row as the snapshot has it, or null when it has to be read. */
  row(table: string, id: string): Row | null {
    const mark = this.#mark();
    return mark === null ? null : this.#cache.row(table, id, mark);
  }

  /** Keeps a row that was read from the snapshot. @param row whole, frozen. */
  putRow(table: string, id: string, row: Row): void {
    const mark = this.#mark();
    if (mark !== null) this.#cache.putRow(table, id, mark, row);
  }

  /** @see RowCache.areMet */
  areMet(table: string): boolean {
    return this.#mark() !== null && this.#cache.areMet(table);
  }

  /** @see RowCache.noteMet */
  noteMet(table: string, all: boolean): void {
    this.#cache.noteMet(table, all);
  }

  /** The page as the snapshot has it, or null when it has to be read. @param statement with its values. */
  page(statement: string): KeptPage | null {
    const mark = this.#mark();
    return mark === null ? null : this.#cache.page(statement, mark);
  }

  /** Whether a page is to be kept once it is read. @see RowCache.isWorthKeeping */
  isWorthKeeping(statement: string): boolean {
    return this.#mark() !== null && this.#cache.isWorthKeeping(statement);
  }

  /** Keeps a page that was read from the snapshot, if one may be kept. @see RowCache.putPage */
  putPage(statement: string, table: string | null, whole: WholePage): KeptPage {
    const mark = this.#mark();
    if (mark === null) return { ...whole, isUsed: false };
    return this.#cache.putPage(statement, table, mark, whole);
  }
}

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
