import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openApp, startServer } from "@keelson/server";
import { openOutside } from "./outside.ts";
import { untilSo } from "./work-scene.ts";

const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));

test("keelson work lists, shows, retries and cancels without a server; what it changed runs with the next one", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-work-alone-"));
  const outside = await openOutside(folder);
  const { appDir } = outside;
  const dataDir = join(folder, "data");
  context.after(async () => {
    await outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const count = (sql: string): number => {
    const db = new DatabaseSync(join(dataDir, "data.db"), { readOnly: true });
    try {
      return Number(db.prepare(sql).get()?.["n"]);
    } finally {
      db.close();
    }
  };
  const dead = (): number => count("SELECT count(*) AS n FROM workDead");
  const serve = () => startServer({ appDir, dataDir, port: 0, threads: 0 });

  const first = await serve();
  const ids: string[] = [];
  for (const key of ["a", "b"]) {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ key });
    const answer = await fetch(`${first.url}/api/fn/shop.dare`, { method: "POST", headers, body });
    ids.push((await answer.json()) as string);
  }
  await untilSo(
    () => Promise.resolve(dead()),
    (found) => found === 2,
  );
  await first.close();

  const work = (
    ...words: string[]
  ): { readonly status: number | null; readonly out: string; readonly err: string } => {
    const place = [`--app=${appDir}`, `--data=${dataDir}`, "--json"];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [binary, "work", ...words, ...place],
      { encoding: "utf8" },
    );
    return { status, out: stdout, err: stderr };
  };
  const [id = "", other = ""] = ids;
  const listed = work("list", "--dead");
  assert.equal(listed.status, 0, listed.err);
  assert.deepEqual(
    new Set((JSON.parse(listed.out) as { id: string }[]).map((row) => row.id)),
    new Set(ids),
  );
  assert.match(work("show", id).out, /"RISKY"|Not like this/);
  const retried = work("retry", id, `--input={"key":"a","good":true}`);
  assert.equal(retried.status, 0, retried.err);
  assert.equal(work("cancel", other).status, 0);
  assert.equal(dead(), 0);
  assert.equal(
    count("SELECT count(*) AS n FROM entry WHERE kind = 'risk'"),
    0,
    "nothing runs without a server",
  );

  // A door to the data starts no work either.
  const app = await openApp({ appDir, dataDir });
  await app.close();
  assert.equal(count("SELECT count(*) AS n FROM entry WHERE kind = 'risk'"), 0);

  const again = await serve();
  context.after(() => again.close());
  await untilSo(
    () => Promise.resolve(count("SELECT count(*) AS n FROM entry WHERE kind = 'risk'")),
    (found) => found === 1,
  );
  assert.equal(dead(), 0);
});
