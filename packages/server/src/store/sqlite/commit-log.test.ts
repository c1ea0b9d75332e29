// How entries of the log lie in the file, and how those lay that an earlier version wrote.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { idOf, metaOf, rowOf, storeTables } from "../store.fixture.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const idempotency = { scope: "user:u", key: "k1", requestHash: "h" };

test("a row that a client created stands once in its entry, and its answer is put together from it", async () => {
  const path = tempFile();
  const answer = await createUser(path);
  assert.deepEqual(rawEntry(path), {
    answer: null,
    changes: `[["user",null,${answer}]]`,
  });
  assert.equal(await repeat(path), answer);
});

test("entries as they were written once are read as they are now", async () => {
  const path = tempFile();
  const answer = await createUser(path);
  const store = open(path);
  const wanted = store.commitsAfter(0, 10);
  store.close();
  const db = new DatabaseSync(path);
  const id = idOf("user", 1);
  const rewrite = db.prepare(`UPDATE "_commit" SET answer = ?, changes = ? WHERE seq = ?`);
  rewrite.run(answer, `[["user","${id}",null,${answer}]]`, 1);
  rewrite.run(null, `[["user","${id}",${answer},{"name":"Another"}]]`, 2);
  db.exec(`UPDATE "_meta" SET value = '1' WHERE name = 'format'`);
  db.close();
  assert.equal(await repeat(path), answer);
  const again = open(path);
  assert.deepEqual(again.commitsAfter(0, 10), wanted);
  again.close();
  assert.equal(formatOf(path), "2", "a version that reads only the earlier form refuses the file");
});

function open(path: string) {
  return openSqliteStore({ path, manifest: { tables: storeTables }, limits });
}

/** Creates a user with a key, and renames it without. @returns what was answered first. */
async function createUser(path: string): Promise<string> {
  const store = open(path);
  let answer = "";
  const group = store.openGroup();
  await group.mutate(metaOf({ idempotency }), async (tx) => {
    tx.insert("user", rowOf("user", 1));
    answer = JSON.stringify(await tx.get("user", idOf("user", 1), null));
    return answer;
  });
  await group.mutate(metaOf({}), (tx) => {
    void tx.update("user", idOf("user", 1), { name: "Another" });
    return "null";
  });
  await group.commit();
  store.close();
  return answer;
}

async function repeat(path: string): Promise<unknown> {
  const store = open(path);
  const group = store.openGroup();
  const outcome = await group.mutate(metaOf({ idempotency }), () => assert.fail("ran again"));
  await group.commit();
  store.close();
  return outcome.kind === "repeated" ? outcome.answer : outcome;
}

function rawEntry(path: string): unknown {
  const db = new DatabaseSync(path);
  const entry = db.prepare(`SELECT answer, changes FROM "_commit" WHERE seq = 1`).get();
  db.close();
  return { ...entry };
}

function formatOf(path: string): unknown {
  const db = new DatabaseSync(path);
  const found = db.prepare(`SELECT value FROM "_meta" WHERE name = 'format'`).get();
  db.close();
  return found?.["value"];
}
