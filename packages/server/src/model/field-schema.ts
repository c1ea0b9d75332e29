// Fields as JSON Schema 2020-12, for documents and for clients that check before they send. The schema takes
// every value that the server takes (in text without characters beyond U+FFFF, which JSON Schema counts once
// and this server twice); what a schema can't say, such as days that exist, the server still refuses.
import { typeIdPrefix } from "../base/type-id.ts";
import type { Json } from "../base/json.ts";
import { emailCharsMax, formatPatterns } from "./field-format.ts";
import type { FieldSpec } from "./manifest.ts";

/** A JSON Schema. */
export type JsonSchema = { readonly [key: string]: Json };

/** What a record's schema is for: `row` is what comes out; the others go in (field-record.ts). */
export type SchemaMode = "args" | "create" | "update" | "row";

const base64 =
  "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/**
 * The schema of one value.
 * @param direction in: as the server takes it; out: as it gives it, objects with every key.
 */
export function fieldSchema(spec: FieldSpec, direction: "in" | "out"): JsonSchema {
  const schema = presentSchema(spec, direction);
  const initial = spec.default;
  const shown = direction === "in" && initial !== undefined && "value" in initial;
  return {
    ...(spec.optional === true ? nullable(schema) : schema),
    ...(shown ? { default: initial.value } : {}),
  };
}

/**
 * The schema of a record, private fields left out.
 * @param absent fields that may be missing from a row: those with a read rule of their own.
 */
export function recordSchema(
  fields: Readonly<Record<string, FieldSpec>>,
  mode: SchemaMode,
  absent: ReadonlySet<string> = new Set(),
): JsonSchema {
  const direction = mode === "row" ? "out" : "in";
  const entries = Object.entries(fields).filter(([name, spec]) => isShown(name, spec, mode));
  const required = entries
    .filter(([name, spec]) => isRequired(spec, mode) && !absent.has(name))
    .map(([name]) => name);
  const properties = Object.fromEntries(
    entries.map(([name, spec]) => [name, propertySchema(spec, mode, direction)]),
  );
  return {
    type: "object",
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

function isShown(name: string, spec: FieldSpec, mode: SchemaMode): boolean {
  if (mode === "args") return true;
  if (spec.private === true) return false;
  if (mode === "row") return true;
  return name !== "id" && !(mode === "update" && spec.immutable === true);
}

function isRequired(spec: FieldSpec, mode: SchemaMode): boolean {
  if (mode === "row") return true;
  return mode !== "update" && spec.optional !== true && spec.default === undefined;
}

function propertySchema(spec: FieldSpec, mode: SchemaMode, direction: "in" | "out"): JsonSchema {
  // A default is for what is missing on create; a patch leaves what is missing alone.
  if (mode !== "update" || spec.default === undefined) return fieldSchema(spec, direction);
  const { default: _, ...rest } = spec;
  return fieldSchema(rest, direction);
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  const types = Array.isArray(type) ? type : [type as Json];
  const values = schema["enum"];
  return {
    ...schema,
    type: [...types, "null"],
    ...(Array.isArray(values) ? { enum: [...values, null] } : {}),
  };
}

function presentSchema(spec: FieldSpec, direction: "in" | "out"): JsonSchema {
  switch (spec.kind) {
    case "id":
    case "ref":
      return {
        type: "string",
        pattern: `^${typeIdPrefix(spec.table)}_[0-7][0-9a-hjkmnp-tv-z]{25}$`,
        description: `The id of a ${spec.table}.`,
      };
    case "text":
      return textSchema(spec);
    case "int":
      return { type: "integer", minimum: spec.min, maximum: spec.max };
    case "money":
      return {
        type: "integer",
        minimum: spec.min ?? Number.MIN_SAFE_INTEGER,
        maximum: spec.max ?? Number.MAX_SAFE_INTEGER,
        description: `Minor units of ${spec.currency}.`,
      };
    case "number":
      return {
        type: "number",
        ...(spec.min === undefined ? {} : { minimum: spec.min }),
        ...(spec.max === undefined ? {} : { maximum: spec.max }),
      };
    case "bool":
      return { type: "boolean" };
    case "time":
      return { type: "string", format: "date-time" };
    case "date":
      return { type: "string", format: "date" };
    case "json":
      return {
        type: ["object", "array", "string", "number", "boolean"],
        description: `Any JSON of at most ${spec.maxBytes} bytes.`,
      };
    case "oneOf":
      return { type: "string", enum: spec.values };
    case "list":
      return {
        type: "array",
        items: fieldSchema(spec.item, direction),
        minItems: spec.min,
        maxItems: spec.max,
      };
    case "object":
      return recordSchema(spec.fields, direction === "in" ? "args" : "row");
    case "bytes":
      return {
        type: "string",
        contentEncoding: "base64",
        pattern: base64,
        maxLength: Math.ceil(spec.max / 3) * 4,
      };
    default:
      return spec satisfies never;
  }
}

function textSchema(spec: FieldSpec & { readonly kind: "text" }): JsonSchema {
  const { min, max, format } = spec;
  const own = spec.pattern === undefined ? null : portablePattern(spec.pattern);
  const patterns: Json[] = own === null ? [] : [`^(?:${own})$`];
  if (format === "email" || format === "slug")
    patterns.unshift(`^${plain(formatPatterns[format])}$`);
  if (format === "url") patterns.unshift("^[hH][tT][tT][pP][sS]?://[^\\s/?#\\\\]\\S*$");
  const [first, ...rest] = patterns;
  return {
    type: "string",
    ...(min > 0 ? { minLength: min } : {}),
    maxLength: format === "email" ? Math.min(max, emailCharsMax) : max,
    ...(format === "email" ? { format: "email" } : {}),
    ...(format === "url" ? { format: "uri-reference" } : {}),
    ...(first === undefined ? {} : { pattern: first }),
    ...(rest.length > 0 ? { allOf: rest.map((pattern) => ({ pattern })) } : {}),
  };
}

/** A pattern that means the same under the flag that JSON Schema has (`u`), or null. */
function portablePattern(source: string): string | null {
  // In classes of flag `v` these are operators, in flag `u` characters.
  if (source.includes("--") || source.includes("&&")) return null;
  try {
    void new RegExp(source, "u");
    return source;
  } catch {
    return null;
  }
}

/** Escapes that only flag `v` takes, written as flag `u` has them. */
function plain(source: string): string {
  return source.replaceAll("\\{", "\\x7b").replaceAll("\\|", "\\x7c").replaceAll("\\}", "\\x7d");
}
