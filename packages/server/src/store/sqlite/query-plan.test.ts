// Plans and their consequences: evidence per shape, statements that are not prepared anew, and queries
// without an index on a large table, which are refused fast instead of running on.
import assert from "node:assert/strict";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { before, describe, test, after } from "node:test";
import { limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { ListQuery, OrderTerm } from "../../model/query-form.ts";
import {
  claim,
  compare,
  guardOf,
  idOf,
  itemPath,
  listOf,
  metaOf,
  rowOf,
  rowPath,
  someRow,
  storeTables,
  whereOf,
  write,
} from "../store.fixture.ts";
import { layoutOf } from "../table-layout.ts";
import type { Guard, Page } from "../store.ts";
import { compileWhere } from "./sql-where.ts";
import { sqlName, SqlParams } from "./sql-text.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const manifest = { tables: storeTables };
const ascending = (field: string): OrderTerm => ({ field, descending: false });

describe("plans", () => {
  test("the plan of every shape is kept once, whatever the values", async () => {
    const store = openSqliteStore({ path: tempFile(), manifest, limits });
    for (const rating of [1, 2, 3]) {
      for (const limit of [5, 50]) {
        await store.read((tx) =>
          tx.list(
            listOf("film", {
              where: whereOf("rating", { gte: rating }),
              orderBy: [ascending("rating")],
              limit,
            }),
            null,
          ),
        );
      }
    }
    await store.read((tx) =>
      tx.list(listOf("film", { where: whereOf("plot", { eq: "x" }) }), null),
    );
    await store.read((tx) => tx.list(listOf("film", { orderBy: [ascending("title")] }), null));
    await store.read((tx) => tx.list(listOf("film"), null));
    const plans = store.plans().filter((plan) => plan.table === "film");
    assert.deepEqual(
      plans.map(({ shape, fullScan, sorts }) => [shape, fullScan, sorts]),
      [
        ["film where rating.gte order rating,id", false, false],
        ["film where plot.eq order id", true, false],
        ["film order title,id", true, true],
        ["film order id", false, false],
      ],
    );
    assert.match(plans[0]?.plan.join() ?? "", /^SEARCH t USING INDEX film:index:rating,id/);
    store.close();
  });

  test("no more plans are kept than the limit says", async () => {
    const store = openSqliteStore({
      path: tempFile(),
      manifest,
      limits: { ...limits, plansKeptMax: 3, statementsMax: 16 },
    });
    for (let count = 1; count < 40; count++) {
      const parts = Array.from({ length: count }, () => whereOf("votes", { gt: 1 }));
      await store.read((tx) => tx.list(listOf("film", { where: { kind: "and", parts } }), null));
    }
    assert.equal(store.plans().length, 3);
    store.close();
  });

  test("values do not make the engine prepare a statement anew", () => {
    const path = tempFile();
    openSqliteStore({ path, manifest, limits }).close();
    const db = new DatabaseSync(path);
    const booking = layoutOf(storeTables).get("booking");
    assert.ok(booking);
    for (const condition of [
      { eq: "held" },
      { not: "paid" },
      { gte: "a" },
      { in: ["held", "paid"] },
    ]) {
      const params = new SqlParams();
      const where = compileWhere(booking, whereOf("status", condition), params);
      const sql = `SELECT 1 FROM ${sqlName("booking")} AS t WHERE ${where} ORDER BY t."id" LIMIT ${params.bindUnseen(20)}`;
      const statement = db.prepare(sql) as StatementSync & { stat(counter: string): number };
      for (let run = 0; run < 5; run++) {
        const values = params.values.map((value) =>
          value === 20 ? run : `${String(value)}${run}`,
        );
        statement.all(...values);
      }
      assert.equal(statement.stat("reprepare"), 0, sql);
    }
    db.close();
  });

  test("a filter that is the condition of a partial index is served by it", async () => {
    const store = openSqliteStore({ path: tempFile(), manifest, limits });
    const parts = [
      whereOf("screening", { eq: idOf("screening", 1) }),
      whereOf("status", { not: "cancelled" }),
    ];
    const query = listOf("booking", {
      where: { kind: "and", parts },
      orderBy: [ascending("seat")],
    });
    await store.read((tx) => tx.list(query, null));
    assert.match(store.plans()[0]?.plan.join() ?? "", /booking:unique:screening,seat/);
    store.close();
  });

  test("an expansion is one statement for all rows, served by an index", async () => {
    const store = openSqliteStore({ path: tempFile(), manifest, limits });
    await write(store, (tx) => {
      for (let index = 0; index < 50; index++) {
        tx.insert("film", rowOf("film", index));
        tx.insert("screening", rowOf("screening", index, { film: idOf("film", index) }));
      }
    });
    const query = listOf("film", {
      with: [
        {
          name: "shown",
          table: "screening",
          kind: "many",
          via: "film",
          orderBy: [ascending("startsAt")],
          limit: 3,
        },
      ],
    });
    await store.read((tx) => tx.list(query, null));
    const plan = store.plans().find((each) => each.table === "screening");
    assert.match(
      plan?.plan.join("\n") ?? "",
      /SEARCH t USING (COVERING )?INDEX screening:index:film,startsAt,id/,
    );
    assert.equal(plan?.fullScan, false);
    store.close();
  });
});

describe("costly queries", () => {
  const rows = Number(process.env["KEELSON_COSTLY_ROWS"] ?? 200_000);
  let store: SqliteStore;
  before(() => {
    const path = tempFile();
    openSqliteStore({ path, manifest, limits }).close();
    const db = new DatabaseSync(path);
    db.exec(`
      WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${rows})
      INSERT INTO film (id, title, rating, votes, color)
        SELECT 'film_01h455vb4pex5vsk' || printf('%010d', i), 'word' || (i % 7), CASE WHEN i > ${rows} - 3 THEN 10 ELSE i % 10 END, i, i % 2 FROM s;
      INSERT INTO _search_film (rowid, title) SELECT _n, title FROM film;
      INSERT INTO _rows VALUES ('film', ${rows});`);
    db.close();
    store = openSqliteStore({ path, manifest, limits });
  });
  after(() => store.close());

  const list = (query: Partial<ListQuery>, guard: Guard | null = null) =>
    store.read((tx) => tx.list(listOf("film", { limit: 20, ...query }), guard)) as Page;

  const votesOf = ({ rows: found }: Page) => found.map((row) => row["votes"]);
  const descending = (field: string) => ({ field, descending: true });

  const refusals: readonly (readonly [string, Partial<ListQuery>, readonly string[]])[] = [
    [
      "a filter without an index that matches nothing",
      { where: whereOf("plot", { eq: "x" }) },
      ["plot"],
    ],
    ["a sort without an index", { orderBy: [{ field: "title", descending: false }] }, ["title"]],
    [
      "a filter and a sort",
      { where: whereOf("title", { eq: "word1" }), orderBy: [{ field: "plot", descending: true }] },
      ["title", "plot"],
    ],
    ["a substring", { where: whereOf("title", { contains: "nowhere" }) }, ["title"]],
    [
      "an index range whose rows must be sorted",
      { where: whereOf("rating", { gte: 0 }), orderBy: [{ field: "title", descending: false }] },
      ["title", "rating"],
    ],
    ["a search for what nearly every row holds, ranked", { search: "word" }, []],
  ];
  for (const [what, query, index] of refusals) {
    test(`refused fast, with the index that would serve: ${what}`, () => {
      const before = process.threadCpuUsage();
      assert.throws(
        () => list(query),
        (error: unknown) => {
          assert.ok(error instanceof PlatformError, String(error));
          assert.equal(error.code, "QUERY_TOO_COSTLY");
          assert.equal(error.details["table"], "film");
          assert.deepEqual(error.details["index"], index);
          return true;
        },
      );
      // Work, not waiting: what else the machine does is not judged.
      const { user, system } = process.threadCpuUsage(before);
      const tookMs = (user + system) / 1_000;
      assert.ok(tookMs < 2_000, `${tookMs} ms`);
    });
  }

  test("aggregates and rules that would visit every row are refused too", () => {
    const costly = (error: unknown) =>
      error instanceof PlatformError && error.code === "QUERY_TOO_COSTLY";
    const count = {
      kind: "aggregate",
      from: "film",
      groupBy: [],
      values: [{ name: "n", op: "count" }],
      limit: 1,
    } as const;
    assert.throws(
      () =>
        store.read((tx) => tx.aggregate({ ...count, where: whereOf("title", { eq: "x" }) }, null)),
      costly,
    );
    assert.throws(
      () =>
        list(
          {},
          guardOf({ id: idOf("user", 1) }, { film: compare("==", rowPath(["plot"]), claim("id")) }),
        ),
      costly,
    );
    const rule = someRow("film", "f", compare("==", itemPath("f", "title"), rowPath(["name"])));
    assert.throws(
      () => store.read((tx) => tx.list(listOf("user"), guardOf({ id: null }, { user: rule }))),
      costly,
    );
  });

  test("what an index serves, or what ends early, is answered", () => {
    assert.equal(
      list({ where: whereOf("rating", { eq: 3 }), orderBy: [ascending("rating")] }).rows.length,
      20,
    );
    assert.equal(list({ where: whereOf("title", { eq: "word1" }) }).rows.length, 20);
    assert.equal(list({ orderBy: [{ field: "id", descending: true }] }).rows.length, 20);
    assert.equal(
      list({}, guardOf({ id: "word3" }, { film: compare("==", rowPath(["title"]), claim("id")) }))
        .rows.length,
      20,
    );
    const [count] = store.read((tx) =>
      tx.aggregate(
        {
          kind: "aggregate",
          from: "film",
          groupBy: [],
          values: [{ name: "n", op: "count" }],
          limit: 1,
          where: {
            kind: "and",
            parts: [whereOf("color", { eq: true }), whereOf("votes", { lt: 500 })],
          },
        },
        null,
      ),
    ) as readonly { n: number }[];
    assert.equal(count?.n, 250);
    const [all] = store.read((tx) =>
      tx.aggregate(
        {
          kind: "aggregate",
          from: "film",
          groupBy: [],
          values: [{ name: "n", op: "count" }],
          limit: 1,
        },
        null,
      ),
    ) as readonly { n: number }[];
    assert.equal(all?.n, rows);
  });

  test("few rows of an index range come in the order of ids, however large the table", () => {
    // SQLite reads the ids in order and hopes to meet twenty soon.
    const few = { where: whereOf("rating", { gt: 9 }), limit: 2 };
    const first = list(few);
    assert.deepEqual(votesOf(first), [rows - 2, rows - 1]);
    assert.deepEqual(votesOf(list({ ...few, after: first.next ?? "" })), [rows]);
    assert.deepEqual(votesOf(list({ ...few, orderBy: [descending("id")] })), [rows, rows - 1]);
    assert.equal(list({ where: whereOf("rating", { lt: 0 }) }).rows.length, 0);
  });

  test("the mutation after a refused query goes on", async () => {
    const group = store.openGroup();
    const outcome = await group.mutate(metaOf(), (tx) => {
      assert.throws(() => tx.list(listOf("film", { where: whereOf("plot", { eq: "x" }) }), null));
      tx.insert("user", rowOf("user", 1));
      return "null";
    });
    group.commit();
    assert.equal(outcome.kind, "done");
  });
});
