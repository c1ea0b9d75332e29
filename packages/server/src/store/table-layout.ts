// What an engine keeps of the manifest: tables, columns with their storage classes, unique sets and the
// references in both directions, looked up once. No SQL here; both engines read it.
import type { FieldSpec, IndexSpec } from "@keelson/sdk/spec";
import { PlatformError } from "../base/platform-error.ts";
import type { Where } from "../model/query-form.ts";
import { briefTables } from "../model/work-tables.ts";
import { parseIndexWhere } from "./index-where.ts";

/** How a value is held: `json` is a list, an object or any JSON as text; `bytes` is base64 outside. */
export type StorageClass = "text" | "integer" | "real" | "bool" | "json" | "bytes";

export interface ColumnLayout {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly storage: StorageClass;
  readonly optional: boolean;
}

/** Fields of which no two rows (that match `where`) hold the same values; absent values do not collide. */
export interface UniqueLayout {
  readonly fields: readonly string[];
  readonly where: Where | null;
}

/** An index that is not unique. */
export interface IndexLayout {
  readonly fields: readonly string[];
  readonly where: Where | null;
}

/** A reference from `table.field` to `target`. */
export interface RefLayout {
  readonly table: string;
  readonly field: string;
  readonly target: string;
  readonly onDelete: "refuse" | "cascade" | "clear";
}

export interface TableLayout {
  readonly name: string;
  /** `id` first. */
  readonly columns: readonly ColumnLayout[];
  readonly byName: ReadonlyMap<string, ColumnLayout>;
  readonly uniques: readonly UniqueLayout[];
  readonly indexes: readonly IndexLayout[];
  readonly search: readonly string[];
  /** References that this table holds. */
  readonly refs: readonly RefLayout[];
  /** References of any table that point here, in declaration order. */
  readonly referrers: readonly RefLayout[];
  /** Most rows leave soon after they came (see `briefTables`), and nothing refers to them or is found by them. */
  readonly brief: boolean;
}

/** The tables by name. */
export type StoreLayout = ReadonlyMap<string, TableLayout>;

/** The part of a manifest's table that a store depends on: what it keeps to find out what changed. */
export interface StoredTable {
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly indexes: readonly IndexSpec[];
  readonly search: readonly string[];
}

/** The part of a manifest that a store depends on. */
export type StoredTables = Readonly<Record<string, StoredTable>>;

/**
 * Derives the layout.
 * @throws APP_INVALID for names that differ only in case, or that begin with an underscore: engines keep
 * their own tables and columns there.
 */
export function layoutOf(tables: StoredTables): StoreLayout {
  checkNames("table", Object.keys(tables));
  const refs: RefLayout[] = [];
  for (const [name, table] of Object.entries(tables)) {
    for (const [field, spec] of Object.entries(table.fields)) {
      if (spec.kind !== "ref") continue;
      refs.push({ table: name, field, target: spec.table, onDelete: spec.onDelete });
    }
  }
  const layout = new Map<string, TableLayout>();
  for (const [name, table] of Object.entries(tables)) {
    layout.set(name, tableLayout(name, table, refs));
  }
  return layout;
}

/** The storage class of a field's values. */
export function storageOf(spec: FieldSpec): StorageClass {
  switch (spec.kind) {
    case "id":
    case "ref":
    case "text":
    case "oneOf":
    case "time":
    case "date":
      return "text";
    case "int":
    case "money":
      return "integer";
    case "number":
      return "real";
    case "bool":
      return "bool";
    case "list":
    case "object":
    case "json":
      return "json";
    case "bytes":
      return "bytes";
    default:
      return spec satisfies never;
  }
}

/** The column of a field. @throws FIELD_UNKNOWN. */
export function columnOf(table: TableLayout, field: string): ColumnLayout {
  const column = table.byName.get(field);
  if (column === undefined) throw new PlatformError("FIELD_UNKNOWN", { table: table.name, field });
  return column;
}

/** The table of a name. @throws TABLE_NOT_FOUND. */
export function tableOf(layout: StoreLayout, name: string): TableLayout {
  const table = layout.get(name);
  if (table === undefined) throw new PlatformError("TABLE_NOT_FOUND", { table: name });
  return table;
}

function tableLayout(name: string, table: StoredTable, refs: readonly RefLayout[]): TableLayout {
  const idSpec: FieldSpec = { kind: "id", table: name };
  const columns: ColumnLayout[] = [{ name: "id", spec: idSpec, storage: "text", optional: false }];
  const uniques: UniqueLayout[] = [];
  const indexes: IndexLayout[] = [];
  for (const [field, spec] of Object.entries(table.fields)) {
    if (field === "id") continue;
    const optional = spec.optional === true;
    columns.push(Object.freeze({ name: field, spec, storage: storageOf(spec), optional }));
    if (spec.unique === true) uniques.push({ fields: [field], where: null });
  }
  checkNames(
    `field of ${name}`,
    columns.map((column) => column.name),
  );
  for (const index of table.indexes) {
    const where = index.where === undefined ? null : parseIndexWhere(index.where);
    (index.unique === true ? uniques : indexes).push({ fields: index.fields, where });
  }
  const own = refs.filter((ref) => ref.table === name);
  const referrers = refs.filter((ref) => ref.target === name);
  const isAlone = own.length + referrers.length + table.search.length === 0;
  return Object.freeze({
    name,
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    uniques,
    indexes,
    search: table.search,
    refs: own,
    referrers,
    brief: isAlone && briefTables.has(name),
  });
}

function checkNames(what: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new PlatformError("APP_INVALID", {
        problem: `${what} "${name}" and "${other}" differ only in case.`,
      });
    }
    if (name.startsWith("_") || name === "") {
      throw new PlatformError("APP_INVALID", {
        problem: `${what} "${name}": names may not begin with an underscore.`,
      });
    }
    seen.set(name.toLowerCase(), name);
  }
}
