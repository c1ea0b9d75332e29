// What was acknowledged is there, once, whatever happened to the process, the log or the disk.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { idOf, listOf, metaOf, rowOf, storeTables, write } from "../store.fixture.ts";
import type { Page, Row } from "../store.ts";
import { counterId } from "./crash-writer.case.ts";
import { checkSqlite } from "./sqlite-backup.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const kills = Number(process.env["KEELSON_CRASH_KILLS"] ?? 20);
const writer = fileURLToPath(new URL("crash-writer.case.ts", import.meta.url));
const open = (path: string, more = {}): SqliteStore =>
  openSqliteStore({ path, manifest: { tables: storeTables }, limits: { ...limits, ...more } });

/** Runs the writer and kills it some lines and milliseconds later. @returns the last index it acknowledged. */
async function writeUntilKilled(
  path: string,
  first: number,
  random: () => number,
): Promise<number> {
  const child = spawn(process.execPath, [writer, path, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = "";
  const started = Promise.withResolvers<void>();
  child.stdout.on("data", (bytes: Buffer) => {
    acknowledged += bytes.toString();
    started.resolve();
  });
  await Promise.race([started.promise, new Promise((resolve) => child.once("close", resolve))]);
  await new Promise((resolve) => setTimeout(resolve, random() * 60));
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await closed;
  // A line that was cut off was not received: its group may be there or not.
  const lines = acknowledged.split("\n").slice(0, -1);
  return lines.length === 0 ? first - 1 : Number(lines.at(-1));
}

test(`killed ${kills} times while it writes, a store keeps every acknowledged mutation, once`, async (context) => {
  const seed = Number(process.env["KEELSON_SEED"] ?? 1);
  context.diagnostic(`KEELSON_SEED=${seed}`);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const path = tempFile();
  const first = open(path);
  await write(first, (tx) => {
    tx.insert("film", rowOf("film", 0));
    tx.insert("screening", rowOf("screening", 0, { film: idOf("film", 0), price: 0 }));
  });
  first.close();
  let last = 0;
  for (let kill = 0; kill < kills; kill++) {
    // Begins again after what was acknowledged: what was durable beyond that is repeated with its key.
    const acknowledged = await writeUntilKilled(path, last + 1, random);
    assert.ok(acknowledged >= last);
    last = acknowledged;
    const store = open(path);
    const commits = store.commitsAfter(1, 1_000_000);
    assert.ok(commits.length >= last, `${commits.length} commits, ${last} acknowledged`);
    commits.forEach((commit, index) => {
      assert.equal(commit.seq, index + 2);
      assert.equal(commit.changes[0]?.id, idOf("node", index + 1), "none is there twice");
    });
    const counter = (await store.read((tx) => tx.get("screening", counterId, null))) as Row;
    assert.equal(counter["price"], commits.length);
    const [nodes] = await store.read((tx) =>
      tx.aggregate(
        {
          kind: "aggregate",
          from: "node",
          groupBy: [],
          values: [{ name: "n", op: "count" }],
          limit: 1,
        },
        null,
      ),
    );
    assert.equal(nodes?.["n"], commits.length);
    store.close();
    checkSqlite(path);
  }
  assert.ok(last > kills, "the writer got to write");
});

test("a write-ahead log that is cut off at any byte opens to the groups before that byte", async () => {
  const path = tempFile();
  const store = open(path);
  const sizes: number[] = [statSync(`${path}-wal`).size];
  for (let index = 0; index < 12; index++) {
    await write(store, (tx) => {
      tx.insert("user", rowOf("user", index, { name: "x".repeat(index * 150) }));
      tx.insert("film", rowOf("film", index, { title: `word ${index}` }));
    });
    sizes.push(statSync(`${path}-wal`).size);
  }
  const log = readFileSync(`${path}-wal`);
  const cuts = sizes.flatMap((size) => [size - 4_097, size - 1, size, size + 1, size + 2_000]);
  for (const cut of cuts.filter((at) => at >= (sizes[0] ?? 0) && at <= log.length)) {
    const copy = tempFile();
    copyFileSync(path, copy);
    writeFileSync(`${copy}-wal`, log.subarray(0, cut));
    const reopened = open(copy);
    const groups = sizes.filter((size) => size <= cut).length - 1;
    assert.equal(await reopened.lastSeq(), groups, `cut at ${cut}`);
    const page = await reopened.read<Page>((tx) =>
      tx.list(listOf("film", { search: "word" }), null),
    );
    assert.equal(page.rows.length, groups);
    reopened.close();
    checkSqlite(copy);
  }
  store.close();
});

test("a full disk fails the group, and nothing of it happened; reads and smaller writes go on", async () => {
  const path = tempFile();
  const store = open(path, { databaseBytesMax: 1_048_576 });
  await write(store, (tx) => tx.insert("user", rowOf("user", 0)));
  const full = (error: unknown) => error instanceof PlatformError && error.code === "DISK_FULL";
  const group = store.openGroup();
  const insert = async (index: number) =>
    group.mutate(metaOf(), (tx) => {
      tx.insert("film", rowOf("film", index, { extra: "x".repeat(90_000) }));
      return "null";
    });
  const outcomes = [];
  for (let index = 0; index < 20; index++) outcomes.push(await insert(index));
  const failed = outcomes.filter((outcome) => outcome.kind === "failed");
  assert.ok(failed.length > 0 && failed.length < 20);
  assert.ok(failed.every((outcome) => full(outcome.error)));
  assert.throws(() => group.commit(), full);
  const films = await store.read<Page>((tx) => tx.list(listOf("film"), null));
  assert.deepEqual(films.rows, []);
  const commit = await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
  assert.equal(commit?.seq, 2);
  store.close();
  checkSqlite(path);
});

test("a full disk is told as one to the whole group, also when a mutation throws something else for it", async () => {
  const store = open(tempFile(), { databaseBytesMax: 1_048_576 });
  const group = store.openGroup();
  const codes: unknown[] = [];
  for (let index = 0; index < 20; index++) {
    const outcome = await group.mutate(metaOf(), (tx) => {
      try {
        tx.insert("film", rowOf("film", index, { extra: "x".repeat(90_000) }));
      } catch (error) {
        throw new Error("what was asked for failed", { cause: error });
      }
      return "null";
    });
    if (outcome.kind === "failed") codes.push((outcome.error as { code?: unknown }).code);
  }
  assert.ok(codes.length > 1);
  // The first has its own error; the others are told why the group is broken.
  assert.deepEqual(new Set(codes.slice(1)), new Set(["DISK_FULL"]));
  assert.throws(() => group.commit(), { code: "DISK_FULL" });
  store.close();
});

const canLimit = process.platform === "linux" || process.platform === "darwin";

test(
  "a write that the system refuses fails the whole group, and the store goes on reading",
  { skip: canLimit ? false : "needs ulimit" },
  () => {
    const path = tempFile();
    const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL("sqlite-store.ts", import.meta.url).href)};
    import { limits } from ${JSON.stringify(new URL("../../base/limits.ts", import.meta.url).href)};
    import { listOf, metaOf, rowOf, storeTables } from ${JSON.stringify(new URL("../store.fixture.ts", import.meta.url).href)};
    const store = openSqliteStore({ path: process.argv[1], manifest: { tables: storeTables }, limits });
    let committed = 0;
    for (let at = 0; ; at++) {
      const group = store.openGroup();
      for (const index of [at * 2, at * 2 + 1]) {
        group.mutate(metaOf(), (tx) => {
          tx.insert("film", rowOf("film", index, { extra: "x".repeat(20_000) }));
          return "null";
        });
      }
      try {
        committed += group.commit().length;
      } catch (error) {
        const rows = store.read((tx) => tx.list(listOf("film", { limit: 1_000 }), null)).rows.length;
        const next = store.openGroup();
        next.abort();
        console.log(JSON.stringify({ code: error.code, committed, rows }));
        break;
      }
    }`;
    // The shell's unit is 512 or 1,024 bytes: either way some groups fit and some do not.
    const run = spawnSync(
      "/bin/sh",
      [
        "-c",
        'ulimit -f 2048; exec "$0" --input-type=module --eval "$1" "$2"',
        process.execPath,
        script,
        path,
      ],
      { encoding: "utf8" },
    );
    assert.equal(run.stderr, "");
    const seen = JSON.parse(run.stdout) as { code: string; committed: number; rows: number };
    assert.ok(["STORE_FAILED", "DISK_FULL"].includes(seen.code), seen.code);
    assert.ok(seen.committed > 0);
    assert.equal(seen.rows, seen.committed);
    checkSqlite(path);
    const store = open(path);
    assert.equal(store.commitsAfter(0, 10_000).length, seen.committed);
    store.close();
  },
);
