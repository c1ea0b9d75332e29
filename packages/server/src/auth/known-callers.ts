// Callers by the credentials that they came with, until what was known of them changes. Two generations stand for
// "least recently used": a hit in the young one changes nothing, which keeps the hot path to one look-up; when the
// young one is full it becomes the old one, and what nobody asked for in the meantime is forgotten with it.
//
// Invariant: a caller that is handed out stands on rows that were unchanged a moment ago. Every row it was made of has
// a stamp in memory that all threads share (store/commit-mark.ts): a revocation waits for no message.
import { isAfter, stampPlace, type CommitMark } from "../store/commit-mark.ts";

/** When rows change: the part of the store's mark that is read here. */
export type RowMarks = Pick<CommitMark, "current" | "stamp">;

/** What the cache needs to know of what it keeps. */
export interface Knowable {
  /** When it stops being good, whatever the rows say, ms since the epoch. */
  readonly expiresMs: number;
  /** Ids of the rows that it was made of. */
  readonly rows: readonly string[];
}

interface Entry<T> {
  readonly credentials: string;
  readonly known: T;
  /** The marks' number before the rows were read; null: it can't be used again, only be read anew. */
  readonly mark: number | null;
  readonly places: readonly number[];
  readonly readMs: number;
}

/**
 * Credentials are looked up by their ends, which are random: every header is a new text, and the whole of it would
 * have to be hashed before it is found. Two that end alike take each other's place.
 */
const endChars = 16;

/** Numbers of marks run round after hours of the fastest writing: nothing is trusted for that long. */
const trustMs = 60_000;

/** Remembers at most `max` callers. */
export class KnownCallers<T extends Knowable> {
  readonly #marks: RowMarks;
  readonly #generationMax: number;
  #young = new Map<string, Entry<T>>();
  #old = new Map<string, Entry<T>>();

  /** @param max at least 2. */
  constructor(marks: RowMarks, max: number) {
    this.#marks = marks;
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  /** What is known of the credentials, when it still holds; else null. */
  get(credentials: string, nowMs: number): T | null {
    const entry = this.#find(credentials);
    if (entry === null || entry.mark === null) return null;
    const { known, mark, places, readMs } = entry;
    if (nowMs >= known.expiresMs || nowMs - readMs > trustMs || nowMs < readMs) return null;
    for (const place of places) if (isAfter(this.#marks.stamp(place), mark)) return null;
    return known;
  }

  /** What was known of the credentials when they were looked at last: they were genuine, the rows may differ. */
  before(credentials: string): T | null {
    return this.#find(credentials)?.known ?? null;
  }

  /** To be asked before the rows are read, for `put`. */
  mark(): number | null {
    return this.#marks.current();
  }

  /** @param read.mark what `mark` said before the rows were read. */
  put(
    credentials: string,
    known: T,
    read: { readonly mark: number | null; readonly nowMs: number },
  ): void {
    const { mark, nowMs } = read;
    const places = known.rows.map(stampPlace);
    this.#keep(credentials.slice(-endChars), { credentials, known, mark, places, readMs: nowMs });
  }

  drop(credentials: string): void {
    if (this.#find(credentials) !== null) this.#young.delete(credentials.slice(-endChars));
  }

  /** Callers remembered now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #find(credentials: string): Entry<T> | null {
    const end = credentials.slice(-endChars);
    const young = this.#young.get(end);
    if (young !== undefined) return young.credentials === credentials ? young : null;
    const old = this.#old.get(end);
    if (old === undefined || old.credentials !== credentials) return null;
    this.#old.delete(end);
    this.#keep(end, old);
    return old;
  }

  #keep(end: string, entry: Entry<T>): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(end, entry);
  }
}
