// Stripe and Plaid from inside functions, by their official SDKs, on a real server that talks to the simulators.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import { startPlaidSimulator, type PlaidSimulator } from "@keelson/simulators/plaid";
import { startStripeSimulator, type StripeSimulator } from "@keelson/simulators/stripe";
import { until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "shop");
const secret = "whsec_of_the_shop";
const visa = "4242424242424242";

describe("payments", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-payments-"));
  const closing = new AsyncDisposableStack();
  let server: RunningServer;
  let stripe: StripeSimulator;
  let plaid: PlaidSimulator;

  before(async () => {
    server = await startServer({ appDir, dataDir: join(folder, "data"), port: 0, threads: 0 });
    closing.defer(async () => void (await server.close()));
    const webhooks = [{ url: `${server.url}/hooks/stripe`, secret }];
    stripe = await startStripeSimulator({ webhooks, webhookRetryMs: [50, 200] });
    closing.defer(() => stripe.close());
    plaid = await startPlaidSimulator();
    closing.defer(() => plaid.close());
    Object.assign(process.env, {
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_URL: stripe.url,
      STRIPE_WEBHOOK_SECRET: secret,
      PLAID_CLIENT_ID: plaid.clientId,
      PLAID_SECRET: plaid.secret,
      PLAID_URL: plaid.url,
    });
  });
  after(async () => {
    await closing.disposeAsync();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  async function call<T>(name: string, args: object = {}): Promise<T> {
    const response = await fetch(`${server.url}/api/fn/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const text = await response.text();
    assert.ok(response.ok, text);
    return (text === "" ? null : JSON.parse(text)) as T;
  }
  const place = () => call<string>("pay.place", { name: "Ticket", price: 12_00 });
  const becomes = (order: string, wanted: string) =>
    until(
      async () => (await call<{ status: string }>("pay.read", { order })).status,
      (status) => status === wanted,
    );

  test("an order is paid by checkout and refunded; webhooks tell both", async () => {
    const order = await place();
    const session = await call<string>("pay.checkout", { order });
    assert.equal((await call<{ status: string }>("pay.read", { order })).status, "open");
    assert.equal(stripe.pay(session, visa, "a@example.com"), "http://localhost/done");
    await becomes(order, "paid");
    await call("pay.refund", { order });
    await becomes(order, "refunded");
    const [refund] = stripe.objects("refund");
    assert.equal(refund?.["amount"], 12_00);
  });

  test("webhooks that come twice, and in another order, change nothing", async () => {
    stripe.failWebhook({ kind: "duplicate", on: "checkout.session.completed" });
    const order = await place();
    const session = await call<string>("pay.checkout", { order });
    stripe.pay(session, visa, "b@example.com");
    await becomes(order, "paid");
    await stripe.settled();
    assert.ok(stripe.webhookAttempts().every(({ status }) => status === 200));
  });

  test("a charge whose answer was lost, and one whose job failed after it, are made once", async () => {
    const charges = stripe.objects("charge").length;
    stripe.failApi({ kind: "timeoutAfterSuccess", on: "POST /v1/payment_intents" });
    const order = await place();
    await call("pay.chargeLater", { order, failures: 1 });
    await becomes(order, "paid");
    assert.equal(stripe.objects("charge").length, charges + 1);
  });

  test("a subscription is an entitlement, kept in step", async () => {
    const made = await call<{ customer: string; session: string; portal: string }>(
      "pay.subscribe",
      {
        email: "c@example.com",
      },
    );
    const { customer, session, portal } = made;
    assert.ok(portal.startsWith(stripe.url));
    assert.equal(await call("pay.entitled", { customer }), false);
    stripe.pay(session, visa, "c@example.com");
    await until(
      () => call<boolean>("pay.entitled", { customer }),
      (isActive) => isActive,
    );
  });

  test("what webhooks did not bring is found by reconciliation, once", async () => {
    await stripe.settled();
    const since = Math.floor(Date.now() / 1_000) - 60;
    const order = await place();
    const session = await call<string>("pay.checkout", { order });
    for (let count = 0; count < 20; count++) stripe.failWebhook({ kind: "drop" });
    stripe.pay(session, visa, "d@example.com");
    await stripe.settled();
    assert.equal((await call<{ status: string }>("pay.read", { order })).status, "open");
    const first = await call<{ found: number; since: number }>("pay.reconcile", { since });
    assert.ok(first.found > 0);
    await becomes(order, "paid");
    const again = await call<{ found: number }>("pay.reconcile", { since });
    assert.equal(again.found, 0);
  });

  test("accounts of a bank: linked, and their transactions kept by a cursor", async () => {
    const response = await fetch(`${plaid.url}/sandbox/public_token/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_id: plaid.clientId,
        secret: plaid.secret,
        institution_id: "ins_109508",
        initial_products: ["transactions"],
      }),
    });
    const token = (await response.json()) as { public_token: string };
    const bank = await call<string>("bank.link", { publicToken: token.public_token });
    assert.ok((await call<number>("bank.accounts", { bank })) > 0);
    const first = await call<{ set: number }>("bank.sync", { bank });
    assert.ok(first.set > 0);
    assert.equal(await call("bank.howMany"), first.set);
    assert.deepEqual(await call("bank.sync", { bank }), { set: 0, gone: 0 });
    plaid.mutateDuringPagination();
    assert.deepEqual(await call("bank.sync", { bank }), { set: 0, gone: 0 });
  });

  test("without a key nothing is called, and nobody outside learns what is missing", async () => {
    const order = await place();
    const key = process.env["STRIPE_SECRET_KEY"];
    delete process.env["STRIPE_SECRET_KEY"];
    const answer = await fetch(`${server.url}/api/fn/pay.checkout`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ order }),
    });
    process.env["STRIPE_SECRET_KEY"] = key;
    const text = await answer.text();
    assert.deepEqual(
      [answer.status, (JSON.parse(text) as { code: string }).code],
      [503, "SECRET_MISSING"],
    );
    assert.ok(!text.includes("STRIPE_SECRET_KEY"));
  });
});
