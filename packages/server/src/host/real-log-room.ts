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
  return {
    look(path) {
      if (isFull) return;
      try {
        file ??= openLog(path);
        if (file === null) return;
        const { size } = fstatSync(file);
        if (size === given || size >= roomBytes) return;
        const end = size + stepBytes;
        const zeros = Buffer.alloc(pieceBytes);
        for (let at = size; at < end; at += pieceBytes) writeSync(file, zeros, 0, pieceBytes, at);
        given = end;
      } catch {
        // A disk that has no room for zeros may have some for what is committed.
        isFull = true;
      }
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
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
