// What every engine must do with queries: filters, orders, pages, search, expansions, aggregates, guards.
// A part of store-conformance.case.ts, which engines run.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import type { PlatformError } from "../base/platform-error.ts";
import type { AggregateQuery, ListQuery, OrderTerm } from "../model/query-form.ts";
import { rowId } from "./row-id.ts";
import type { Page, Row, Store } from "./store.ts";
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
  rowOf,
  rowPath,
  someRow,
  whereOf,
  write,
} from "./store.fixture.ts";

import { refusal as code, storeRunner, type OpenEngine } from "./store-open.case.ts";

const ascending = (field: string): OrderTerm => ({ field, descending: false });
const descending = (field: string): OrderTerm => ({ field, descending: true });

/** Runs the queries' part of the suite on an engine. */
export function storeQueryConformance(engine: string, openEngine: OpenEngine): void {
  const withStore = storeRunner(openEngine);

  describe(`store: ${engine}: lists`, () => {
    const ratings = [3, null, 5, 5, null, 1, 4, 4, 9, null];
    const filled = (run: (store: Store) => Promise<void>) =>
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("user", rowOf("user", 1, { name: "Ann" }));
          ratings.forEach((rating, index) => {
            tx.insert(
              "film",
              rowOf("film", index, {
                title: `film ${index % 3}`,
                rating,
                votes: index % 2 === 0 ? index : null,
                color: [true, false, null][index % 3] ?? null,
                tags: index % 4 === 3 ? null : [`t${index % 4}`, "all"],
                owner: index % 5 === 0 ? idOf("user", 1) : null,
              }),
            );
          });
        });
        await run(store);
      });
    const indexes = (rows: readonly Row[]) =>
      rows.map((row) =>
        Array.from({ length: 10 }, (_, index) => idOf("film", index)).indexOf(rowId(row)),
      );
    const listed = async (store: Store, query: Partial<ListQuery>) =>
      await store.read<Page>((tx) => tx.list(listOf("film", query), null));

    test(
      "absent values come first in ascending order and last in descending order; ties go by id",
      filled(async (store) => {
        const up = await listed(store, { orderBy: [ascending("rating")] });
        assert.deepEqual(indexes(up.rows), [1, 4, 9, 5, 0, 6, 7, 2, 3, 8]);
        const down = await listed(store, { orderBy: [descending("rating")] });
        assert.deepEqual(indexes(down.rows), [8, 3, 2, 7, 6, 0, 5, 9, 4, 1]);
        const mixed = await listed(store, { orderBy: [descending("rating"), ascending("id")] });
        assert.deepEqual(indexes(mixed.rows), [8, 2, 3, 6, 7, 0, 5, 1, 4, 9]);
      }),
    );

    test(
      "pages of any size and order, put together, are the whole list",
      filled(async (store) => {
        const orders: readonly (readonly OrderTerm[])[] = [
          [],
          [ascending("rating")],
          [descending("rating")],
          [descending("rating"), ascending("id")],
          [ascending("color"), descending("votes")],
          [descending("color"), ascending("rating"), descending("id")],
          [ascending("title"), descending("rating"), ascending("votes")],
        ];
        for (const orderBy of orders) {
          const whole = await listed(store, { orderBy });
          assert.equal(whole.next, null);
          for (const limit of [1, 2, 3, 7]) {
            const rows: Row[] = [];
            let after: string | null = null;
            do {
              const page: Page = await listed(store, {
                orderBy,
                limit,
                ...(after === null ? {} : { after }),
              });
              rows.push(...page.rows);
              after = page.next;
              assert.ok(page.rows.length <= limit);
            } while (after !== null);
            assert.deepEqual(rows, whole.rows, JSON.stringify([orderBy, limit]));
          }
        }
      }),
    );

    test(
      "a cursor of another query, or no cursor at all, is CURSOR_INVALID",
      filled(async (store) => {
        const { next } = await listed(store, { limit: 2, orderBy: [ascending("rating")] });
        assert.ok(next !== null);
        const wrong: readonly Partial<ListQuery>[] = [
          { after: next },
          { after: next, orderBy: [descending("rating")] },
          { after: next, orderBy: [ascending("rating")], where: whereOf("votes", { gt: 1 }) },
          { after: "nonsense", orderBy: [ascending("rating")] },
          { after: "", orderBy: [ascending("rating")] },
          { after: Buffer.from('["x"]').toString("base64url"), orderBy: [ascending("rating")] },
        ];
        for (const query of wrong) {
          await assert.rejects(async () => listed(store, query), code("CURSOR_INVALID"));
        }
        const [hash] = JSON.parse(Buffer.from(next, "base64url").toString()) as [string];
        for (const values of [["text", "x"], [1], [null, null], [1, 2], [{}, "x"]]) {
          const after = Buffer.from(JSON.stringify([hash, ...values])).toString("base64url");
          await assert.rejects(
            async () => listed(store, { after, orderBy: [ascending("rating")] }),
            code("CURSOR_INVALID"),
          );
        }
      }),
    );

    const filters: readonly (readonly [string, ListQuery["where"], readonly number[]])[] = [
      ["eq", whereOf("rating", { eq: 5 }), [2, 3]],
      ["eq null", whereOf("rating", { eq: null }), [1, 4, 9]],
      ["not null", whereOf("votes", { not: null }), [0, 2, 4, 6, 8]],
      ["not leaves absent out", whereOf("rating", { not: 5 }), [0, 5, 6, 7, 8]],
      ["a range", whereOf("rating", { gte: 4, lt: 9 }), [2, 3, 6, 7]],
      ["lte", whereOf("rating", { lte: 3 }), [0, 5]],
      ["gt", whereOf("rating", { gt: 5 }), [8]],
      ["in", whereOf("rating", { in: [1, 9, 42] }), [5, 8]],
      ["in nothing", whereOf("rating", { in: [] }), []],
      ["notIn", whereOf("rating", { notIn: [4, 5] }), [0, 5, 8]],
      ["notIn nothing", whereOf("rating", { notIn: [] }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["bool", whereOf("color", { eq: true }), [0, 3, 6, 9]],
      ["startsWith", whereOf("title", { startsWith: "film 1" }), [1, 4, 7]],
      ["startsWith nothing", whereOf("title", { startsWith: "" }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["contains in text", whereOf("title", { contains: "m 2" }), [2, 5, 8]],
      ["contains in a list", whereOf("tags", { contains: "t1" }), [1, 5, 9]],
      [
        "many values",
        whereOf("id", { in: ratings.map((_, index) => idOf("film", index * 2)) }),
        [0, 2, 4, 6, 8],
      ],
      [
        "not of a comparison with absent",
        { kind: "not", part: whereOf("rating", { gte: 4 }) },
        [0, 5],
      ],
      [
        "not of contains",
        { kind: "not", part: whereOf("tags", { contains: "t1" }) },
        [0, 2, 4, 6, 8],
      ],
      [
        "and, or, not",
        {
          kind: "or",
          parts: [
            { kind: "and", parts: [whereOf("rating", { gte: 4 }), whereOf("votes", { gt: 3 })] },
            { kind: "not", part: whereOf("votes", { gte: 2 }) },
          ],
        },
        [0, 6, 8],
      ],
      ["an empty and", { kind: "and", parts: [] }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["an empty or", { kind: "or", parts: [] }, []],
    ];
    for (const [name, where, expected] of filters) {
      test(
        `filter: ${name}`,
        filled(async (store) => {
          const page = await listed(store, where === undefined ? {} : { where });
          assert.deepEqual(indexes(page.rows), expected);
        }),
      );
    }

    test(
      "startsWith and order go by code points",
      withStore(async (store) => {
        const titles = ["a", "aé", "a\u{ffff}", "a😀", "b", "A", "\u{10ffff}x"];
        await write(store, (tx) => {
          for (const [index, title] of titles.entries())
            tx.insert("film", rowOf("film", index, { title }));
        });
        const starting = await listed(store, { where: whereOf("title", { startsWith: "a" }) });
        assert.deepEqual(indexes(starting.rows), [0, 1, 2, 3]);
        const last = await listed(store, { where: whereOf("title", { startsWith: "\u{10ffff}" }) });
        assert.deepEqual(indexes(last.rows), [6]);
        const ordered = await listed(store, { orderBy: [ascending("title")] });
        assert.deepEqual(indexes(ordered.rows), [5, 0, 1, 2, 3, 4, 6]);
      }),
    );

    test(
      "select leaves only id and the named fields, also when the order needs others",
      filled(async (store) => {
        const page = await listed(store, {
          select: ["title"],
          orderBy: [descending("rating")],
          limit: 2,
        });
        assert.deepEqual(
          page.rows.map((row) => ({ ...row })),
          [
            { id: idOf("film", 8), title: "film 2" },
            { id: idOf("film", 3), title: "film 0" },
          ],
        );
        assert.ok(page.next !== null);
      }),
    );
  });

  describe(`store: ${engine}: search`, () => {
    const titles = ["The Big Sleep", "Big Fish", "Señor Big-Time", "Sleepless", "fish; DROP TABLE"];
    const searching = (
      run: (found: (search: string) => Promise<readonly number[]>, store: Store) => Promise<void>,
    ) =>
      withStore(async (store) => {
        await write(store, (tx) => {
          for (const [index, title] of titles.entries()) {
            tx.insert("film", rowOf("film", index, { title, plot: index === 3 ? "a fish" : null }));
          }
        });
        const found = async (search: string) => {
          const page = await store.read((tx) => tx.list(listOf("film", { search }), null));
          return page.rows
            .map((row) => titles.findIndex((title) => title === row["title"]))
            .toSorted((a, b) => a - b);
        };
        await run(found, store);
      });

    test(
      "every word must occur, the last one as the beginning of a word",
      searching(async (found) => {
        assert.deepEqual(await found("big"), [0, 1, 2]);
        assert.deepEqual(await found("BIG sle"), [0]);
        assert.deepEqual(await found("sle"), [0, 3]);
        assert.deepEqual(await found("sle big"), []);
        assert.deepEqual(await found("senor"), [2]);
        assert.deepEqual(await found("fish"), [1, 3, 4]);
      }),
    );

    test(
      "any text is a valid search",
      searching(async (found) => {
        for (const text of [
          '"',
          "*",
          "AND",
          "NOT (",
          "title:x",
          'a"b*',
          "-",
          "^",
          "🎬",
          "{",
          "big AND",
          "NEAR(a b)",
        ]) {
          await found(text);
        }
        assert.deepEqual(await found('"big" OR'), []);
        assert.deepEqual(await found("'); drop"), [4]);
      }),
    );

    test(
      "the index follows updates, deletions, failed mutations and dropped groups",
      searching(async (found, store) => {
        await write(store, (tx) => {
          tx.update("film", idOf("film", 0), { title: "The Long Goodbye" });
          tx.update("film", idOf("film", 1), { rating: 1 });
          tx.delete("film", idOf("film", 2));
        });
        assert.deepEqual(await found("big"), [1]);
        await assert.rejects(
          write(store, (tx) => {
            tx.update("film", idOf("film", 1), { title: "Small" });
            throw new Error("undone");
          }),
        );
        assert.deepEqual(await found("big"), [1]);
        assert.deepEqual(await found("small"), []);
      }),
    );

    test(
      "ranked pages, put together, are the whole result",
      searching(async (_found, store) => {
        const ids: unknown[] = [];
        let after: string | null = null;
        do {
          const query = listOf("film", {
            search: "fish",
            limit: 1,
            ...(after === null ? {} : { after }),
          });
          const page: Page = await store.read((tx) => tx.list(query, null));
          ids.push(...page.rows.map((row) => row["id"]));
          after = page.next;
        } while (after !== null);
        assert.equal(ids.length, 3);
        assert.equal(new Set(ids).size, 3);
      }),
    );

    test(
      "a search can be filtered, ordered and counted",
      searching(async (_found, store) => {
        const query = listOf("film", {
          search: "big",
          where: whereOf("title", { startsWith: "B" }),
          orderBy: [descending("title")],
        });
        const page = await store.read((tx) => tx.list(query, null));
        assert.deepEqual(
          page.rows.map((row) => row["title"]),
          ["Big Fish"],
        );
        const [count] = await store.read((tx) =>
          tx.aggregate(
            {
              kind: "aggregate",
              from: "film",
              search: "big",
              groupBy: [],
              values: [{ name: "total", op: "count" }],
              limit: 10,
            },
            null,
          ),
        );
        assert.deepEqual({ ...count }, { total: 3 });
      }),
    );
  });

  describe(`store: ${engine}: expansions, aggregates, guards`, () => {
    const office = (run: (store: Store) => Promise<void>) =>
      withStore(async (store) => {
        await write(store, (tx) => {
          for (const index of [1, 2])
            tx.insert("user", rowOf("user", index, { name: `u${index}` }));
          for (const index of [1, 2, 3]) {
            tx.insert(
              "film",
              rowOf("film", index, {
                owner: index === 3 ? null : idOf("user", index),
                rating: index,
              }),
            );
          }
          for (const index of [1, 2, 3, 4, 5]) {
            tx.insert(
              "screening",
              rowOf("screening", index, {
                film: idOf("film", index < 4 ? 1 : 2),
                startsAt: `2026-01-0${index}T00:00:00.000Z`,
                price: index * 100,
              }),
            );
          }
          for (const index of [1, 2, 3, 4]) {
            tx.insert(
              "booking",
              rowOf("booking", index, {
                screening: idOf("screening", 1),
                seat: `A${index}`,
                customer: idOf("user", (index % 2) + 1),
                status: index === 4 ? "cancelled" : "held",
              }),
            );
          }
        });
        await run(store);
      });

    test(
      "with: references and rows that refer, nested, ordered, limited per parent",
      office(async (store) => {
        const query = listOf("film", {
          orderBy: [ascending("id")],
          select: ["rating"],
          with: [
            { name: "owner", table: "user", kind: "one", via: "owner", select: ["name"] },
            {
              name: "last",
              table: "screening",
              kind: "many",
              via: "film",
              orderBy: [descending("startsAt")],
              limit: 2,
              select: ["price"],
              with: [
                {
                  name: "sold",
                  table: "booking",
                  kind: "many",
                  via: "screening",
                  where: whereOf("status", { not: "cancelled" }),
                  select: ["seat"],
                },
                { name: "of", table: "film", kind: "one", via: "film", select: ["title"] },
              ],
            },
          ],
        });
        const page = await store.read((tx) => tx.list(query, null));
        const of = (index: number) => ({ id: idOf("film", index), title: "untitled" });
        const screening = (index: number, film: number) => ({
          id: idOf("screening", index),
          price: index * 100,
          sold: [],
          of: of(film),
        });
        assert.deepEqual(structuredClone(page.rows), [
          {
            id: idOf("film", 1),
            rating: 1,
            owner: { id: idOf("user", 1), name: "u1" },
            last: [screening(3, 1), screening(2, 1)],
          },
          {
            id: idOf("film", 2),
            rating: 2,
            owner: { id: idOf("user", 2), name: "u2" },
            last: [screening(5, 2), screening(4, 2)],
          },
          { id: idOf("film", 3), rating: 3, owner: null, last: [] },
        ]);
        const row = await store.read((tx) =>
          tx.get("screening", idOf("screening", 1), null, [
            {
              name: "sold",
              table: "booking",
              kind: "many",
              via: "screening",
              select: ["seat"],
              limit: 3,
            },
          ]),
        );
        assert.equal((row?.["sold"] as readonly Json[] | undefined)?.length, 3);
      }),
    );

    test(
      "aggregates: count, sum, min, max, avg, groups, nothing",
      office(async (store) => {
        const aggregate = (from: string, groupBy: readonly string[], where?: ListQuery["where"]) =>
          store.read((tx) =>
            tx.aggregate(
              {
                kind: "aggregate",
                from,
                groupBy,
                values: [
                  { name: "rows", op: "count" },
                  { name: "sum", op: "sum", field: "price" },
                  { name: "low", op: "min", field: "startsAt" },
                  { name: "high", op: "max", field: "price" },
                  { name: "mean", op: "avg", field: "price" },
                  { name: "films", op: "count", field: "film" },
                ],
                limit: 10,
                ...(where === undefined ? {} : { where }),
              },
              null,
            ),
          );
        assert.deepEqual(structuredClone(await aggregate("screening", ["film"])), [
          {
            film: idOf("film", 1),
            rows: 3,
            sum: 600,
            low: "2026-01-01T00:00:00.000Z",
            high: 300,
            mean: 200,
            films: 3,
          },
          {
            film: idOf("film", 2),
            rows: 2,
            sum: 900,
            low: "2026-01-04T00:00:00.000Z",
            high: 500,
            mean: 450,
            films: 2,
          },
        ]);
        const none = whereOf("price", { gt: 1_000 });
        assert.deepEqual(structuredClone(await aggregate("screening", [], none)), [
          { rows: 0, sum: 0, low: null, high: null, mean: null, films: 0 },
        ]);
        assert.deepEqual(await aggregate("screening", ["film"], none), []);
      }),
    );

    test(
      "a sum that no number holds exactly is refused by its name",
      office(async (store) => {
        const max = Number.MAX_SAFE_INTEGER;
        await write(store, (tx) => {
          tx.insert("screening", rowOf("screening", 7, { film: idOf("film", 3), price: max - 5 }));
          tx.insert("screening", rowOf("screening", 8, { film: idOf("film", 3), price: 5 }));
        });
        const film = whereOf("film", { eq: idOf("film", 3) });
        const sum = async (values: AggregateQuery["values"], where?: ListQuery["where"]) =>
          store.read((tx) => {
            const all = {
              kind: "aggregate",
              from: "screening",
              groupBy: [],
              values,
              limit: 10,
            } as const;
            return tx.aggregate(where === undefined ? all : { ...all, where }, null);
          });
        const spent = { name: "spent", op: "sum", field: "price" } as const;
        assert.deepEqual(structuredClone(await sum([spent], film)), [{ spent: max }]);
        await assert.rejects(sum([{ name: "n", op: "count" }, spent]), (error: PlatformError) => {
          assert.equal(error.code, "QUERY_INVALID");
          assert.match(error.message, /^The sum of price is larger than an exact number can hold/);
          const [issue, ...others] = error.details["issues"] as { path: string; problem: string }[];
          assert.equal(issue?.path, "aggregate.spent.sum");
          assert.match(issue?.problem ?? "", /the sum of price is larger than an exact number/);
          assert.deepEqual(others, []);
          return true;
        });
        await assert.rejects(sum([spent, { ...spent, name: "again" }]), (error: PlatformError) => {
          const [issue] = error.details["issues"] as { path: string }[];
          return issue?.path === "aggregate";
        });
      }),
    );

    test(
      "a guard's rule holds for get, list, count, search and every expansion",
      office(async (store) => {
        const own = compare("==", rowPath(["customer"]), claim("id"));
        const guard = guardOf(
          { id: idOf("user", 2), role: null },
          {
            booking: own,
            screening: everyRow,
            film: someRow("screening", "s", compare("==", itemPath("s", "film"), rowPath(["id"]))),
          },
        );
        const bookings = await store.read((tx) => tx.list(listOf("booking"), guard));
        assert.deepEqual(
          bookings.rows.map((row) => row["id"]),
          [idOf("booking", 1), idOf("booking", 3)],
        );
        assert.equal(await store.read((tx) => tx.get("booking", idOf("booking", 2), guard)), null);
        assert.ok(
          (await store.read((tx) => tx.get("booking", idOf("booking", 1), guard))) !== null,
        );
        const [count] = await store.read((tx) =>
          tx.aggregate(
            {
              kind: "aggregate",
              from: "booking",
              groupBy: [],
              values: [{ name: "n", op: "count" }],
              limit: 1,
            },
            guard,
          ),
        );
        assert.deepEqual({ ...count }, { n: 2 });
        const films = await store.read((tx) =>
          tx.list(
            listOf("film", {
              search: "untitled",
              orderBy: [ascending("id")],
              select: [],
              with: [{ name: "owner", table: "user", kind: "one", via: "owner" }],
            }),
            guard,
          ),
        );
        assert.deepEqual(structuredClone(films.rows), [
          { id: idOf("film", 1), owner: null },
          { id: idOf("film", 2), owner: null },
        ]);
        const screening = await store.read((tx) =>
          tx.get("screening", idOf("screening", 1), guard, [
            { name: "sold", table: "booking", kind: "many", via: "screening", select: [] },
          ]),
        );
        assert.equal((screening?.["sold"] as readonly Json[] | undefined)?.length, 2);
        const hidden = await store.read((tx) => tx.list(listOf("user"), guard));
        assert.deepEqual(hidden, { rows: [], next: null });
        const none = await store.read((tx) =>
          tx.aggregate(
            {
              kind: "aggregate",
              from: "user",
              groupBy: [],
              values: [{ name: "n", op: "count" }],
              limit: 1,
            },
            guard,
          ),
        );
        assert.deepEqual(structuredClone(none), [{ n: 0 }]);
      }),
    );

    test(
      "an anonymous caller never matches an absent owner; rules follow references",
      office(async (store) => {
        const rules = {
          film: compare("==", rowPath(["owner"]), claim("id")),
          booking: anyOf(
            compare("==", claim("role"), literal("staff")),
            compare(
              "==",
              rowPath(["screening", "film", "owner"], ["screening", "film"]),
              claim("id"),
            ),
          ),
        };
        const rowsFor = async (table: string, me: { readonly [claim: string]: Json }) =>
          (await store.read((tx) => tx.list(listOf(table), guardOf(me, rules)))).rows.length;
        assert.equal(await rowsFor("film", { id: null, role: null }), 0);
        assert.equal(await rowsFor("film", { id: idOf("user", 1), role: null }), 1);
        assert.equal(await rowsFor("booking", { id: idOf("user", 1), role: null }), 4);
        assert.equal(await rowsFor("booking", { id: idOf("user", 2), role: null }), 0);
        assert.equal(await rowsFor("booking", { id: null, role: "staff" }), 4);
        const guard = guardOf({ id: idOf("user", 1), role: null }, rules);
        assert.ok(
          (await store.read((tx) => tx.get("booking", idOf("booking", 1), guard))) !== null,
        );
      }),
    );

    test(
      "some: outer rows are bound, inside mutations too",
      office(async (store) => {
        const where = compare("==", itemPath("b", "screening"), rowPath(["id"]));
        const outer = (index: number) => ({
          row: rowOf("screening", index),
          next: null,
          items: {},
          bindings: { me: { id: null }, now: "2026-01-01T00:00:00.000Z" },
        });
        assert.equal(await store.read((tx) => tx.some("booking", "b", where, outer(1))), true);
        assert.equal(await store.read((tx) => tx.some("booking", "b", where, outer(2))), false);
        await write(store, (tx) => {
          tx.insert("booking", rowOf("booking", 9, { screening: idOf("screening", 2) }));
          assert.equal(tx.some("booking", "b", where, outer(2)), true);
        });
      }),
    );
  });
}
