// The file of records that an import refused: one object a line, with the reason. Mended there, it is imported
// as it is: only what stands under `record` counts.
import type { Json } from "@keelson/sdk/spec";
import type { DoorTable } from "./data-door.ts";
import { asFields, type SourceRecord } from "./source-record.ts";

/** A record that was not imported. */
export interface RefusedRecord {
  readonly line: number;
  readonly code: string;
  readonly reason: string;
  readonly details: Json;
  /** The row as it was to be written, or the text of the line when no row could be read. */
  readonly record: Json;
}

const keys = [
  "code",
  "details",
  "line",
  "reason",
  "record",
] as const satisfies readonly (keyof RefusedRecord)[];

/** Takes the record out of a line of such a file; others are themselves. @param table where it goes: one with a field `record` takes none of these. */
export function mendedRecord(record: SourceRecord, table: DoorTable): SourceRecord {
  if (record.kind === "broken" || Object.hasOwn(table.fields, "record")) return record;
  const { line, value } = record;
  const names = Object.keys(value).toSorted();
  if (names.length !== keys.length || !keys.every((key, index) => names[index] === key))
    return record;
  const fields = asFields(value["record"] ?? null);
  if (fields !== null) return { kind: "record", line, value: fields };
  const reason =
    "Its record is no object of fields yet, but the text of a line that could not be read.";
  const text = value["record"];
  return {
    kind: "broken",
    line,
    reason,
    text: typeof text === "string" ? text : JSON.stringify(text),
  };
}
