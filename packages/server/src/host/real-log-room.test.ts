import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { openLogRoom } from "./real-log-room.ts";

const mib = 1_048_576;

function openFile(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "keelson-room-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "data.db");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE row (n INTEGER PRIMARY KEY, text TEXT)");
  const room = openLogRoom();
  const insert = db.prepare("INSERT INTO row (text) VALUES (?)");
  /** As a writer does it: room is made within the transaction that may be the first to need it. */
  const commit = (bytes: number): void => {
    db.exec("BEGIN IMMEDIATE");
    room.look(`${path}-wal`);
    insert.run("x".repeat(bytes));
    db.exec("COMMIT");
  };
  const size = () => statSync(`${path}-wal`).size;
  context.after(() => {
    room.close();
    if (db.isOpen) db.close();
  });
  return { folder, path, db, commit, size };
}

const countOf = (db: DatabaseSync) => db.prepare("SELECT count(*) AS n FROM row").get()?.["n"];

test("the log has room before it is needed, again when it is used up, and never too much", (context) => {
  const { db, commit, size } = openFile(context);
  commit(10);
  const first = size();
  assert.ok(first >= 2 * mib, String(first));
  for (let count = 0; count < 20; count++) commit(10);
  assert.equal(size(), first, "it is used, not made longer");
  db.exec("PRAGMA wal_autocheckpoint = 0");
  for (let count = 0; count < 50; count++) commit(100_000);
  assert.ok(size() > first + 2 * mib);
  for (let count = 0; count < 400; count++) commit(100_000);
  const used = size();
  commit(10);
  commit(10);
  assert.ok(size() - used < mib, "beyond 32 MiB it grows as it is used");
});

test("what is committed is found behind room that was not used, after a crash too", (context) => {
  const { folder, path, commit } = openFile(context);
  for (let count = 0; count < 30; count++) commit(2_000);
  // The files as a process leaves them that is killed.
  const copy = join(folder, "copy.db");
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  const found = new DatabaseSync(copy);
  assert.equal(countOf(found), 30);
  assert.equal(found.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  found.close();
});

test("a log that was cut off gets room again, one that is not there yet does no harm", (context) => {
  const { folder, db, commit, size } = openFile(context);
  commit(10);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  assert.equal(size(), 0);
  commit(10);
  assert.ok(size() >= 2 * mib);
  assert.equal(countOf(db), 2);
  const other = openLogRoom();
  other.look(join(folder, "none.db-wal"));
  other.look(folder);
  other.close();
});

const skip = process.platform === "win32" && "open files can't be replaced there";

test("a log that was removed or replaced is told from the first look on", { skip }, (context) => {
  const { folder, path, db, commit } = openFile(context);
  commit(10);
  const log = `${path}-wal`;
  const room = openLogRoom();
  room.open(log);
  assert.equal(room.look(log), true);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  assert.equal(room.look(log), true, "it was cut off, not removed");
  const other = join(folder, "other");
  copyFileSync(log, other);
  renameSync(other, log);
  assert.equal(room.look(log), false);
  assert.equal(room.look(log), false);
  room.close();
});
