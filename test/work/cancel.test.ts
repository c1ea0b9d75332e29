// Cancelling an action that writes: from the commit of who cancels it on, nothing of it is written.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer } from "@keelson/server";
import { untilSo } from "./work-scene.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, action, query, queue, rules, app } = define({
  mark: table({ tag: t.text({ max: 20 }), attempt: t.int() }),
});`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as shop from "./shop.ts";
export default app({ rules, functions: { shop } });`,
  "shop.ts": `
import { t } from "keelson";
import { action, mutation, query, queue } from "./schema.ts";
const tag = t.text({ max: 20 });
const count = (db, where) => db.asSystem("a test").mark.count({ where });
export const put = mutation({
  args: { tag, attempt: t.int() },
  run: ({ db }, row) => db.asSystem("a test").mark.create(row).then(() => null),
});
const many = async ({ run, job }, { tag }) => {
  const one = () => run(put, { tag, attempt: job.attempt });
  for (let round = 0; round < 200; round++) await Promise.all(Array.from({ length: 100 }, one));
};
export const write = action({ args: { tag }, run: many });
export const writes = queue(write, { attempts: 1 });
export const late = action({ args: { tag }, run: many });
export const lates = queue(late, { attempts: 2, timeout: "60ms", backoff: "60s" });
export const forget = action({
  args: { tag },
  async run({ run, job }, { tag }) {
    for (let index = 0; index < 100; index++) void run(put, { tag, attempt: job.attempt });
  },
});
export const beginForget = mutation({
  args: { tag },
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ enqueue }, args) => enqueue(forget, args),
});
export const begin = mutation({
  args: { tag },
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ enqueue }, args) => enqueue(writes, args),
});
export const beginLate = mutation({
  args: { tag },
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ enqueue }, args) => enqueue(lates, args),
});
export const stop = mutation({
  args: { job: t.text({ max: 60 }), tag },
  allow: "anyone",
  returns: t.json(),
  run: async ({ db, cancel }, { job, tag }) => ({ isDone: await cancel(job), count: await count(db, { tag }) }),
});
// One commit sees how the job stands, and what it has written.
export const look = query({
  args: { job: t.text({ max: 60 }), tag },
  allow: "anyone",
  returns: t.json(),
  run: async ({ db, jobState }, { job, tag }) => ({
    state: (await jobState(lates, job))?.state ?? null,
    count: await count(db, { tag }),
  }),
});`,
};

async function open(context: TestContext, threads: number) {
  const folder = mkdtempSync(join(tmpdir(), "keelson-cancel-"));
  const appDir = join(folder, "app");
  mkdirSync(join(appDir, "keelson"), { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(appDir, "keelson", name), text);
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  // Small groups: much of what an action writes at once waits when it is cut off.
  const limits = { groupMax: 8, anonymousPerMinuteMax: 1_000_000 };
  const server = await startServer({
    appDir,
    dataDir: join(folder, "data"),
    port: 0,
    threads,
    limits,
  });
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return async <T>(name: string, args: object): Promise<T> => {
    const response = await fetch(`${server.url}/api/fn/shop.${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as T;
  };
}

interface Seen {
  readonly isDone?: boolean;
  readonly state?: string | null;
  readonly count: number;
}

/** For what was on its way to have arrived. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";

  test(`${where}: an action writes nothing after the transaction that cancelled it`, async (context) => {
    const call = await open(context, threads);
    for (let round = 0; round < 5; round++) {
      const tag = `round ${round}`;
      const job = await call<string>("begin", { tag });
      const look = () => call<Seen>("look", { job, tag });
      await untilSo(look, ({ count }) => count > 0);
      const { isDone, count } = await call<Seen>("stop", { job, tag });
      assert.equal(isDone, true);
      await pause();
      assert.equal((await look()).count, count);
    }
  });

  test(`${where}: an action writes nothing after its attempt took too long`, async (context) => {
    const call = await open(context, threads);
    const tag = "late";
    const job = await call<string>("beginLate", { tag });
    const look = () => call<Seen>("look", { job, tag });
    const ended = await untilSo(look, ({ state, count }) => state === "waiting" && count > 0);
    await pause();
    assert.deepEqual(await look(), ended);
  });

  test(`${where}: what an action wrote and did not wait for is written when it ends well`, async (context) => {
    const call = await open(context, threads);
    const tag = "forget";
    const job = await call<string>("beginForget", { tag });
    const look = () => call<Seen>("look", { job, tag });
    assert.equal((await untilSo(look, ({ count }) => count >= 100)).count, 100);
  });
}
