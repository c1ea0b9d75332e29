// How far a job is, as it says itself: shown while it runs, and refused once it was cancelled.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer } from "@keelson/server";
import { openOperatorDesk } from "@keelson/server/operator";
import { untilSo } from "./work-scene.ts";

const files = (host: string): Readonly<Record<string, string>> => ({
  "schema.ts": `
import { define } from "keelson";
export const { mutation, action, queue, app } = define({});`,
  "shop.ts": `
import { t } from "keelson";
import { action, mutation, queue } from "./schema.ts";
export const pack = action({
  hosts: ["${host}"],
  returns: t.json(),
  async run({ job }) {
    const first = await job.progress({ done: 1, of: 3 });
    // The other side answers when the test has looked.
    await fetch("http://${host}/wait");
    const second = await job.progress({ done: 2, of: 3 });
    return { first, second };
  },
});
export const packs = queue(pack, { keep: "1h" });
export const begin = mutation({
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ enqueue }) => enqueue(packs, {}),
});
export const stop = mutation({
  args: { job: t.text({ max: 60 }) },
  allow: "anyone",
  returns: t.bool(),
  run: ({ cancel }, { job }) => cancel(job),
});`,
  "app.ts": `
import { app } from "./schema.ts";
import * as shop from "./shop.ts";
export default app({ functions: { shop } });`,
});

async function open(context: TestContext, threads: number) {
  const held: ServerResponse[] = [];
  const outside = createServer((_, response) => void held.push(response)).listen(0, "localhost");
  await once(outside, "listening");
  const folder = mkdtempSync(join(tmpdir(), "keelson-progress-"));
  const appDir = join(folder, "app");
  mkdirSync(join(appDir, "keelson"), { recursive: true });
  const host = `localhost:${(outside.address() as AddressInfo).port}`;
  for (const [name, text] of Object.entries(files(host)))
    writeFileSync(join(appDir, "keelson", name), text);
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  const dataDir = join(folder, "data");
  const server = await startServer({ appDir, dataDir, port: 0, threads });
  context.after(async () => {
    for (const response of held) response.end("{}");
    await server.close();
    outside.closeAllConnections();
    outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const desk = openOperatorDesk(server.current(), { dataDir, limits: server.limits });
  return {
    held,
    async call(name: string, args: object): Promise<unknown> {
      const response = await fetch(`${server.url}/api/fn/shop.${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(args),
      });
      assert.equal(response.status, 200);
      return response.json();
    },
    show: async (id: string) =>
      (await desk.procedure("work.show", { id }, "test")) as {
        readonly [field: string]: unknown;
      } | null,
  };
}

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";
  test(`${where}: a job tells how far it is, and is told when it was cancelled`, async (context) => {
    const { held, call, show } = await open(context, threads);
    const job = (await call("begin", {})) as string;
    const running = await untilSo(
      () => show(job),
      (found) => JSON.stringify(found).includes('"done":1'),
    );
    assert.match(JSON.stringify(running), /"progress":\{"done":1,"of":3\}/);
    await untilSo(
      () => Promise.resolve(held.length),
      (count) => count === 1,
    );
    held.pop()?.end("{}");
    const done = await untilSo(
      () => show(job).catch(() => null),
      (found) => JSON.stringify(found).includes('"second"'),
    );
    assert.match(JSON.stringify(done), /"result":\{"first":true,"second":true\}/);

    const other = (await call("begin", {})) as string;
    await untilSo(
      () => Promise.resolve(held.length),
      (count) => count === 1,
    );
    assert.equal(await call("stop", { job: other }), true);
    assert.equal(await call("stop", { job: other }), false);
    held.pop()?.end("{}");
    assert.equal(await show(other).catch(() => null), null);
  });
}
