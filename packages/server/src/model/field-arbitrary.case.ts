// Random fields and values that fit them, for property tests. Not part of the server.
import * as fc from "fast-check";
import { typeIdOfUuid, typeIdPrefix } from "../base/type-id.ts";
import type { FieldSpec } from "./manifest.ts";

const bound = fc.integer({ min: -1_000, max: 1_000 });
const bounds = fc
  .tuple(bound, bound)
  .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const sizes = fc.tuple(fc.nat(5), fc.nat(5)).map(([a, b]) => ({ min: a, max: a + b + 1 }));
const table = fc.constantFrom("film", "filmRole");
const name = fc.constantFrom("a", "b", "city", "startsAt", "x1");

const scalars: fc.Arbitrary<FieldSpec> = fc.oneof(
  table.map((to) => ({ kind: "id" as const, table: to })),
  sizes.map((size) => ({ kind: "text" as const, ...size })),
  fc.constant({ kind: "text" as const, min: 0, max: 20, pattern: "[A-Z]{2}[0-9]*" }),
  fc.constant({ kind: "text" as const, min: 0, max: 100, format: "email" as const }),
  fc.constant({ kind: "text" as const, min: 0, max: 100, format: "slug" as const }),
  bounds.map((range) => ({ kind: "int" as const, ...range })),
  bounds.map((range) => ({ kind: "number" as const, ...range })),
  fc.constant({ kind: "number" as const }),
  fc.constant({ kind: "bool" as const }),
  fc.constant({ kind: "time" as const }),
  fc.constant({ kind: "date" as const }),
  fc.constant({ kind: "json" as const, maxBytes: 10_000 }),
  fc.constant({ kind: "money" as const, currency: "EUR", min: 0 }),
  fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })
    .map((values) => ({ kind: "oneOf" as const, values })),
  fc.nat(20).map((max) => ({ kind: "bytes" as const, max: max + 1 })),
);

/** Fields of every kind, nested and optional ones among them. */
export const fieldSpecs: fc.Arbitrary<FieldSpec> = nest(nest(scalars));

function nest(inner: fc.Arbitrary<FieldSpec>): fc.Arbitrary<FieldSpec> {
  const optional = fc
    .tuple(inner, fc.boolean())
    .map(([spec, yes]) => (yes ? { ...spec, optional: true as const } : spec));
  const fields = fc.dictionary(name, optional, { maxKeys: 3, noNullPrototype: true });
  return fc.oneof(
    { weight: 3, arbitrary: optional },
    { weight: 1, arbitrary: fields.map((given) => ({ kind: "object" as const, fields: given })) },
    {
      weight: 1,
      arbitrary: fc.tuple(inner, sizes).map(([item, size]) => ({
        kind: "list" as const,
        item: { ...item, optional: undefined } as unknown as FieldSpec,
        ...size,
      })),
    },
  );
}

/** Values that the field takes. */
export function valueOf(spec: FieldSpec): fc.Arbitrary<unknown> {
  const present = presentOf(spec);
  return spec.optional === true ? fc.option(present, { nil: null }) : present;
}

function presentOf(spec: FieldSpec): fc.Arbitrary<unknown> {
  switch (spec.kind) {
    case "id":
    case "ref":
      return fc.uuid().map((uuid) => typeIdOfUuid(typeIdPrefix(spec.table), uuid));
    case "text":
      return textOf(spec);
    case "int":
      return fc.integer({ min: spec.min, max: spec.max });
    case "money":
      return fc.integer({ min: spec.min ?? -1e6, max: spec.max ?? 1e6 });
    case "number":
      return fc.double({ min: spec.min ?? -1e9, max: spec.max ?? 1e9, noNaN: true });
    case "bool":
      return fc.boolean();
    case "time":
      return fc.integer({ min: -1e13, max: 1e13 }).map((ms) => new Date(ms).toISOString());
    case "date":
      return fc
        .integer({ min: -1e13, max: 1e13 })
        .map((ms) => new Date(ms).toISOString().slice(0, 10));
    case "json":
      return fc
        .json({ maxDepth: 2, stringUnit: "grapheme-ascii" })
        .filter(isPlainJson)
        .map((text) => JSON.parse(text) as unknown);
    case "oneOf":
      return fc.constantFrom(...spec.values);
    case "list":
      return fc.array(valueOf(spec.item), { minLength: spec.min, maxLength: spec.max });
    case "object":
      return objectOf(spec.fields);
    case "bytes":
      return fc
        .uint8Array({ maxLength: spec.max })
        .map((raw) => Buffer.from(raw).toString("base64"));
    default:
      return spec satisfies never;
  }
}

function isPlainJson(text: string): boolean {
  // null is how a field says that there is no value.
  return (
    text !== "null" && !/"(?:__proto__|constructor|prototype)"/.test(text) && text.length < 3_000
  );
}

function textOf(spec: FieldSpec & { readonly kind: "text" }): fc.Arbitrary<string> {
  if (spec.pattern !== undefined) return fc.stringMatching(/^[A-Z]{2}[0-9]{0,10}$/);
  if (spec.format === "email") return fc.stringMatching(/^[a-z]{1,9}@[a-z]{1,9}\.[a-z]{2,5}$/);
  if (spec.format === "slug") return fc.stringMatching(/^[a-z0-9]{1,5}(?:-[a-z0-9]{1,5}){0,3}$/);
  return fc.string({ minLength: spec.min, maxLength: spec.max });
}

function objectOf(fields: Readonly<Record<string, FieldSpec>>): fc.Arbitrary<unknown> {
  const parts = Object.entries(fields).map(([key, spec]) => [key, valueOf(spec)] as const);
  return fc.record(Object.fromEntries(parts), { noNullPrototype: true });
}
