// Filters as SQL predicates. Three-valued like SQL itself: a comparison with an absent value is unknown,
// also under `not`, so absent values match `{ eq: null }` only.
import type { Json } from "../../base/json.ts";
import type { FieldCondition, Where } from "../../model/query-form.ts";
import {
  columnOf,
  storageOf,
  type ColumnLayout,
  type StorageClass,
  type TableLayout,
} from "../table-layout.ts";
import { encodeValue } from "./row-codec.ts";
import { sqlLiteral, sqlName, type SqlParams, type SqlValue } from "./sql-text.ts";

/** Writes a value into the statement: as a mark with a parameter, or as a literal. */
type Put = (value: SqlValue, column: ColumnLayout) => string;

interface WhereScope {
  readonly table: TableLayout;
  /** `t.` or nothing. */
  readonly prefix: string;
  readonly put: Put;
}

/** Above this many values an `in` is bound as one JSON array, so that lengths do not multiply the shapes. */
const inMarksMax = 8;

/** A filter on the table of alias `t`. */
export function compileWhere(table: TableLayout, where: Where, params: SqlParams): string {
  const literals = partialLiterals(table);
  const put: Put = (value, column) => {
    // Planners see that a partial index serves only when its condition stands in the statement itself.
    const known = literals.get(column.name);
    if (known === undefined) return params.bind(value);
    return known.has(value) ? sqlLiteral(value) : params.bindUnseen(value);
  };
  return compile({ table, prefix: "t.", put }, where);
}

/** The condition of a partial index: literals, and columns without an alias. */
export function compileStaticWhere(table: TableLayout, where: Where): string {
  return compile({ table, prefix: "", put: sqlLiteral }, where);
}

function compile(scope: WhereScope, where: Where): string {
  switch (where.kind) {
    case "field":
      return compileField(scope, columnOf(scope.table, where.field), where.condition);
    case "and":
      return joined(where.parts, scope, " AND ", "1");
    case "or":
      return joined(where.parts, scope, " OR ", "0");
    case "not":
      return `NOT (${compile(scope, where.part)})`;
    default:
      return where satisfies never;
  }
}

function joined(parts: readonly Where[], scope: WhereScope, by: string, none: string): string {
  if (parts.length === 0) return none;
  if (parts.length === 1 && parts[0] !== undefined) return compile(scope, parts[0]);
  return parts.map((part) => `(${compile(scope, part)})`).join(by);
}

function compileField(scope: WhereScope, column: ColumnLayout, condition: FieldCondition): string {
  const name = scope.prefix + sqlName(column.name);
  const parts: string[] = [];
  for (const operator in condition) {
    const value = condition[operator as keyof FieldCondition];
    if (value === undefined) continue;
    parts.push(compileOperator(scope, column, name, operator as keyof FieldCondition, value));
  }
  return parts.length === 0 ? "1" : parts.join(" AND ");
}

function compileOperator(
  scope: WhereScope,
  column: ColumnLayout,
  name: string,
  operator: keyof FieldCondition,
  value: Json,
): string {
  const put = (each: Json) => scope.put(encodeValue(column.storage, each), column);
  if (value === null && operator !== "eq" && operator !== "not") return "NULL";
  switch (operator) {
    case "eq":
      return value === null ? `${name} IS NULL` : `${name} = ${put(value)}`;
    case "not":
      return value === null ? `${name} IS NOT NULL` : `${name} <> ${put(value)}`;
    case "gt":
      return `${name} > ${put(value)}`;
    case "gte":
      return `${name} >= ${put(value)}`;
    case "lt":
      return `${name} < ${put(value)}`;
    case "lte":
      return `${name} <= ${put(value)}`;
    case "in":
      return `${name} IN (${valueList(scope, column, value as readonly Json[])})`;
    case "notIn":
      return `${name} NOT IN (${valueList(scope, column, value as readonly Json[])})`;
    case "startsWith":
      return startsWith(scope, column, name, value as string);
    case "contains":
      return contains(scope, column, name, value);
    default:
      return operator satisfies never;
  }
}

function valueList(scope: WhereScope, column: ColumnLayout, values: readonly Json[]): string {
  const { storage } = column;
  const encoded = values.map((value) => encodeValue(storage, value));
  // JSON holds no bytes and spells large doubles in its own way; those keep a mark each.
  if (encoded.length <= inMarksMax || storage === "bytes" || storage === "real") {
    return encoded.map((value) => scope.put(value, column)).join(", ");
  }
  return `SELECT value FROM json_each(${scope.put(JSON.stringify(encoded), column)})`;
}

/** A range from the prefix to the first text above every text that begins with it: an index serves it. */
function startsWith(scope: WhereScope, column: ColumnLayout, name: string, prefix: string): string {
  const from = `${name} >= ${scope.put(prefix, column)}`;
  const end = prefixEnd(prefix);
  return end === null ? from : `${from} AND ${name} < ${scope.put(end, column)}`;
}

/** The first text, by code points, above all that begin with `prefix`; null when there is none. */
export function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix);
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last === 0x10ffff) continue;
    // The surrogates are no characters: what follows U+D7FF is U+E000.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return points.join("") + String.fromCodePoint(next);
  }
  return null;
}

function contains(scope: WhereScope, column: ColumnLayout, name: string, value: Json): string {
  if (column.spec.kind !== "list")
    return `instr(${name}, ${scope.put(value as string, column)}) > 0`;
  const item: StorageClass = itemStorage(column);
  const mark = scope.put(encodeValue(item, value), column);
  const found = `EXISTS (SELECT 1 FROM json_each(${name}) AS j WHERE j.value = ${mark})`;
  return `CASE WHEN ${name} IS NOT NULL THEN ${found} END`;
}

function itemStorage(column: ColumnLayout): StorageClass {
  if (column.spec.kind !== "list") return column.storage;
  const storage = storageOf(column.spec.item);
  // In JSON text, bytes are base64 text.
  return storage === "bytes" ? "text" : storage;
}

const literalsOf = new WeakMap<TableLayout, ReadonlyMap<string, ReadonlySet<SqlValue>>>();

/** The values that conditions of partial indexes compare with, by field. */
function partialLiterals(table: TableLayout): ReadonlyMap<string, ReadonlySet<SqlValue>> {
  const known = literalsOf.get(table);
  if (known !== undefined) return known;
  const found = new Map<string, Set<SqlValue>>();
  for (const { where } of [...table.uniques, ...table.indexes]) {
    if (where === null) continue;
    const put: Put = (value, column) => {
      const values = found.get(column.name) ?? new Set<SqlValue>();
      found.set(column.name, values.add(value));
      return "?";
    };
    compile({ table, prefix: "", put }, where);
  }
  literalsOf.set(table, found);
  return found;
}
