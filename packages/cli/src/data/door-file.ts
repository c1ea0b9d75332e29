// `door.json` in the data folder: where the server that holds the folder can be asked by its operator, and
// the secret that proves one may read the folder. Written when a server starts, removed when it ends; one
// that was left behind leads nowhere, which is told apart by asking.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * Writes the file, readable by its owner only; one that leads elsewhere is gone in any case.
 * @returns false when the disk is full. @throws what else the system says.
 */
export function writeDoorFile(dataDir: string, door: DoorFile): boolean {
  const path = pathOf(dataDir);
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(door)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return true;
  } catch (error) {
    rmSync(`${path}.new`, { force: true });
    rmSync(path, { force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

/** @returns null when there is none, or none that can be read. */
export function readDoorFile(dataDir: string): DoorFile | null {
  try {
    const door = JSON.parse(readFileSync(pathOf(dataDir), "utf8")) as DoorFile;
    return typeof door.port === "number" && typeof door.secret === "string" ? door : null;
  } catch {
    return null;
  }
}

/** Removes the file, if it is still the one that was written. */
export function removeDoorFile(dataDir: string, secret: string): void {
  if (readDoorFile(dataDir)?.secret === secret) rmSync(pathOf(dataDir), { force: true });
}

function pathOf(dataDir: string): string {
  return join(dataDir, "door.json");
}
