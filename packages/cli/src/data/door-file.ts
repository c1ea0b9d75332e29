// `door.json` in the data folder: where the server that holds the folder can be asked by its operator, and
// the secret that proves one may read the folder. Written when a server starts, removed when it ends; one
// that was left behind leads nowhere, which is told apart by asking. One that came with a copy of the folder leads to
// the server of the other folder, which is told apart by the mark of the folder itself.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the file says. */
export interface DoorFile {
  /** Loopback port of the operator's door. */
  readonly port: number;
  readonly secret: string;
  readonly pid: number;
  /** Where the app itself is served. */
  readonly url: string;
}

interface MarkedDoor extends DoorFile {
  /** The folder's: see folderMark. */
  readonly folder: string;
}

/**
 * Writes the file, readable by its owner only; one that leads elsewhere is gone in any case.
 * @returns false when the disk is full. @throws what else the system says.
 */
export function writeDoorFile(dataDir: string, door: DoorFile): boolean {
  const path = pathOf(dataDir);
  try {
    const marked: MarkedDoor = { ...door, folder: folderMark(dataDir) };
    writeFileSync(`${path}.new`, `${JSON.stringify(marked)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return true;
  } catch (error) {
    rmSync(`${path}.new`, { force: true });
    rmSync(path, { force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

/** @returns null when there is none, none that can be read, or that of another folder. */
export function readDoorFile(dataDir: string): DoorFile | null {
  try {
    const door = JSON.parse(readFileSync(pathOf(dataDir), "utf8")) as MarkedDoor;
    if (door.folder !== folderMark(dataDir)) return null;
    return typeof door.port === "number" && typeof door.secret === "string" ? door : null;
  } catch {
    return null;
  }
}

/** Removes the file, if it is still the one that was written. */
export function removeDoorFile(dataDir: string, secret: string): void {
  if (readDoorFile(dataDir)?.secret === secret) rmSync(pathOf(dataDir), { force: true });
}

/** Stays when the folder is renamed; a copy has another. */
function folderMark(dataDir: string): string {
  const { dev, ino } = statSync(dataDir, { bigint: true });
  return `${dev}:${ino}`;
}

function pathOf(dataDir: string): string {
  return join(dataDir, "door.json");
}
