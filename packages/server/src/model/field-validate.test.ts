import { strict as assert } from "node:assert";
import { test } from "node:test";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { typeIdOfUuid } from "../base/type-id.ts";
import type { Json } from "../base/json.ts";
import { issuesMax, type Issue } from "./field-issue.ts";
import { compileField } from "./field-validate.ts";
import { fieldSpecs, valueOf } from "./field-arbitrary.case.ts";
import type { FieldSpec } from "./manifest.ts";

const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
const text: FieldSpec = { kind: "text", min: 0, max: 10 };

/** The value that comes out, or the first problem. */
function run(spec: FieldSpec, value: unknown): { value: Json } | { problem: string } {
  const issues: Issue[] = [];
  const out = compileField(spec)(value, "", issues);
  return issues[0] === undefined ? { value: out } : { problem: issues[0].problem };
}

function accepts(spec: FieldSpec, value: unknown, normal: unknown = value): void {
  assert.deepEqual(run(spec, value), { value: normal });
}

function refuses(spec: FieldSpec, ...values: readonly unknown[]): void {
  for (const value of values) assert.ok("problem" in run(spec, value), inspect(value));
}

test("what comes out passes again unchanged", () => {
  fc.assert(
    fc.property(
      fieldSpecs.chain((spec) => fc.tuple(fc.constant(spec), valueOf(spec))),
      ([spec, value]) => {
        const issues: Issue[] = [];
        const validate = compileField(spec);
        const once = validate(value, "", issues);
        assert.deepEqual(issues, []);
        assert.deepEqual(validate(once, "", issues), once);
        assert.deepEqual(issues, []);
        // Neither time nor storage as JSON changes it.
        assert.deepEqual(validate(JSON.parse(JSON.stringify(once)), "", issues), once);
      },
    ),
    { numRuns: 500 },
  );
});

test("no value at all breaks a validator: it comes out or there is an issue", () => {
  fc.assert(
    fc.property(fieldSpecs, fc.anything({ withNullPrototype: true }), (spec, value) => {
      const issues: Issue[] = [];
      const out = compileField(spec)(value, "x", issues);
      if (issues.length === 0) assert.notEqual(JSON.stringify(out), undefined);
      for (const { path } of issues) assert.ok(path.startsWith("x"));
    }),
    { numRuns: 3_000 },
  );
});

test("absence passes optional fields only", () => {
  accepts({ ...text, optional: true }, null);
  accepts({ ...text, optional: true }, undefined, null);
  refuses(text, null, undefined);
});

test("text keeps every character and refuses what no engine could give back", () => {
  // Not normalised: both ways to write é stay what they are.
  for (const value of ["é", "e\u0301", " a ", "😀", "\n\t"]) accepts(text, value);
  refuses(text, "\uD800", "a\uDC00b", "a\0b", "12345678901", 1, true, ["a"], { eq: "a" });
  refuses({ kind: "text", min: 2, max: 3 }, "a", "abcd", "");
  accepts({ kind: "text", min: 0, max: 9, pattern: "[A-Z]{2}\\d+" }, "AB12");
  refuses({ kind: "text", min: 0, max: 9, pattern: "[A-Z]{2}\\d+" }, "xAB12", "AB12\n", "AB");
});

test("numbers are finite, in bounds, and never -0", () => {
  const int: FieldSpec = { kind: "int", min: -5, max: 5 };
  accepts(int, -0, 0);
  assert.ok(Object.is((run(int, -0) as { value: Json }).value, 0));
  refuses(int, 1.5, "1", 6, -6, Number.NaN, Infinity, 2 ** 53, true, [1], 1n);
  const number: FieldSpec = { kind: "number", min: 0, max: 1 };
  accepts(number, 0.5);
  refuses(number, 1.000_001, -0.1, Number.NaN, -Infinity, "0.5", null);
  const money: FieldSpec = { kind: "money", currency: "EUR" };
  accepts(money, -1_250);
  refuses(money, 12.5, "12.50", 2 ** 53);
});

test("times come out in UTC with milliseconds, dates as they are", () => {
  accepts({ kind: "time" }, "2026-01-31T21:15:00+01:00", "2026-01-31T20:15:00.000Z");
  refuses({ kind: "time" }, "2026-02-30T00:00:00Z", 0, "now", "2026-01-31", new Date(0));
  accepts({ kind: "date" }, "2024-02-29");
  refuses({ kind: "date" }, "2026-02-30", "2026-1-1", 20_260_131);
});

test("ids must be of the right table", () => {
  const spec: FieldSpec = { kind: "ref", table: "filmRole", onDelete: "refuse" };
  accepts(spec, typeIdOfUuid("film_role", uuid));
  refuses(spec, typeIdOfUuid("film", uuid), uuid, `film_role_${"z".repeat(26)}`, 7, "", {});
});

test("formats", () => {
  const email: FieldSpec = { kind: "text", min: 0, max: 320, format: "email" };
  for (const value of ["a@b.co", "first.last+tag@sub.example.com", "x_y@xn--bcher-kva.example"])
    accepts(email, value);
  refuses(
    email,
    "a",
    "a@b",
    "@b.co",
    "a@b..co",
    "a b@c.de",
    "a@-b.co",
    "a@b.co ",
    `${"a".repeat(65)}@b.co`,
    "a@b.co\n",
  );
  refuses(
    email,
    `a@${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(60)}.${"f".repeat(60)}.co`,
  );
  const url: FieldSpec = { kind: "text", min: 0, max: 200, format: "url" };
  for (const value of ["https://example.com", "http://localhost:3000/a?b=c#d", "https://ex.com/é"])
    accepts(url, value);
  refuses(
    url,
    "example.com",
    "javascript:alert(1)",
    "ftp://a.b",
    "https://",
    "https:// a.b",
    "https://a b",
    " https://a.b",
    "https://a.b\n",
    "https:\\\\a.b",
  );
  const slug: FieldSpec = { kind: "text", min: 0, max: 50, format: "slug" };
  for (const value of ["a", "a-b-c", "2026-film"]) accepts(slug, value);
  refuses(slug, "", "-a", "a-", "a--b", "A", "a_b", "é");
});

test("base64 is canonical, and bounded in decoded bytes", () => {
  const bytes: FieldSpec = { kind: "bytes", max: 4 };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (raw) => {
      const value = Buffer.from(raw).toString("base64");
      if (raw.length <= 4) accepts(bytes, value);
      else refuses(bytes, value);
    }),
  );
  // Of any text, exactly what Buffer would write again passes.
  const letters = fc.string({
    unit: fc.constantFrom("A", "Q", "g", "w", "B", "+", "/", "-", "=", " "),
    maxLength: 8,
  });
  fc.assert(
    fc.property(letters, (value) => {
      const isCanonical = Buffer.from(value, "base64").toString("base64") === value;
      assert.equal("value" in run({ kind: "bytes", max: 100 }, value), isCanonical, value);
    }),
    { numRuns: 5_000 },
  );
});

test("json is copied, bounded in bytes and depth, and has no key that reaches a prototype", () => {
  const json: FieldSpec = { kind: "json", maxBytes: 20 };
  const given = { a: [1, { b: -0 }] };
  accepts(json, given, { a: [1, { b: 0 }] });
  assert.notEqual((run(json, given) as { value: Json }).value, given);
  accepts(json, "12345678901234567é".slice(0, 17));
  refuses(json, "123456789012345678é", "1234567890123456789", JSON.parse('{"__proto__":1}'), {
    constructor: 1,
  });
  refuses(json, Number.NaN, "\uD800", { "\uD800": 1 }, "a\0", () => 1, 1n, Symbol("x"));
  let deep: unknown = 1;
  for (let level = 0; level < 40; level++) deep = [deep];
  refuses({ kind: "json", maxBytes: 10_000 }, deep);
});

test("objects have exactly their keys, lists their bounds, and paths lead to the mistake", () => {
  const spec: FieldSpec = {
    kind: "list",
    min: 1,
    max: 3,
    item: {
      kind: "object",
      fields: {
        city: text,
        zip: { ...text, optional: true },
        land: { ...text, default: { value: "DE" } },
      },
    },
  };
  accepts(spec, [{ city: "Ulm" }], [{ city: "Ulm", zip: null, land: "DE" }]);
  refuses(spec, [], [{}], [{ city: "a" }, 1], "a", { 0: { city: "a" } }, [{ city: "a", extra: 1 }]);
  refuses(
    spec,
    [1, 2, 3, 4].map(() => ({ city: "a" })),
  );
  const issues: Issue[] = [];
  compileField(spec)([{ city: "a" }, { citty: "b", zip: 5 }], "homes", issues);
  assert.deepEqual(
    issues.map(({ path, problem }) => `${path} ${problem}`),
    [
      "homes[1].city is required",
      "homes[1].zip must be text",
      'homes[1].citty is not known here (did you mean "city"?)',
    ],
  );
});

test("issues are bounded, and so is their text", () => {
  const issues: Issue[] = [];
  compileField({ kind: "list", item: text, min: 0, max: 10_000 })(
    Array(10_000).fill(1),
    "",
    issues,
  );
  assert.equal(issues.length, issuesMax);
  const many = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`${"k".repeat(5_000)}${i}`, 1]),
  );
  issues.length = 0;
  compileField({ kind: "object", fields: {} })(many, "", issues);
  assert.equal(issues.length, issuesMax);
  assert.ok(JSON.stringify(issues).length < 5_000);
});
