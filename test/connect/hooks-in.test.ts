// Webhooks that come in, on a real server of one thread and of several, signed by the senders' own libraries.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CloudEvent, HTTP } from "cloudevents";
import { startServer, type RunningServer } from "@keelson/server";
import { startPlaidSimulator } from "@keelson/simulators/plaid";
import { byStandard, byStripe, call, hmac, post, secrets, seenOf, until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "app");

interface Opened {
  readonly url: string;
  readonly server: RunningServer;
}

async function rowsOf({ server }: Opened, hook: string) {
  const where = { kind: "field", field: "hook", condition: { eq: hook } } as const;
  const orderBy = [{ field: "id", descending: false }];
  const page = await server
    .current()
    .store.read((tx) =>
      tx.list({ kind: "list", from: "hookEvent", where, orderBy, limit: 1_000 }, null),
    );
  return page.rows;
}

for (const threads of [0, 2]) {
  describe(`webhooks that come in, ${threads === 0 ? "one thread" : "several threads"}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "keelson-hooks-"));
    let opened: Opened;
    const closing = new AsyncDisposableStack();
    let plaid: Awaited<ReturnType<typeof startPlaidSimulator>>;
    const seen = (hook: string, count: number) =>
      until(
        () => seenOf(opened.url, hook),
        (rows) => rows.length >= count,
      );

    before(async () => {
      plaid = await startPlaidSimulator();
      closing.defer(() => plaid.close());
      Object.assign(process.env, secrets, {
        TEST_PLAID_CLIENT_ID: plaid.clientId,
        TEST_PLAID_SECRET: plaid.secret,
        PLAID_URL: plaid.url,
      });
      const dataDir = join(folder, "data");
      const server = await startServer({ appDir, dataDir, port: 0, threads });
      closing.defer(async () => void (await server.close()));
      opened = { url: server.url, server };
    });
    after(async () => {
      await closing.disposeAsync();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    });

    test("what Stripe's SDK signs is kept as it came, and handled as nobody", async () => {
      const { url } = opened;
      const event = { id: "evt_1", type: "charge.paid", name: "Größe ♥ 𝄞", amount: 12.5 };
      const delivery = byStripe(event);
      assert.deepEqual(await post(url, "stripe", delivery), {
        status: 200,
        code: null,
        repeats: 0,
      });
      const [row] = await seen("stripe", 1);
      assert.deepEqual([row?.event, row?.type, row?.by], ["evt_1", "charge.paid", null]);
      assert.deepEqual(row?.body, event);
      assert.equal(row?.headers["content-type"], "application/json");
      assert.equal(row?.headers["stripe-signature"], undefined);
      const [kept] = await until(
        () => rowsOf(opened, "stripe"),
        ([first]) => first?.["state"] === "done",
      );
      // Byte for byte: with its spaces and lines.
      assert.equal(kept?.["body"], delivery.body);
    });

    test("the same event again, and eight at once, is one effect", async () => {
      const { url } = opened;
      const again = await post(url, "stripe", byStripe({ id: "evt_1", type: "charge.paid" }));
      assert.deepEqual([again.status, again.repeats], [200, 1]);
      const twin = { id: "evt_8", type: "charge.paid" };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => post(url, "stripe", byStripe(twin))),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(
        answers.reduce((sum, { repeats }) => sum + (repeats ?? 0), 0),
        7,
      );
      await post(url, "stripe", byStripe({ id: "evt_9", type: "charge.paid" }));
      await seen("stripe", 3);
      await opened.server.current().work?.dispatcher()?.idle();
      const events = (await seenOf(url, "stripe")).map(({ event }) => event);
      assert.deepEqual(events, ["evt_1", "evt_8", "evt_9"]);
    });

    test("tampered, stale, of an unknown secret, unsigned: refused, each by its code", async () => {
      const { url } = opened;
      const event = { id: "evt_bad", type: "charge.paid" };
      const good = byStripe(event);
      const signature = good.headers["stripe-signature"] ?? "";
      const codes = async (delivery: Parameters<typeof post>[2]) => {
        const { status, code } = await post(url, "stripe", delivery);
        return `${status} ${code}`;
      };
      const body = good.body.replace("paid", "lost");
      assert.equal(await codes({ ...good, body }), "401 WEBHOOK_INVALID");
      assert.equal(await codes({ ...good, body: `${good.body} ` }), "401 WEBHOOK_INVALID");
      assert.equal(await codes({ ...good, headers: {} }), "401 WEBHOOK_INVALID");
      const stale = byStripe(event, { ageSeconds: 301 });
      assert.equal(await codes(stale), "401 WEBHOOK_TOO_OLD");
      assert.equal(await codes(byStripe(event, { ageSeconds: -301 })), "401 WEBHOOK_TOO_OLD");
      assert.equal(await codes(byStripe(event, { secret: "whsec_other" })), "401 WEBHOOK_INVALID");
      const onlyOld = { "stripe-signature": signature.replace("v1=", "v0=") };
      assert.equal(await codes({ ...good, headers: onlyOld }), "401 WEBHOOK_INVALID");
      const rotated = byStripe({ id: "evt_rotated" }, { secret: secrets.TEST_STRIPE_OLD });
      assert.equal(await codes(rotated), "200 null");
      assert.ok((await rowsOf(opened, "stripe")).every((row) => row["event"] !== "evt_bad"));
      const nothing = await post(url, "stripe", { body: "", headers: {} });
      assert.equal(nothing.code, "WEBHOOK_INVALID");
    });

    test("a hook without its secret takes nothing; one that is not there is not found", async () => {
      const { url } = opened;
      const body = "{}";
      assert.deepEqual(await post(url, "unready", { body, headers: {} }), {
        status: 503,
        code: "WEBHOOK_UNREADY",
        repeats: null,
      });
      assert.equal((await post(url, "nothing", { body, headers: {} })).code, "NOT_FOUND");
      assert.equal((await post(url, "__proto__", { body, headers: {} })).code, "NOT_FOUND");
      const read = await fetch(`${url}/hooks/stripe`);
      assert.deepEqual([read.status, read.headers.get("allow")], [405, "POST"]);
    });

    test("GitHub, Standard Webhooks and an HMAC of one's own", async () => {
      const { url } = opened;
      const body = JSON.stringify({ zen: "höher ♥" });
      const github = {
        "x-hub-signature-256": `sha256=${hmac(secrets.TEST_GITHUB, body, "hex")}`,
        "x-github-delivery": "delivery-1",
        "x-github-event": "push",
      };
      assert.equal((await post(url, "github", { body, headers: github })).repeats, 0);
      assert.equal((await post(url, "github", { body, headers: github })).repeats, 1);
      const [pushed] = await seen("github", 1);
      assert.deepEqual([pushed?.event, pushed?.headers["x-github-event"]], ["delivery-1", "push"]);
      assert.equal(pushed?.type, "push");
      const wrong = { ...github, "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
      assert.equal((await post(url, "github", { body, headers: wrong })).code, "WEBHOOK_INVALID");

      assert.equal((await post(url, "standard", byStandard(body, "msg_1"))).repeats, 0);
      assert.equal((await post(url, "standard", byStandard(body, "msg_1"))).repeats, 1);
      assert.equal((await seen("standard", 1))[0]?.event, "msg_1");

      const signature = hmac(secrets.TEST_SHOP, body, "base64");
      const shop = { "x-shop-signature": signature, "x-shop-id": "order-7" };
      assert.equal((await post(url, "shop", { body, headers: shop })).repeats, 0);
      assert.equal((await seen("shop", 1))[0]?.event, "order-7");
      const other = { ...shop, "x-shop-signature": hmac("x", body, "base64") };
      assert.equal((await post(url, "shop", { body, headers: other })).code, "WEBHOOK_INVALID");
    });

    test("Plaid: keys are asked of its API; a body that was changed is refused", async () => {
      const { url } = opened;
      const ask = async (path: string, more: object) => {
        const response = await fetch(`${plaid.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ client_id: plaid.clientId, secret: plaid.secret, ...more }),
        });
        return (await response.json()) as { readonly [key: string]: string };
      };
      const token = await ask("/sandbox/public_token/create", {
        institution_id: "ins_109508",
        initial_products: ["transactions"],
        options: { webhook: `${url}/hooks/plaid` },
      });
      const item = await ask("/item/public_token/exchange", {
        public_token: token["public_token"],
      });
      await ask("/sandbox/item/fire_webhook", {
        access_token: item["access_token"],
        webhook_code: "DEFAULT_UPDATE",
      });
      const rows = await seen("plaid", 1);
      assert.ok(rows.some(({ body }) => body["item_id"] === item["item_id"]));
      assert.ok(plaid.webhookAttempts().every(({ status }) => status === 200));
      const forged = { "plaid-verification": "eyJhbGciOiJub25lIn0.e30." };
      const refused = await post(url, "plaid", { body: "{}", headers: forged });
      assert.equal(refused.code, "WEBHOOK_INVALID");
    });

    test("of one thing, what is older than the newest is left out, and can be replayed", async () => {
      const { url } = opened;
      const at = (id: string, created: number, thing = "sub_1") =>
        byStripe({ id, type: "subscription.updated", created, data: { object: { id: thing } } });
      await post(url, "ordered", at("evt_new", 200));
      await seen("ordered", 1);
      await post(url, "ordered", at("evt_old", 100));
      await post(url, "ordered", at("evt_other", 50, "sub_2"));
      await post(url, "ordered", at("evt_same", 200));
      await seen("ordered", 3);
      const late = await until(
        () => rowsOf(opened, "ordered"),
        (rows) => rows.every(({ state }) => state !== "waiting"),
      );
      assert.deepEqual(
        late.map(({ event, state }) => `${String(event)} ${String(state)}`),
        ["evt_new done", "evt_old late", "evt_other done", "evt_same done"],
      );
      const listed = (await call(url, "events", { hook: "ordered" })) as typeof late;
      assert.deepEqual(
        listed.map(({ event, state }) => `${String(event)} ${String(state)}`),
        ["evt_same done", "evt_other done", "evt_old late", "evt_new done"],
      );
      await call(url, "replay", { id: listed[2]?.["id"] as string });
      const rows = await seen("ordered", 4);
      assert.equal(rows.at(-1)?.event, "evt_old");
    });

    test("what a handler throws undoes what it wrote; at last it is a dead letter", async () => {
      const { url } = opened;
      const answer = await post(url, "stripe", byStripe({ id: "evt_fail", fail: true }));
      assert.equal(answer.status, 200);
      const rows = await until(
        () => rowsOf(opened, "stripe"),
        (all) => all.some(({ event, state }) => event === "evt_fail" && state === "dead"),
      );
      assert.ok(rows.length > 0);
      assert.ok((await seenOf(url, "stripe")).every(({ event }) => event !== "evt_fail"));
    });

    test("an action handles with the job's token", async () => {
      const { url } = opened;
      await post(url, "outside", byStandard('{"id":"x"}', "msg_out"));
      const [row] = await seen("outside", 1);
      assert.match(String(row?.headers["token"]), /^work_job_/);
    });

    test("CloudEvents of the SDK, structured, binary and in a batch, each known by source and id", async () => {
      const { url } = opened;
      const event = (id: string) =>
        new CloudEvent({ id, source: "/till/3", type: "sale", data: { total: 3 } });
      for (const message of [HTTP.structured(event("1")), HTTP.binary(event("2"))]) {
        const signed = byStandard(String(message.body));
        const headers = { ...(message.headers as Record<string, string>), ...signed.headers };
        assert.equal((await post(url, "events", { body: signed.body, headers })).status, 200);
      }
      const batch = byStandard(JSON.stringify([event("2"), event("3")]));
      const type = { "content-type": "application/cloudevents-batch+json" };
      const answer = await post(url, "events", {
        ...batch,
        headers: { ...batch.headers, ...type },
      });
      assert.deepEqual([answer.status, answer.repeats], [200, 1]);
      const rows = await seen("events", 3);
      assert.deepEqual(rows.map((row) => row.event).toSorted(), [
        "/till/3 1",
        "/till/3 2",
        "/till/3 3",
      ]);
      assert.deepEqual(rows[0]?.body["data"], { total: 3 });
      const broken = byStandard(JSON.stringify([event("4"), { id: "5" }]));
      const refused = await post(url, "events", {
        ...broken,
        headers: { ...broken.headers, ...type },
      });
      assert.equal(refused.code, "EVENT_INVALID");
      assert.equal((await rowsOf(opened, "events")).length, 3);
    });
  });
}
