// How readers of every thread know whether a snapshot is still the newest, and whether a row that they read
// before is still what it was: numbers in memory that all threads share. The writer makes the mark odd before
// a group may become visible and even when it is, and before anybody is answered. So a snapshot that began at
// an even number holds all that anybody was answered, or read, for as long as the number stays. While it is
// odd no snapshot is shared: every read opens its own.
//
// Each row and each table has a stamp, found by a hash of its id or name: the mark of the newest group that
// changed it (of a table: any of its rows), or another with the same hash. Stamps are set before the group can be visible. So a row that was read at mark r stands
// unchanged in the snapshot of mark v as long as its stamp is neither after r nor after v.
import type { Commit } from "./store.ts";

/** One number for all connections of one file, and the stamps of its rows. */
export interface CommitMark {
  /** Names the newest state, or null while it changes. */
  current(): number | null;
  /** A group may become visible from now on. @param commits all that it changes. */
  begin(commits: readonly Commit[]): void;
  /** It has, or never will. */
  end(): void;
  /** When a row or table was changed last, or later. @param place from `stampPlace`. */
  stamp(place: number): number;
}

/** Rows share stamps beyond this many: a change then also makes a few others be read again. */
const stamps = 65_536;
const hashChars = 8;
/** Marks run round. What is further apart than this can't be compared, so stamps are kept nearer. */
export const marksApartMax = 0x4000_0000;

/** Memory of a mark, to be handed to every thread. */
export function commitMarkMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((1 + stamps) * Int32Array.BYTES_PER_ELEMENT);
}

/** Where the stamp of a row or table stands. @param id of the row, or the table's name. */
export function stampPlace(id: string): number {
  // The end of an id is random. FNV-1a.
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, id.length - hashChars); at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  hash ^= hash >>> 15;
  return 1 + ((hash >>> 0) % stamps);
}

/** Whether one mark is after another. They are never further apart than `marksApartMax`. */
export function isAfter(mark: number, other: number): boolean {
  return ((mark - other) | 0) > 0;
}

/** A mark on memory that other threads may share. One thread at a time begins and ends. */
export function openCommitMark(memory: SharedArrayBuffer): CommitMark {
  const words = new Int32Array(memory);
  let swept = 0;
  /** One stamp a group, so that none is ever too far behind to be compared. */
  const sweep = (next: number): void => {
    swept = swept === stamps ? 1 : swept + 1;
    const oldest = (next - marksApartMax) | 0;
    if (isAfter(oldest, Atomics.load(words, swept))) Atomics.store(words, swept, oldest);
  };
  return {
    current() {
      const mark = Atomics.load(words, 0);
      return (mark & 1) === 1 ? null : mark;
    },
    begin(commits) {
      // A writer that ended in the middle left it odd: then it is already what it should be.
      if ((Atomics.load(words, 0) & 1) === 0) Atomics.add(words, 0, 1);
      const next = (Atomics.load(words, 0) + 1) | 0;
      let stamped = "";
      for (const { changes } of commits) {
        for (const { table, id } of changes) {
          Atomics.store(words, stampPlace(id), next);
          if (table !== stamped) Atomics.store(words, stampPlace(table), next);
          stamped = table;
        }
      }
      sweep(next);
    },
    end() {
      if ((Atomics.load(words, 0) & 1) === 1) Atomics.add(words, 0, 1);
    },
    stamp: (place) => Atomics.load(words, place),
  };
}
