// Room in the file of the write-ahead log. On Linux a sync of a file that grew also writes what the file system keeps of it: 0.42
// ms where one of a file that has its blocks already takes 0.22 (docs/internals/performance.md). The engine makes the log grow page by page, and
// begins anew at its start only when it holds 32 MiB, which takes a quiet server days. So it is made longer in steps, by
// zeros behind its end: the engine reads its log up to the first page that has no valid checksum, and zeros have none.
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import type { LogRoom } from "../store/sqlite/log-room.ts";

/** A step takes about two milliseconds, of one group in a hundred or fewer. */
const stepBytes = 2_097_152;
/**
 * Written in pieces: the page cache keeps what one call wrote as one block of memory, and Linux walks all of it for each of the
 * engine's small writes into it (12 us a page of the log where it was one of 2 MiB, 3 us in such of 64 KiB).
 */
const pieceBytes = 65_536;
/** Where the engine begins anew: `wal_autocheckpoint` pages with their heads. */
const roomBytes = 33_554_432;

/** Room for one log. */
export function openLogRoom(): LogRoom {
  let file: number | null = null;
  /** The size that it was given last; another one: the engine has come to its end, or has cut it off. */
  let given = -1;
  let isFull = false;
  /** Whether its file system counts in how many folders a file is: one that has none from the start does not. */
  let isCounted = false;
  return {
    open(path) {
      try {
        take(path);
      } catch {
        // Looked for again with every group.
      }
    },
    look(path) {
      try {
        const log = take(path);
        if (log === null) return true;
        const { size, nlink } = fstatSync(log);
        if (isCounted && nlink === 0) return false;
        if (isFull || size === given || size >= roomBytes) return true;
        const end = size + stepBytes;
        const zeros = Buffer.alloc(pieceBytes);
        for (let at = size; at < end; at += pieceBytes) writeSync(log, zeros, 0, pieceBytes, at);
        given = end;
      } catch {
        // A disk that has no room for zeros may have some for what is committed.
        isFull = true;
      }
      return true;
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };

  function take(path: string): number | null {
    if (file !== null) return file;
    file = openLog(path);
    isCounted = file !== null && fstatSync(file).nlink > 0;
    return file;
  }
}

/** @returns null when there is none yet. */
function openLog(path: string): number | null {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
