// One server for one data folder. The lock is SQLite's own on an empty database file: the system lets go of
// it when the process ends, however it ends, so there is no stale lock to remove by hand, and no pid to trust.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { PlatformError } from "../base/platform-error.ts";
import { storeError } from "../store/sqlite/sqlite-error.ts";

/** A data folder that is ours. */
export interface DataLock {
  /** Lets go of it; nothing happens the second time. */
  release(): void;
}

/** Primary result code of a lock that another connection has. @see https://sqlite.org/rescode.html */
const resultBusy = 5;

/** The cause of DATA_LOCKED: for the operator, who may know the path. */
export class DataFolderHeld extends Error {
  readonly folder: string;

  constructor(folder: string, cause: unknown) {
    super(`Another process works in ${folder}.`, { cause });
    this.folder = folder;
  }
}

/**
 * Takes the folder. @param folder absolute; made when it is not there.
 * @throws DATA_LOCKED when another server, of this process or another one, has it; DISK_FULL; STORE_FAILED when it can't be
 * made or written to.
 */
export function lockDataFolder(disk: Disk, folder: string): DataLock {
  makeDataFolder(disk, folder);
  const database = openLock(folder);
  try {
    database.exec("BEGIN EXCLUSIVE");
    // A file that may only be read is opened all the same, and BEGIN then takes no more than a reader's lock.
    database.exec("PRAGMA user_version = 0");
  } catch (cause) {
    database.close();
    const told = storeError(cause);
    if (told instanceof PlatformError && told.code === "DISK_FULL") throw told;
    const { errcode } = cause as { readonly errcode?: unknown };
    if (typeof errcode !== "number" || (errcode & 0xff) !== resultBusy)
      throw unusable(folder, cause);
    throw new PlatformError("DATA_LOCKED", {}, { cause: new DataFolderHeld(folder, cause) });
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

/** Makes the folder when it is not there. @throws STORE_FAILED when it can't be made. */
function makeDataFolder(disk: Disk, folder: string): void {
  try {
    disk.makeFolder(folder);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function openLock(folder: string): DatabaseSync {
  try {
    return new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function unusable(folder: string, cause: unknown): PlatformError {
  const told = new Error(`${folder} can't be used as a data folder.`, { cause });
  return new PlatformError("STORE_FAILED", {}, { cause: told });
}
