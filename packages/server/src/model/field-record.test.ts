import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { PlatformError } from "../base/platform-error.ts";
import { typeIdOfUuid } from "../base/type-id.ts";
import { compileRecord, type RecordMode, type RecordWriter } from "./field-record.ts";
import { fieldSpecs } from "./field-arbitrary.case.ts";
import type { FieldSpec } from "./manifest.ts";

const now = "2026-01-31T20:15:00.000Z";
const id = typeIdOfUuid("film", "01890a5d-ac96-774b-bcce-b302099a8057");
const fields: Readonly<Record<string, FieldSpec>> = {
  id: { kind: "id", table: "film", immutable: true },
  title: { kind: "text", min: 1, max: 10 },
  note: { kind: "text", min: 0, max: 10, optional: true },
  code: { kind: "text", min: 0, max: 10, immutable: true, default: { value: "x" } },
  at: { kind: "time", default: { now: true } },
  day: { kind: "date", default: { now: true } },
  secret: { kind: "text", min: 0, max: 10, private: true, optional: true },
};

interface Case {
  readonly mode: RecordMode;
  readonly writer?: RecordWriter;
  readonly value: unknown;
  /** The record, or the code with `path problem` of each issue. */
  readonly gives: unknown;
}

const created = { note: null, code: "x", at: now, day: "2026-01-31", secret: null };
const cases: Readonly<Record<string, Case>> = {
  "create fills in defaults and absence": {
    mode: "create",
    value: { title: "A" },
    gives: { title: "A", ...created },
  },
  "create normalises": {
    mode: "create",
    value: { title: "A", at: "2026-01-31T21:15:00+01:00", note: null },
    gives: { title: "A", ...created },
  },
  "create takes no id": {
    mode: "create",
    value: { title: "A", id },
    gives: ["FIELD_IMMUTABLE", "id is made by the server"],
  },
  "an import may give an id": {
    mode: "import",
    writer: "system",
    value: { title: "A", id },
    gives: { id, title: "A", ...created },
  },
  "an import without an id gets one later": {
    mode: "import",
    writer: "system",
    value: { title: "A" },
    gives: { title: "A", ...created },
  },
  "create refuses null for a required field, also with a default": {
    mode: "create",
    value: { title: null, code: null },
    gives: ["VALUE_INVALID", "title is required", "code is required"],
  },
  "a private field is unknown to a caller": {
    mode: "create",
    value: { title: "A", secret: "s" },
    gives: ["FIELD_UNKNOWN", "secret is not known here"],
  },
  "and is never the hint for another": {
    mode: "create",
    value: { title: "A", secre: "s" },
    gives: ["FIELD_UNKNOWN", "secre is not known here"],
  },
  "the system writes private fields": {
    mode: "create",
    writer: "system",
    value: { title: "A", secret: "s" },
    gives: { title: "A", ...created, secret: "s" },
  },
  "update takes only what is given": {
    mode: "update",
    value: { title: "B" },
    gives: { title: "B" },
  },
  "update of nothing is nothing": { mode: "update", value: {}, gives: {} },
  "update clears what is optional": {
    mode: "update",
    value: { note: null },
    gives: { note: null },
  },
  "update does not clear what is required": {
    mode: "update",
    value: { title: null },
    gives: ["VALUE_INVALID", "title is required: it can be changed, not cleared"],
  },
  "update refuses immutable fields and the id": {
    mode: "update",
    value: { code: "y", id },
    gives: ["FIELD_IMMUTABLE", "id cannot be changed", "code is set once, when the row is created"],
  },
  "a private field is unknown in an update too": {
    mode: "update",
    value: { secret: "s" },
    gives: ["FIELD_UNKNOWN", "secret is not known here"],
  },
  "unknown keys come with the likely name": {
    mode: "update",
    value: { titel: "B" },
    gives: ["FIELD_UNKNOWN", 'titel is not known here (did you mean "title"?)'],
  },
  "all issues at once, and mixed ones are an invalid value": {
    mode: "create",
    value: { title: 5, x: 1 },
    gives: ["VALUE_INVALID", "title must be text", "x is not known here"],
  },
  "a row is an object": {
    mode: "create",
    value: [1],
    gives: ["VALUE_INVALID", " the row must be an object"],
  },
  "a row is not null": {
    mode: "update",
    value: null,
    gives: ["VALUE_INVALID", " the row must be an object"],
  },
};

for (const [title, { mode, writer, value, gives }] of Object.entries(cases)) {
  test(title, () => assert.deepEqual(run(fields, mode, writer ?? "caller", value), gives));
}

test("arguments are checked as one, whatever is wrong with them", () => {
  const args: Readonly<Record<string, FieldSpec>> = {
    id: { kind: "id", table: "film" },
    count: { kind: "int", min: 1, max: 3, default: { value: 1 } },
  };
  assert.deepEqual(run(args, "args", "caller", { id }), { id, count: 1 });
  assert.deepEqual(run(args, "args", "caller", { id: "film_1", cuont: 2 }), [
    "ARGUMENT_INVALID",
    "id must be the id of a film: film_ and 26 characters",
    'cuont is not known here (did you mean "count"?)',
  ]);
  assert.deepEqual(run({}, "args", "caller", undefined), {});
  assert.deepEqual(run({}, "args", "caller", null), {});
  assert.deepEqual(run({}, "args", "caller", []), [
    "ARGUMENT_INVALID",
    " the arguments must be an object",
  ]);
});

test("a table with a required private field is not created by callers, and its name does not leak", () => {
  const secretive = { ...fields, hash: { kind: "text", min: 1, max: 10, private: true } as const };
  const gives = [
    "VALUE_INVALID",
    " rows of this table are created by the app's own functions only",
  ];
  assert.deepEqual(run(secretive, "create", "caller", { title: "A" }), gives);
  assert.deepEqual(run(secretive, "create", "system", { title: "A", hash: "h" }), {
    title: "A",
    ...created,
    hash: "h",
  });
});

test("keys that reach a prototype are unknown keys", () => {
  const polluted = JSON.parse('{"title":"A","__proto__":{"note":"x"},"constructor":1}') as unknown;
  assert.deepEqual(run(fields, "create", "caller", polluted), [
    "FIELD_UNKNOWN",
    "__proto__ is not known here",
    "constructor is not known here",
  ]);
  assert.equal(({} as Record<string, unknown>)["note"], undefined);
});

test("any value gives a record or a coded refusal", () => {
  const modes = fc.constantFrom<RecordMode>("args", "create", "import", "update");
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("a", "b", "c"), fieldSpecs, { noNullPrototype: true }),
      modes,
      fc.anything(),
      (specs, mode, value) => {
        const gives = run(specs, mode, "caller", value);
        assert.ok(typeof gives === "object");
      },
    ),
    { numRuns: 1_000 },
  );
});

function run(
  specs: Readonly<Record<string, FieldSpec>>,
  mode: RecordMode,
  writer: RecordWriter,
  value: unknown,
): unknown {
  try {
    return compileRecord(specs, mode, writer)(value, now);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const issues = error.details["issues"] as readonly {
      readonly path: string;
      readonly problem: string;
    }[];
    return [error.code, ...issues.map(({ path, problem }) => `${path} ${problem}`)];
  }
}
