// What a file says its schema is: the part of the manifest that it was last brought to, kept in `_meta`,
// and whether the file's real tables and indexes are those (drift: somebody changed them by hand).
import type { DatabaseSync } from "node:sqlite";
import { PlatformError } from "../../base/platform-error.ts";
import { layoutOf, type StoredTable, type StoredTables } from "../table-layout.ts";
import { internalSchema, schemaObjects } from "./sqlite-schema.ts";
import { sqlName } from "./sql-text.ts";

/** Raised when what lies in the engine's own tables changes: a version that came before refuses the file. */
const formatVersion = "2";
/** Read as they are, and raised when the file is opened for writing. "1": entries of the log with each id twice. */
const earlierFormats = ["1"];

/** The part of a manifest's tables that a store depends on, in one spelling. */
export function storedTables(tables: StoredTables): StoredTables {
  const stored = Object.entries(tables).map(([name, { fields, indexes, search }]) => {
    const table: StoredTable = { fields, indexes, search };
    return [name, table] as const;
  });
  return Object.fromEntries(stored);
}

/**
 * The schema that a file holds.
 * @returns null when it is empty.
 * @throws STORE_FAILED when it is a database of something else, or of a later version.
 */
export function readSchema(db: DatabaseSync): StoredTables | null {
  const names = db.prepare("SELECT name FROM sqlite_schema").all();
  if (names.length === 0) return null;
  if (!names.some((row) => row["name"] === "_meta")) {
    throw new PlatformError("STORE_FAILED", {
      problem: "The file is a database of something else.",
    });
  }
  const meta = new Map(
    db
      .prepare(`SELECT name, value FROM "_meta"`)
      .all()
      .map((row) => [String(row["name"]), String(row["value"])]),
  );
  if (![formatVersion, ...earlierFormats].includes(meta.get("format") ?? "")) {
    throw new PlatformError("STORE_FAILED", {
      problem: "The file is of another version of Keelson.",
    });
  }
  return JSON.parse(meta.get("schema") ?? "{}") as StoredTables;
}

/** Notes the schema that the file now has. */
export function writeSchema(db: DatabaseSync, tables: StoredTables): void {
  const put = db.prepare(`INSERT OR REPLACE INTO "_meta" VALUES (?, ?)`);
  put.run("format", formatVersion);
  put.run("schema", JSON.stringify(storedTables(tables)));
}

/** What differs between a file and the schema that it should have; `[]` when nothing does. */
export function findDrift(db: DatabaseSync, tables: StoredTables): readonly string[] {
  const wanted = new Map(
    schemaObjects(layoutOf(tables)).map((object) => [object.name, object] as const),
  );
  const drift: string[] = [];
  const found = new Set<string>();
  const rows = db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  for (const row of rows) {
    const name = String(row["name"]);
    found.add(name);
    if (isShadow(name, wanted) || name.startsWith("sqlite_")) continue;
    const object = wanted.get(name);
    if (object === undefined) drift.push(`"${name}" is not part of the app`);
    else if (object.sql !== row["sql"] && object.earlierSql !== row["sql"]) {
      drift.push(`"${name}" is not as the app defines it`);
    }
  }
  for (const name of wanted.keys()) if (!found.has(name)) drift.push(`"${name}" is missing`);
  return drift;
}

/** Makes the indexes of the engine's own tables anew where a file has them as they were before, and raises its format. */
export function renewEngine(db: DatabaseSync): void {
  const made = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ? AND sql = ?");
  const outdated = internalSchema.filter(
    ({ name, earlierSql }) => earlierSql !== undefined && made.get(name, earlierSql) !== undefined,
  );
  const isEarlier = db.prepare(`SELECT 1 FROM "_meta" WHERE name = 'format' AND value <> ?`);
  if (outdated.length === 0 && isEarlier.get(formatVersion) === undefined) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const { name, sql } of outdated) db.exec(`DROP INDEX ${sqlName(name)}; ${sql}`);
    db.prepare(`UPDATE "_meta" SET value = ? WHERE name = 'format'`).run(formatVersion);
    db.exec("COMMIT");
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

/** The tables that a full-text index keeps its words in. */
function isShadow(name: string, wanted: ReadonlyMap<string, unknown>): boolean {
  const end = name.lastIndexOf("_");
  return name.startsWith("_search_") && !wanted.has(name) && wanted.has(name.slice(0, end));
}
