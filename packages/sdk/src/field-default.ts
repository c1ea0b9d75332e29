// Whether a default fits its field. The server's own validation stays the judge of every other value;
// this finds the mistakes that a person makes while writing the schema.
import type { FieldSpec } from "./spec.ts";

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const datePattern = /^\d{4}-\d\d-\d\d$/;

/** What is wrong with a default, as the end of a sentence; null when it fits. */
export function checkDefault(spec: FieldSpec, value: unknown): string | null {
  switch (spec.kind) {
    case "id":
    case "ref":
      return "an id is not known before its row is there";
    case "text":
      return checkText(spec, value);
    case "int":
    case "money":
      if (!Number.isSafeInteger(value)) return "it is not a whole number";
      return checkBounds(spec, value as number);
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) return "it is not a number";
      return checkBounds(spec, value);
    case "bool":
      return typeof value === "boolean" ? null : "it is neither true nor false";
    case "time":
      return matches(timePattern, value) ? null : 'it is neither "now" nor an RFC 3339 time';
    case "date":
      return matches(datePattern, value) ? null : 'it is neither "now" nor a date like 2026-01-31';
    case "json":
      return checkJson(spec.maxBytes, value);
    case "oneOf":
      return spec.values.includes(value as string)
        ? null
        : `it is not one of ${spec.values.join(", ")}`;
    case "list":
      return checkList(spec, value);
    case "object":
      return checkObject(spec, value);
    case "bytes":
      return typeof value === "string" ? null : "bytes are written as base64 text";
    default:
      return spec satisfies never;
  }
}

/** Whether a text has the pattern's form and names a day that the calendar has. */
function matches(pattern: RegExp, value: unknown): boolean {
  if (typeof value !== "string" || !pattern.test(value) || Number.isNaN(Date.parse(value)))
    return false;
  // JavaScript takes February 30 for March 2.
  const day = value.slice(0, 10);
  return new Date(day).toISOString().slice(0, 10) === day;
}

function checkText(spec: FieldSpec & { kind: "text" }, value: unknown): string | null {
  if (typeof value !== "string") return "it is not a text";
  if (value.length < spec.min) return `it is shorter than ${spec.min}`;
  if (value.length > spec.max) return `it is longer than ${spec.max}`;
  if (spec.pattern !== undefined && !new RegExp(`^(?:${spec.pattern})$`, "v").test(value)) {
    return "it does not match the pattern";
  }
  return null;
}

function checkBounds(spec: { min?: number; max?: number }, value: number): string | null {
  if (spec.min !== undefined && value < spec.min) return `it is below ${spec.min}`;
  if (spec.max !== undefined && value > spec.max) return `it is above ${spec.max}`;
  return null;
}

function checkJson(maxBytes: number, value: unknown): string | null {
  const text = JSON.stringify(value);
  if (text === undefined) return "it is not JSON";
  return utf8Bytes(text) <= maxBytes ? null : `it is larger than ${maxBytes} bytes`;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code < 0x10000) bytes += 3;
    else bytes += 4;
  }
  return bytes;
}

function checkList(spec: FieldSpec & { kind: "list" }, value: unknown): string | null {
  if (!Array.isArray(value)) return "it is not a list";
  if (value.length < spec.min) return `it has fewer than ${spec.min} items`;
  if (value.length > spec.max) return `it has more than ${spec.max} items`;
  for (const item of value) {
    const problem = checkDefault(spec.item, item);
    if (problem !== null) return `an item is wrong: ${problem}`;
  }
  return null;
}

function checkObject(spec: FieldSpec & { kind: "object" }, value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return "it is not an object";
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(spec.fields, name)) return `there is no field "${name}"`;
  }
  for (const [name, field] of Object.entries(spec.fields)) {
    const part = (value as Record<string, unknown>)[name];
    if (part === undefined || part === null) {
      if (field.optional || field.default !== undefined) continue;
      return `"${name}" is missing`;
    }
    const problem = checkDefault(field, part);
    if (problem !== null) return `"${name}" is wrong: ${problem}`;
  }
  return null;
}
