// The physical side of a migration: tables made, rebuilt and dropped, indexes and full-text indexes put
// right. Runs inside one transaction with references unenforced; the caller checks them before the commit.
import type { DatabaseSync } from "node:sqlite";
import type { TableLayout } from "../table-layout.ts";
import { isReordered, isSameColumn, mappedSelect, type TableMap } from "./migrate-map.ts";
import type { SchemaDifference } from "./migrate-plan.ts";
import {
  columnSql,
  indexObjects,
  internalSchema,
  searchName,
  searchObject,
  tableSql,
} from "./sqlite-schema.ts";
import { sqlName } from "./sql-text.ts";

/** Called before each physical step with its name; nothing in production. A test may fail there. */
export type StepHook = (name: string) => void;

/** Brings the file to the new layout. */
export function applyDifference(
  db: DatabaseSync,
  difference: SchemaDifference,
  hook: StepHook,
): void {
  const run = (name: string, sql: string) => {
    hook(name);
    db.exec(sql);
  };
  if (difference.from === null) {
    for (const { name, sql } of internalSchema) run(`create ${name}`, sql);
  }
  for (const table of difference.created) run(`create ${table.name}`, tableSql(table));
  for (const map of difference.maps) {
    if (needsRebuild(map) && !isAppended(map)) {
      rebuild(run, map);
      continue;
    }
    append(run, map);
    changeIndexes(run, map);
  }
  for (const table of difference.dropped) {
    if (table.search.length > 0) run(`drop search ${table.name}`, dropSearch(table));
    run(`drop ${table.name}`, `DROP TABLE ${sqlName(table.name)}`);
    run(
      `forget ${table.name}`,
      `DELETE FROM "_rows" WHERE name = '${table.name.replaceAll("'", "''")}'`,
    );
  }
  for (const table of difference.created) {
    for (const { name, sql } of indexObjects(table)) run(`index ${name}`, sql);
    const search = searchObject(table);
    if (search !== null) run(`search ${table.name}`, search.sql);
  }
}

type Run = (name: string, sql: string) => void;

/** Whether columns only come, absent in every row, after those that are there: no row is touched then. */
function isAppended(map: TableMap): boolean {
  const before = map.old.columns.length;
  return (
    map.columns.length > before &&
    !isReordered(map) &&
    map.columns.slice(0, before).every(isSameColumn) &&
    map.columns.slice(before).every(({ column, source }) => source === null && column.optional)
  );
}

/** Whether rows or the table's definition change; a change of what the app allows is no change here. */
function needsRebuild(map: TableMap): boolean {
  return (
    map.dropped.length > 0 ||
    map.columns.length !== map.old.columns.length ||
    !map.columns.every(isSameColumn) ||
    isReordered(map)
  );
}

function append(run: Run, { table, old }: TableMap): void {
  for (const column of table.columns.slice(old.columns.length)) {
    run(
      `append ${table.name}.${column.name}`,
      `ALTER TABLE ${sqlName(table.name)} ADD COLUMN ${columnSql(table, column)}`,
    );
  }
}

/** A new table beside the old one, filled, and put in its place. Numbers of rows stay as they are. */
function rebuild(run: Run, map: TableMap): void {
  const { table, old } = map;
  const name = sqlName(table.name);
  const next = `_new_${table.name}`;
  run(`make ${next}`, tableSql(table, next));
  const columns = ["_n", ...table.columns.map((column) => column.name)].map(sqlName).join(", ");
  run(
    `fill ${next}`,
    `INSERT INTO ${sqlName(next)} (${columns}) ${mappedSelect(map)} ORDER BY "_n"`,
  );
  if (old.search.length > 0) run(`drop search ${table.name}`, dropSearch(old));
  run(`drop old ${table.name}`, `DROP TABLE ${sqlName(old.name)}`);
  run(`rename ${next}`, `ALTER TABLE ${sqlName(next)} RENAME TO ${name}`);
  for (const index of indexObjects(table)) run(`index ${index.name}`, index.sql);
  makeSearch(run, table);
}

function changeIndexes(run: Run, { table, old }: TableMap): void {
  const before = new Map(indexObjects(old).map((index) => [index.name, index.sql]));
  const after = new Map(indexObjects(table).map((index) => [index.name, index.sql]));
  for (const [name, sql] of before) {
    if (after.get(name) !== sql) run(`drop index ${name}`, `DROP INDEX ${sqlName(name)}`);
  }
  for (const [name, sql] of after) if (before.get(name) !== sql) run(`index ${name}`, sql);
  if (searchObject(table)?.sql === searchObject(old)?.sql) return;
  if (old.search.length > 0) run(`drop search ${table.name}`, dropSearch(old));
  makeSearch(run, table);
}

function makeSearch(run: Run, table: TableLayout): void {
  const search = searchObject(table);
  if (search === null) return;
  run(`search ${table.name}`, search.sql);
  const fields = table.search.map(sqlName).join(", ");
  run(
    `fill search ${table.name}`,
    `INSERT INTO ${sqlName(search.name)} (rowid, ${fields}) SELECT "_n", ${fields} FROM ${sqlName(table.name)}`,
  );
}

function dropSearch(table: TableLayout): string {
  return `DROP TABLE ${sqlName(searchName(table.name))}`;
}
