// Example values of fields, for documents: the same for the same field, and always such that the field takes
// them. A field whose pattern nobody can guess has none.
import type { Json } from "../base/json.ts";
import { typeIdOfUuid, typeIdPrefix } from "../base/type-id.ts";
import type { Issue } from "./field-issue.ts";
import { compileField } from "./field-validate.ts";
import type { FieldSpec } from "./manifest.ts";

const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";

/** An example of a field. @returns undefined when none is known. */
export function fieldExample(spec: FieldSpec): Json | undefined {
  const initial = spec.default;
  const value = initial !== undefined && "value" in initial ? initial.value : guess(spec);
  if (value === undefined) return undefined;
  const issues: Issue[] = [];
  const checked = compileField(spec)(value, "", issues);
  return issues.length === 0 ? checked : undefined;
}

/** An example of every named field, or null when one of them has none. */
export function recordExample(
  fields: Readonly<Record<string, FieldSpec>>,
): { readonly [name: string]: Json } | null {
  const example: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(fields)) {
    const value = fieldExample(spec) ?? (spec.optional === true ? null : undefined);
    if (value === undefined) return null;
    example[name] = value;
  }
  return example;
}

function guess(spec: FieldSpec): Json | undefined {
  switch (spec.kind) {
    case "id":
    case "ref":
      return typeIdOfUuid(typeIdPrefix(spec.table), uuid);
    case "text":
      return guessText(spec);
    case "int":
    case "money":
    case "number":
      return Math.min(
        Math.max(spec.kind === "money" ? 1_250 : 1, spec.min ?? 0),
        spec.max ?? 1_250,
      );
    case "bool":
      return true;
    case "time":
      return "2026-01-31T20:15:00.000Z";
    case "date":
      return "2026-01-31";
    case "json":
      return {};
    case "oneOf":
      return spec.values[0];
    case "list": {
      const item = fieldExample(spec.item);
      return item === undefined
        ? []
        : Array.from({ length: Math.min(Math.max(1, spec.min), 3) }, () => item);
    }
    case "object":
      return recordExample(spec.fields) ?? undefined;
    case "bytes":
      return "AA==";
    default:
      return spec satisfies never;
  }
}

function guessText(spec: FieldSpec & { readonly kind: "text" }): string {
  if (spec.format === "email") return "ada@example.com";
  if (spec.format === "url") return "https://example.com/";
  const text = spec.format === "slug" ? "an-example" : "Example";
  return text.slice(0, spec.max).padEnd(Math.min(spec.min, 100), "x");
}
