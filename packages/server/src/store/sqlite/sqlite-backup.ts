// A consistent copy of a file while it is written to, by the engine's online backup, and the proof that the
// copy can be opened and is whole.
import { backup, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { PlatformError } from "../../base/platform-error.ts";
import { readSchema } from "./schema-state.ts";
import { storeError } from "./sqlite-error.ts";

/** Pages copied before other work gets its turn: 4 MiB. */
const pagesPerStep = 1_024;

/**
 * Copies `path` to `target`.
 * @param target a path where nothing is, or an empty file, made by whoever says who may read it: one that holds
 * something is refused, never written over.
 * @throws STORE_FAILED, DISK_FULL; also when the copy turns out to be damaged.
 */
export async function backupSqlite(path: string, target: string): Promise<void> {
  assertNothingAt(target);
  const source = new DatabaseSync(path, { readOnly: true });
  try {
    // One snapshot for all steps. Without it the engine begins again whenever somebody commits in between,
    // and under steady writes never ends.
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM sqlite_schema").get();
    await backup(source, target, { rate: pagesPerStep });
  } catch (error) {
    throw storeError(error);
  } finally {
    source.close();
  }
  checkSqlite(target);
}

/**
 * Reads a whole file: its pages, and that the database is one of ours. An empty file, as a copy that failed
 * leaves it, is a whole database to the engine.
 * @throws STORE_FAILED with what is wrong.
 */
export function checkSqlite(path: string): void {
  let found: string;
  try {
    // Immutable: the bytes of this file alone count, and nothing is made beside it.
    const db = new DatabaseSync(new URL("?immutable=1", pathToFileURL(path)), { readOnly: true });
    try {
      found = String(db.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"]);
      if (found === "ok" && readSchema(db) === null) {
        throw new PlatformError("STORE_FAILED", { problem: "The file holds no tables." });
      }
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeError(error);
  }
  if (found !== "ok") {
    throw new PlatformError("STORE_FAILED", { problem: "damaged" }, { cause: new Error(found) });
  }
}

function assertNothingAt(target: string): void {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(target, { readOnly: true });
  } catch {
    // It cannot be opened for reading: there is no file.
    return;
  }
  try {
    if (db.prepare("PRAGMA page_count").get()?.["page_count"] === 0) return;
  } catch {
    // A file of another kind.
  } finally {
    db.close();
  }
  throw new PlatformError("STORE_FAILED", { problem: "The target of a backup must not exist." });
}
