// Rows that are remembered against rows that are read: a reader with a cache and one without, on the same file,
// while a third connection writes. Whatever is committed in between, and however long a transaction lasts, both
// answer the same.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { limits } from "../../base/limits.ts";
import { commitMarkMemory, marksApartMax, openCommitMark } from "../commit-mark.ts";
import type { ListQuery } from "../../model/query-form.ts";
import type { CommitGroup, Guard, Page, ReadTx, Row, WriteTx } from "../store.ts";
import { compare, guardOf, literal, rowPath, tableModel } from "../store.fixture.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import type { CacheThreadStart } from "./row-cache-writer.case.ts";
import { pageText } from "../row-text.ts";
import { tempFile } from "./temp-file.case.ts";

const tables = {
  room: tableModel("room", { name: { kind: "text", min: 0, max: 99 } }),
  note: tableModel(
    "note",
    {
      text: { kind: "text", min: 0, max: 400 },
      rank: { kind: "int", min: 0, max: 9 },
      room: { kind: "ref", table: "room", onDelete: "cascade", optional: true },
      extra: { kind: "json", maxBytes: 1_000, optional: true },
    },
    { indexes: [{ fields: ["rank"] }] },
  ),
};
const rowIds = 6;
const idOf = (table: string, n: number): string => `${table}_01h455vb4pex5vsknk084sn0${n}q`;
const meta = { by: null, cause: "test", requestId: "r", atMs: 1, idempotency: null };

type Change =
  | { readonly kind: "put"; readonly n: number; readonly text: string; readonly rank: number }
  | { readonly kind: "room"; readonly n: number; readonly room: number | null }
  | { readonly kind: "name"; readonly n: number; readonly name: string }
  | { readonly kind: "deleteNote" | "deleteRoom"; readonly n: number };

type Step =
  | { readonly kind: "commit"; readonly changes: readonly Change[]; readonly fails: boolean }
  | { readonly kind: "abort"; readonly changes: readonly Change[] }
  | { readonly kind: "read"; readonly ns: readonly number[] }
  | {
      readonly kind: "list";
      readonly rank: number | null;
      readonly limit: number;
      readonly guard: Guard | null;
    }
  | { readonly kind: "pin" | "unpin" | "turn" | "age" };

const n = fc.nat(rowIds - 1);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      n,
      text: fc.string({ maxLength: 300 }),
      rank: fc.nat(2),
    }),
  },
  fc.record({
    kind: fc.constant("room" as const),
    n,
    room: fc.option(n),
  }),
  fc.record({ kind: fc.constant("name" as const), n, name: fc.constantFrom("r", "s") }),
  fc.record({ kind: fc.constantFrom("deleteNote" as const, "deleteRoom" as const), n }),
);
const me = { id: null, role: null };
/** Nobody in particular; whoever looks at short texts; at notes of some rooms only; at low ranks, and at rooms. */
const guards = [
  null,
  guardOf(me, { note: compare("!=", rowPath(["text"]), literal("")) }),
  guardOf(me, { note: compare("==", rowPath(["room", "name"], ["room"]), literal("r")) }),
  guardOf(me, { note: compare("<", rowPath(["rank"]), literal(1)) }),
  guardOf(me, { note: compare("!=", rowPath(["room"]), literal(idOf("room", 1))) }),
];
const changes = fc.array(change, { minLength: 1, maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), changes, fails: fc.boolean() }),
  },
  fc.record({ kind: fc.constant("abort" as const), changes }),
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("read" as const), ns: fc.array(n, { maxLength: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("list" as const),
      rank: fc.option(fc.nat(2)),
      limit: fc.integer({ min: 1, max: 5 }),
      guard: fc.constantFrom(...guards),
    }),
  },
  fc.record({ kind: fc.constantFrom("pin", "unpin", "turn", "age") }) as fc.Arbitrary<Step>,
);

/** The same reads of two stores. */
interface Pair {
  readonly cached: ReadTx;
  readonly plain: ReadTx;
}

class Scene {
  readonly path = tempFile();
  readonly memory = commitMarkMemory();
  readonly writer: SqliteStore;
  readonly cached: SqliteStore;
  readonly plain: SqliteStore;
  readonly #turns: (() => void)[] = [];
  #pinned: { readonly pair: Pair; readonly end: () => void } | null = null;

  /** @param own whether the cached reads are those of the writer's own store. */
  constructor(options: { readonly rowCacheBytesMax: number; readonly own: boolean }) {
    const { rowCacheBytesMax, own } = options;
    const shared = { path: this.path, manifest: { tables } };
    const mark = () => openCommitMark(this.memory);
    const small = { ...limits, rowCacheBytesMax };
    this.writer = openSqliteStore({ ...shared, limits: small, mark: mark() });
    this.cached = own
      ? this.writer
      : openSqliteStore({
          ...shared,
          limits: small,
          readOnly: true,
          mark: mark(),
          nextTurn: (run) => this.#turns.push(run),
        });
    this.plain = openSqliteStore({ ...shared, limits, readOnly: true });
    this.group([], (tx) => {
      for (let n = 0; n < rowIds; n++) void tx.insert("room", { id: idOf("room", n), name: "r" });
    }).commit();
  }

  group(changes: readonly Change[], then: (tx: WriteTx) => void): CommitGroup {
    const group = this.writer.openGroup();
    for (const change of changes) {
      void group.mutate(meta, (tx) => {
        apply(tx, change);
        return "null";
      });
    }
    void group.mutate(meta, (tx) => {
      then(tx);
      return "null";
    });
    return group;
  }

  /** Both at one moment: nobody writes in between. */
  both<T>(run: (pair: Pair) => T): T {
    return this.cached.read((cached) =>
      this.plain.read((plain) => run({ cached, plain }) as never),
    ) as T;
  }

  pin(): void {
    if (this.#pinned !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.both((pair) => {
      // A look at the data takes the snapshot of the plain one too.
      assert.equal(pair.cached.seq, pair.plain.seq);
      this.#pinned = { pair, end: resolve };
    });
    const held = this.#pinned as unknown as { pair: Pair; end: () => void };
    void this.cached.read((cached) =>
      this.plain.read((plain) => {
        assert.equal(cached.seq, plain.seq);
        this.#pinned = { pair: { cached, plain }, end: held.end };
        return promise as never;
      }),
    );
  }

  unpin(): void {
    this.#pinned?.end();
    this.#pinned = null;
  }

  /** The transaction that is held open, or new ones. */
  look(check: (pair: Pair) => void): void {
    if (this.#pinned !== null) check(this.#pinned.pair);
    this.both(check);
  }

  turn(): void {
    for (const run of this.#turns.splice(0)) run();
  }

  async close(): Promise<void> {
    this.unpin();
    await new Promise(setImmediate);
    this.turn();
    if (this.cached !== this.writer) this.cached.close();
    this.plain.close();
    this.writer.close();
  }
}

function apply(tx: WriteTx, change: Change): void {
  const id = idOf("note", change.n);
  switch (change.kind) {
    case "put": {
      const { text, rank } = change;
      if (tx.get("note", id, null) === null) {
        void tx.insert("note", { id, text, rank, room: null, extra: { text } });
      } else void tx.update("note", id, { text, rank });
      return;
    }
    case "room":
      if (tx.get("note", id, null) === null) return;
      void tx.update("note", id, { room: change.room === null ? null : idOf("room", change.room) });
      return;
    case "name": {
      const room = idOf("room", change.n);
      if (tx.get("room", room, null) !== null) void tx.update("room", room, { name: change.name });
      return;
    }
    case "deleteNote":
      if (tx.get("note", id, null) !== null) void tx.delete("note", id);
      return;
    case "deleteRoom": {
      const room = idOf("room", change.n);
      if (tx.get("room", room, null) === null) return;
      void tx.delete("room", room);
      return;
    }
    default:
      change satisfies never;
  }
}

function listOf(rank: number | null, limit: number, after: string | null): ListQuery {
  return {
    kind: "list",
    from: "note",
    orderBy: [{ field: "rank", descending: false }],
    limit,
    ...(rank === null ? {} : { where: { kind: "field", field: "rank", condition: { eq: rank } } }),
    ...(after === null ? {} : { after }),
  };
}

function walk(tx: ReadTx, { rank, limit, guard }: Step & { readonly kind: "list" }): Row[] {
  const rows: Row[] = [];
  for (let after: string | null = null; ;) {
    const page = tx.list(listOf(rank, limit, after), guard) as Page;
    rows.push(...page.rows);
    rows.push({ next: page.next });
    if (page.next === null) return rows;
    after = page.next;
  }
}

function run(scene: Scene, step: Step): void {
  switch (step.kind) {
    case "commit":
      scene
        .group(step.changes, (tx) => {
          if (!step.fails) return;
          apply(tx, { kind: "put", n: 0, text: "undone", rank: 1 });
          throw new Error("undone");
        })
        .commit();
      return;
    case "abort":
      scene.group(step.changes, () => {}).abort();
      return;
    case "read":
      scene.look(({ cached, plain }) => {
        for (const n of step.ns) {
          for (const table of ["note", "room"]) {
            const id = idOf(table, n);
            assert.deepEqual(cached.get(table, id, null), plain.get(table, id, null));
          }
          assert.equal(cached.get("room", idOf("note", n), null), null);
        }
      });
      return;
    case "list":
      scene.look(({ cached, plain }) => {
        const rows = walk(plain, step);
        // Read, read and kept, kept.
        for (let time = 0; time < 3; time++) assert.deepEqual(walk(cached, step), rows);
      });
      return;
    case "pin":
      scene.pin();
      return;
    case "unpin":
      scene.unpin();
      return;
    case "turn":
      scene.turn();
      return;
    case "age":
      // As if many groups had been committed that changed nothing.
      Atomics.add(new Int32Array(scene.memory), 0, marksApartMax / 2);
      return;
    default:
      step satisfies never;
  }
}

for (const own of [true, false]) {
  const where = own ? "the writer's own thread" : "a thread that reads";
  test(`in ${where}, rows that are remembered are rows that are read`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.constantFrom(12_000, 60_000, 1_000_000),
        async (steps, rowCacheBytesMax) => {
          const scene = new Scene({ rowCacheBytesMax, own });
          try {
            for (const step of steps) run(scene, step);
          } finally {
            await scene.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
}

test("a page is read again when a row of its table changed, and only then", () => {
  const scene = new Scene({ rowCacheBytesMax: 1_000_000, own: true });
  const put = (n: number): void => {
    scene.group([{ kind: "put", n, text: "a", rank: 1 }], () => {}).commit();
  };
  const page = (rank: number, guard: Guard | null): Page =>
    scene.writer.read((tx) => tx.list(listOf(rank, 2, null), guard)) as Page;
  put(0);
  // A page is kept when it is asked for the second time.
  for (const guard of guards) page(1, guard);
  const [free, short, related] = guards.map((guard) => page(1, guard));
  const again = (): boolean[] =>
    [free, short, related].map((before, at) => page(1, guards[at] ?? null) === before);
  assert.deepEqual(again(), [true, true, true]);
  scene.group([{ kind: "name", n: 1, name: "s" }], () => {}).commit();
  assert.deepEqual(again(), [true, true, false], "rooms are of the third only");
  put(1);
  assert.deepEqual(again(), [false, false, false]);
  assert.equal(page(1, null).rows.length, 2);
  assert.equal(page(1, null), page(1, null));
  assert.equal(pageText(page(1, null)), JSON.stringify(page(1, null)));
  assert.equal(pageText(page(1, null)), JSON.stringify(page(1, null)), "as it was kept");
  scene.plain.close();
  scene.writer.close();
});

test("callers with different rights share what is kept, each with its own part", () => {
  const scene = new Scene({ rowCacheBytesMax: 1_000_000, own: true });
  const puts = [0, 1, 2, 3].map((n): Change => ({ kind: "put", n, text: "a", rank: n }));
  scene.group(puts, () => {}).commit();
  const below = (rank: number): Guard =>
    guardOf(me, { note: compare("<", rowPath(["rank"]), literal(rank)) });
  const page = (limit: number, guard: Guard | null): Page =>
    scene.writer.read((tx) => tx.list(listOf(null, limit, null), guard)) as Page;
  const ranks = ({ rows }: Page): unknown[] => rows.map((row) => row["rank"]);
  for (const _ of [1, 2]) page(9, below(9));
  assert.equal(page(9, below(8)), page(9, null), "all of it: the same page");
  assert.deepEqual(ranks(page(9, below(2))), [0, 1]);
  assert.equal(page(9, below(2)).rows[0], page(9, null).rows[0], "a part of it: the same rows");
  assert.equal(page(9, below(2)).next, null);
  // Rows are missing from a page with more behind it: those come from behind it.
  const above = guardOf(me, { note: compare(">", rowPath(["rank"]), literal(1)) });
  for (const _ of [1, 2, 3]) assert.deepEqual(ranks(page(2, above)), [2, 3]);
  // What stands behind a page is nothing to who may not read it.
  for (const _ of [1, 2, 3]) {
    assert.deepEqual([ranks(page(2, below(2))), page(2, below(2)).next], [[0, 1], null]);
    assert.notEqual(page(2, below(3)).next, null);
  }
  const none = guardOf(me, {});
  for (const _ of [1, 2, 3]) assert.deepEqual(page(9, none), { rows: [], next: null });
  scene.plain.close();
  scene.writer.close();
});

test("a snapshot is one state, while another thread writes", async () => {
  const path = tempFile();
  const memory = commitMarkMemory();
  const shared = { path, manifest: { tables }, limits };
  const first = openSqliteStore({ ...shared, mark: openCommitMark(memory) });
  const ids = Array.from({ length: rowIds }, (_, n) => idOf("note", n));
  const group = first.openGroup();
  void group.mutate(meta, (tx) => {
    for (const id of ids)
      void tx.insert("note", { id, text: "0", rank: 1, room: null, extra: null });
    return "null";
  });
  group.commit();
  first.close();
  const turns: (() => void)[] = [];
  const reader = openSqliteStore({
    ...shared,
    readOnly: true,
    mark: openCommitMark(memory),
    nextTurn: (run) => turns.push(run),
  });
  const start: CacheThreadStart = { path, memory, ids, tables, groups: 1_500 };
  const worker = new Worker(new URL("./row-cache-writer.case.ts", import.meta.url), {
    workerData: start,
  });
  const ended = once(worker, "exit");
  const writing = { isOver: false };
  void ended.then(() => (writing.isOver = true));
  const states = new Set<string>();
  let last = -1;
  while (!writing.isOver) {
    for (let round = 0; round < 200; round++) {
      const texts = reader.read((tx) => {
        const read = ids.map((id) => (tx.get("note", id, null) as Row)["text"] as string);
        const listed = (tx.list(listOf(null, rowIds, null), null) as Page).rows;
        // The writer writes the number of the commit into every row.
        assert.deepEqual(new Set(listed.map((row) => row["text"])), new Set(read));
        assert.ok(tx.seq - 1 === Number(read[0]), "the rows are those of the snapshot's commit");
        return read;
      }) as string[];
      assert.equal(new Set(texts).size, 1, `one state: ${texts.join()}`);
      assert.ok(Number(texts[0]) >= last, "nobody goes back in time");
      last = Number(texts[0]);
      states.add(texts[0] as string);
      if (round % 9 === 0) for (const end of turns.splice(0)) end();
    }
    await new Promise(setImmediate);
  }
  assert.ok(states.size > 10, `the reader met the writer in ${states.size} states`);
  for (const end of turns.splice(0)) end();
  assert.equal(
    reader.read((tx) => (tx.get("note", ids[0] as string, null) as Row)["text"]),
    "1500",
  );
  reader.close();
});
