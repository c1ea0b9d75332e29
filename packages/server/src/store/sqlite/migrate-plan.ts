// The difference between the schema of a file and a manifest's, as steps with counts. Renames are never
// guessed: they show as a column that goes and one that comes, until they are named.
import type { DatabaseSync } from "node:sqlite";
import type { FieldSpec } from "@keelson/sdk/spec";
import { PlatformError } from "../../base/platform-error.ts";
import {
  layoutOf,
  type ColumnLayout,
  type StoreLayout,
  type StoredTables,
  type TableLayout,
} from "../table-layout.ts";
import { checkRows } from "./migrate-check.ts";
import {
  isReordered,
  isSameColumn,
  mapTable,
  valueSpec,
  type Renamed,
  type TableMap,
} from "./migrate-map.ts";
import { countText, rowsText, safeStep, type MigrationStep } from "./migrate-step.ts";
import { findDrift, readSchema } from "./schema-state.ts";
import { indexObjects, searchObject } from "./sqlite-schema.ts";
import { sqlName } from "./sql-text.ts";

/** What there is to do, worked out against the rows of a file. */
export interface SchemaDifference {
  /** Null when the file is empty. */
  readonly from: StoredTables | null;
  readonly oldLayout: StoreLayout;
  readonly layout: StoreLayout;
  /** Tables that stay, mapped. */
  readonly maps: readonly TableMap[];
  readonly created: readonly TableLayout[];
  readonly dropped: readonly TableLayout[];
  readonly steps: readonly MigrationStep[];
  readonly drift: readonly string[];
}

/**
 * Compares a file with a manifest.
 * @param options.renamed old names by new ones: `{ "film.rating": "score" }`.
 * @param options.now RFC 3339, for defaults that are the time of the call; null: there is no clock.
 * @throws ARGUMENT_INVALID for a rename of something that is not there.
 */
export function compareSchema(
  db: DatabaseSync,
  tables: StoredTables,
  options: { readonly renamed: Renamed; readonly now: string | null },
): SchemaDifference {
  const from = readSchema(db);
  const oldLayout = layoutOf(from ?? {});
  const layout = layoutOf(tables);
  checkRenamed(oldLayout, layout, options.renamed);
  const maps: TableMap[] = [];
  for (const table of layout.values()) {
    const old = oldLayout.get(table.name);
    if (old !== undefined) maps.push(mapTable(old, table, options.renamed, options.now));
  }
  const created = [...layout.values()].filter((table) => !oldLayout.has(table.name));
  const dropped = [...oldLayout.values()].filter((table) => !layout.has(table.name));
  const staying = new Set(maps.map((map) => map.table.name));
  const drift = from === null ? [] : findDrift(db, from);
  // Rows of a file that is not as it says can't be judged.
  const steps =
    drift.length > 0
      ? []
      : [
          ...created.map((table) => safeStep(`create table ${table.name}`)),
          ...maps.flatMap((map) => [...columnSteps(db, map), ...checkRows(db, map, staying)]),
          ...maps.flatMap(indexSteps),
          ...dropped.map((table) => dropTable(db, table)),
        ];
  return { from, oldLayout, layout, maps, created, dropped, steps, drift };
}

/** How many rows a table holds. */
export function countRows(db: DatabaseSync, table: string, where = "1"): number {
  return Number(
    db.prepare(`SELECT count(*) AS n FROM ${sqlName(table)} WHERE ${where}`).get()?.["n"],
  );
}

function columnSteps(db: DatabaseSync, map: TableMap): readonly MigrationStep[] {
  const { table, old } = map;
  const steps: MigrationStep[] = [];
  for (const each of map.columns) {
    const { column, source, fill } = each;
    const name = `${table.name}.${column.name}`;
    if (source === null) {
      const rows = column.optional || fill === null ? 0 : countRows(db, old.name);
      steps.push(
        safeStep(`add column ${name}`, rows === 0 ? null : `${rowsText(rows)} get the default`),
      );
      continue;
    }
    if (isOtherCurrency(source.spec, column.spec)) {
      steps.push(changeCurrency(db, old, source, column));
    }
    if (source.name !== column.name) {
      steps.push(safeStep(`rename column ${old.name}.${source.name} to ${column.name}`));
    } else if (!isSameColumn(each) || valueSpec(source.spec) !== valueSpec(column.spec)) {
      steps.push(safeStep(`change column ${name}`));
    }
  }
  const added = map.columns.filter(({ source }) => source === null);
  for (const column of map.dropped) {
    const candidates = added.filter((each) => each.column.storage === column.storage);
    steps.push(
      dropColumn(
        db,
        old,
        column.name,
        candidates.map((each) => each.column.name),
      ),
    );
  }
  if (steps.length === 0 && isReordered(map)) {
    steps.push(safeStep(`rebuild table ${table.name}`, "its columns are in another order"));
  }
  return steps;
}

function dropColumn(
  db: DatabaseSync,
  table: TableLayout,
  field: string,
  added: readonly string[],
): MigrationStep {
  const name = `drop column ${table.name}.${field}`;
  const { rows, examples } = holding(db, table, field);
  if (rows === 0) return safeStep(name, "no row holds a value");
  const total = countText(countRows(db, table.name));
  const text = `${name}: ${countText(rows)} of ${total} rows hold a value`;
  const rename = added.find((each) => each !== field);
  return {
    name,
    kind: "destructive",
    text,
    rows,
    examples,
    ...(rename === undefined
      ? {}
      : {
          hint: `If it was renamed, say so: keelson migrate --rename ${table.name}.${field}=${rename}`,
        }),
  };
}

function isOtherCurrency(from: FieldSpec, to: FieldSpec): boolean {
  return from.kind === "money" && to.kind === "money" && from.currency !== to.currency;
}

/** Amounts stay the numbers that they are, and would mean others. */
function changeCurrency(
  db: DatabaseSync,
  old: TableLayout,
  from: ColumnLayout,
  to: ColumnLayout,
): MigrationStep {
  const currency = ({ spec }: ColumnLayout) => (spec.kind === "money" ? spec.currency : "none");
  const change = `from ${currency(from)} to ${currency(to)}`;
  const name = `change currency ${old.name}.${from.name} ${change}`;
  const { rows, examples } = holding(db, old, from.name);
  if (rows === 0) return safeStep(name, "no row holds a value");
  const total = countText(countRows(db, old.name));
  const text = `${name}: ${countText(rows)} of ${total} rows hold an amount, which is not converted`;
  return { name, kind: "destructive", text, rows, examples };
}

/** The rows with a value in a field. */
function holding(db: DatabaseSync, table: TableLayout, field: string) {
  const held = `${sqlName(field)} IS NOT NULL`;
  const examples = db
    .prepare(`SELECT id FROM ${sqlName(table.name)} WHERE ${held} ORDER BY id LIMIT 5`)
    .all()
    .map((row) => String(row["id"]));
  return { rows: countRows(db, table.name, held), examples };
}

function dropTable(db: DatabaseSync, table: TableLayout): MigrationStep {
  const name = `drop table ${table.name}`;
  const rows = countRows(db, table.name);
  if (rows === 0) return safeStep(name, "it has no rows");
  const examples = db.prepare(`SELECT id FROM ${sqlName(table.name)} ORDER BY id LIMIT 5`).all();
  return {
    name,
    kind: "destructive",
    text: `${name}: ${rowsText(rows)} ${rows === 1 ? "is" : "are"} lost`,
    rows,
    examples: examples.map((row) => String(row["id"])),
    hint: "A table's name is part of its ids, so a table can't be renamed: copy its rows first.",
  };
}

function indexSteps({ table, old }: TableMap): readonly MigrationStep[] {
  const steps: MigrationStep[] = [];
  const before = new Map(indexObjects(old).map((index) => [index.name, index.sql]));
  const after = new Map(indexObjects(table).map((index) => [index.name, index.sql]));
  for (const [name, sql] of before) {
    if (after.get(name) !== sql) steps.push(safeStep(`drop index ${name}`));
  }
  for (const [name, sql] of after) {
    if (before.get(name) !== sql) steps.push(safeStep(`create index ${name}`));
  }
  if (searchObject(table)?.sql !== searchObject(old)?.sql) {
    steps.push(safeStep(`search ${table.name}(${table.search.join(", ")})`));
  }
  return steps;
}

function checkRenamed(oldLayout: StoreLayout, layout: StoreLayout, renamed: Renamed): void {
  for (const [from, to] of Object.entries(renamed)) {
    const [table = "", field = ""] = from.split(".");
    const there = columnsOf(oldLayout, table);
    const here = columnsOf(layout, table);
    if (there.includes(field) && here.includes(to)) continue;
    throw new PlatformError("ARGUMENT_INVALID", { rename: { from, to }, there, here });
  }
}

/** Names of columns, but for the id, which is never another. */
function columnsOf(layout: StoreLayout, table: string): readonly string[] {
  return [...(layout.get(table)?.byName.keys() ?? [])].filter((name) => name !== "id");
}
