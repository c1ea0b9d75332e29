// Reads a file of users as records, whatever system wrote it: rows of CSV and NDJSON as they come, JSON that is a list
// or holds one (`{ "users": [...] }`), and PocketBase's own database.
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import type { Json } from "@keelson/sdk/spec";
import { exits, Failure } from "../flags/failure.ts";
import { assertFile, formatOf, openRecordSource } from "./record-source.ts";
import { asFields, type SourceRecord } from "./source-record.ts";

const formatFix =
  "Give the file a name that ends as what it holds: users.ndjson. What each system can write: docs/guides/bring-users.md.";

/** Records in file order. @param collection of PocketBase's users, where the file is its database. @throws Failure. */
export async function* readUserRecords(
  file: string,
  collection: string,
): AsyncGenerator<readonly SourceRecord[]> {
  assertFile(file);
  const ending = extname(file).toLowerCase();
  if (ending === ".db" || ending === ".sqlite") {
    yield* readPocketbase(file, collection);
    return;
  }
  const format = formatOf(file, null, formatFix);
  if (format === "json") yield recordsOfJson(file);
  else yield* openRecordSource(file, format).records();
}

function recordsOfJson(file: string): readonly SourceRecord[] {
  const value = parsedFile(file);
  const inner = asFields(value);
  const list = inner === null ? value : (inner["users"] ?? inner["Users"] ?? null);
  if (!Array.isArray(list)) {
    throw new Failure(exits.refused, {
      code: "FILE_INVALID",
      what: `${file} holds no users.`,
      why: 'It is neither a list nor an object with a list "users" or "Users".',
      fix: "Check --from, and that the export was finished.",
    });
  }
  return (list as readonly Json[]).map((item, index): SourceRecord => {
    const fields = asFields(item);
    // JSON has no lines of its own: a record is told by its place.
    const line = index + 1;
    if (fields !== null) return { kind: "record", line, value: fields };
    return { kind: "broken", line, reason: "it is no object", text: JSON.stringify(item) };
  });
}

function parsedFile(file: string): Json {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Json;
  } catch (cause) {
    const isSyntax = cause instanceof SyntaxError;
    throw new Failure(
      isSyntax ? exits.refused : exits.fileFailed,
      {
        code: isSyntax ? "FILE_INVALID" : "FILE_UNREADABLE",
        what: `${file} can't be read${isSyntax ? " as JSON" : ""}.`,
        why: (cause as Error).message,
        fix: isSyntax
          ? "Check that the export was finished."
          : "Check the name, and that you may read it.",
      },
      { cause },
    );
  }
}

/** Users of a collection with their accounts elsewhere, whose table has had two names. */
async function* readPocketbase(
  file: string,
  collection: string,
): AsyncGenerator<readonly SourceRecord[]> {
  const { DatabaseSync } = await import("node:sqlite");
  try {
    using database = new DatabaseSync(file, { readOnly: true });
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => String(name));
    if (!tables.includes(collection)) {
      throw new Error(`it has no collection ${collection}`);
    }
    const auths = tables.find((name) => name === "_externalAuths");
    const find =
      auths === undefined
        ? null
        : database.prepare(
            `SELECT provider, providerId FROM _externalAuths WHERE ${recordColumn(database)} = ?`,
          );
    const rows = database.prepare(`SELECT * FROM "${collection.replaceAll('"', '""')}"`).iterate();
    let line = 0;
    for (const row of rows) {
      line += 1;
      const externalAuths = find === null ? [] : find.all(row["id"] ?? null);
      yield [
        {
          kind: "record",
          line,
          value: JSON.parse(JSON.stringify({ ...row, externalAuths })) as never,
        },
      ];
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(
      exits.fileFailed,
      {
        code: "FILE_UNREADABLE",
        what: `${file} can't be read as PocketBase's database.`,
        why: (cause as Error).message,
        fix: "Name pb_data/data.db, and the collection with --collection when it is not users.",
      },
      { cause },
    );
  }
}

function recordColumn(database: { prepare(sql: string): { all(): unknown[] } }): string {
  const columns = database.prepare("PRAGMA table_info(_externalAuths)").all();
  const names = columns.map((column) => String((column as { readonly name?: unknown }).name));
  return names.includes("recordRef") ? "recordRef" : "recordId";
}
