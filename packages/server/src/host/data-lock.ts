// One server for one data folder. The lock is SQLite's own on an empty database file: the system lets go of
// it when the process ends, however it ends, so there is no stale lock to remove by hand, and no pid to trust.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { PlatformError } from "../base/platform-error.ts";

/** A data folder that is ours. */
export interface DataLock {
  /** Lets go of it; nothing happens the second time. */
  release(): void;
}

/**
 * Takes the folder. @param folder absolute; made when it is not there.
 * @throws DATA_LOCKED when another server, of this process or another one, has it.
 */
export function lockDataFolder(disk: Disk, folder: string): DataLock {
  disk.makeFolder(folder);
  const database = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new PlatformError("DATA_LOCKED", {}, { cause });
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}
