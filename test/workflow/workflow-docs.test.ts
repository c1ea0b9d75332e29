// The code of docs/workflows.md, as it stands there, on a real server: an order that is paid and sent, and one whose
// payment does not come. The other side of its actions is a server of the test, and two weeks are a second.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer } from "@keelson/server";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "workflows.md"), "utf8");

const app = `
import { app } from "./schema.ts";
import * as delivery from "./delivery.ts";
import * as shop from "./shop.ts";
export default app({ functions: { delivery, shop } });
`;

const shop = `
import { t } from "keelson";
import { mutation } from "./schema.ts";
export const pay = mutation({
  args: { order: t.id("order") },
  allow: "anyone",
  async run({ emit }, args) { await emit("order.paid", args); },
});
export const signUp = mutation({
  allow: "anyone",
  async run({ db }) { return (await db.asSystem("test").user.create({ name: "Ada" })).id; },
});
export const orders = mutation({
  allow: "anyone",
  async run({ db }) { return db.asSystem("test").order.list({}); },
});
`;

/** What the actions reach: remembers what it was asked. */
async function openOther(context: TestContext): Promise<{ host: string; keys: unknown[] }> {
  const keys: unknown[] = [];
  const other = createServer((request, response) => {
    keys.push(request.headers["idempotency-key"]);
    response.end("charge_1");
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  context.after(() => other.close());
  return { host: `127.0.0.1:${(other.address() as AddressInfo).port}`, keys };
}

/** Writes the page's code to a folder. */
function writeApp(folder: string, host: string): string {
  const appDir = join(folder, "app");
  const files: Record<string, string> = { "keelson/app.ts": app, "keelson/shop.ts": shop };
  for (const [, code = ""] of page.matchAll(/```ts\n([\s\S]*?)```/g)) {
    const [, file] = /^\/\/ (keelson\/\S+)/.exec(code) ?? [];
    if (file === undefined) continue;
    files[file] = code
      .replaceAll("https://api.example.com", `http://${host}`)
      .replaceAll('"api.example.com"', JSON.stringify(host))
      .replace('timeout: "10m"', 'timeout: "2s"')
      .replace('sleep("14d")', 'sleep("1s")');
  }
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(appDir, file)), { recursive: true });
    writeFileSync(join(appDir, file), code);
  }
  symlinkSync(join(root, "node_modules"), join(appDir, "node_modules"));
  return appDir;
}

test("the code of the page does what the page says", { timeout: 120_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-workflow-docs-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const { host, keys } = await openOther(context);
  const appDir = writeApp(folder, host);
  const server = await startServer({ appDir, dataDir: join(folder, "data"), port: 0 });
  context.after(() => server.close());
  const signedUp = await fetch(`${server.url}/api/fn/shop.signUp`, { method: "POST" });
  const user = (await signedUp.json()) as string;
  const tokens = {
    user: await server.signToken({ user, role: null, ttlMs: 3_600_000 }),
    staff: await server.signToken({ user, role: "staff", ttlMs: 3_600_000 }),
  };
  const call = async (name: string, args: object, as: keyof typeof tokens = "user") => {
    const response = await fetch(`${server.url}/api/fn/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${tokens[as]}` },
      body: JSON.stringify(args),
    });
    const body: unknown = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return body;
  };
  const shown = async (run: unknown, state: string, status: string): Promise<void> => {
    const untilMs = Date.now() + 60_000;
    for (;;) {
      const found = await call("delivery.progress", { run });
      if (JSON.stringify(found) === JSON.stringify({ state, status })) return;
      assert.ok(Date.now() < untilMs, `${JSON.stringify(found)}, not ${state} ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const newestOrder = async () =>
    ((await call("shop.orders", {})) as readonly { id: string; state: string }[]).at(-1);

  const run = await call("delivery.place", {});
  const order = await newestOrder();
  await call("shop.pay", { order: order?.id });
  await shown(run, "running", "packing");
  assert.equal((await newestOrder())?.state, "paid");
  assert.equal(await call("delivery.sent", { run, parcel: "P1" }, "staff"), true);
  await shown(run, "done", "packing");
  assert.equal((await newestOrder())?.state, "sent");
  assert.equal(keys.length, 1);
  assert.match(String(keys[0]), /^work_job_/);

  const unpaid = await call("delivery.place", {});
  await shown(unpaid, "done", "waits for payment");
  assert.equal((await newestOrder())?.state, "cancelled");
});
