import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import * as fc from "fast-check";
import { cinemaBundleHash, cinemaRules, cinemaSpec } from "./cinema.case.ts";
import { fieldSpecs, valueOf } from "./field-arbitrary.case.ts";
import { fieldExample, recordExample } from "./field-example.ts";
import type { Issue } from "./field-issue.ts";
import { compileRecord } from "./field-record.ts";
import { fieldSchema, recordSchema } from "./field-schema.ts";
import { compileField } from "./field-validate.ts";
import { buildManifest } from "./manifest-build.ts";
import type { FieldSpec } from "./manifest.ts";

const now = "2026-01-31T20:15:00.000Z";
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
formats.default(ajv);

function takes(spec: FieldSpec, value: unknown): boolean {
  const issues: Issue[] = [];
  compileField(spec)(value, "", issues);
  return issues.length === 0;
}

function matches(schema: object, value: unknown): boolean {
  return ajv.compile(schema)(JSON.parse(JSON.stringify(value ?? null)));
}

test("a value that the server takes, and what it makes of it, fit the schema", () => {
  fc.assert(
    fc.property(
      fieldSpecs.chain((spec) => fc.tuple(fc.constant(spec), valueOf(spec))),
      ([spec, value]) => {
        const out = compileField(spec)(value, "", []);
        assert.ok(matches(fieldSchema(spec, "in"), value), ajv.errorsText());
        assert.ok(matches(fieldSchema(spec, "out"), out), ajv.errorsText());
      },
    ),
    { numRuns: 300 },
  );
});

test("what the schema says and what the server says is the same, where a schema can say it", () => {
  // Days that exist, bytes of a value and the like have no words in JSON Schema.
  const exact = fieldSpecs.filter((spec) => isExact(spec));
  const any = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      "a@b.co",
      "a-b",
      "AB12",
      "",
      "AA==",
      "AB==",
      true,
      0,
      1.5,
      -1_000,
      1_001,
      2 ** 53,
    ),
    fc.dictionary(fc.constantFrom("a", "b", "city", "x1"), fc.constantFrom(1, "a", null), {
      noNullPrototype: true,
    }),
  );
  fc.assert(
    fc.property(
      exact.chain((spec) =>
        fc.tuple(fc.constant(spec), fc.array(fc.oneof(any, valueOf(spec)), { maxLength: 8 })),
      ),
      ([spec, values]) => {
        for (const value of values.filter((each) => isPlain(each))) {
          assert.equal(
            matches(fieldSchema(spec, "in"), value),
            takes(spec, value),
            JSON.stringify(value),
          );
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("a table's schemas and its validators take the same records", () => {
  const film = buildManifest(cinemaSpec, cinemaRules, cinemaBundleHash).tables["film"];
  assert.ok(film !== undefined);
  const records: readonly unknown[] = [
    { title: "Alien" },
    { title: "Alien", slug: "alien", rating: null, made: { country: "GB" } },
    {},
    { rating: 8 },
    { title: null },
    { title: "Alien", secret: "x" },
    { title: "Alien", id: "film_1" },
    { slug: "other" },
    { title: "Alien", made: { country: "gb" } },
    { title: "Alien", tags: ["a", "b", "c", "d", "e", "f"] },
    [],
    "x",
  ];
  for (const mode of ["create", "update"] as const) {
    const schema: (record: unknown) => boolean = ajv.compile(recordSchema(film.fields, mode));
    const validate = compileRecord(film.fields, mode);
    for (const record of records) {
      assert.equal(
        schema(record),
        passes(() => validate(record, now)),
        `${mode} ${JSON.stringify(record)}`,
      );
    }
  }
});

test("a row's schema has every field but the private ones, and spares those with a rule of their own", () => {
  const fields = {
    id: { kind: "id", table: "film", immutable: true },
    a: { kind: "bool" },
    b: { kind: "bool", private: true },
  } as const;
  const schema = recordSchema(fields, "row", new Set(["a"]));
  assert.deepEqual(Object.keys(schema["properties"] as object), ["id", "a"]);
  assert.deepEqual(schema["required"], ["id"]);
});

test("patterns that another flag reads differently are left to the server", () => {
  const text = { kind: "text", min: 0, max: 9 } as const;
  assert.equal(fieldSchema({ ...text, pattern: "[a-z]+" }, "in")["pattern"], "^(?:[a-z]+)$");
  assert.equal(fieldSchema({ ...text, pattern: "[[a-z]--[aeiou]]" }, "in")["pattern"], undefined);
  assert.equal(fieldSchema({ ...text, pattern: "[[a-c]x]" }, "in")["pattern"], undefined);
});

test("an example is taken by its field", () => {
  fc.assert(
    fc.property(fieldSpecs, (spec) => {
      const example = fieldExample(spec);
      if (example !== undefined) assert.ok(takes(spec, example));
    }),
    { numRuns: 500 },
  );
  assert.equal(fieldExample({ kind: "text", min: 0, max: 9, pattern: "[0-9]{3}" }), undefined);
  assert.deepEqual(recordExample({ a: { kind: "int", min: 5, max: 9 } }), { a: 5 });
});

function isExact(spec: FieldSpec): boolean {
  const { kind } = spec;
  if (kind === "list") return isExact(spec.item);
  if (kind === "object") return Object.values(spec.fields).every(isExact);
  if (kind === "bytes") return spec.max % 3 === 0;
  return kind !== "time" && kind !== "date" && kind !== "json";
}

/** Text that JSON Schema and this server count alike, without what no text may hold. */
function isPlain(value: unknown): boolean {
  const text = JSON.stringify(value) ?? "";
  return !/[\uD800-\uDFFF]|\\u0000|\\ud[89a-f]|"__proto__"/i.test(text);
}

function passes(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
