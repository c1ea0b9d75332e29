// Reads NDJSON: one JSON object a line. Blank lines are no records.
import type { Json } from "@keelson/sdk/spec";
import { makeLineQueue, type TextLine } from "./line-queue.ts";
import { asFields, type RecordSplitter, type SourceRecord } from "./source-record.ts";

/** @returns a splitter for one object a line. */
export function makeNdjsonSplitter(): RecordSplitter {
  const lines = makeLineQueue();
  return {
    columns: () => null,
    push: (text) => lines.push(text).flatMap(recordOf),
    end: () => lines.end().flatMap(recordOf),
  };
}

function recordOf({ line, text }: TextLine): SourceRecord[] {
  const trimmed = text.trim();
  return trimmed === "" ? [] : [jsonRecord(trimmed, line)];
}

/** Reads one object. @param line where its text begins. */
export function jsonRecord(text: string, line: number): SourceRecord {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return { kind: "broken", line, reason: `Not JSON: ${(error as Error).message}`, text };
  }
  const fields = asFields(value);
  if (fields === null) return { kind: "broken", line, reason: "Not an object of fields.", text };
  return { kind: "record", line, value: fields };
}
