// Existing rows against the new schema: required values, bounds and patterns, references, unique sets. All
// that does not fit is counted, with examples, before anything is changed.
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { compileField } from "../../model/field-validate.ts";
import type { Issue } from "../../model/field-issue.ts";
import type { TableLayout, UniqueLayout } from "../table-layout.ts";
import {
  mappedSelect,
  refTarget,
  valueSpec,
  type ColumnMap,
  type TableMap,
} from "./migrate-map.ts";
import { rowsText, type MigrationStep } from "./migrate-step.ts";
import { decodeValue, type SqlCell } from "./row-codec.ts";
import { compileStaticWhere } from "./sql-where.ts";
import { sqlName } from "./sql-text.ts";

const examplesMax = 5;

/** Every way in which the rows of a table do not fit its new form. */
export function checkRows(
  db: DatabaseSync,
  map: TableMap,
  /** The old tables that stay: a reference to any other leads nowhere. */
  staying: ReadonlySet<string>,
): readonly MigrationStep[] {
  const steps: MigrationStep[] = [];
  for (const each of map.columns) {
    steps.push(...checkRequired(db, map, each), ...checkReference(db, map, each, staying));
  }
  steps.push(...checkValues(db, map));
  for (const unique of map.table.uniques) steps.push(...checkUnique(db, map, unique));
  return steps;
}

/** How many rows a query answers, and the first ids. Its first column is the id. */
function found(db: DatabaseSync, sql: string): { rows: number; examples: readonly string[] } {
  const count = db.prepare(`SELECT count(*) AS n FROM (${sql})`).get();
  const rows = Number(count?.["n"]);
  if (rows === 0) return { rows, examples: [] };
  const first = db.prepare(`${sql} ORDER BY 1 LIMIT ${examplesMax}`).all();
  return { rows, examples: first.map((row) => String(row["id"])) };
}

function checkRequired(db: DatabaseSync, map: TableMap, each: ColumnMap): readonly MigrationStep[] {
  const { column, source, fill } = each;
  const wasRequired = source !== null && !source.optional;
  if (column.optional || wasRequired || fill !== null) return [];
  const name = `require column ${map.table.name}.${column.name}`;
  const { rows, examples } = found(
    db,
    `SELECT id FROM (${mappedSelect(map)}) WHERE ${sqlName(column.name)} IS NULL`,
  );
  if (rows === 0) return [];
  return [
    {
      name,
      kind: "needs-data",
      text: `${name}: ${rowsText(rows)} would have no value`,
      rows,
      examples,
      hint: "Give the field a default, or make it optional, fill it in, and require it then.",
    },
  ];
}

function checkReference(
  db: DatabaseSync,
  map: TableMap,
  { column, source }: ColumnMap,
  staying: ReadonlySet<string>,
): readonly MigrationStep[] {
  const target = refTarget(column);
  if (target === null || (source !== null && refTarget(source) === target)) return [];
  const field = sqlName(column.name);
  const exists = staying.has(target)
    ? ` AND NOT EXISTS (SELECT 1 FROM ${sqlName(target)} AS r WHERE r.id = m.${field})`
    : "";
  const { rows, examples } = found(
    db,
    `SELECT m.id AS id FROM (${mappedSelect(map)}) AS m WHERE m.${field} IS NOT NULL${exists}`,
  );
  if (rows === 0) return [];
  const name = `refer from ${map.table.name}.${column.name} to ${target}`;
  const text = `${name}: ${rowsText(rows)} refer to no row`;
  return [{ name, kind: "needs-data", text, rows, examples, hint: "Correct or clear them first." }];
}

/** One walk over the rows for all columns whose values may now be refused. */
function checkValues(db: DatabaseSync, map: TableMap): readonly MigrationStep[] {
  const changed = map.columns.filter(
    ({ column, source }) => source !== null && valueSpec(source.spec) !== valueSpec(column.spec),
  );
  if (changed.length === 0) return [];
  const checks = changed.map(({ column }) => ({
    column,
    test: compileField({ ...column.spec, optional: true }),
    rows: 0,
    examples: [] as string[],
    problem: "",
  }));
  const list = changed.map(({ column }) => sqlName(column.name)).join(", ");
  const statement = db.prepare(`SELECT id, ${list} FROM (${mappedSelect(map)}) ORDER BY "_n"`);
  statement.setReturnArrays(true);
  for (const cells of statement.iterate() as unknown as Iterable<readonly SQLOutputValue[]>) {
    checks.forEach((check, index) => {
      const issues: Issue[] = [];
      check.test(decodeValue(check.column.storage, cells[index + 1] as SqlCell), "", issues);
      const issue = issues[0];
      if (issue === undefined) return;
      check.rows += 1;
      check.problem ||= issue.problem;
      if (check.examples.length < examplesMax) check.examples.push(String(cells[0]));
    });
  }
  return checks
    .filter((check) => check.rows > 0)
    .map(({ column, rows, examples, problem }): MigrationStep => {
      const name = `narrow column ${map.table.name}.${column.name}`;
      const held = `${rowsText(rows)} ${rows === 1 ? "holds" : "hold"}`;
      const text = `${name}: ${held} a value that is no longer allowed (${problem})`;
      return { name, kind: "needs-data", text, rows, examples, hint: "Correct them first." };
    });
}

function checkUnique(
  db: DatabaseSync,
  map: TableMap,
  unique: UniqueLayout,
): readonly MigrationStep[] {
  if (heldBefore(map, unique)) return [];
  const fields = unique.fields.map(sqlName).join(", ");
  const present = unique.fields.map((field) => `${sqlName(field)} IS NOT NULL`);
  const condition =
    unique.where === null ? [] : [`(${compileStaticWhere(map.table, unique.where)})`];
  const where = [...present, ...condition].join(" AND ");
  const rows = `SELECT * FROM (${mappedSelect(map)}) WHERE ${where}`;
  const { rows: count, examples } = found(
    db,
    `SELECT id FROM (${rows}) WHERE (${fields}) IN
      (SELECT ${fields} FROM (${rows}) GROUP BY ${fields} HAVING count(*) > 1)`,
  );
  if (count === 0) return [];
  const name = `unique ${map.table.name}(${unique.fields.join(", ")})`;
  const text = `${name}: ${rowsText(count)} hold values that another row holds too`;
  return [
    { name, kind: "needs-data", text, rows: count, examples, hint: "Make them differ first." },
  ];
}

/** Whether the old schema kept this set unique already, on the same columns. */
function heldBefore(map: TableMap, unique: UniqueLayout): boolean {
  const same = (table: TableLayout) =>
    table.uniques.some(
      (each) =>
        JSON.stringify([each.fields, each.where]) === JSON.stringify([unique.fields, unique.where]),
    );
  return (
    same(map.old) &&
    map.columns.every(
      ({ column, source, fill }) =>
        !mentions(unique, column.name) || (source?.name === column.name && fill === null),
    )
  );
}

function mentions(unique: UniqueLayout, field: string): boolean {
  return unique.fields.includes(field) || JSON.stringify(unique.where).includes(`"${field}"`);
}
