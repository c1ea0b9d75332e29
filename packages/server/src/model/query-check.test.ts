import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { typeIdOfUuid } from "../base/type-id.ts";
import { cinemaBundleHash, cinemaRules, cinemaSpec } from "./cinema.case.ts";
import { buildManifest } from "./manifest-build.ts";
import {
  checkAggregateQuery,
  checkGet,
  checkList,
  checkQuery,
  type QueryReader,
} from "./query-check.ts";
import { parseWhere } from "./query-where.ts";

const manifest = buildManifest(cinemaSpec, cinemaRules, cinemaBundleHash);
const caller: QueryReader = { as: "caller", limits };
const system: QueryReader = { as: "system", limits };
const idOf = (prefix: string) => typeIdOfUuid(prefix, "01890a5d-ac96-774b-bcce-b302099a8057");
const film = idOf("film");

/** The checked filter, or the problems. */
function where(table: string, given: unknown, reader = caller): unknown {
  return outcome(() => checkList(manifest, table, { where: given }, reader).query.where);
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const issues = (error.details["issues"] ?? []) as readonly {
      readonly path: string;
      readonly problem: string;
    }[];
    return [error.code, ...issues.map(({ path, problem }) => `${path} ${problem}`)];
  }
}

function field(name: string, condition: unknown): unknown {
  return { kind: "field", field: name, condition };
}

test("a query of nothing is the first page by id", () => {
  for (const form of [
    undefined,
    null,
    {},
    { where: undefined, orderBy: "", select: null, with: null },
  ]) {
    assert.deepEqual(checkQuery(manifest, "film", form, caller), {
      query: {
        kind: "list",
        from: "film",
        orderBy: [{ field: "id", descending: false }],
        limit: limits.pageRowsDefault,
      },
      touches: [],
    });
  }
});

test("values, conditions and logic become the filter's tree", () => {
  assert.deepEqual(where("film", { rating: 8 }), field("rating", { eq: 8 }));
  assert.deepEqual(where("film", { rating: null }), field("rating", { eq: null }));
  assert.deepEqual(
    where("film", { rating: { gte: 8, lt: 9 } }),
    field("rating", { gte: 8, lt: 9 }),
  );
  assert.deepEqual(where("film", { rating: 8, color: true }), {
    kind: "and",
    parts: [field("rating", { eq: 8 }), field("color", { eq: true })],
  });
  assert.deepEqual(
    where("film", { not: { or: [{ rating: 1 }, { title: { startsWith: "A" } }] } }),
    {
      kind: "not",
      part: {
        kind: "or",
        parts: [field("rating", { eq: 1 }), field("title", { startsWith: "A" })],
      },
    },
  );
  assert.deepEqual(
    where("film", { tags: { contains: "noir" } }),
    field("tags", { contains: "noir" }),
  );
  assert.deepEqual(where("film", { id: { in: [film] } }), field("id", { in: [film] }));
  assert.deepEqual(where("film", { rating: { in: [] } }), field("rating", { in: [] }));
  assert.deepEqual(where("film", { extra: { not: null } }), field("extra", { not: null }));
});

test("values take the form that rows have", () => {
  assert.deepEqual(
    where("screening", { startsAt: { gte: "2026-01-31T21:15:00+01:00" } }),
    field("startsAt", { gte: "2026-01-31T20:15:00.000Z" }),
  );
  const zero = checkList(manifest, "film", { where: { rating: -0 } }, caller).query.where;
  assert.ok(zero?.kind === "field" && Object.is(zero.condition.eq, 0));
});

test("empty logic means what it says: an empty and is true, an empty or false", () => {
  assert.equal(where("film", {}), undefined);
  assert.equal(where("film", { and: [] }), undefined);
  assert.equal(where("film", { and: [{}, {}] }), undefined);
  assert.deepEqual(where("film", { or: [] }), field("id", { eq: null }));
  assert.deepEqual(where("film", { and: [{ rating: 1 }] }), field("rating", { eq: 1 }));
});

test("a filter that is not meant as it is written is refused", () => {
  const refused: readonly (readonly [string, unknown, string])[] = [
    ["film", { rating: { $ne: "" } }, "where.rating.$ne is no operator"],
    ["film", { title: { eq: { a: 1 } } }, "where.title.eq must be text"],
    ["film", { title: { undefined: true } }, "where.title is undefined: leave the condition out"],
    ["film", { not: { undefined: true } }, "where.not is undefined"],
    ["film", { rating: { gt: { undefined: true } } }, "where.rating.gt is undefined"],
    ["film", { title: ["a"] }, "where.title must be a value or conditions"],
    ["film", { title: {} }, "where.title must hold a condition"],
    ["film", { rating: "8" }, "where.rating must be a number"],
    ["film", { rating: { gt: null } }, "where.rating.gt must be a value"],
    ["film", { rating: { in: [1, null] } }, "where.rating.in[1] must be a value"],
    ["film", { rating: { in: 1 } }, "where.rating.in must be a list"],
    [
      "film",
      { rating: { startsWith: "8" } },
      "where.rating.startsWith can be used on text fields only",
    ],
    ["film", { color: { gt: false } }, "where.color.gt cannot be used on a bool field"],
    ["film", { color: 1 }, "where.color must be true or false"],
    ["film", { tags: "noir" }, "where.tags cannot be used on a list"],
    ["film", { tags: { contains: 1 } }, "where.tags.contains must be text"],
    ["film", { made: { country: "DE" } }, "where.made.country is no operator"],
    ["film", { made: { eq: 1 } }, "where.made.eq cannot compare a object field"],
    ["film", { extra: 1 }, "where.extra cannot compare"],
    ["film", { raitng: 1 }, 'where.raitng is no field of film (did you mean "rating"?)'],
    ["film", { released: "2026-02-30" }, "where.released must be a day that exists"],
    ["film", { title: "\uD800" }, "where.title must be well-formed"],
    ["film", { or: [{ rating: 1 }, {}] }, "where.or[1] must hold a condition"],
    ["film", { or: { rating: 1 } }, "where.or must be a list"],
    ["film", { not: {} }, "where.not must hold a condition"],
    ["film", "rating", "where must be an object"],
    ["film", [], "where must be an object"],
    ["film", null, "where must be an object"],
    ["screening", { startsAt: "2026-01-31" }, "where.startsAt must be a time with its offset"],
    ["screening", { film: idOf("user") }, "where.film must be the id of a film"],
    ["booking", { status: "gone" }, "where.status must be one of"],
    ["film", JSON.parse('{"__proto__":{"rating":1}}'), "where.__proto__ is no field"],
    ["film", { constructor: 1 }, "where.constructor is no field"],
  ];
  for (const [table, given, problem] of refused) {
    const gives = where(table, given);
    assert.ok(Array.isArray(gives) && gives[0] === "QUERY_INVALID", JSON.stringify(given));
    assert.ok(String(gives[1]).startsWith(problem), `${String(gives[1])} / ${problem}`);
  }
});

test("filters are bounded in conditions, values and depth", () => {
  const any = (length: number, each: object) => ({ or: Array.from({ length }, () => each) });
  const two = { and: [{ rating: 1 }, { not: { title: "a" } }] };
  for (const whole of [any(100, { rating: 1 }), any(100, { not: { rating: 1 } }), any(50, two)]) {
    const { parts } = where("film", whole) as { readonly parts: readonly unknown[] };
    assert.equal(parts.length, whole.or.length);
  }
  for (const many of [
    any(101, { rating: 1 }),
    any(51, two),
    any(26, { ...two, rating: { gt: 1, lt: 2 } }),
  ]) {
    assert.match(String(where("film", many)), /more than 100 conditions/);
  }
  const wide = { rating: { in: Array.from({ length: 501 }, (_, i) => i) } };
  assert.match(String(where("film", wide)), /more than 500 values/);
  let deep: unknown = { rating: 1 };
  for (let level = 0; level < 10_000; level++) deep = { not: deep };
  assert.match(String(where("film", deep)), /more than 200 `and`, `or` and `not`/);
  assert.match(String(where("film", { title: "x".repeat(10_001) })), /at most 10000 characters/);
});

test("to a caller a private field does not exist; the system asks it", () => {
  for (const form of [
    { where: { secret: "a" } },
    { orderBy: "secret" },
    { select: ["secret"] },
    { groupBy: ["secret"] },
    { aggregate: { x: { min: "secret" } } },
  ]) {
    const gives = outcome(() => checkQuery(manifest, "film", form, caller));
    assert.match(String(gives), /^QUERY_INVALID.*is no field of film$/, JSON.stringify(form));
    assert.ok(checkQuery(manifest, "film", form, system));
  }
  assert.match(
    String(outcome(() => checkQuery(manifest, "film", { select: ["title", "raitng"] }, caller))),
    /select names "raitng", which is no field of film \(did you mean "rating"\?\)/,
  );
  assert.doesNotMatch(
    String(outcome(() => checkQuery(manifest, "film", { orderBy: "secre" }, caller))),
    /secret/,
  );
});

test("an order ends in id, in the direction of its last field", () => {
  const order = (orderBy: unknown) =>
    outcome(() => checkList(manifest, "film", { orderBy }, caller).query.orderBy);
  const [up, down] = [
    { field: "id", descending: false },
    { field: "id", descending: true },
  ];
  assert.deepEqual(order("-rating,title"), [
    { field: "rating", descending: true },
    { field: "title", descending: false },
    up,
  ]);
  assert.deepEqual(order(["-rating"]), [{ field: "rating", descending: true }, down]);
  assert.deepEqual(order("-id"), [down]);
  assert.deepEqual(order("rating,id"), [{ field: "rating", descending: false }, up]);
  for (const bad of [
    "tags",
    "made",
    "nope",
    "rating,rating",
    "-",
    ",",
    [1],
    { rating: 1 },
    "title,title,title,title,title,title,title,title,title",
  ]) {
    assert.match(String(order(bad)), /^QUERY_INVALID/, JSON.stringify(bad));
  }
});

test("a search ranks when no order is given", () => {
  const { query, touches } = checkList(manifest, "film", { search: "alien" }, caller);
  assert.deepEqual(query.orderBy, []);
  assert.equal(query.search, "alien");
  assert.deepEqual(touches, [{ table: "film", field: "title" }]);
  for (const bad of [5, ["alien"], "x".repeat(201), "\uD800"]) {
    assert.match(
      String(outcome(() => checkList(manifest, "film", { search: bad }, caller))),
      /^QUERY_INVALID/,
    );
  }
  assert.match(
    String(outcome(() => checkList(manifest, "booking", { search: "a" }, caller))),
    /has no search/,
  );
});

test("a search for nothing is none, on a table that can be searched", () => {
  for (const search of ["", "  ", "\n\t"]) {
    const form = { search, where: { rating: 8 }, limit: 5 };
    const { search: _, ...without } = form;
    assert.deepEqual(
      checkList(manifest, "film", form, caller),
      checkList(manifest, "film", without, caller),
    );
    assert.match(
      String(outcome(() => checkList(manifest, "booking", { search }, caller))),
      /has no search/,
    );
  }
});

test("expansions follow references forwards and back", () => {
  const terms = (table: string, given: unknown) =>
    outcome(() => checkList(manifest, table, { with: given }, caller).query.with);
  const filmTerm = { name: "film", table: "film", kind: "one", via: "film" };
  for (const given of ["film", ["film"], { film: true }, { film: {} }]) {
    assert.deepEqual(terms("screening", given), [filmTerm]);
  }
  assert.deepEqual(terms("screening", { film: false }), undefined);
  assert.deepEqual(
    terms("screening", {
      bookings: {
        from: "booking",
        via: "screening",
        limit: 5,
        orderBy: "-seat",
        where: { status: "paid" },
      },
    }),
    [
      {
        name: "bookings",
        table: "booking",
        kind: "many",
        via: "screening",
        where: field("status", { eq: "paid" }),
        orderBy: [
          { field: "seat", descending: true },
          { field: "id", descending: true },
        ],
        limit: 5,
      },
    ],
  );
  // The table's name alone, where one reference leads back.
  assert.deepEqual(terms("screening", "booking"), [
    {
      name: "booking",
      table: "booking",
      kind: "many",
      via: "screening",
      limit: limits.pageRowsDefault,
    },
  ]);
  assert.deepEqual(terms("screening", { movie: { via: "film", select: ["title"] } }), [
    { ...filmTerm, name: "movie", select: ["title"] },
  ]);
  assert.deepEqual(terms("booking", { screening: { with: "film" } }), [
    { name: "screening", table: "screening", kind: "one", via: "screening", with: [filmTerm] },
  ]);
});

test("an expansion that leads nowhere says where it could lead", () => {
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["screening", "flim", /no reference of screening.*did you mean "film"/],
    ["screening", "price", /is a field of this table/],
    ["screening", { price: { from: "booking", via: "screening" } }, /is a field of this table/],
    ["screening", { all: { from: "bookin" } }, /is no table \(did you mean "booking"/],
    ["screening", { all: { from: "film" } }, /no reference leads from film to screening/],
    // A table without rules is not there for callers.
    ["screening", { all: { from: "user" } }, /all\.from is no table$/],
    ["screening", { all: { from: "usr" } }, /all\.from is no table$/],
    ["user", "booking", /needs "via": customer or guest/],
    [
      "user",
      { booking: { via: "seat" } },
      /is no reference from booking to user; there is customer, guest/,
    ],
    ["screening", { film: { limit: 5 } }, /a reference leads to one row/],
    ["screening", { film: { where: { rating: 1 } } }, /a reference leads to one row/],
    ["screening", { film: { wiht: "x" } }, /did you mean "with"/],
    ["screening", { film: 5 }, /must be true or an object/],
    ["screening", "film,film", /stands twice/],
    ["screening", { "a b": { from: "booking" } }, /is no name/],
    ["screening", 5, /must be names/],
    [
      "screening",
      { film: { with: { screening: { with: { film: { with: "screening" } } } } } },
      /more than 3 levels/,
    ],
    ["screening", { booking: { limit: 1_001 } }, /from 1 to 1000/],
  ];
  for (const [table, given, problem] of refused) {
    assert.match(
      String(outcome(() => checkList(manifest, table, { with: given }, caller))),
      problem,
    );
  }
  const many = Object.fromEntries(
    Array.from({ length: 21 }, (_, i) => [`b${i}`, { from: "booking" }]),
  );
  assert.match(
    String(outcome(() => checkList(manifest, "screening", { with: many }, caller))),
    /more than 20 expansions/,
  );
});

test("every field that decides the answer is told, so that it can be refused", () => {
  const form = {
    where: { or: [{ seat: "A1" }, { not: { status: "paid" } }] },
    orderBy: "-customer",
    with: { screening: { with: { booking: { where: { guest: null }, orderBy: "seat" } } } },
    select: ["id"],
  };
  const { touches } = checkList(manifest, "booking", form, caller);
  assert.deepEqual(touches.map(({ table, field: name }) => `${table}.${name}`).toSorted(), [
    "booking.customer",
    "booking.guest",
    "booking.screening",
    "booking.seat",
    "booking.status",
  ]);
  const grouped = checkAggregateQuery(
    manifest,
    "screening",
    {
      groupBy: "film",
      aggregate: { n: "count", sum: { sum: "price" }, last: { max: "startsAt" } },
    },
    caller,
  );
  assert.deepEqual(
    grouped.touches.map((touch) => touch.field),
    ["film", "price", "startsAt"],
  );
});

test("aggregates name their values", () => {
  const check = (given: unknown) =>
    outcome(() => checkQuery(manifest, "screening", given, caller).query);
  assert.deepEqual(
    check({
      aggregate: { total: "count", spent: { sum: "price" } },
      groupBy: ["film"],
      where: { price: { gt: 0 } },
    }),
    {
      kind: "aggregate",
      from: "screening",
      groupBy: ["film"],
      values: [
        { name: "total", op: "count" },
        { name: "spent", op: "sum", field: "price" },
      ],
      limit: limits.pageRowsMax + 1,
      where: field("price", { gt: 0 }),
    },
  );
  const refused: readonly unknown[] = [
    { aggregate: {} },
    { aggregate: "count" },
    { aggregate: { a: "sum" } },
    { aggregate: { a: { sum: "film" } } },
    { aggregate: { a: { median: "price" } } },
    { aggregate: { a: { sum: "price", min: "price" } } },
    { aggregate: { film: "count" }, groupBy: "film" },
    { groupBy: "nope" },
    { groupBy: "film,film" },
    { aggregate: { n: "count" }, orderBy: "price" },
    { aggregate: { n: "count" }, with: "film" },
    { aggregate: { n: "count" }, limit: 0 },
    { aggregate: { "a b": "count" } },
    { groupBy: "id,film,price,startsAt,id" },
  ];
  for (const given of refused)
    assert.match(String(check(given)), /^QUERY_INVALID/, JSON.stringify(given));
});

test("a get takes with and select only", () => {
  assert.deepEqual(
    checkGet(manifest, "screening", { with: "film", select: "price" }, caller).query,
    {
      from: "screening",
      select: ["price"],
      with: [{ name: "film", table: "film", kind: "one", via: "film" }],
    },
  );
  assert.match(
    String(outcome(() => checkGet(manifest, "screening", { where: {} }, caller))),
    /where is no part of a get/,
  );
});

test("unknown parts, tables and cursors are refused", () => {
  const check = (table: string, given: unknown) =>
    String(outcome(() => checkQuery(manifest, table, given, caller)));
  assert.match(check("nope", {}), /^TABLE_NOT_FOUND/);
  assert.match(check("constructor", {}), /^TABLE_NOT_FOUND/);
  assert.match(check("film", { wher: {} }), /did you mean "where"/);
  assert.match(check("film", []), /must be an object/);
  for (const limit of [0, -1, 1_001, 1.5, "10", true])
    assert.match(check("film", { limit }), /from 1 to 1000/);
  for (const after of ["", 5, "x".repeat(5_000)])
    assert.match(check("film", { after }), /^QUERY_INVALID,after/);
  for (const select of [[], "nope", ["title", "title"], 5, {}])
    assert.match(check("film", { select }), /^QUERY_INVALID,select/);
});

test("the filter of a partial index is read the same way", () => {
  const booking = manifest.tables["booking"];
  assert.ok(booking !== undefined);
  assert.deepEqual(
    parseWhere(booking, booking.indexes[0]?.where, limits),
    field("status", { not: "cancelled" }),
  );
  assert.equal(parseWhere(booking, {}, limits), undefined);
  assert.throws(() => parseWhere(booking, { nope: 1 }, limits), { code: "QUERY_INVALID" });
});

test("any JSON at all is a query or a coded refusal, and a checked one checks again", () => {
  const names = fc.constantFrom(
    "where",
    "orderBy",
    "with",
    "select",
    "aggregate",
    "groupBy",
    "limit",
    "search",
    "title",
    "rating",
    "or",
    "and",
    "not",
    "in",
    "eq",
    "booking",
    "film",
    "id",
    "x",
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 1, "rating", "-title", "a", film),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(names, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom("film", "screening", "booking"), value, (table, form) => {
      const first = outcome(() => checkQuery(manifest, table, form, caller));
      if (Array.isArray(first)) assert.equal(first[0], "QUERY_INVALID");
      else
        assert.deepEqual(
          checkQuery(manifest, table, JSON.parse(JSON.stringify(form)), caller),
          first,
        );
    }),
    { numRuns: 5_000 },
  );
});
