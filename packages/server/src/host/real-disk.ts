// The machine's disk behind the port of base/disk.ts. A file replaced here is on the disk, with its folder's
// entry, before the call returns.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Disk, DiskEntry } from "../base/disk.ts";
import { PlatformError } from "../base/platform-error.ts";

const fileMode = 0o600;
const folderMode = 0o700;
let written = 0;

/** The disk of a real host. Failures other than "there is none" throw as the system tells them. */
export const realDisk: Disk = Object.freeze({
  read: (path: string) => orNull(() => readFileSync(path)),
  async readLater(path: string) {
    try {
      return await readFile(path);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  },
  writeAtomically,
  makeFolder(path: string, mode: number = folderMode) {
    mkdirSync(path, { recursive: true, mode });
  },
  list(path: string) {
    const names = orNull(() => readdirSync(path)) ?? [];
    const entries = names.toSorted().map((name) => entryOf(join(path, name)));
    return entries.filter((entry) => entry !== null);
  },
  stat: entryOf,
  realPath: (path: string) => orNull(() => realpathSync(path)),
  exists: (path: string) => existsSync(path),
  remove(path: string) {
    rmSync(path, { recursive: true, force: true });
  },
});

/** Writes beside the file, syncs, renames over it, and syncs the folder: rename is atomic (POSIX). */
function writeAtomically(path: string, bytes: Uint8Array | string, mode: number = fileMode): void {
  written += 1;
  const beside = `${path}.${process.pid}.${written}.new`;
  try {
    const file = openSync(beside, "wx", mode);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(beside, { force: true });
    if (hasCode(cause, "ENOSPC")) throw new PlatformError("DISK_FULL", {}, { cause });
    throw cause;
  }
}

/**
 * Makes the names in a folder durable. Some systems can't open one (Windows); there a rename is durable by itself.
 * @throws what the system says.
 */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function entryOf(path: string): DiskEntry | null {
  const stat = orNull(() => statSync(path));
  if (stat === null) return null;
  const isFile = stat.isFile();
  const other = stat.isDirectory() ? "folder" : "other";
  return {
    name: basename(path),
    kind: isFile ? "file" : other,
    bytes: isFile ? stat.size : 0,
    modifiedMs: stat.mtimeMs,
  };
}

function orNull<T>(attempt: () => T): T | null {
  try {
    return attempt();
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR") || hasCode(error, "ENAMETOOLONG");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
