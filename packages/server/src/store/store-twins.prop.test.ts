// Random operations on the embedded engine and on its naive twin: groups, failing bodies, keys, cascades,
// unique sets, then every sort of read under every sort of guard. What a caller can observe is the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../base/json.ts";
import { limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { FieldCondition, ListQuery, OrderTerm, Where, WithTerm } from "../model/query-form.ts";
import { openMemoryStore } from "./memory/memory-store.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { tempFile } from "./sqlite/temp-file.case.ts";
import type { Guard, Page, Row, Store, WriteTx } from "./store.ts";
import {
  anyOf,
  claim,
  compare,
  everyRow,
  guardOf,
  idOf,
  itemPath,
  listOf,
  literal,
  metaOf,
  rowOf,
  rowPath,
  someRow,
  storeTables,
} from "./store.fixture.ts";

const tables = ["user", "film", "screening", "booking", "node"] as const;
type Table = (typeof tables)[number];

const index = fc.nat({ max: 5 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null, freq: 2 });
const ref = (table: Table) => index.map((at) => idOf(table, at));
const word = fc.constantFrom("", "a", "b", "ab", "a b", "é", "😀", "\u{ffff}", "B");
const day = fc.constantFrom("2026-01-01", "2026-01-02", "1999-12-31");
const time = day.map((text) => `${text}T10:00:00.000Z`);
const quarter = fc.integer({ min: -4, max: 8 }).map((value) => value / 4);
const list = fc.array(word, { maxLength: 2 });

const values: { readonly [table in Table]: Readonly<Record<string, fc.Arbitrary<Json>>> } = {
  user: { name: maybe(word), email: maybe(word) },
  film: {
    title: word,
    plot: maybe(word),
    released: maybe(day),
    rating: maybe(quarter),
    votes: maybe(fc.integer({ min: -2, max: 2 })),
    color: maybe(fc.boolean()),
    tags: maybe(list),
    made: maybe(fc.constantFrom<Json>({ country: "FR" }, { country: "DE" })),
    extra: maybe(fc.constantFrom<Json>(0, "x", [1, { a: null }], false)),
    poster: maybe(fc.constantFrom("", "AAEC/w==")),
    owner: maybe(ref("user")),
  },
  screening: { film: ref("film"), startsAt: time, price: fc.nat({ max: 3 }) },
  booking: {
    screening: ref("screening"),
    seat: fc.constantFrom("A1", "A2"),
    customer: maybe(ref("user")),
    status: fc.constantFrom("held", "paid", "cancelled"),
  },
  node: {
    name: word,
    parent: maybe(ref("node")),
    keeper: maybe(ref("node")),
    friend: maybe(ref("node")),
  },
};

interface Operation {
  readonly kind: "insert" | "update" | "delete";
  readonly table: Table;
  readonly at: number;
  readonly values: Row;
}

const operation: fc.Arbitrary<Operation> = fc.constantFrom(...tables).chain((table) =>
  fc.record({
    kind: fc.constantFrom("insert", "insert", "insert", "update", "update", "delete"),
    table: fc.constant(table),
    at: index,
    values: fc.record(values[table], { requiredKeys: [] }) as fc.Arbitrary<Row>,
  }),
);

const mutation = fc.record({
  operations: fc.array(operation, { maxLength: 6 }),
  catches: fc.constantFrom(true, true, true, false),
  fails: fc.constantFrom(true, false, false, false),
  key: fc.option(
    fc.record({ key: fc.constantFrom("k1", "k2"), requestHash: fc.constantFrom("h", "h", "i") }),
    {
      nil: null,
      freq: 3,
    },
  ),
  hours: fc.nat({ max: 30 }),
});

const group = fc.record({
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  commits: fc.constantFrom(true, true, true, false),
});

const condition: fc.Arbitrary<Where> = fc
  .constantFrom(...Object.keys(values.film))
  .chain((field) => {
    const value = (values.film[field] ?? word).filter((each) => each !== null);
    const absent: readonly FieldCondition[] = [{ eq: null }, { not: null }];
    const of = (build: (value: Json) => FieldCondition) => value.map(build);
    const plain = fc.oneof(
      of((eq) => ({ eq })),
      of((not) => ({ not })),
      of((gt) => ({ gt })),
      fc.tuple(value, value).map(([gte, lt]) => ({ gte, lt })),
      of((lte) => ({ lte })),
      fc.array(value, { maxLength: 12 }).map((each) => ({ in: each })),
      fc.array(value, { maxLength: 3 }).map((each) => ({ notIn: each })),
    );
    const scalar = !["tags", "made", "extra", "poster"].includes(field);
    const texts = ["title", "plot"].includes(field)
      ? [word.map((startsWith) => ({ startsWith })), word.map((contains) => ({ contains }))]
      : [];
    const lists = field === "tags" ? [word.map((contains) => ({ contains }))] : [];
    return fc
      .oneof(fc.constantFrom(...absent), ...(scalar ? [plain] : []), ...texts, ...lists)
      .map((each): Where => ({ kind: "field", field, condition: each }));
  });

const { where } = fc.letrec<{ where: Where }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    condition,
    fc.array(tie("where"), { maxLength: 3 }).map((parts): Where => ({ kind: "and", parts })),
    fc.array(tie("where"), { maxLength: 3 }).map((parts): Where => ({ kind: "or", parts })),
    tie("where").map((part): Where => ({ kind: "not", part })),
  ),
}));

const orderFields = ["title", "plot", "released", "rating", "votes", "color", "owner", "id"];
const order: fc.Arbitrary<readonly OrderTerm[]> = fc.uniqueArray(
  fc.record({ field: fc.constantFrom(...orderFields), descending: fc.boolean() }),
  { maxLength: 3, selector: (term) => term.field },
);

const expansions: readonly WithTerm[] = [
  { name: "owner", table: "user", kind: "one", via: "owner" },
  {
    name: "shown",
    table: "screening",
    kind: "many",
    via: "film",
    limit: 2,
    orderBy: [{ field: "price", descending: true }],
    with: [
      {
        name: "sold",
        table: "booking",
        kind: "many",
        via: "screening",
        where: { kind: "field", field: "status", condition: { not: "cancelled" } },
        select: ["seat"],
      },
    ],
  },
];

const query = fc.record(
  {
    where,
    orderBy: order,
    limit: fc.integer({ min: 1, max: 4 }),
    search: fc.constantFrom("a", "b a", "é", "-"),
    select: fc.subarray(["title", "rating", "owner", "made"]),
    with: fc.subarray([...expansions]),
  },
  { requiredKeys: ["orderBy", "limit"] },
);

const own = compare("==", rowPath(["owner"]), claim("id"));
const me = { id: idOf("user", 1), role: "staff" };
const guards: readonly (Guard | null)[] = [
  null,
  guardOf({ id: null, role: null }, { film: own, screening: everyRow }),
  guardOf(me, { film: own, screening: everyRow, booking: everyRow, user: everyRow }),
  guardOf(me, {
    film: anyOf(
      own,
      someRow("screening", "s", compare("==", itemPath("s", "film"), rowPath(["id"]))),
    ),
    screening: compare("==", rowPath(["film", "owner"], ["film"]), claim("id")),
    booking: compare("!=", rowPath(["customer"]), claim("id")),
    user: compare("<", rowPath(["name"]), literal("b")),
  }),
];

const moments = fc.array(
  fc.record({
    group,
    queries: fc.array(fc.record({ query, guard: fc.constantFrom(...guards) }), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Rows to begin with, so that references lead somewhere: what does not fit is left out. */
const beginning = fc.tuple(
  ...tables.map((table) =>
    fc.array(fc.record(values[table]) as fc.Arbitrary<Row>, { minLength: 5, maxLength: 6 }),
  ),
);

type Moments = typeof moments extends fc.Arbitrary<infer T> ? T : never;

/** Everything that a caller could see of this run. */
function observe(
  store: Store,
  begin: readonly (readonly Row[])[],
  run: Moments,
): readonly unknown[] {
  const operations = tables.flatMap((table, position) =>
    (begin[position] ?? []).map((row, at): Operation => ({
      kind: "insert",
      table,
      at,
      values: row,
    })),
  );
  const start = { operations, catches: true, fails: false, key: null, hours: 0 };
  const seen: unknown[] = [runGroup(store, { mutations: [start], commits: true })];
  for (const moment of run) {
    seen.push(runGroup(store, moment.group));
    seen.push(store.lastSeq());
    for (const { query: wanted, guard } of moment.queries) seen.push(readAll(store, wanted, guard));
    for (const guard of guards) seen.push(readRows(store, guard));
  }
  seen.push(store.commitsAfter(0, 1_000));
  return seen;
}

function runGroup(store: Store, { mutations, commits }: Moments[0]["group"]): unknown {
  const opened = store.openGroup();
  assert.ok(!(opened instanceof Promise));
  const outcomes = mutations.map((each) => {
    const idempotency = each.key === null ? null : { scope: "s", ...each.key };
    const meta = metaOf({ idempotency, atMs: metaOf().atMs + each.hours * 3_600_000 });
    const outcome = opened.mutate(meta, (tx) => {
      const results = each.operations.map((one) => runOperation(tx, one, each.catches));
      if (each.fails) throw new PlatformError("CONFLICT");
      return JSON.stringify(results);
    });
    assert.ok(!(outcome instanceof Promise));
    return outcome.kind === "failed" ? errorText(outcome.error) : outcome;
  });
  if (commits) return [outcomes, opened.commit()];
  opened.abort();
  return [outcomes];
}

function runOperation(
  tx: WriteTx,
  { kind, table, at, values: given }: Operation,
  catches: boolean,
): Json {
  try {
    if (kind === "insert") {
      const full = Object.fromEntries(
        Object.keys(values[table]).map((field) => [
          field,
          given[field] ?? rowOf(table, at)[field] ?? fallback(field, table),
        ]),
      );
      tx.insert(table, { id: idOf(table, at), ...full });
      return "inserted";
    }
    if (kind === "delete") {
      tx.delete(table, idOf(table, at));
      return "deleted";
    }
    return tx.update(table, idOf(table, at), given) as Json;
  } catch (error) {
    if (!catches || !(error instanceof PlatformError)) throw error;
    return errorText(error);
  }
}

/** A value for a reference that is required. */
function fallback(field: string, table: Table): Json {
  const spec = storeTables[table]?.fields[field];
  return spec?.kind === "ref" && spec.optional !== true ? idOf(spec.table, 0) : null;
}

function errorText(error: unknown): string {
  assert.ok(error instanceof PlatformError, String((error as Error).stack));
  return `${error.code} ${JSON.stringify(error.details)}`;
}

/** All pages of a list, with their cursors. A relevance is the engine's own, so a search is ordered. */
function readAll(
  store: Store,
  wanted: Moments[0]["queries"][0]["query"],
  guard: Guard | null,
): unknown {
  const { search, where: filter, select, with: expand } = wanted;
  const orderBy: readonly OrderTerm[] =
    wanted.orderBy.length === 0 && search !== undefined
      ? [{ field: "id", descending: false }]
      : wanted.orderBy;
  const base: ListQuery = listOf("film", {
    orderBy,
    limit: wanted.limit,
    ...(search === undefined ? {} : { search }),
    ...(filter === undefined ? {} : { where: filter }),
    ...(select === undefined ? {} : { select }),
    ...(expand === undefined ? {} : { with: expand }),
  });
  const pages: Page[] = [];
  let after: string | null = null;
  do {
    const page: Page = store.read((tx) =>
      tx.list({ ...base, ...(after === null ? {} : { after }) }, guard),
    ) as Page;
    pages.push(page);
    after = page.next;
  } while (after !== null);
  const values = [
    { name: "n", op: "count" },
    { name: "sum", op: "sum", field: "rating" },
    { name: "votes", op: "avg", field: "votes" },
    { name: "low", op: "min", field: "title" },
    { name: "high", op: "max", field: "released" },
    { name: "any", op: "max", field: "color" },
  ] as const;
  const filtered = { ...(filter && { where: filter }), ...(search !== undefined && { search }) };
  const sums = [[], ["color"], ["owner", "votes"]].map((groupBy) =>
    store.read((tx) =>
      tx.aggregate(
        { kind: "aggregate", from: "film", groupBy, values, limit: 5, ...filtered },
        guard,
      ),
    ),
  );
  return [pages, sums];
}

/** Single rows of every table, as a guard shows them. */
function readRows(store: Store, guard: Guard | null): unknown {
  return store.read((tx) =>
    tables.map((table) => [0, 1, 2, 3, 4, 5].map((at) => tx.get(table, idOf(table, at), guard))),
  );
}

test("the embedded engine and its naive twin cannot be told apart", () => {
  fc.assert(
    fc.property(beginning, moments, (begin, run) => {
      const manifest = { tables: storeTables };
      const twin = openMemoryStore({ manifest, limits });
      const store = openSqliteStore({ manifest, limits, path: tempFile() });
      try {
        assert.deepEqual(
          structuredClone(observe(store, begin, run)),
          structuredClone(observe(twin, begin, run)),
        );
      } finally {
        store.close();
      }
    }),
    { numRuns: Number(process.env["KEELSON_PROPERTY_RUNS"] ?? 100) },
  );
});
