// A table as queries see it: what each field can be filtered, ordered and summed by, compiled once per
// manifest and kept as long as the manifest lives.
import type { Json } from "../base/json.ts";
import { isTypeId, typeIdPrefix } from "../base/type-id.ts";
import { textProblem } from "./field-format.ts";
import { isDate, parseTime } from "./field-time.ts";
import type { FieldSpec, Manifest, TableModel } from "./manifest.ts";

/** A value of a filter, normalised; or what is wrong with it. */
export type FilterValue =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly problem: string };

/** What a field can do in a query. */
export interface QueryField {
  readonly name: string;
  readonly spec: FieldSpec;
  /** `eq`, `not`, `in`, `notIn` with values (null can be asked of every field). */
  readonly comparable: boolean;
  /** `gt`, `gte`, `lt`, `lte`, and the result of `min` and `max`. */
  readonly ordered: boolean;
  /** May stand in `orderBy` and `groupBy`. */
  readonly sortable: boolean;
  /** `sum` and `avg`. */
  readonly summable: boolean;
  /** What a single value is checked by: of the field, or of the items of a list. */
  read(value: unknown, charsMax: number): FilterValue;
}

/** A table with its fields by name. */
export interface QueryTable {
  readonly model: TableModel;
  readonly fields: ReadonlyMap<string, QueryField>;
}

const tables = new WeakMap<TableModel, QueryTable>();

/** A table of the manifest, prepared. @returns null when there is none of that name. */
export function queryTable(manifest: Manifest, name: string): QueryTable | null {
  if (!Object.hasOwn(manifest.tables, name)) return null;
  const model = manifest.tables[name];
  return model === undefined ? null : prepareTable(model);
}

/** Prepares a table, once. */
export function prepareTable(model: TableModel): QueryTable {
  let table = tables.get(model);
  if (table === undefined) {
    const fields = Object.entries(model.fields).map(
      ([name, spec]) => [name, prepareField(name, spec)] as const,
    );
    table = { model, fields: new Map(fields) };
    tables.set(model, table);
  }
  return table;
}

function prepareField(name: string, spec: FieldSpec): QueryField {
  const { kind } = spec;
  const summable = kind === "int" || kind === "number" || kind === "money";
  const whole = kind === "list" || kind === "object" || kind === "json" || kind === "bytes";
  const ordered =
    summable || kind === "time" || kind === "date" || kind === "text" || kind === "id";
  const read = readerOf(kind === "list" ? spec.item : spec);
  return { name, spec, comparable: !whole, ordered, sortable: !whole, summable, read };
}

/**
 * How one filter value of a kind is read. Bounds of the field are not asked: a filter beyond them matches
 * nothing, which is an answer. Types are, strictly: an object where text is expected is refused.
 */
function readerOf(spec: FieldSpec): QueryField["read"] {
  switch (spec.kind) {
    case "id":
    case "ref": {
      const prefix = typeIdPrefix(spec.table);
      return (value) =>
        typeof value === "string" && isTypeId(value, prefix)
          ? { ok: true, value }
          : wrong(`must be the id of a ${spec.table}`);
    }
    case "text":
      return readText;
    case "int":
    case "money":
      return (value) =>
        Number.isSafeInteger(value) ? number(value) : wrong("must be a whole number");
    case "number":
      return (value) => (Number.isFinite(value) ? number(value) : wrong("must be a number"));
    case "bool":
      return (value) =>
        typeof value === "boolean" ? { ok: true, value } : wrong("must be true or false");
    case "time":
      return readTime;
    case "date":
      return (value) =>
        typeof value === "string" && isDate(value)
          ? { ok: true, value }
          : wrong("must be a day that exists, like 2026-01-31");
    case "oneOf": {
      const known = new Set<unknown>(spec.values);
      const shown = spec.values.slice(0, 10).map((value) => JSON.stringify(value));
      return (value) =>
        known.has(value)
          ? { ok: true, value: value as string }
          : wrong(`must be one of ${shown.join(", ")}`);
    }
    case "list":
    case "object":
    case "json":
    case "bytes":
      return () => wrong("cannot be compared with a value");
    default:
      return spec satisfies never;
  }
}

function readText(value: unknown, charsMax: number): FilterValue {
  if (typeof value !== "string") return wrong("must be text");
  if (value.length > charsMax) return wrong(`must have at most ${charsMax} characters`);
  const problem = textProblem(value);
  return problem === null ? { ok: true, value } : wrong(problem);
}

function readTime(value: unknown): FilterValue {
  const time = typeof value === "string" ? parseTime(value) : null;
  if (time !== null) return { ok: true, value: time };
  return wrong("must be a time with its offset, like 2026-01-31T20:15:00Z");
}

function number(value: unknown): FilterValue {
  return { ok: true, value: value === 0 ? 0 : (value as number) };
}

function wrong(problem: string): FilterValue {
  return { ok: false, problem };
}
