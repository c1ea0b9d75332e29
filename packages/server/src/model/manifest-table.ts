// Tables of the specification: names, fields, indexes, search, checks and limits, joined with their rules.
import { typeIdPrefix } from "../base/type-id.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { tableNameProblem } from "./field-name.ts";
import { isKeyKind, readFields, type FieldWorld } from "./manifest-field.ts";
import { readLimit } from "./manifest-function.ts";
import type { FieldSpec, IndexSpec, SourcePlace, TableModel, WhereSpec } from "./manifest.ts";
import {
  complain,
  fixByDefine,
  inside,
  readObject,
  readTexts,
  type SpecMistakes,
  type SpecPlace,
} from "./manifest-mistakes.ts";
import { parseWhere } from "./query-where.ts";
import type { TableRules } from "./rule-ast.ts";

/** What was read of a table's rules from source. */
export interface TableRead {
  readonly rules: TableRules;
  readonly checks: TableModel["checks"];
  readonly at?: SourcePlace;
}

/** Everything that tables are read with. */
export interface TableWorld extends FieldWorld {
  readonly limits: Limits;
  readonly mistakes: SpecMistakes;
  readonly rules: Readonly<Record<string, TableRead>>;
  readonly tableLimits: unknown;
}

const noRules: TableRead = { rules: { fields: {} }, checks: [] };

/** Checks the names of all tables, before anything refers to them. */
export function checkTableNames(names: readonly string[], place: SpecPlace, limits: Limits): void {
  if (names.length > limits.appTablesMax) {
    complain(place, `are more than ${limits.appTablesMax}`, "Split the app.");
  }
  const prefixes = new Map<string, string>();
  for (const name of names) {
    const own = inside(place, `table ${name.slice(0, 64)}`);
    const problem = tableNameProblem(name);
    if (problem !== null)
      complain(own, `: its name ${problem}`, "Rename the table, like filmRole.");
    // `filmRole` and `film_role` make ids of one prefix; `film` and `fILM` one table of the database.
    for (const key of [typeIdPrefix(name), name.toLowerCase()]) {
      const twin = prefixes.get(key);
      if (twin !== undefined && twin !== name) {
        complain(
          own,
          `can't be told from table ${twin} by its ids or in the database`,
          "Rename one of them.",
        );
      }
      prefixes.set(key, name);
    }
  }
}

/** Checks one table. @returns null when something is wrong. */
export function readTable(name: string, value: unknown, world: TableWorld): TableModel | null {
  const read = Object.hasOwn(world.rules, name) ? (world.rules[name] ?? noRules) : noRules;
  const place: SpecPlace = { mistakes: world.mistakes, at: read.at, what: `table ${name}` };
  const before = world.mistakes.found.length;
  const given = readObject(place, value, ["fields", "indexes", "search", "checks"]);
  if (given === null) return null;
  const fields = readFields(place, given["fields"], "table", world);
  if (fields === null) return null;
  const id: FieldSpec = { kind: "id", table: name, immutable: true };
  const all: Readonly<Record<string, FieldSpec>> = { id, ...fields };
  const indexes = readIndexes(place, given["indexes"], all, world);
  const search = readSearch(place, given["search"], fields);
  const checks = given["checks"];
  if (checks !== read.checks.length) {
    // It may be an object here whose own toString is no function.
    const told = typeof checks === "number" ? String(checks) : "no number of";
    complain(
      place,
      `has ${told} checks, and ${read.checks.length} could be read from source`,
      "Write each check as an arrow function in .check(...) where the table is defined.",
    );
  }
  const limits = readTableLimits(place, name, world.tableLimits);
  if (world.mistakes.found.length > before || indexes === null || search === null) return null;
  const model: TableModel = {
    name,
    fields: all,
    indexes,
    search,
    checks: read.checks,
    rules: read.rules,
    limits,
    ...(read.at === undefined ? {} : { at: read.at }),
  };
  return model;
}

function readIndexes(
  place: SpecPlace,
  value: unknown,
  fields: Readonly<Record<string, FieldSpec>>,
  world: TableWorld,
): readonly IndexSpec[] | null {
  if (!Array.isArray(value)) return complain(place, "has no list of indexes", fixByDefine);
  if (value.length > world.limits.tableIndexesMax) {
    return complain(place, `has more than ${world.limits.tableIndexesMax} indexes`, "Drop some.");
  }
  const indexes: IndexSpec[] = [];
  for (const each of value as readonly unknown[]) {
    const own = inside(place, `${place.what}: an index`);
    const given = readObject(own, each, ["fields", "unique", "where"]);
    const names = given === null ? null : readTexts(own, given["fields"]);
    if (given === null || names === null) continue;
    checkIndexFields(own, names, fields);
    if (given["unique"] !== undefined && given["unique"] !== true)
      complain(own, "is unique in no known way", fixByDefine);
    if (given["where"] !== undefined) readObject(own, given["where"], null);
    indexes.push({
      fields: names,
      ...(given["unique"] === true ? { unique: true as const } : {}),
      ...(given["where"] === undefined ? {} : { where: given["where"] as WhereSpec }),
    });
  }
  return indexes;
}

function checkIndexFields(
  place: SpecPlace,
  names: readonly string[],
  fields: Readonly<Record<string, FieldSpec>>,
): void {
  if (names.length === 0 || names.length > 16)
    complain(place, "needs 1 to 16 fields", "Name them.");
  for (const [index, name] of names.entries()) {
    const spec = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (spec === undefined) {
      complain(place, `names ${JSON.stringify(name)}, which is no field`, "Mend the name.");
    } else if (!isKeyKind(spec)) {
      complain(place, `names ${name}, and a ${spec.kind} field has no order`, "Leave it out.");
    }
    if (names.indexOf(name) !== index) complain(place, `names ${name} twice`, "Name it once.");
  }
}

/** The filters of partial indexes, once all tables are known. */
export function checkIndexFilters(model: TableModel, world: TableWorld): void {
  const place: SpecPlace = { mistakes: world.mistakes, at: model.at, what: `table ${model.name}` };
  for (const index of model.indexes) {
    if (index.where === undefined) continue;
    try {
      parseWhere(model, index.where, world.limits);
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const issues = error.details["issues"] as readonly {
        readonly path: string;
        readonly problem: string;
      }[];
      for (const { path, problem } of issues) {
        complain(place, `has an index whose ${path} ${problem}`, "Mend the filter of the index.");
      }
    }
  }
}

function readSearch(
  place: SpecPlace,
  value: unknown,
  fields: Readonly<Record<string, FieldSpec>>,
): readonly string[] | null {
  const own = inside(place, `${place.what}: its search`);
  const names = readTexts(own, value);
  for (const [index, name] of (names ?? []).entries()) {
    const spec = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (spec?.kind !== "text")
      complain(
        own,
        `names ${JSON.stringify(name.slice(0, 64))}, which is no text field`,
        "Leave it out.",
      );
    // A search would tell what is in it.
    if (spec?.private === true) complain(own, `names ${name}, which is private`, "Leave it out.");
    if (names?.indexOf(name) !== index) complain(own, `names ${name} twice`, "Name it once.");
  }
  return names;
}

function readTableLimits(place: SpecPlace, name: string, value: unknown): TableModel["limits"] {
  const all = value as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(all, name)) return {};
  const own = inside(place, `${place.what}: its limits`);
  const given = readObject(own, all[name], ["read", "write"]) ?? {};
  const read = given["read"] === undefined ? null : readLimit(own, given["read"]);
  const write = given["write"] === undefined ? null : readLimit(own, given["write"]);
  return { ...(read === null ? {} : { read }), ...(write === null ? {} : { write }) };
}
