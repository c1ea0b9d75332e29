// What every engine must do, told once. An app cannot tell which engine it is on, except by speed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { limits as defaultLimits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { storeQueryConformance } from "./store-query-conformance.case.ts";
import { refusal as code, storeRunner, type OpenEngine } from "./store-open.case.ts";
import type { Page, Row } from "./store.ts";
import { failureOf, idOf, listOf, metaOf, rowOf, storeTables, write } from "./store.fixture.ts";

/** Runs the suite on an engine. */
export function storeConformance(engine: string, openEngine: OpenEngine): void {
  const withStore = storeRunner(openEngine);

  describe(`store: ${engine}: rows`, () => {
    test(
      "a row comes back as it was written, with every kind of value",
      withStore(async (store) => {
        const film = rowOf("film", 1, {
          title: "Señor 😀 \"quoted\" 'single'",
          plot: "",
          released: "1999-12-31",
          rating: 7.25,
          votes: -12,
          color: false,
          tags: ["a", "b"],
          made: { country: "FR" },
          extra: [1, { deep: null }, "x"],
          poster: "AAEC/w==",
        });
        await write(store, (tx) => tx.insert("film", film));
        const row = await store.read((tx) => tx.get("film", idOf("film", 1), null));
        assert.deepEqual({ ...row }, { ...film });
        assert.ok(Object.isFrozen(row));
        assert.deepEqual(Object.keys(row ?? {}), Object.keys(storeTables["film"]?.fields ?? {}));
      }),
    );

    test(
      "absent values come back as null, and a row that is not there is null",
      withStore(async (store) => {
        await write(store, (tx) => tx.insert("film", rowOf("film", 1)));
        const row = await store.read((tx) => tx.get("film", idOf("film", 1), null));
        assert.deepEqual({ ...row }, { ...rowOf("film", 1) });
        assert.equal(await store.read((tx) => tx.get("film", idOf("film", 2), null)), null);
      }),
    );

    test(
      "an update sets the fields of its patch and answers with the row after",
      withStore(async (store) => {
        await write(store, (tx) => tx.insert("film", rowOf("film", 1, { rating: 5, votes: 3 })));
        await write(store, (tx) => {
          const after = tx.update("film", idOf("film", 1), { rating: null, title: "new" }) as Row;
          assert.deepEqual({ ...after }, { ...rowOf("film", 1, { votes: 3, title: "new" }) });
        });
        const row = await store.read((tx) => tx.get("film", idOf("film", 1), null));
        assert.equal((row as Row)["title"], "new");
      }),
    );

    test(
      "an update or deletion of a row that is not there is NOT_FOUND",
      withStore(async (store) => {
        const missing = idOf("film", 9);
        await assert.rejects(
          write(store, (tx) => tx.update("film", missing, {})),
          code("NOT_FOUND", { table: "film", id: missing }),
        );
        await assert.rejects(
          write(store, (tx) => tx.delete("film", missing)),
          code("NOT_FOUND"),
        );
      }),
    );

    test(
      "a row larger than a row may be is refused",
      withStore(
        async (store) => {
          const extra = "x".repeat(3_000);
          await assert.rejects(
            write(store, (tx) => tx.insert("film", rowOf("film", 1, { extra }))),
            code("VALUE_INVALID", { limit: "rowBytesMax" }),
          );
          await write(store, (tx) => tx.insert("film", rowOf("film", 1, { extra: "x" })));
        },
        { rowBytesMax: 2_048 },
      ),
    );

    test(
      "a table that does not exist is TABLE_NOT_FOUND",
      withStore(async (store) => {
        await assert.rejects(
          async () => store.read((tx) => tx.list(listOf("nothing"), null)),
          code("TABLE_NOT_FOUND"),
        );
      }),
    );
  });

  describe(`store: ${engine}: constraints`, () => {
    test(
      "a value that must be unique is taken once; absent values do not collide",
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("user", rowOf("user", 1, { email: "a@b.c" }));
          tx.insert("user", rowOf("user", 2));
          tx.insert("user", rowOf("user", 3));
        });
        await assert.rejects(
          write(store, (tx) => tx.insert("user", rowOf("user", 4, { email: "a@b.c" }))),
          code("UNIQUE_TAKEN", { table: "user", fields: ["email"] }),
        );
        await assert.rejects(
          write(store, (tx) => tx.update("user", idOf("user", 2), { email: "a@b.c" })),
          code("UNIQUE_TAKEN", { table: "user", fields: ["email"] }),
        );
        await assert.rejects(
          write(store, (tx) => tx.insert("user", rowOf("user", 1))),
          code("UNIQUE_TAKEN", { table: "user", fields: ["id"] }),
        );
      }),
    );

    test(
      "a partial unique set counts only the rows of its condition",
      withStore(async (store) => {
        const booking = (index: number, status: string) =>
          rowOf("booking", index, { screening: idOf("screening", 1), status });
        await write(store, (tx) => {
          tx.insert("film", rowOf("film", 1));
          tx.insert("screening", rowOf("screening", 1, { film: idOf("film", 1) }));
          tx.insert("booking", booking(1, "held"));
          tx.insert("booking", booking(2, "cancelled"));
        });
        const taken = code("UNIQUE_TAKEN", { table: "booking", fields: ["screening", "seat"] });
        await assert.rejects(
          write(store, (tx) => tx.insert("booking", booking(3, "paid"))),
          taken,
        );
        await assert.rejects(
          write(store, (tx) => tx.update("booking", idOf("booking", 2), { status: "held" })),
          taken,
        );
        await write(store, (tx) => {
          tx.update("booking", idOf("booking", 1), { status: "cancelled" });
          tx.update("booking", idOf("booking", 2), { status: "paid" });
        });
      }),
    );

    test(
      "a reference must lead to a row, in an insert and in an update",
      withStore(async (store) => {
        await assert.rejects(
          write(store, (tx) =>
            tx.insert("screening", rowOf("screening", 1, { film: idOf("film", 1) })),
          ),
          code("REF_MISSING", { table: "screening", field: "film" }),
        );
        await write(store, (tx) =>
          tx.insert("node", rowOf("node", 1, { parent: idOf("node", 1) })),
        );
        await assert.rejects(
          write(store, (tx) => tx.update("node", idOf("node", 1), { friend: idOf("node", 7) })),
          code("REF_MISSING", { table: "node", field: "friend" }),
        );
      }),
    );

    test(
      "a refused write leaves the mutation able to go on",
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("user", rowOf("user", 1, { email: "a" }));
          assert.throws(
            () => tx.insert("user", rowOf("user", 2, { email: "a" })),
            code("UNIQUE_TAKEN"),
          );
          tx.insert("user", rowOf("user", 2, { email: "b" }));
        });
        const page = await store.read<Page>((tx) => tx.list(listOf("user"), null));
        assert.equal(page.rows.length, 2);
      }),
    );

    test(
      "deleting cascades, clears, and logs every row it touched",
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("node", rowOf("node", 1));
          tx.insert("node", rowOf("node", 2, { parent: idOf("node", 1) }));
          tx.insert("node", rowOf("node", 3, { parent: idOf("node", 2) }));
          tx.insert("node", rowOf("node", 4, { friend: idOf("node", 2) }));
        });
        const commit = await write(store, (tx) => tx.delete("node", idOf("node", 1)));
        assert.deepEqual(
          commit?.changes.map(({ id, after }) => [id, after === null ? null : after["friend"]]),
          [
            [idOf("node", 4), null],
            [idOf("node", 3), null],
            [idOf("node", 2), null],
            [idOf("node", 1), null],
          ],
        );
        assert.equal(commit.changes[0]?.before?.["friend"], idOf("node", 2));
        const page = await store.read<Page>((tx) => tx.list(listOf("node"), null));
        assert.deepEqual(
          page.rows.map((row) => [row["id"], row["friend"]]),
          [[idOf("node", 4), null]],
        );
      }),
    );

    test(
      "deleting a row that others refer to is refused with their count, and nothing is touched",
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("node", rowOf("node", 1));
          tx.insert("node", rowOf("node", 2, { parent: idOf("node", 1) }));
          tx.insert("node", rowOf("node", 3, { keeper: idOf("node", 2) }));
          tx.insert("node", rowOf("node", 4, { keeper: idOf("node", 2) }));
        });
        const commit = await write(store, (tx) => {
          assert.throws(
            () => tx.delete("node", idOf("node", 1)),
            code("REF_IN_USE", { table: "node", field: "keeper", count: 2 }),
          );
        });
        assert.equal(commit, null);
        await write(store, (tx) => {
          tx.update("node", idOf("node", 3), { parent: idOf("node", 2) });
          tx.update("node", idOf("node", 4), { parent: idOf("node", 2) });
          tx.delete("node", idOf("node", 1));
        });
        const page = await store.read<Page>((tx) => tx.list(listOf("node"), null));
        assert.deepEqual(page.rows, []);
      }),
    );

    test(
      "a row whose reference is cleared is judged, and a deletion that is refused leaves all as it was",
      withStore(async (store) => {
        const ids = [1, 2, 3, 4].map((index) => idOf("node", index));
        const [root = "", child = "", twice = "", once = ""] = ids;
        await write(store, (tx) => {
          tx.insert("node", rowOf("node", 1));
          tx.insert("node", rowOf("node", 2, { parent: root }));
          tx.insert("node", rowOf("node", 3, { friend: child }));
          tx.insert("node", rowOf("node", 4, { friend: root }));
        });
        const judged = new Map<string, unknown>();
        const commit = await write(store, (tx) => {
          assert.throws(
            () =>
              tx.delete("node", root, ({ id, before, after }) => {
                judged.set(id, [before?.["friend"], after?.["friend"], tx.get("node", root, null)]);
                if (id === once) return;
                throw new PlatformError("CHECK_FAILED", { table: "node", check: 0 });
              }),
            code("CHECK_FAILED", {}),
          );
          assert.deepEqual(
            ids.map((id) => (tx.get("node", id, null) as Row | null)?.["friend"]),
            [null, null, child, root],
          );
        });
        assert.equal(commit, null);
        assert.deepEqual(judged.get(twice), [child, null, null]);
        assert.deepEqual(judged.get(once), [root, null, null]);
        await write(store, (tx) => tx.delete("node", root, () => undefined));
        const page = await store.read<Page>((tx) => tx.list(listOf("node"), null));
        assert.deepEqual(
          page.rows.map((row) => [row["id"], row["friend"]]),
          [
            [twice, null],
            [once, null],
          ],
        );
      }),
    );

    test(
      "a circle of references that cascade is deleted as a whole",
      withStore(async (store) => {
        await write(store, (tx) => {
          tx.insert("node", rowOf("node", 1));
          tx.insert("node", rowOf("node", 2, { parent: idOf("node", 1) }));
          tx.update("node", idOf("node", 1), { parent: idOf("node", 2), keeper: idOf("node", 1) });
        });
        const commit = await write(store, (tx) => tx.delete("node", idOf("node", 2)));
        assert.equal(commit?.changes.length, 2);
      }),
    );

    test(
      "a deletion that would touch more rows than a mutation may write is refused",
      withStore(
        async (store) => {
          await write(store, (tx) => {
            tx.insert("node", rowOf("node", 1));
            for (let index = 2; index < 30; index++) {
              tx.insert("node", rowOf("node", index, { parent: idOf("node", 1) }));
            }
          });
          await assert.rejects(
            write(store, (tx) => tx.delete("node", idOf("node", 1))),
            code("FUNCTION_ROWS_EXCEEDED", { limit: "rowsWrittenMax" }),
          );
        },
        { rowsWrittenMax: 10 },
      ),
    );
  });

  describe(`store: ${engine}: groups and the commit log`, () => {
    test(
      "a group is invisible until it is committed, and later mutations of it see earlier ones",
      withStore(async (store) => {
        const group = await store.openGroup();
        await group.mutate(metaOf(), (tx) => {
          tx.insert("user", rowOf("user", 1));
          return "1";
        });
        const outcome = await group.mutate(metaOf({ by: "user_x", cause: "again" }), (tx) => {
          const page = tx.list(listOf("user"), null) as Page;
          assert.equal(page.rows.length, 1);
          assert.equal(tx.seq, 1);
          tx.update("user", idOf("user", 1), { name: "n" });
          return "2";
        });
        const before = await store.read<Page>((tx) => tx.list(listOf("user"), null));
        assert.deepEqual(before.rows, []);
        assert.equal(await store.lastSeq(), 0);
        const commits = await group.commit();
        assert.equal(outcome.kind, "done");
        assert.deepEqual(commits, [...(await store.commitsAfter(0, 10))]);
        assert.deepEqual(
          commits.map((commit) => [commit.seq, commit.by, commit.cause, commit.changes.length]),
          [
            [1, null, "test", 1],
            [2, "user_x", "again", 1],
          ],
        );
        assert.equal(await store.lastSeq(), 2);
        assert.equal(await store.read((tx) => tx.seq), 2);
        assert.deepEqual((await store.commitsAfter(1, 10)).length, 1);
        assert.deepEqual((await store.commitsAfter(0, 1)).length, 1);
      }),
    );

    test(
      "a mutation that fails is undone alone and takes no sequence number",
      withStore(async (store) => {
        const group = await store.openGroup();
        await group.mutate(metaOf(), (tx) => {
          tx.insert("user", rowOf("user", 1));
          return "1";
        });
        const failed = await group.mutate(metaOf(), (tx) => {
          tx.update("user", idOf("user", 1), { name: "lost" });
          tx.insert("user", rowOf("user", 2));
          throw new Error("changed my mind");
        });
        assert.equal(String(failureOf(failed)), "Error: changed my mind");
        await group.mutate(metaOf(), (tx) => {
          assert.equal((tx.get("user", idOf("user", 1), null) as Row)["name"], null);
          assert.equal(tx.get("user", idOf("user", 2), null), null);
          tx.insert("user", rowOf("user", 2, { name: "kept" }));
          return "2";
        });
        const commits = await group.commit();
        assert.deepEqual(
          commits.map((commit) => commit.seq),
          [1, 2],
        );
      }),
    );

    test(
      "an aborted group leaves nothing",
      withStore(async (store) => {
        const group = await store.openGroup();
        await group.mutate(metaOf(), (tx) => {
          tx.insert("user", rowOf("user", 1));
          return "1";
        });
        group.abort();
        assert.equal(await store.lastSeq(), 0);
        const commit = await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
        assert.equal(commit?.seq, 1);
      }),
    );

    test(
      "a mutation that changed nothing makes no commit; changes of one row are one change",
      withStore(async (store) => {
        const first = await write(store, (tx) => {
          tx.insert("user", rowOf("user", 1));
          tx.update("user", idOf("user", 1), { name: "a" });
          tx.update("user", idOf("user", 1), { name: "b" });
        });
        assert.equal(first?.changes.length, 1);
        assert.equal(first.changes[0]?.before, null);
        assert.equal(first.changes[0]?.after?.["name"], "b");
        const second = await write(store, (tx) => {
          tx.update("user", idOf("user", 1), { name: "b" });
          tx.insert("user", rowOf("user", 2));
          tx.delete("user", idOf("user", 2));
          tx.update("user", idOf("user", 1), { name: "c" });
          tx.update("user", idOf("user", 1), { name: "b" });
        });
        assert.equal(second, null);
        assert.equal(await store.lastSeq(), 1);
      }),
    );

    test(
      "a body that answers later is one mutation all the same",
      withStore(async (store) => {
        const group = await store.openGroup();
        const outcome = await group.mutate(metaOf(), async (tx) => {
          await Promise.resolve();
          tx.insert("user", rowOf("user", 1));
          return "late";
        });
        const failed = await group.mutate(metaOf(), async (tx) => {
          tx.insert("user", rowOf("user", 2));
          await Promise.resolve();
          throw new Error("late");
        });
        await group.commit();
        assert.equal(outcome.kind, "done");
        assert.equal(failed.kind, "failed");
        assert.equal(await store.lastSeq(), 1);
      }),
    );

    test(
      "a read that is under way keeps its moment while others see what was committed",
      withStore(async (store) => {
        await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
        const slow = store.read(async (tx) => {
          const before = (await tx.list(listOf("user"), null)).rows.length;
          await write(store, (inner) => inner.insert("user", rowOf("user", 2)));
          const other = await store.read<Page>((fresh) => fresh.list(listOf("user"), null));
          return [before, (await tx.list(listOf("user"), null)).rows.length, other.rows.length];
        });
        assert.deepEqual(await slow, [1, 1, 2]);
      }),
    );
  });

  describe(`store: ${engine}: idempotency`, () => {
    const idempotency = { scope: "user_x", key: "k1", requestHash: "h1" };

    test(
      "a repeat gets the first answer, in the same group and later; its body does not run",
      withStore(async (store) => {
        const group = await store.openGroup();
        const first = await group.mutate(metaOf({ idempotency }), (tx) => {
          tx.insert("user", rowOf("user", 1));
          return '{"first":true}';
        });
        const again = await group.mutate(metaOf({ idempotency }), () => assert.fail("ran again"));
        await group.commit();
        assert.equal(first.kind, "done");
        assert.deepEqual(again, { kind: "repeated", answer: '{"first":true}', seq: 1 });
        const later = await store.openGroup();
        assert.deepEqual(await later.mutate(metaOf({ idempotency }), () => "x"), again);
        await later.commit();
        assert.equal(await store.lastSeq(), 1);
      }),
    );

    test(
      "an answer that is the row that was created is repeated to the letter, and so is one that only looks like it",
      withStore(async (store) => {
        const row = { ...rowOf("user", 1), name: 'a "[[\\ú\u2028]] {"' };
        const text = JSON.stringify(row);
        const answers = [
          text,
          `${text} `,
          "null",
          `[["user",null,${text}]]`,
          `${text.slice(0, -1)},"x":1}`,
        ];
        for (const [index, answer] of answers.entries()) {
          const key = { ...idempotency, key: `k${index}` };
          const made = { ...row, id: idOf("user", index + 1) };
          const group = await store.openGroup();
          await group.mutate(metaOf({ idempotency: key }), (tx) => {
            tx.insert("user", made);
            return answer;
          });
          await group.commit();
          const later = await store.openGroup();
          const again = await later.mutate(metaOf({ idempotency: key }), () =>
            assert.fail("again"),
          );
          await later.commit();
          assert.deepEqual(again, { kind: "repeated", answer, seq: index + 1 });
        }
      }),
    );

    test(
      "keys that come after a repeat of the same group are remembered in it too, as they grow and as they do not",
      withStore(async (store) => {
        const group = await store.openGroup();
        const ask = (key: string, answer: string) =>
          group.mutate(metaOf({ idempotency: { ...idempotency, key } }), () => answer);
        const answers: unknown[] = [];
        for (const key of ["k1", "k1", "k2", "a", "k2", "a", "k3", "k1", "k3"]) {
          const outcome = await ask(key, String(answers.length));
          answers.push(outcome.kind === "failed" ? outcome : `${outcome.kind} ${outcome.answer}`);
        }
        await group.commit();
        assert.deepEqual(answers, [
          ...["done 0", "repeated 0", "done 2", "done 3", "repeated 2", "repeated 3"],
          ...["done 6", "repeated 0", "repeated 6"],
        ]);
        assert.equal(await store.lastSeq(), 4);
      }),
    );

    test(
      "a key without changes is remembered; keys of other callers are other keys; a reuse is refused",
      withStore(async (store) => {
        const group = await store.openGroup();
        const first = await group.mutate(metaOf({ idempotency }), () => "1");
        const other = await group.mutate(
          metaOf({ idempotency: { ...idempotency, scope: "user_y" } }),
          () => "2",
        );
        const reused = await group.mutate(
          metaOf({ idempotency: { ...idempotency, requestHash: "h2" } }),
          () => "3",
        );
        await group.commit();
        assert.deepEqual([first.kind, other.kind], ["done", "done"]);
        assert.equal(await store.lastSeq(), 2);
        code("IDEMPOTENCY_KEY_REUSED")(failureOf(reused));
      }),
    );

    test(
      "the key of a mutation that failed, or of a group that was dropped, is free",
      withStore(async (store) => {
        const dropped = await store.openGroup();
        await dropped.mutate(metaOf({ idempotency }), () => "dropped");
        dropped.abort();
        const group = await store.openGroup();
        await group.mutate(metaOf({ idempotency }), () => {
          throw new Error("failed");
        });
        const done = await group.mutate(metaOf({ idempotency }), () => "done");
        await group.commit();
        assert.equal(done.kind, "done");
      }),
    );

    test(
      "keys and entries are forgotten when their time has come, but never the newest entry",
      withStore(async (store) => {
        const { idempotencyMs, commitLogMs } = defaultLimits;
        const start = metaOf().atMs;
        for (const index of [1, 2, 3]) {
          const group = await store.openGroup();
          const key = { ...idempotency, key: `k${index}` };
          await group.mutate(metaOf({ idempotency: key }), (tx) => {
            tx.insert("user", rowOf("user", index));
            return String(index);
          });
          await group.commit();
        }
        const expired = await store.openGroup();
        const atMs = start + idempotencyMs + 1;
        const outcome = await expired.mutate(
          metaOf({ idempotency: { ...idempotency, key: "k3" }, atMs }),
          () => "new",
        );
        assert.equal(outcome.kind, "done");
        await expired.commit();
        assert.equal(await store.prune(start + 1_000), 0);
        assert.equal(await store.prune(start + idempotencyMs + 1), 2);
        assert.equal((await store.commitsAfter(0, 10)).length, 4);
        assert.equal(await store.prune(start + commitLogMs + 1), 4, "three entries and a key");
        assert.deepEqual(
          (await store.commitsAfter(0, 10)).map((commit) => commit.seq),
          [4],
        );
        await store.prune(start + commitLogMs * 3);
        assert.equal(await store.lastSeq(), 4);
      }),
    );
  });

  storeQueryConformance(engine, openEngine);
}
