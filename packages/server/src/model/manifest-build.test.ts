import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { AppInvalid } from "./app-mistake.ts";
import { always, cinemaBundleHash, cinemaRules, cinemaSpec } from "./cinema.case.ts";
import { buildManifest, type RulesRead } from "./manifest-build.ts";
import { canonicalJson, manifestFromJson, manifestToJson } from "./manifest-json.ts";

const read = cinemaRules as RulesRead;

/** New values by path, `tables/film/search`; undefined takes the part away. */
type Changes = Readonly<Record<string, unknown>>;

/** The app with something changed. */
function changed(changes: Changes): unknown {
  const copy: unknown = structuredClone(cinemaSpec);
  for (const [path, value] of Object.entries(changes)) setPart(copy, path.split("/"), value);
  return copy;
}

function setPart(whole: unknown, path: readonly string[], value: unknown): void {
  let at = whole as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ""] = value;
}

function problems(spec: unknown, rules: RulesRead = read): readonly string[] {
  try {
    buildManifest(spec, rules, cinemaBundleHash);
    return [];
  } catch (error) {
    if (!(error instanceof AppInvalid)) throw error;
    for (const mistake of error.mistakes) assert.ok(mistake.fix.length > 0, mistake.problem);
    return error.mistakes.map((mistake) => mistake.problem);
  }
}

test("the manifest holds the whole app, id first, and is frozen to the ground", () => {
  const manifest = buildManifest(cinemaSpec, read, cinemaBundleHash);
  assert.deepEqual(Object.keys(manifest.tables), [
    "user",
    "film",
    "screening",
    "booking",
    "auditNote",
  ]);
  const film = manifest.tables["film"];
  assert.deepEqual(Object.keys(film?.fields ?? {})[0], "id");
  assert.deepEqual(film?.fields["id"], { kind: "id", table: "film", immutable: true });
  assert.deepEqual(film?.at, { file: "schema.ts", line: 3, column: 1 });
  assert.deepEqual(film?.limits, { read: { perAddress: "100/minute" } });
  assert.deepEqual(manifest.tables["user"]?.rules, { fields: {} });
  assert.deepEqual(manifest.functions["cinema.book"]?.at, {
    file: "cinema.ts",
    line: 12,
    column: 1,
  });
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(walk);
  };
  walk(manifest);
});

test("what has no place of its own is told where the app is put together", () => {
  const at = { file: "app.ts", line: 4, column: 16 };
  const spec = changed({ work: { fuel: 0 } });
  assert.throws(
    () => buildManifest(spec, { ...read, app: { at, auth: at } }, cinemaBundleHash),
    (error: AppInvalid) => {
      assert.deepEqual(
        error.mistakes.map(({ line, column }) => [line, column]),
        error.mistakes.map(() => [4, 16]),
      );
      return true;
    },
  );
});

test("a manifest survives the way to text and back, hash and order of fields included", () => {
  const manifest = buildManifest(cinemaSpec, read, cinemaBundleHash);
  const back = manifestFromJson(manifestToJson(manifest));
  assert.deepEqual(back, manifest);
  assert.deepEqual(
    Object.keys(back.tables["film"]?.fields ?? {}),
    Object.keys(manifest.tables["film"]?.fields ?? {}),
  );
  assert.ok(Object.isFrozen(back.tables["film"]?.fields));
  assert.throws(() => manifestFromJson('{"version":2}'), { name: "AssertionFailure" });
});

test("the hash names the app: the same for the same, another for any change", () => {
  const hash = (spec: unknown, rules = read, bundle = cinemaBundleHash) =>
    buildManifest(spec, rules, bundle).hash;
  const first = hash(cinemaSpec);
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(hash(structuredClone(cinemaSpec)), first);
  assert.notEqual(hash(cinemaSpec, read, "1".repeat(64)), first);
  assert.notEqual(hash(changed({ "tables/film/fields/title/max": 201 })), first);
  const other = {
    ...read,
    tables: { ...read.tables, film: { rules: { fields: {} }, checks: [] } },
  };
  assert.notEqual(hash(cinemaSpec, other), first);
});

test("canonical JSON does not know the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const shuffled = reverseKeys(value);
      assert.equal(canonicalJson(value), canonicalJson(shuffled));
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("defaults are normalised like any value", () => {
  const spec = changed({
    "tables/screening/fields/startsAt/default": { value: "2026-01-31T21:15:00+01:00" },
  });
  const manifest = buildManifest(spec, read, cinemaBundleHash);
  assert.deepEqual(manifest.tables["screening"]?.fields["startsAt"]?.default, {
    value: "2026-01-31T20:15:00.000Z",
  });
});

const wrong: Readonly<Record<string, readonly [Changes, RegExp]>> = {
  "another version": [{ version: 2 }, /another version of keelson/],
  "an unknown part": [{ secrets: {} }, /app has "secrets"/],
  "tables that are no object": [{ tables: [] }, /tables is no object/],
  "a table name with digits": [
    { "tables/film2": cinemaSpec.tables["auditNote"] },
    /film2 : its name must start in lower case/,
  ],
  "a table name of the database": [
    { "tables/sqliteX": cinemaSpec.tables["auditNote"] },
    /which the database keeps/,
  ],
  "a table called asSystem": [{ "tables/asSystem": cinemaSpec.tables["auditNote"] }, /db.asSystem/],
  "tables with ids of one prefix": [
    { "tables/audit_note": cinemaSpec.tables["auditNote"] },
    /can't be told from table auditNote/,
  ],
  "tables that differ in case": [
    { "tables/auditnote": cinemaSpec.tables["auditNote"] },
    /can't be told from table auditNote/,
  ],
  "an inherited field name": [
    { "tables/film/fields/toString": { kind: "bool" } },
    /every JavaScript object has/,
  ],
  "a field named like a filter word": [
    { "tables/film/fields/or": { kind: "bool" } },
    /is a word of filters/,
  ],
  "a declared id": [{ "tables/film/fields/id": { kind: "bool" } }, /film.id is declared/],
  "fields that differ in case": [
    { "tables/film/fields/Title": { kind: "bool" } },
    /differs from title only in case/,
  ],
  "a field of unknown kind": [
    { "tables/film/fields/title": { kind: "varchar" } },
    /film.title has no known kind/,
  ],
  "a field with an unknown option": [
    { "tables/film/fields/title/length": 5 },
    /film.title has "length"/,
  ],
  "a field that is null": [{ "tables/film/fields/title": null }, /no known kind/],
  "bounds the wrong way round": [
    { "tables/film/fields/title/min": 500 },
    /min of 500 above its max of 200/,
  ],
  "bounds that are no numbers": [{ "tables/film/fields/rating/min": "0" }, /min that is no number/],
  "a reference into nothing": [
    { "tables/screening/fields/film/table": "flim" },
    /refers to a table "flim"/,
  ],
  "a required reference to be cleared": [
    { "tables/screening/fields/film/onDelete": "clear" },
    /is to be cleared on delete and cannot be/,
  ],
  "a reference in a list": [
    { "tables/film/fields/tags/item": { kind: "ref", table: "user", onDelete: "refuse" } },
    /reference inside a list or an object/,
  ],
  "a pattern that is no text": [
    { "tables/film/fields/title/pattern": 5 },
    /pattern that is no text/,
  ],
  "a pattern that is none": [
    { "tables/film/fields/title/pattern": "(" },
    /pattern that cannot be used/,
  ],
  "a pattern with a backreference": [
    { "tables/film/fields/title/pattern": "(a)\\1" },
    /backreference/,
  ],
  "a pattern too large for its texts": [
    { "tables/film/fields/title/pattern": "(a|b){200}", "tables/film/fields/title/max": 100_000 },
    /pattern too large/,
  ],
  "a default that does not fit": [
    { "tables/film/fields/color/default": { value: 1 } },
    /default that does not fit: it must be true or false/,
  ],
  "now for a text": [{ "tables/film/fields/title/default": { now: true } }, /default "now"/],
  "a unique object": [
    { "tables/film/fields/made/unique": true },
    /is unique, which a object field cannot be/,
  ],
  "a private argument": [
    { "functions/cinema.book/args/seat/private": true },
    /is private, which only fields of tables can be/,
  ],
  "an index over nothing": [
    { "tables/film/indexes/0/fields": ["nope"] },
    /names "nope", which is no field/,
  ],
  "an index over a list": [
    { "tables/film/indexes/0/fields": ["tags"] },
    /a list field has no order/,
  ],
  "a partial index with a bad filter": [
    { "tables/booking/indexes/0/where": { status: "gone" } },
    /index whose where.status must be one of/,
  ],
  "a search in a number": [{ "tables/film/search": ["rating"] }, /is no text field/],
  "a search in a private field": [{ "tables/film/search": ["secret"] }, /which is private/],
  "a check that was not read": [{ "tables/film/checks": 1 }, /has 1 checks, and 0 could be read/],
  "a function without module": [
    { "functions/book": cinemaSpec.functions["cinema.book"] },
    /not module.name/,
  ],
  "a function that hides a table's": [
    { "functions/film.list": cinemaSpec.functions["cinema.tidy"] },
    /hides what clients call/,
  ],
  "an unknown kind of function": [{ "functions/cinema.book/kind": "job" }, /unknown kind/],
  "an unknown allow": [{ "functions/cinema.book/allow": "everyone" }, /its allow is unknown/],
  "roles of nobody": [{ "functions/cinema.pay/allow": { role: [] } }, /names no role/],
  "a rate that is none": [
    { "functions/cinema.book/limit/perUser": "10/fortnight" },
    /perUser that is no rate/,
  ],
  "a rate of zero": [
    { "tableLimits/film/read/perAddress": "0/minute" },
    /perAddress that is no rate/,
  ],
  "limits of no table": [{ "tableLimits/nope": {} }, /tableLimits has "nope"/],
  "hosts of a query": [{ "functions/cinema.seats/hosts": ["a.b"] }, /a query reaches no host/],
  "a host with a scheme": [{ "functions/cinema.pay/hosts": ["https://a.b"] }, /which is no host/],
  "an http function without route": [
    { "functions/web.poster/route": undefined },
    /route is missing/,
  ],
  "a route on our own addresses": [
    { "functions/web.poster/route/path": "/api/tables/film" },
    /the server itself answers/,
  ],
  "a route that goes on after *": [
    { "functions/web.poster/route/path": "/a/*rest/b" },
    /goes on after/,
  ],
  "two functions on one route": [
    {
      "functions/web.other": {
        ...cinemaSpec.functions["web.poster"],
        route: { method: "GET", path: "/posters/:id" },
      },
    },
    /where web.poster is already/,
  ],
  "an invariant that is no query": [
    { "invariants/1": "cinema.book" },
    /is no query without arguments/,
  ],
  "an origin with a path": [{ "cors/1": "https://a.b/c" }, /which is no origin/],
  "a star among origins": [{ "cors/1": "*" }, /which is no origin/],
};

for (const [title, [change, problem]] of Object.entries(wrong)) {
  test(`refused: ${title}`, () => {
    const found = problems(changed(change));
    assert.ok(
      found.some((each) => problem.test(each)),
      `${String(problem)} in ${JSON.stringify(found)}`,
    );
  });
}

test("mistakes of the source come with those of the specification, all at once", () => {
  const at = { file: "rules.ts", line: 2, column: 3, problem: "A loop.", fix: "None.", frame: "" };
  const rules: RulesRead = {
    ...read,
    tables: { ...read.tables, flim: { rules: { read: always, fields: {} }, checks: [] } },
    mistakes: [at],
  };
  const found = problems(changed({ cors: "x" }), rules);
  assert.deepEqual([found[0], found.length >= 3], ["A loop.", true]);
  assert.ok(found.some((each) => /rules for flim are for a table that does not exist/.test(each)));
});

test("a mistake shows the lines around its place", () => {
  const source = "import a;\n\nexport const film = table({});\n";
  try {
    const spec = changed({ "tables/film/search": ["nope"] });
    buildManifest(spec, read, cinemaBundleHash, {
      source: (file) => (file === "schema.ts" ? source : null),
    });
    assert.fail("built");
  } catch (error) {
    assert.ok(error instanceof AppInvalid);
    assert.match(error.mistakes[0]?.frame ?? "", /> 3 \| export const film/);
  }
});

test("whatever comes out of the isolate: a manifest or mistakes, never a crash", () => {
  const paths = leavesOf(cinemaSpec);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.anything(), (path, value) => {
      const copy: unknown = structuredClone(cinemaSpec);
      setPart(copy, path, value);
      let text;
      try {
        text = JSON.stringify(copy);
      } catch {
        return;
      }
      problems(JSON.parse(text));
    }),
    { numRuns: 3_000 },
  );
  for (const path of paths) {
    const copy: unknown = structuredClone(cinemaSpec);
    // What can be made neither a number nor a text, at every place.
    setPart(copy, path, { toString: 0 });
    const found = problems(JSON.parse(JSON.stringify(copy)));
    if (["min", "max", "checks"].includes(path.at(-1) ?? "")) {
      assert.ok(found.length > 0, path.join("."));
    }
  }
  for (const spec of [
    null,
    undefined,
    1,
    "x",
    [],
    {},
    JSON.parse('{"version":1,"__proto__":{"tables":{}}}'),
  ]) {
    assert.ok(problems(spec).length > 0);
  }
});

/** Every path into a value, inner ones included. */
function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function reverseKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reverseKeys);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, reverseKeys(part)]),
  );
}
