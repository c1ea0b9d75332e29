// The settings that durability stands on, and copies of a live file.
import assert from "node:assert/strict";
import { chmodSync, closeSync, existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { idOf, listOf, rowOf, storeTables, write } from "../store.fixture.ts";
import type { Page } from "../store.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { checkSqlite } from "./sqlite-backup.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { verifySqlite } from "./sqlite-verify.ts";
import { tempFile } from "./temp-file.case.ts";

const manifest = { tables: storeTables };
const failed = (error: unknown) => error instanceof PlatformError && error.code === "STORE_FAILED";

test("every connection waits for the disk, keeps references and writes ahead", () => {
  const path = tempFile();
  openSqliteStore({ path, manifest, limits }).close();
  for (const readOnly of [false, true]) {
    const connection = new SqliteConnection({ path, readOnly, limits });
    const pragma = (name: string) => connection.prepare(`PRAGMA ${name}`).get()?.[0];
    assert.equal(pragma("journal_mode"), "wal");
    assert.equal(pragma("synchronous"), 2);
    assert.equal(pragma("foreign_keys"), 1);
    assert.equal(pragma("fullfsync"), 1);
    connection.close();
  }
});

test("a backup made while writes go on is whole, of one moment, and can be opened", async () => {
  const store = openSqliteStore({ path: tempFile(), manifest, limits });
  const insert = (index: number) =>
    write(store, (tx) => {
      tx.insert("user", rowOf("user", index, { name: "x".repeat(2_000) }));
      tx.insert("film", rowOf("film", index, { owner: idOf("user", index) }));
    });
  await write(store, (tx) => {
    for (let index = 1_000; index < 4_000; index++) {
      tx.insert("node", rowOf("node", index, { name: "x".repeat(4_000) }));
    }
  });
  for (let index = 0; index < 50; index++) await insert(index);
  const target = tempFile("copy.db");
  const progress = { isDone: false };
  const copying = store.backup(target).finally(() => {
    progress.isDone = true;
  });
  for (let index = 50; index < 900 && !progress.isDone; index++) {
    await insert(index);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await copying;
  checkSqlite(target);
  assert.ok(!existsSync(`${target}-shm`), "a look at it leaves nothing beside it");
  const copy = openSqliteStore({ path: target, manifest, limits });
  const counts = await Promise.all(
    ["user", "film"].map(
      async (table) =>
        (await copy.read<Page>((tx) => tx.list(listOf(table, { limit: 1_000 }), null))).rows.length,
    ),
  );
  assert.equal(counts[0], counts[1]);
  assert.equal((counts[0] ?? 0) + 1, await copy.lastSeq());
  assert.ok((counts[0] ?? 0) >= 50);
  copy.close();
  await assert.rejects(store.backup(target), failed, "what is there is not written over");
  const other = tempFile("other.db");
  writeFileSync(other, "of somebody");
  await assert.rejects(store.backup(other), failed, "whatever it is");
  const empty = tempFile("empty.db");
  writeFileSync(empty, "", { mode: 0o600 });
  await store.backup(empty);
  checkSqlite(empty);
  store.close();
});

test("an empty file and another program's database are no backups", () => {
  const empty = tempFile("empty.db");
  writeFileSync(empty, "");
  assert.throws(() => checkSqlite(empty), failed);
  const foreign = tempFile("foreign.db");
  const db = new DatabaseSync(foreign);
  db.exec("CREATE TABLE note (id INTEGER)");
  db.close();
  assert.throws(() => checkSqlite(foreign), failed);
});

test("a damaged file is STORE_FAILED, never a wrong answer", async () => {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest, limits });
  for (let index = 0; index < 20; index++) {
    await write(store, (tx) => tx.insert("user", rowOf("user", index, { name: "x".repeat(900) })));
  }
  store.close();
  const target = tempFile("damaged.db");
  const original = openSqliteStore({ path, manifest, limits });
  await original.backup(target);
  original.close();
  const db = new DatabaseSync(target);
  const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'user'").get()?.[
    "rootpage"
  ];
  const bytes = Buffer.from(db.serialize());
  db.close();
  bytes.fill(0xff, (Number(page) - 1) * 4_096, Number(page) * 4_096);
  writeFileSync(target, bytes);
  assert.throws(() => checkSqlite(target), failed);
  assert.throws(() => {
    const damaged = openSqliteStore({ path: target, manifest, limits });
    try {
      damaged.read((tx) => tx.list(listOf("user"), null));
    } finally {
      damaged.close();
    }
  }, failed);
});

test("a database in use is judged by its log too: what a copy of the log left half done is no damage", async () => {
  const path = tempFile();
  openSqliteStore({ path, manifest, limits }).close();
  const store = openSqliteStore({ path, manifest, limits });
  await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
  const db = new DatabaseSync(path, { readOnly: true });
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'user'";
  const page = Number(db.prepare(sql).get()?.["rootpage"]);
  db.close();
  // As a full disk or a moment leaves it: the log has this page, and the one of the file is of no commit.
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(4_096, 0xff), 0, 4_096, (page - 1) * 4_096);
  closeSync(file);
  assert.throws(() => checkSqlite(path), failed);
  verifySqlite(path);
  store.close();
  verifySqlite(path);
});

test("damage that only the log has is found, and so is a reference that leads nowhere", async () => {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest, limits });
  await write(store, (tx) => {
    tx.insert("user", rowOf("user", 1));
    tx.insert("film", rowOf("film", 1, { owner: idOf("user", 1) }));
  });
  verifySqlite(path);
  const other = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  other.exec("DELETE FROM user");
  assert.throws(
    () => verifySqlite(path),
    (error: unknown) => {
      assert.ok(failed(error));
      const { message } = (error as Error).cause as Error;
      assert.equal(message, `film.owner of ${idOf("film", 1)} refers to a user that is not there`);
      return true;
    },
  );
  other.close();
  store.close();
});

test("a file that may only be read is refused when it is opened for writing", (context) => {
  if (process.platform === "win32") return context.skip("Windows has other rights");
  const path = tempFile();
  openSqliteStore({ path, manifest, limits }).close();
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o777);
  const isRoot = process.geteuid?.() === 0;
  try {
    // Root may write everywhere.
    if (isRoot) process.seteuid?.("nobody");
    assert.throws(() => openSqliteStore({ path, manifest, limits }).close(), failed);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("a store that was opened for reading sees what another one commits", async () => {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest, limits });
  const reader = openSqliteStore({ path, manifest, limits, readOnly: true });
  await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
  assert.ok((await reader.read((tx) => tx.get("user", idOf("user", 1), null))) !== null);
  assert.equal(await reader.lastSeq(), 1);
  reader.close();
  store.close();
  assert.throws(
    () => openSqliteStore({ path: tempFile(), manifest, limits, readOnly: true }),
    failed,
  );
});

test("a reader of another process never keeps the log from being copied back for long", async () => {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest, limits });
  await write(store, (tx) => tx.insert("user", rowOf("user", 1)));
  await store.read((tx) => tx.get("user", idOf("user", 1), null));
  await write(store, (tx) => tx.insert("user", rowOf("user", 2)));
  const other = new DatabaseSync(path);
  const result = other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  assert.deepEqual({ ...result }, { busy: 0, log: 0, checkpointed: 0 });
  other.close();
  store.close();
});
