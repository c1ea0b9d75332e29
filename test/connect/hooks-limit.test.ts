// The limits of a hook: what one network may send, and what it may get wrong, on one thread and over several.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer } from "@keelson/server";
import { byStripe, secrets, seenOf, until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "app");

async function open(context: TestContext, threads: number, limits: object) {
  Object.assign(process.env, secrets);
  const folder = mkdtempSync(join(tmpdir(), "keelson-hook-limit-"));
  const server = await startServer({
    ...{ appDir, dataDir: join(folder, "data"), port: 0, threads, limits },
    trustProxy: true,
  });
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const send = async (hook: string, from: string, delivery: ReturnType<typeof byStripe>) => {
    const headers = { ...delivery.headers, "x-forwarded-for": from, connection: "close" };
    const init = { method: "POST", headers, body: delivery.body };
    const response = await fetch(`${server.url}/hooks/${hook}`, init);
    const { code = null } = (await response.json()) as { readonly code?: string };
    const again = response.headers.get("retry-after");
    return { status: response.status, code, again };
  };
  return { server, send };
}

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "two threads";
  test(`${where}: a network that sends too much to a hook waits; other networks and other hooks do not`, async (context) => {
    const { server, send } = await open(context, threads, { hookPerMinuteMax: 5 });
    const event = (id: string) => byStripe({ id, type: "charge.paid" });
    for (let number = 0; number < 5; number++) {
      assert.equal((await send("stripe", "192.0.2.1", event(`evt_${number}`))).status, 200);
    }
    const refused = await send("stripe", "192.0.2.1", event("evt_more"));
    assert.deepEqual([refused.status, refused.code], [429, "RATE_LIMITED"]);
    assert.ok(Number(refused.again) >= 1, String(refused.again));
    assert.equal((await send("stripe", "192.0.2.2", event("evt_other"))).status, 200);
    assert.equal((await send("ordered", "192.0.2.1", event("evt_hook"))).status, 200);
    await until(
      () => seenOf(server.url, "stripe"),
      (rows) => rows.length === 6,
    );
    assert.equal((await send("nothing", "192.0.2.1", event("evt_none"))).status, 404);
  });

  test(`${where}: a network whose signatures are wrong waits, with good ones too`, async (context) => {
    const { send } = await open(context, threads, { badHooksPerMinuteMax: 3 });
    const wrong = byStripe({ id: "evt_1" }, { secret: "whsec_of_somebody_else" });
    const stale = byStripe({ id: "evt_2" }, { ageSeconds: 3_600 });
    const good = byStripe({ id: "evt_3", type: "charge.paid" });
    assert.equal((await send("stripe", "192.0.2.1", good)).status, 200);
    assert.equal((await send("stripe", "192.0.2.1", wrong)).code, "WEBHOOK_INVALID");
    assert.equal((await send("stripe", "192.0.2.1", stale)).code, "WEBHOOK_TOO_OLD");
    assert.equal((await send("stripe", "192.0.2.1", wrong)).code, "WEBHOOK_INVALID");
    assert.equal((await send("stripe", "192.0.2.1", wrong)).code, "RATE_LIMITED");
    assert.equal((await send("stripe", "192.0.2.1", good)).code, "RATE_LIMITED");
    assert.equal((await send("stripe", "192.0.2.2", good)).status, 200);
  });
}
