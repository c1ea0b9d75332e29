// The physical layout: DDL of a manifest's tables and of the engine's own (prefix `_`).
// docs/internals/data.md shows the bytes and why it is so. Names of indexes are derived from what they
// index, so that the schema of a file can be compared with the manifest's, text by text.
import type { ColumnLayout, StorageClass, StoreLayout, TableLayout } from "../table-layout.ts";
import { textHash } from "../text-hash.ts";
import { compileStaticWhere } from "./sql-where.ts";
import { sqlName } from "./sql-text.ts";

/** An object of the schema: what it is called and how it is made. */
export interface SchemaObject {
  readonly name: string;
  readonly sql: string;
  /** How it was made before; a file that has it so is brought to `sql` when it is opened for writing. */
  readonly earlierSql?: string;
}

/** Tables of the engine. `_commit` holds one row per mutation: its changes, and the answer to its key. */
export const internalSchema: readonly SchemaObject[] = [
  {
    name: "_meta",
    sql: `CREATE TABLE "_meta" (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  },
  {
    name: "_rows",
    sql: `CREATE TABLE "_rows" (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  },
  {
    name: "_commit",
    sql: `CREATE TABLE "_commit" (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, by TEXT, cause TEXT NOT NULL, request TEXT NOT NULL, scope TEXT, key TEXT, hash TEXT, answer TEXT, changes TEXT NOT NULL) STRICT`,
  },
  {
    // Keys that grow with time, as many clients make them, come to stand side by side: a group then writes one
    // page of this index. By scope first it would be one for each caller.
    name: "_commit_key",
    sql: `CREATE UNIQUE INDEX "_commit_key" ON "_commit" (key, scope) WHERE key IS NOT NULL`,
    earlierSql: `CREATE UNIQUE INDEX "_commit_key" ON "_commit" (scope, key) WHERE key IS NOT NULL`,
  },
];

/** The table of a layout. @param name another name while a table is rebuilt. */
export function tableSql(table: TableLayout, name: string = table.name): string {
  const columns = table.columns.map((column) => columnSql(table, column));
  return `CREATE TABLE ${sqlName(name)} ("_n" INTEGER PRIMARY KEY, ${columns.join(", ")}) STRICT`;
}

/** Every index of a table, unique ones first. */
export function indexObjects(table: TableLayout): readonly SchemaObject[] {
  const objects = new Map<string, SchemaObject>();
  const add = (
    fields: readonly string[],
    unique: boolean,
    where: TableLayout["indexes"][0]["where"],
  ) => {
    const columns = unique || fields.includes("id") ? fields : [...fields, "id"];
    const condition = where === null ? "" : compileStaticWhere(table, where);
    const kind = unique ? "unique" : "index";
    const partial = condition === "" ? "" : `:${textHash(condition)}`;
    const name = `${table.name}:${kind}:${columns.join(",")}${partial}`;
    objects.set(name, {
      name,
      sql:
        `CREATE ${unique ? "UNIQUE " : ""}INDEX ${sqlName(name)} ON ${sqlName(table.name)} ` +
        `(${columns.map(sqlName).join(", ")})${condition === "" ? "" : ` WHERE ${condition}`}`,
    });
  };
  for (const { fields, where } of table.uniques) add(fields, true, where);
  for (const { fields, where } of table.indexes) add(fields, false, where);
  for (const { field } of table.refs) {
    // A deletion and an expansion look for the rows that refer to one: never without an index.
    const served = [...table.uniques, ...table.indexes].some(
      (index) => index.where === null && index.fields[0] === field,
    );
    if (!served) add([field], false, null);
  }
  return [...objects.values()];
}

/** The full-text index of a table: it keeps words and places, not the text. Null when there is none. */
export function searchObject(table: TableLayout): SchemaObject | null {
  if (table.search.length === 0) return null;
  const name = searchName(table.name);
  const columns = table.search.map(sqlName).join(", ");
  return {
    name,
    sql: `CREATE VIRTUAL TABLE ${sqlName(name)} USING fts5(${columns}, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3')`,
  };
}

/** What the full-text index of a table is called. */
export function searchName(table: string): string {
  return `_search_${table}`;
}

/** All objects of a layout: tables, then indexes, then full-text indexes. */
export function schemaObjects(layout: StoreLayout): readonly SchemaObject[] {
  const tables = [...layout.values()];
  return [
    ...internalSchema,
    ...tables.map((table) => ({ name: table.name, sql: tableSql(table) })),
    ...tables.flatMap(indexObjects),
    ...tables.map(searchObject).filter((object) => object !== null),
  ];
}

/** A column's definition. */
export function columnSql(table: TableLayout, column: ColumnLayout): string {
  const type = columnType(column.storage);
  if (column.name === "id") return `"id" TEXT NOT NULL UNIQUE`;
  const ref = table.refs.find((each) => each.field === column.name);
  const required = column.optional ? "" : " NOT NULL";
  // A net below the code that decides onDelete: it is never what a caller sees.
  const reference = ref === undefined ? "" : ` REFERENCES ${sqlName(ref.target)} ("id")`;
  return `${sqlName(column.name)} ${type}${required}${reference}`;
}

function columnType(storage: StorageClass): string {
  switch (storage) {
    case "text":
    case "json":
      return "TEXT";
    case "integer":
    case "bool":
      return "INTEGER";
    case "real":
      return "REAL";
    case "bytes":
      return "BLOB";
    default:
      return storage satisfies never;
  }
}
