// Writes rows as CSV, TSV, NDJSON or JSON, piece by piece. The inverse of reading them: what is written
// here is read back to the same rows (csv: with cell-value.ts between).
import { stringify } from "csv-stringify/sync";
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { cellOf } from "./cell-value.ts";
import type { Format } from "./source-record.ts";

/** A row of a table. */
export type Row = { readonly [field: string]: Json };

/** Turns rows into the text of a file. */
export interface RecordFormatter {
  /** Before the first row. */
  head(): string;
  rows(rows: readonly Row[]): string;
  /** After the last row. */
  foot(): string;
}

type Fields = Readonly<Record<string, FieldSpec>>;

/** @param fields in the order that csv and tsv show them; the other formats write rows as they are. */
export function makeFormatter(format: Format, fields: Fields): RecordFormatter {
  switch (format) {
    case "csv":
      return csvFormatter(fields, ",");
    case "tsv":
      return csvFormatter(fields, "\t");
    case "ndjson":
      return {
        head: () => "",
        rows: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
        foot: () => "",
      };
    case "json":
      return jsonFormatter();
    default:
      return format satisfies never;
  }
}

/** Absent values are empty cells, empty texts are `""`: reading tells them apart. */
function csvFormatter(fields: Fields, delimiter: string): RecordFormatter {
  const columns = Object.keys(fields);
  const text = (rows: readonly (readonly (string | null)[])[]): string =>
    stringify(rows as (string | null)[][], { delimiter, quoted_match: /^$|[\r\uFEFF]/ });
  return {
    head: () => text([columns]),
    rows: (rows) =>
      text(rows.map((row) => columns.map((column) => cellOf(row[column] ?? null, fields[column])))),
    foot: () => "",
  };
}

function jsonFormatter(): RecordFormatter {
  let before = "\n";
  return {
    head: () => "[",
    rows: (rows) =>
      rows
        .map((row) => {
          const text = before + JSON.stringify(row);
          before = ",\n";
          return text;
        })
        .join(""),
    foot: () => "\n]\n",
  };
}
