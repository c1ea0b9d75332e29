// What `define`, `table`, `t` and functions leave behind, and what they refuse. A wrong specification
// would be found by nobody else: the server builds all on it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsOf } from "./app.ts";
import { DefinitionError } from "./definition-error.ts";
import { functionName, type FunctionDescriptor } from "./function.ts";
import { define, event, isId, Refusal, t, table } from "./index.ts";

function cinema() {
  return define({
    film: table({
      title: t.text({ max: 200, pattern: /[A-Z].*/ }),
      rating: t.number({ min: 0, max: 10 }).optional(),
      made: t.time().default("now").immutable(),
      secret: t.text().private(),
      code: t.text({ max: 8, format: "slug" }).unique(),
    })
      .index("rating")
      .search("title")
      .check(({ next }) => next.title !== "", "A title")
      .limit({ read: { perUser: "100/minute" } }),
    booking: table({
      film: t.ref("film", { onDelete: "cascade" }),
      seat: t.text({ max: 4 }),
      state: t.oneOf("held", "paid").default("held"),
      price: t.money("EUR", { min: 0 }),
    }).unique("film", "seat", { where: { state: { not: "paid" } } }),
  });
}

/** Runs `make`. @returns the mistake that it throws. */
function mistakeOf(make: () => unknown): DefinitionError {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof DefinitionError, String(error));
    return error;
  }
  return assert.fail("no mistake was found");
}

void test("an app becomes plain JSON with every table, function, limit and origin", () => {
  const { query, mutation, http, rules, invariant, app } = cinema();
  const seats = query({
    args: { film: t.id("film"), most: t.int({ max: 10 }).default(5) },
    allow: "anyone",
    returns: t.list(t.text()),
    run: () => [],
  });
  const book = mutation({
    allow: { role: ["staff"] },
    limit: { total: "5/second" },
    returns: t.nothing(),
    run: () => undefined,
  });
  const hook = http({
    method: "POST",
    path: "/in/:name",
    allow: "anyone",
    hosts: ["*.example.com"],
    run: () => new Response(),
  });
  const fair = invariant(({ db }) => db.film.count().then((films) => films > 0));
  const made = app({
    rules: rules({ film: { read: () => true } }),
    functions: { cinema: { seats, book, hook, fair, helper: () => 1, other: { kind: "query" } } },
    invariants: [fair],
    cors: ["https://example.com"],
  });
  const { spec } = made;
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
  assert.deepEqual(spec.tables["film"], {
    fields: {
      title: { kind: "text", min: 0, max: 200, pattern: "[A-Z].*" },
      rating: { kind: "number", min: 0, max: 10, optional: true },
      made: { kind: "time", default: { now: true }, immutable: true },
      secret: { kind: "text", min: 0, max: 10_000, private: true },
      code: { kind: "text", min: 0, max: 8, format: "slug", unique: true },
    },
    indexes: [{ fields: ["rating"] }],
    search: ["title"],
    checks: 1,
  });
  assert.deepEqual(spec.tables["booking"]?.indexes, [
    { fields: ["film", "seat"], where: { state: { not: "paid" } }, unique: true },
  ]);
  assert.deepEqual(spec.tables["booking"]?.fields["film"], {
    kind: "ref",
    table: "film",
    onDelete: "cascade",
  });
  assert.deepEqual(spec.tables["booking"]?.fields["price"], {
    kind: "money",
    currency: "EUR",
    min: 0,
  });
  assert.deepEqual(spec.functions, {
    "cinema.seats": {
      kind: "query",
      args: {
        film: { kind: "id", table: "film" },
        most: { kind: "int", min: Number.MIN_SAFE_INTEGER, max: 10, default: { value: 5 } },
      },
      returns: { kind: "list", item: { kind: "text", min: 0, max: 10_000 }, min: 0, max: 1_000 },
      allow: "anyone",
    },
    "cinema.book": {
      kind: "mutation",
      args: {},
      returns: { kind: "nothing" },
      allow: { role: ["staff"] },
      limit: { total: "5/second" },
    },
    "cinema.hook": {
      kind: "http",
      args: {},
      allow: "anyone",
      hosts: ["*.example.com"],
      route: { method: "POST", path: "/in/:name" },
    },
    "cinema.fair": { kind: "query", args: {}, returns: { kind: "bool" }, allow: "nobody" },
  });
  assert.deepEqual(spec.invariants, ["cinema.fair"]);
  assert.deepEqual(spec.cors, ["https://example.com"]);
  assert.deepEqual(spec.tableLimits, { film: { read: { perUser: "100/minute" } } });
});

void test("an app without a user table gets the default one, and its own is kept", () => {
  const { app } = cinema();
  assert.deepEqual(app({}).spec.tables["user"], {
    fields: {
      name: { kind: "text", min: 0, max: 200, optional: true },
      email: { kind: "text", min: 0, max: 320, format: "email", optional: true, unique: true },
      role: { kind: "text", min: 0, max: 50, optional: true },
    },
    indexes: [],
    search: [],
    checks: 0,
  });
  const own = define({ user: table({ nick: t.text() }) }).app({});
  assert.deepEqual(Object.keys(own.spec.tables["user"]?.fields ?? {}), ["nick"]);
});

void test("functions are found by name, and know their names", () => {
  const { query, app } = cinema();
  const seats = query({ run: () => 7 });
  const functions = functionsOf(app({ functions: { cinema: { seats } } }));
  const found = functions.get("cinema.seats") as FunctionDescriptor;
  assert.equal(found, seats);
  assert.equal(found.run({} as never, {} as never), 7);
  assert.equal(found[functionName], "cinema.seats");
  assert.throws(() => functionsOf({}), TypeError);
});

void test("an invariant runs on a database without rules", () => {
  const { invariant, app } = cinema();
  const reasons: string[] = [];
  const seen: unknown[] = [];
  const fair = invariant((ctx) => {
    seen.push(ctx.db);
    return true;
  });
  const run = functionsOf(app({ functions: { cinema: { fair } }, invariants: [fair] })).get(
    "cinema.fair",
  )?.run;
  const elevated = { film: {} };
  const asSystem = (reason: string) => {
    reasons.push(reason);
    return elevated;
  };
  assert.equal(run?.({ db: { asSystem }, now: "" } as never, {} as never), true);
  assert.deepEqual(reasons, ["invariant"]);
  assert.equal(seen[0], elevated);
});

void test("a field is never changed by a chained call", () => {
  const plain = t.text();
  const changed = plain.optional().unique();
  assert.deepEqual(plain.spec, { kind: "text", min: 0, max: 10_000 });
  assert.deepEqual(changed.spec, {
    kind: "text",
    min: 0,
    max: 10_000,
    optional: true,
    unique: true,
  });
  const first = table({ a: t.text() });
  const second = first.index("a");
  assert.deepEqual(define({ thing: first }).app({}).spec.tables["thing"]?.indexes, []);
  assert.deepEqual(define({ thing: second }).app({}).spec.tables["thing"]?.indexes, [
    { fields: ["a"] },
  ]);
});

const { query, action, http, rules, app, invariant } = cinema();
const loose = (value: unknown): never => value as never;

const mistakes: readonly (readonly [string, RegExp, () => unknown])[] = [
  [
    "an index names no field of the table",
    /index names "b"/,
    () => table({ a: t.text() }).index(loose("b")),
  ],
  ["an index names a field twice", /names "a" twice/, () => table({ a: t.text() }).index("a", "a")],
  [
    "an index is there already",
    /an index over a already/,
    () => table({ a: t.text() }).index("a").index("a"),
  ],
  [
    "a unique constraint is an index too",
    /unique constraint over a already/,
    () => table({ a: t.text() }).unique("a").index("a"),
  ],
  ["an index holds what has no order", /kind json/, () => table({ a: t.json() }).index("a")],
  ["an index without fields", /names no field/, () => table({ a: t.text() }).index()],
  [
    "the filter of an index names no field",
    /names "b", which is no field/,
    () => table({ a: t.text() }).index("a", loose({ where: { b: 1 } })),
  ],
  [
    "the filter of an index knows no such condition",
    /"near" is no condition/,
    () => table({ a: t.text() }).index("a", loose({ where: { a: { near: 1 } } })),
  ],
  [
    "an option that an index does not have",
    /An index has no option "were"/,
    () => table({ a: t.text() }).index("a", loose({ where: { a: "x" }, were: 1 })),
  ],
  ["a search over numbers", /kind int/, () => table({ a: t.int() }).search("a")],
  ["a search over private text", /private/, () => table({ a: t.text().private() }).search("a")],
  [
    "two searches",
    /search already/,
    () => table({ a: t.text(), b: t.text() }).search("a").search("b"),
  ],
  [
    "a check that is no function",
    /not a function/,
    () => table({ a: t.text() }).check(loose("next.a")),
  ],
  [
    "a rate that is none",
    /limit perUser is "often"/,
    () => table({ a: t.text() }).limit({ read: { perUser: "often" } }),
  ],
  [
    "a rate of nothing",
    /"0\/minute"/,
    () => table({ a: t.text() }).limit({ write: { total: "0/minute" } }),
  ],
  ["a table field named id", /"id" is reserved/, () => table({ id: t.text() })],
  [
    "a field with a large first letter",
    /"Title" can't be the name/,
    () => table({ Title: t.text() }),
  ],
  ["a field named with an underscore", /"a_b" can't/, () => table({ a_b: t.text() })],
  [
    "fields that differ in capitals only",
    /differ in capitals/,
    () => table({ userId: t.text(), userid: t.text() }),
  ],
  ["a field that is no field", /"a" is not a field/, () => table({ a: loose("text") })],
  ["a table named db", /"db" is reserved/, () => define({ db: table({ a: t.text() }) })],
  [
    "a table with a digit in its name",
    /holds a digit/,
    () => define({ film2: table({ a: t.text() }) }),
  ],
  [
    "a table that is no table",
    /"film" is not a table/,
    () => define({ film: loose({ title: t.text() }) }),
  ],
  [
    "a reference to no table",
    /no table "flim"/,
    () => define({ booking: table({ film: t.ref("flim") }) }),
  ],
  [
    "an id of no table, deep in a list",
    /no table "flim"/,
    () => define({ a: table({ b: t.list(t.object({ c: t.id("flim") })) }) }),
  ],
  [
    "a required reference that is to be cleared",
    /can't be cleared/,
    () => table({ a: t.ref("film", { onDelete: "clear" }) }),
  ],
  ["a reference inside a list", /Use t\.id\("film"\)/, () => t.list(t.ref("film"))],
  ["a unique part of an object", /can't be unique/, () => t.object({ a: t.text().unique() })],
  [
    "bounds that no value fits",
    /min \(5\) is greater than max \(3\)/,
    () => t.text({ min: 5, max: 3 }),
  ],
  ["a bound that is no number", /bound of t\.number is NaN/, () => t.number({ min: Number.NaN })],
  ["a whole number with a broken bound", /bound of t\.int is 0\.5/, () => t.int({ max: 0.5 })],
  ["a text of negative size", /least size/, () => t.text({ min: -1 })],
  ["a currency that is none", /"EURO" is no currency/, () => t.money("EURO")],
  ["a choice without values", /has no values/, () => t.oneOf()],
  ["a choice that names a value twice", /names "a" twice/, () => t.oneOf("a", "a")],
  ["a pattern that does not compile", /pattern is not valid/, () => t.text({ pattern: "(" })],
  ["a pattern with flags", /flags "i"/, () => t.text({ pattern: /a/i })],
  ["a format that is none", /no format "phone"/, () => t.text({ format: loose("phone") })],
  [
    "an option of a text",
    /t\.text has no option "maxLength"/,
    () => t.text(loose({ maxLength: 5 })),
  ],
  [
    "an option of a reference",
    /t\.ref has no option "ondelete"/,
    () => t.ref("film", loose({ ondelete: "cascade" })),
  ],
  [
    "an option of an event",
    /An event has no option "kye"/,
    () => event({ room: t.text() }, loose({ kye: "room" })),
  ],
  ["a number for options", /5 is no option of t\.list/, () => t.list(t.int(), loose(5))],
  [
    "an option of a field that has none",
    /t\.time has no option "default"/,
    () => Reflect.apply(t.time, t, [{ default: "now" }]),
  ],
  ["a default that is too long", /longer than 2/, () => t.text({ max: 2 }).default("abc")],
  ["a default of another type", /not a whole number/, () => t.int().default(loose("1"))],
  ["a default beyond the bounds", /above 3/, () => t.int({ max: 3 }).default(4)],
  ["a default that is no choice", /not one of a, b/, () => t.oneOf("a", "b").default(loose("c"))],
  [
    "a default day that the calendar does not have",
    /not a date|neither/,
    () => t.date().default("2026-02-30"),
  ],
  ["a default inside a list", /an item is wrong/, () => t.list(t.int()).default([loose("x")])],
  [
    "a default of an object with too much",
    /no field "b"/,
    () => t.object({ a: t.int() }).default(loose({ a: 1, b: 2 })),
  ],
  ["a unique flag", /can't be unique/, () => t.bool().unique()],
  [
    "a query with hosts",
    /takes no "hosts"/,
    () => query(loose({ hosts: ["a.com"], run: () => 1 })),
  ],
  ["a function without run", /no `run`/, () => query(loose({}))],
  [
    "an option that is none",
    /takes no "alow"/,
    () => query(loose({ alow: "anyone", run: () => 1 })),
  ],
  ["an allow that is none", /`allow` is "all"/, () => query({ allow: loose("all"), run: () => 1 })],
  ["an allow without roles", /`allow` is/, () => query({ allow: { role: [] }, run: () => 1 })],
  [
    "an argument that names no table",
    /no table "flim"/,
    () => query({ args: { film: t.id("flim") }, run: () => 1 }),
  ],
  [
    "an argument that is a reference",
    /is a reference/,
    () => query({ args: { film: t.ref("film") }, run: () => 1 }),
  ],
  [
    "a private argument",
    /is private/,
    () => query({ args: { film: t.text().private() }, run: () => 1 }),
  ],
  [
    "a host with a scheme",
    /"https:\/\/a\.com" is no host/,
    () => action({ hosts: ["https://a.com"], run: () => 1 }),
  ],
  [
    "a path without a slash",
    /path is "users"/,
    () => http({ method: "GET", path: "users", run: () => new Response() }),
  ],
  [
    "a path of Keelson's own",
    /answers "\/api\/tables" itself/,
    () => http({ method: "GET", path: "/api/tables/x", run: () => new Response() }),
  ],
  [
    "a path that names a part twice",
    /names "a" twice/,
    () => http({ method: "GET", path: "/:a/:a", run: () => new Response() }),
  ],
  [
    "a rest that is not at the end",
    /the part "\*rest"/,
    () => http({ method: "GET", path: "/*rest/x", run: () => new Response() }),
  ],
  [
    "a method that is none",
    /method is "TRACE"/,
    () => http({ method: loose("TRACE"), path: "/x", run: () => new Response() }),
  ],
  ["rules for no table", /rules for "flim"/, () => rules(loose({ flim: {} }))],
  [
    "rules on writing what the platform writes",
    /"org" has a rule for "create", but the platform writes it/,
    () => rules(loose({ org: { read: () => true, create: () => true } })),
  ],
  [
    "a rule on writing a field of it",
    /"authSession" has a rule for "fields\.methods\.write"/,
    () => rules(loose({ authSession: { fields: { methods: { write: () => true } } } })),
  ],
  ["rules for a table of secrets", /rules for "authTotp"/, () => rules(loose({ authTotp: {} }))],
  [
    "a rule for no operation",
    /rule for "raed"/,
    () => rules(loose({ film: { raed: () => true } })),
  ],
  [
    "a rule that is no function",
    /film\.read is not a function/,
    () => rules(loose({ film: { read: true } })),
  ],
  [
    "rules for no field",
    /"film\.titel", which is no field/,
    () => rules(loose({ film: { fields: { titel: {} } } })),
  ],
  ["an app with an unknown part", /takes no "function"/, () => app(loose({ function: {} }))],
  ["rules that were not made by rules", /not what rules/, () => app(loose({ rules: {} }))],
  ["rules that are null", /not what rules/, () => app(loose({ rules: null }))],
  ["no parts", /not given its parts in braces/, () => app(loose(undefined))],
  ["a list in the place of an app's parts", /its parts in braces/, () => app(loose([]))],
  ["a number in the place of modules", /`functions` is not/, () => app(loose({ functions: 3 }))],
  ["a list of modules", /`functions` is not an object/, () => app(loose({ functions: [{}] }))],
  ["a text in the place of invariants", /is not a list/, () => app(loose({ invariants: "x" }))],
  ["an origin outside of a list", /`cors` is not a list/, () => app(loose({ cors: "*" }))],
  ["a text in the place of auth", /`auth` is not an object/, () => app(loose({ auth: "x" }))],
  [
    "an invariant that no module exports",
    /not exported/,
    () => app({ invariants: [invariant(() => true)] }),
  ],
  ["an invariant that takes arguments", /is no invariant/, () => appWith((seats) => [seats])],
  ["an origin with a path", /is no origin/, () => app({ cors: ["https://example.com/"] })],
  [
    "every origin and another",
    /names "\*" and others/,
    () => app({ cors: ["*", "https://example.com"] }),
  ],
  [
    "a function named like a table's call",
    /"list" is reserved/,
    () => app({ functions: { cinema: { list: query({ run: () => 1 }) } } }),
  ],
  ["a module named like a word of rules", /"me" is reserved/, () => app({ functions: { me: {} } })],
  [
    "a function in the place of a module",
    /"seats" in `functions` is not a module/,
    () => app({ functions: { seats: query({ run: () => 1 }) } }),
  ],
  [
    "a value in the place of a module",
    /"cinema" in `functions` is not a module/,
    () => app({ functions: { cinema: loose(5) } }),
  ],
  ["one function under two names", /are the same function/, () => app(sameTwice())],
  [
    "a function of another define",
    /another `define`/,
    () => app({ functions: { cinema: { seats: cinema().query({ run: () => 1 }) } } }),
  ],
  [
    "two functions at one address",
    /both answer GET \/a\/:c/,
    () => app({ functions: { cinema: twins() } }),
  ],
];

function appWith(invariants: (seats: object) => object[]): unknown {
  const seats = query({ args: { a: t.int() }, returns: t.bool(), run: () => true });
  return app({ functions: { cinema: { seats } }, invariants: invariants(seats) });
}

function sameTwice() {
  const seats = query({ run: () => 1 });
  return { functions: { cinema: { seats, places: seats } } };
}

function twins() {
  const run = () => new Response();
  return {
    one: http({ method: "GET", path: "/a/:b", run }),
    two: http({ method: "GET", path: "/a/:c", run }),
  };
}

for (const [name, problem, make] of mistakes) {
  void test(`a mistake is found: ${name}`, () => {
    const mistake = mistakeOf(make);
    assert.match(mistake.message, problem);
    assert.equal(mistake.name, "DefinitionError");
    assert.ok(mistake.problem.endsWith("."), mistake.problem);
    assert.ok(mistake.fix.length > 3);
    // The first frame is the line above, not one of the SDK's.
    assert.match(
      mistake.stack?.split("\n").find((line) => /^\s+at /.test(line)) ?? "",
      /define\.test\.ts/,
    );
  });
}

void test("a mistake that shows only at the end points at the field that is mistaken", () => {
  const field = t.ref("flim"); // line of the mistake
  const mistake = mistakeOf(() => define({ booking: table({ film: field }) }));
  const line = /define\.test\.ts:(\d+)/.exec(mistake.stack ?? "")?.[1];
  const here = /define\.test\.ts:(\d+)/.exec(new Error("here").stack ?? "")?.[1];
  assert.equal(Number(here) - Number(line), 3);
});

void test("a refusal carries code, text and details, and its code has a form", () => {
  const refusal = new Refusal("SEAT_TAKEN", "This seat is taken.", { seat: "F7" });
  assert.equal(refusal.code, "SEAT_TAKEN");
  assert.deepEqual(refusal.details, { seat: "F7" });
  assert.equal(
    (refusal as unknown as Record<symbol, unknown>)[Symbol.for("keelson.refusal")],
    true,
  );
  assert.throws(() => new Refusal("seat taken", "x"), TypeError);
});

void test("an id is known by its form", () => {
  assert.ok(isId("film", "film_01h455vb4pex5vsknk084sn02q"));
  assert.ok(isId("filmCopy", "film_copy_01h455vb4pex5vsknk084sn02q"));
  assert.ok(!isId("film", "user_01h455vb4pex5vsknk084sn02q"));
  assert.ok(!isId("film", "film_91h455vb4pex5vsknk084sn02q"));
  assert.ok(!isId("film", "film_01h455vb4pex5vsknk084sn02"));
  for (const missing of [undefined, null, ""]) assert.ok(!isId("film", missing));
});
