// Which column of a file goes into which field: `--map "Title=title"`, `--map "Notes="` leaves one out.
// A column that goes nowhere is refused before the first row, so that nothing is lost by its name.
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { Failure, exits, usageFailure } from "../flags/failure.ts";
import { suggestion } from "../flags/suggestion.ts";
import { valueOfCell } from "./cell-value.ts";
import { delimiterOptions } from "./delimiter.ts";
import { timeOfText } from "./time-text.ts";

type Fields = Readonly<Record<string, FieldSpec>>;

/** Source column to field, or to null when it is left out. */
export type ColumnMap = ReadonlyMap<string, string | null>;

/**
 * Reads `--map` values. @param fields of the table.
 * @throws Failure (exit 1) MAP_INVALID for a form other than `column=field`, a field that is not there, or one named twice.
 */
export function parseColumnMap(maps: readonly string[], fields: Fields): ColumnMap {
  const found = new Map<string, string | null>();
  for (const map of maps) {
    const equals = map.lastIndexOf("=");
    const column = equals === -1 ? "" : map.slice(0, equals).trim();
    const field = map.slice(equals + 1).trim();
    if (column === "") throw mapInvalid(map, 'It is written "column=field".');
    if (found.has(column)) throw mapInvalid(map, `The column "${column}" is mapped twice.`);
    if (field !== "" && !Object.hasOwn(fields, field)) {
      const near = suggestion(field, Object.keys(fields));
      const hint = near === null ? "" : ` Did you mean ${near}?`;
      throw mapInvalid(map, `The table has no field "${field}".${hint}`);
    }
    if (field !== "" && [...found.values()].includes(field)) {
      throw mapInvalid(map, `Two columns go into "${field}".`);
    }
    found.set(column, field === "" ? null : field);
  }
  return found;
}

/**
 * Refuses a header with columns that no field takes, and maps of columns that are not there.
 * @throws Failure (exit 2) COLUMNS_UNKNOWN, also when cells seem to be separated otherwise; MAP_INVALID (exit 1).
 */
export function assertColumns(columns: readonly string[], map: ColumnMap, fields: Fields): void {
  const cut = otherDelimiter(columns, map, fields);
  if (cut !== null) throw wrongDelimiter(columns[0] as string, cut);
  const absent = [...map.keys()].find((column) => !columns.includes(column));
  if (absent !== undefined) {
    throw mapInvalid(absent, `The file has no such column; it has ${columns.join(", ")}.`);
  }
  const unknown = columns.filter((column) => !map.has(column) && !Object.hasOwn(fields, column));
  if (unknown.length > 0) {
    throw new Failure(exits.refused, {
      code: "COLUMNS_UNKNOWN",
      what: `The file has columns that no field takes: ${unknown.join(", ")}.`,
      why: `The table's fields are ${Object.keys(fields).join(", ")}.`,
      fix: unknown.map((column) => mapHint(column, fields)).join("\n"),
    });
  }
  const direct = columns.filter((column) => !map.has(column));
  const twice = direct.find((column) => [...map.values()].includes(column));
  if (twice !== undefined) throw mapInvalid(twice, `Two columns go into "${twice}".`);
}

/** The delimiter that makes a header of one strange name into names that are known; null when none does. */
function otherDelimiter(columns: readonly string[], map: ColumnMap, fields: Fields): string | null {
  const isKnown = (name: string) => map.has(name) || Object.hasOwn(fields, name);
  const [only = ""] = columns;
  if (columns.length !== 1 || isKnown(only)) return null;
  for (const delimiter of delimiterOptions.keys()) {
    const names = only.split(delimiter).map((name) => name.replace(/^"(.*)"$/, "$1"));
    if (names.length > 1 && names.some(isKnown)) return delimiter;
  }
  return null;
}

function wrongDelimiter(header: string, delimiter: string): Failure {
  return new Failure(exits.refused, {
    code: "COLUMNS_UNKNOWN",
    what: `The file's first line was read as one column: ${JSON.stringify(header)}.`,
    why: `Its cells seem to be separated by ${JSON.stringify(delimiter)}.`,
    fix: `Add ${delimiterOptions.get(delimiter) as string}`,
  });
}

function mapHint(column: string, fields: Fields): string {
  const near = suggestion(column.toLowerCase().replaceAll(/[^a-z0-9]/g, ""), Object.keys(fields));
  return `Add --map "${column}=${near ?? "<field>"}", or --map "${column}=" to leave it out.`;
}

/** How the records of a file become rows. */
export interface RecordForm {
  readonly map: ColumnMap;
  readonly fields: Fields;
  /** Whether values are texts of cells (csv, tsv). */
  readonly isText: boolean;
  /** Of times that name none; null: they are the server's to refuse. */
  readonly zone: string | null;
}

/** A record as the row to write. @returns absent values as null; keys that no field takes are kept, for the server to refuse. */
export function rowOfRecord(
  record: { readonly [column: string]: Json },
  { map, fields, isText, zone }: RecordForm,
): { readonly [field: string]: Json } {
  const row: [string, Json][] = [];
  for (const [column, value] of Object.entries(record)) {
    const field = map.has(column) ? map.get(column) : column;
    if (field === null || field === undefined) continue;
    const spec = fields[field];
    row.push([field, isText ? valueOfCell(value as string, spec, zone) : zoned(value, spec, zone)]);
  }
  return Object.fromEntries(row);
}

function zoned(value: Json, spec: FieldSpec | undefined, zone: string | null): Json {
  const isTime = zone !== null && spec?.kind === "time" && typeof value === "string";
  return isTime ? timeOfText(value, zone) : value;
}

function mapInvalid(map: string, why: string): Failure {
  return usageFailure({
    code: "MAP_INVALID",
    what: `--map "${map}" can't be used.`,
    why,
    fix: 'Write --map "Column in the file=field", once for each column.',
  });
}
