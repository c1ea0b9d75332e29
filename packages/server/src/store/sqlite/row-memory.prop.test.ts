// Values and new rows that wait in the writer's memory against a twin that has none: point writes with reads of every
// sort between them, unique conflicts, cascades, mutations and groups that fail. What bodies see, what they are told,
// the log and the file are the same.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../base/json.ts";
import { limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { workTables } from "../../model/work-tables.ts";
import { openMemoryStore } from "../memory/memory-store.ts";
import type { Commit, CommitGroup, Row, Store, WriteTx } from "../store.ts";
import {
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
  whereOf,
} from "../store.fixture.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const at = fc.nat({ max: 3 });
const word = fc.constantFrom("", "a", "b", "a b");
const guard = guardOf(
  { id: idOf("user", 1), role: null },
  {
    user: everyRow,
    film: someRow("screening", "s", compare("==", itemPath("s", "film"), rowPath(["id"]))),
    screening: compare("<", rowPath(["price"]), literal(3)),
    booking: compare("!=", rowPath(["status"]), literal("paid")),
  },
);

/** One step of a body: what it does to a transaction, and what it brings back. */
type Step = (tx: WriteTx) => unknown;

const cheap = (price: number) => whereOf("price", { lt: price });
const held = whereOf("status", { eq: "held" });

/** A job, of the one table whose new rows wait. `once` is unique. */
const jobOf = (n: number, once: string | null): Row => ({
  ...{ id: idOf("workJob", n), queue: "q", lane: "l", place: n, key: null, once },
  ...{ attempts: 0, input: null, info: { n } },
});

const jobInsert: fc.Arbitrary<Step> = fc
  .tuple(at, fc.constantFrom(null, null, null, null, "o"))
  .map(([n, once]): Step => (tx) => {
    // Its ids are made by the platform: none comes twice.
    if (tx.get("workJob", idOf("workJob", n), null) === null)
      void tx.insert("workJob", jobOf(n, once));
  });

const jobWrite: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: jobInsert },
  {
    weight: 1,
    arbitrary: fc.tuple(at, fc.nat({ max: 2 })).map(
      ([n, attempts]): Step =>
        (tx) =>
          tx.update("workJob", idOf("workJob", n), { attempts }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(at, fc.constantFrom(null, "o")).map(
      ([n, once]): Step =>
        (tx) =>
          tx.update("workJob", idOf("workJob", n), { once, place: 9 }),
    ),
  },
  {
    weight: 2,
    arbitrary: at.map(
      (n): Step =>
        (tx) =>
          tx.delete("workJob", idOf("workJob", n)),
    ),
  },
);

const write: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: jobWrite },
  fc.tuple(at, word).map(
    ([n, title]): Step =>
      (tx) =>
        tx.update("film", idOf("film", n), { title }),
  ),
  fc.tuple(at, fc.nat({ max: 4 }), fc.boolean()).map(
    ([n, votes, color]): Step =>
      (tx) =>
        tx.update("film", idOf("film", n), color ? { votes, color } : { votes }),
  ),
  fc.tuple(at, fc.nat({ max: 4 })).map(
    ([n, price]): Step =>
      (tx) =>
        tx.update("screening", idOf("screening", n), { price }),
  ),
  fc.tuple(at, at).map(
    ([n, film]): Step =>
      (tx) =>
        tx.update("screening", idOf("screening", n), { film: idOf("film", film) }),
  ),
  fc.tuple(at, fc.constantFrom("A1", "A2"), fc.constantFrom("held", "paid", "cancelled")).map(
    ([n, seat, status]): Step =>
      (tx) =>
        tx.update("booking", idOf("booking", n), { seat, status }),
  ),
  fc.tuple(at, fc.constantFrom("e", "f", null), word).map(
    ([n, email, name]): Step =>
      (tx) =>
        tx.update("user", idOf("user", n), { email, name }),
  ),
  fc.tuple(at, word).map(
    ([n, name]): Step =>
      (tx) =>
        tx.update("user", idOf("user", n), { name }),
  ),
  fc.tuple(at, fc.constantFrom("film", "screening", "booking", "user")).map(
    ([n, table]): Step =>
      (tx) =>
        tx.delete(table, idOf(table, n)),
  ),
  at.map(
    (n): Step =>
      (tx) =>
        tx.insert("film", rowOf("film", n, { owner: idOf("user", 0) })),
  ),
  fc.tuple(at, at).map(
    ([n, film]): Step =>
      (tx) =>
        tx.insert("screening", rowOf("screening", n, { film: idOf("film", film), price: 1 })),
  ),
  fc.tuple(at, at).map(
    ([n, screening]): Step =>
      (tx) =>
        tx.insert("booking", rowOf("booking", n, { screening: idOf("screening", screening) })),
  ),
  at.map(
    (n): Step =>
      (tx) =>
        tx.insert("user", rowOf("user", n)),
  ),
);

const jobReads: readonly Step[] = [
  (tx) => tx.list(listOf("workJob", { where: whereOf("attempts", { lt: 2 }) }), null),
  (tx) =>
    tx.some("workJob", "j", compare("==", itemPath("j", "attempts"), literal(1)), {
      row: null,
      next: null,
      items: {},
      bindings: guard.bindings,
    }),
  (tx) => [0, 1, 2, 3].map((n) => tx.get("workJob", idOf("workJob", n), null)),
];

const reads: readonly Step[] = [
  (tx) => tx.list(listOf("film", { where: whereOf("votes", { gt: 1 }) }), null),
  (tx) =>
    tx.list(listOf("film", { search: "a", orderBy: [{ field: "id", descending: false }] }), null),
  (tx) => tx.list(listOf("film"), guard),
  (tx) => tx.list(listOf("screening", { where: cheap(3) }), guard),
  (tx) =>
    tx.aggregate(
      {
        kind: "aggregate",
        from: "screening",
        groupBy: ["film"],
        values: [{ name: "sum", op: "sum", field: "price" }],
        limit: 9,
      },
      null,
    ),
  (tx) => tx.list(listOf("booking", { where: held }), guard),
  (tx) =>
    [0, 1, 2, 3].map((n) =>
      tx.get("film", idOf("film", n), null, [
        { name: "shown", table: "screening", kind: "many", via: "film", limit: 9 },
      ]),
    ),
  (tx) =>
    [0, 1, 2, 3, 4].map((price) =>
      tx.some("screening", "s", compare("==", itemPath("s", "price"), literal(price)), {
        row: null,
        next: null,
        items: {},
        bindings: guard.bindings,
      }),
    ),
  ...jobReads,
  ...["film", "screening", "booking", "user"].map(
    (table): Step =>
      (tx) =>
        [0, 1, 2, 3].map((n) => tx.get(table, idOf(table, n), guard)),
  ),
];

interface Mutation {
  readonly steps: readonly Step[];
  readonly catches: boolean;
  readonly fails: boolean;
  readonly key: string | null;
}

interface Group {
  readonly mutations: readonly Mutation[];
  readonly commits: boolean;
}

function groupsOf(
  writes: fc.Arbitrary<Step>,
  looks: readonly Step[],
  stepsMin = 0,
): fc.Arbitrary<readonly Group[]> {
  const step = fc.oneof(
    { weight: 5, arbitrary: writes },
    { weight: 1, arbitrary: fc.constantFrom(...looks) },
  );
  const mutation = fc.record({
    steps: fc.array(step, { minLength: stepsMin, maxLength: 8 }),
    catches: fc.constantFrom(true, true, false),
    fails: fc.constantFrom(true, false, false),
    key: fc.constantFrom(null, null, "k1", "k2"),
  });
  const group = fc.record({
    mutations: fc.array(mutation, { minLength: 1, maxLength: 5 }),
    commits: fc.constantFrom(true, true, true, false),
  });
  return fc.array(group, { minLength: 1, maxLength: 5 });
}

function seen(step: Step, tx: WriteTx, catches: boolean): unknown {
  try {
    return step(tx) ?? null;
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    if (!catches) throw error;
    return [error.code, error.details];
  }
}

function runGroup(store: Store, { mutations, commits }: Group): unknown {
  const group = store.openGroup() as CommitGroup;
  const all: unknown[] = [];
  for (const { steps, catches, fails, key } of mutations) {
    const idempotency = key === null ? null : { scope: "s", key, requestHash: "h" };
    const outcome = group.mutate(metaOf({ idempotency }), (tx) => {
      for (const step of steps) all.push(seen(step, tx, catches));
      if (fails) throw new PlatformError("CONFLICT");
      return JSON.stringify(steps.length);
    });
    assert.ok(!(outcome instanceof Promise));
    if (outcome.kind !== "failed") all.push(outcome);
    else {
      assert.ok(outcome.error instanceof PlatformError, String(outcome.error));
      all.push(["failed", outcome.error.code, outcome.error.details]);
    }
  }
  if (commits) all.push(group.commit());
  else group.abort();
  return all;
}

const start: Group = {
  commits: true,
  mutations: [
    {
      steps: [0, 1, 2, 3].map((n): Step => (tx) => {
        void tx.insert("user", rowOf("user", n));
        void tx.insert("film", rowOf("film", n, { votes: n, owner: idOf("user", n) }));
        void tx.insert("screening", rowOf("screening", n, { film: idOf("film", n), price: n }));
        void tx.insert(
          "booking",
          rowOf("booking", n, { screening: idOf("screening", n), customer: idOf("user", n) }),
        );
      }),
      catches: false,
      fails: false,
      key: null,
    },
  ],
};

/** Rows as the file has them, read by nobody of ours. */
function rowsOfFile(path: string): Json {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    assert.deepEqual(
      db
        .prepare("PRAGMA integrity_check")
        .all()
        .map((row) => ({ ...row })),
      [{ integrity_check: "ok" }],
    );
    assert.deepEqual(db.prepare("PRAGMA foreign_key_check").all(), []);
    const rows = (sql: string) =>
      db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })) as Json;
    for (const table of ["film", "screening", "booking", "user", "workJob"]) {
      const [row] = db.prepare(`SELECT count(*) AS n FROM ${table}`).all();
      const [size] = db.prepare("SELECT count FROM _rows WHERE name = ?").all(table);
      assert.equal(size?.["count"] ?? 0, row?.["n"], `the noted size of ${table}`);
    }
    return [
      rows("SELECT id, title, votes, owner FROM film ORDER BY id"),
      rows("SELECT id, film, price FROM screening ORDER BY id"),
      rows("SELECT id, screening, seat, customer, status FROM booking ORDER BY id"),
      rows("SELECT id, name, email FROM user ORDER BY id"),
      rows("SELECT id, once, place, attempts FROM workJob ORDER BY id"),
    ];
  } finally {
    db.close();
  }
}

function rowsOfTwin(twin: Store): Json {
  const pick = (table: string, fields: readonly string[]) =>
    [0, 1, 2, 3]
      .map((n) => twin.read((tx) => tx.get(table, idOf(table, n), null)) as Row | null)
      .filter((row) => row !== null)
      .map((row) => Object.fromEntries(fields.map((field) => [field, row[field] ?? null])));
  return [
    pick("film", ["id", "title", "votes", "owner"]),
    pick("screening", ["id", "film", "price"]),
    pick("booking", ["id", "screening", "seat", "customer", "status"]),
    pick("user", ["id", "name", "email"]),
    pick("workJob", ["id", "once", "place", "attempts"]),
  ] as Json;
}

/** Commits of a log, but for jobs: those that come and go within a group are not in ours. */
function withoutJobs(commits: readonly Commit[]): unknown {
  return commits.map((commit) => ({
    ...commit,
    changes: structuredClone(commit.changes.filter(({ table }) => table !== "workJob")),
  }));
}

/** Jobs as a log leaves them, from its beginning. */
function jobsOfLog(commits: readonly Commit[]): unknown {
  const jobs = new Map<string, Row>();
  for (const { table, id, before, after } of commits.flatMap(({ changes }) => changes)) {
    if (table !== "workJob") continue;
    assert.deepEqual(jobs.get(id) ?? null, before, "a log has no gap");
    if (after === null) jobs.delete(id);
    else jobs.set(id, after);
  }
  return [...jobs.values()].toSorted((left, right) =>
    String(left["id"]) < String(right["id"]) ? -1 : 1,
  );
}

/** @param rowCacheBytesMax 0: what was not touched for a few writes is forgotten. */
function assertSame(run: readonly Group[], rowCacheBytesMax: number): void {
  const { workJob } = workTables;
  assert.ok(workJob);
  const manifest = { tables: { ...storeTables, workJob } };
  const path = tempFile();
  const store = openSqliteStore({ manifest, limits: { ...limits, rowCacheBytesMax }, path });
  const twin = openMemoryStore({ manifest, limits });
  try {
    for (const group of [start, ...run]) {
      const [ours, theirs] = [runGroup(store, group), runGroup(twin, group)];
      assert.deepEqual(structuredClone(ours), structuredClone(theirs));
      assert.deepEqual(rowsOfFile(path), rowsOfTwin(twin));
    }
    const [ours, theirs] = [store.commitsAfter(0, 1_000), twin.commitsAfter(0, 1_000)];
    assert.deepEqual(withoutJobs(ours), withoutJobs(theirs));
    assert.deepEqual(jobsOfLog(ours), jobsOfLog(theirs));
  } finally {
    store.close();
  }
}

const room = fc.constantFrom(limits.rowCacheBytesMax, 0);
const runs = { numRuns: Number(process.env["KEELSON_PROPERTY_RUNS"] ?? 100) };

test("what waits in memory can't be told from what is written", () => {
  fc.assert(fc.property(groupsOf(write, reads), room, assertSame), runs);
});

test("rows that come and go before they are written can't be told from others", () => {
  // A deletion of another row has the engine take back what follows.
  const other = at.map(
    (n): Step =>
      (tx) =>
        tx.delete("booking", idOf("booking", n)),
  );
  const writes = fc.oneof({ weight: 16, arbitrary: jobWrite }, { weight: 1, arbitrary: other });
  fc.assert(fc.property(groupsOf(writes, jobReads, 4), room, assertSame), runs);
});
