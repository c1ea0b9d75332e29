// Whether a database is whole, also while it is written to: pages, indexes and references of one snapshot, with what the
// log holds and the file does not have yet.
import { DatabaseSync } from "node:sqlite";
import { PlatformError } from "../../base/platform-error.ts";
import { storeError } from "./sqlite-error.ts";

/**
 * Reads a whole database as its readers see it. Until it ends, the log does not begin anew.
 * @throws STORE_FAILED, with what is wrong as its cause.
 */
export function verifySqlite(path: string): void {
  let found: string | null;
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      db.exec("BEGIN");
      found = brokenPage(db) ?? brokenReference(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeError(error);
  }
  if (found !== null) {
    throw new PlatformError("STORE_FAILED", { problem: "damaged" }, { cause: new Error(found) });
  }
}

function brokenPage(db: DatabaseSync): string | null {
  const found = String(db.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"]);
  return found === "ok" ? null : found;
}

/** The engine's check of its pages does not look at references. */
function brokenReference(db: DatabaseSync): string | null {
  const broken = db.prepare("PRAGMA foreign_key_check").get();
  if (broken === undefined) return null;
  const { table, rowid, parent, fkid } = broken as Record<string, string | number>;
  const keys = db.prepare('SELECT id, "from" FROM pragma_foreign_key_list(?)').all(String(table));
  const field = String(keys.find(({ id }) => id === fkid)?.["from"]);
  const name = String(table).replaceAll('"', '""');
  const row = db.prepare(`SELECT "id" FROM "${name}" WHERE "_n" = ?`).get(Number(rowid))?.["id"];
  return `${table}.${field} of ${String(row)} refers to a ${parent} that is not there`;
}
