// The guest's snapshot of an earlier start, kept in the data folder: making it takes longer than all the rest
// of a start. V8 ends the process when it is given a snapshot that is not its own, so the file holds the name
// of what made it and a digest, and is not used unless both fit. Should V8 end the process all the same, the
// mark of that try is still there at the next start, which makes a snapshot of its own.
import { createHash } from "node:crypto";
import type { Disk } from "../base/disk.ts";
import { guestCode, restoreGuestCode } from "../isolate/guest-code.ts";

const digestBytes = 32;

/** Where the snapshot is kept, and what made it. */
export interface GuestCacheParts {
  readonly disk: Disk;
  /** Absolute; its folder exists. Beside it stands `<file>.trying` while it is tried. */
  readonly file: string;
  /** Names guest, V8 and their flags. */
  readonly builder: string;
}

/**
 * Has the guest ready: found, or made and kept.
 * @returns to be called once an isolate was made from it.
 */
export async function prepareGuest(parts: GuestCacheParts): Promise<() => void> {
  const { disk, file, builder } = parts;
  const mark = `${file}.trying`;
  const found = disk.exists(mark) ? null : snapshotIn(disk.read(file), builder);
  if (found !== null) {
    disk.makeFolder(mark);
    restoreGuestCode(found);
    return () => disk.remove(mark);
  }
  const { snapshot } = await guestCode();
  const bytes = new Uint8Array(snapshot.copy());
  disk.writeAtomically(file, Buffer.concat([digestOf(builder), digestOf(bytes), bytes]));
  disk.remove(mark);
  return () => {};
}

/** @returns the snapshot in a kept file, or null when it is another's or damaged. */
export function snapshotIn(kept: Uint8Array | null, builder: string): ArrayBuffer | null {
  if (kept === null || kept.length <= 2 * digestBytes) return null;
  const bytes = kept.subarray(2 * digestBytes);
  if (!digestOf(builder).equals(kept.subarray(0, digestBytes))) return null;
  if (!digestOf(bytes).equals(kept.subarray(digestBytes, 2 * digestBytes))) return null;
  // A copy of exactly these bytes: `bytes.buffer` would be the whole file.
  return new Uint8Array(bytes).buffer;
}

function digestOf(bytes: Uint8Array | string): Buffer {
  return createHash("sha256").update(bytes).digest();
}
