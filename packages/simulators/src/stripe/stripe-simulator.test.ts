import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Stripe } from "stripe";
import { startStripeSimulator, type StripeSimulatorOptions } from "./stripe-simulator.ts";

const startMs = Date.UTC(2026, 0, 31, 12);

async function open(options: StripeSimulatorOptions = {}) {
  const simulator = await startStripeSimulator({ nowMs: () => startMs, ...options });
  after(() => simulator.close());
  const { host, port, secretKey } = simulator;
  const stripe = new Stripe(secretKey, { host, port, protocol: "http", maxNetworkRetries: 2 });
  return { simulator, stripe };
}

/** A receiver of webhooks that keeps what the SDK says is genuine. @param refuse how many it refuses first. */
async function receiver(secret: string, refuse = 0) {
  const events: Stripe.Event[] = [];
  const stripe = new Stripe("sk_none");
  let left = refuse;
  const server = createServer((request, response) => {
    void body(request).then((text) => {
      left -= 1;
      if (left >= 0) {
        response.writeHead(503).end();
        return;
      }
      const signature = String(request.headers["stripe-signature"]);
      // Signed at the simulator's time: the age is not what is tested here.
      events.push(stripe.webhooks.constructEvent(text, signature, secret, Number.MAX_SAFE_INTEGER));
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, events };
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function refusalOf(run: Promise<unknown>) {
  try {
    await run;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const lines = [
  {
    price_data: { currency: "eur", unit_amount: 12_50, product_data: { name: "Seat F7" } },
    quantity: 2,
  },
];

test("the official SDK makes a checkout, a person pays it, and signed webhooks tell", async () => {
  const hook = await receiver("whsec_test");
  const { simulator, stripe } = await open({ webhooks: [{ url: hook.url, secret: "whsec_test" }] });
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com/done?session={CHECKOUT_SESSION_ID}",
    client_reference_id: "booking_1",
    metadata: { booking: "booking_1" },
  });
  assert.equal(session.amount_total, 25_00);
  assert.equal(session.status, "open");
  const pageText = await (await fetch(session.url ?? "")).text();
  assert.match(pageText, /Seat F7/);
  const paid = await fetch(session.url ?? "", {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ do: "pay", card: "4242424242424242", email: "zoe@example.com" }),
  });
  assert.equal(paid.headers.get("location"), `https://example.com/done?session=${session.id}`);
  const after = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ["payment_intent.latest_charge"],
  });
  assert.equal(after.payment_status, "paid");
  const intent = after.payment_intent as Stripe.PaymentIntent;
  assert.equal(intent.status, "succeeded");
  assert.equal((intent.latest_charge as Stripe.Charge).amount, 25_00);
  await simulator.settled();
  const types = hook.events.map(({ type }) => type);
  for (const type of [
    "customer.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
  ]) {
    assert.ok(types.includes(type as never), type);
  }
  const completed = hook.events.find(({ type }) => type === "checkout.session.completed");
  assert.equal(
    (completed?.data.object as Stripe.Checkout.Session | undefined)?.client_reference_id,
    "booking_1",
  );
});

test("a declined card leaves the session open, and another card pays it", async () => {
  const { simulator, stripe } = await open();
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com",
  });
  assert.throws(() => simulator.pay(session.id, "4000000000009995"), /insufficient funds/);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, "open");
  simulator.pay(session.id);
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
  assert.equal((done.payment_intent as Stripe.PaymentIntent).status, "succeeded");
  const charges = await stripe.charges.list({ limit: 10 });
  assert.deepEqual(
    charges.data.map(({ status }) => status),
    ["succeeded", "failed"],
  );
});

test("a card that asks to authenticate sends the person to the bank and back", async () => {
  const { simulator, stripe } = await open();
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com/ok",
  });
  const bank = simulator.pay(session.id, "4000002500003155");
  assert.match(bank, /\/sca\//);
  assert.match(await (await fetch(bank)).text(), /is it you/);
  const back = await fetch(bank, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ do: "complete" }),
  });
  assert.equal(back.headers.get("location"), "https://example.com/ok");
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_status, "paid");
  const customer = await stripe.customers.create({ email: "a@example.com" });
  const refused = await refusalOf(
    stripe.paymentIntents.create({
      amount: 500,
      currency: "eur",
      customer: customer.id,
      payment_method: "pm_card_authenticationRequired",
      confirm: true,
      off_session: true,
    }),
  );
  assert.equal(refused.code, "authentication_required");
  assert.equal(refused.statusCode, 402);
});

test("errors are of the SDK's own classes, with their codes", async () => {
  const { simulator, stripe } = await open();
  const declined = await refusalOf(
    stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      payment_method: "pm_card_chargeDeclined",
      confirm: true,
    }),
  );
  assert.ok(declined instanceof Stripe.errors.StripeCardError);
  assert.deepEqual([declined.code, declined.decline_code], ["card_declined", "generic_decline"]);
  const missing = await refusalOf(stripe.paymentIntents.retrieve("pi_none"));
  assert.deepEqual([missing.statusCode, missing.code], [404, "resource_missing"]);
  const wrong = await refusalOf(stripe.paymentIntents.create({ amount: 0, currency: "usd" }));
  assert.deepEqual([wrong.statusCode, wrong.param], [400, "amount"]);
  const unknown = await refusalOf(stripe.customers.create({ nonsense: "1" } as never));
  assert.equal(unknown.code, "parameter_unknown");
  const { host, port } = simulator;
  const stranger = new Stripe("sk_other", { host, port, protocol: "http" });
  assert.ok(
    (await refusalOf(stranger.customers.list())) instanceof Stripe.errors.StripeAuthenticationError,
  );
});

test("a key gives its first answer again, a refusal of the card too, and refuses another request", async () => {
  const { simulator, stripe } = await open();
  const order = {
    amount: 700,
    currency: "eur",
    payment_method: "pm_card_visa",
    confirm: true,
  } as const;
  const first = await stripe.paymentIntents.create(order, { idempotencyKey: "step_1" });
  const again = await stripe.paymentIntents.create(order, { idempotencyKey: "step_1" });
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  assert.equal(simulator.objects("charge").length, 1);
  const other = await refusalOf(
    stripe.paymentIntents.create({ ...order, amount: 701 }, { idempotencyKey: "step_1" }),
  );
  assert.ok(other instanceof Stripe.errors.StripeIdempotencyError);
  const bad = { ...order, payment_method: "pm_card_chargeDeclined" };
  for (let time = 0; time < 2; time++) {
    assert.equal(
      (await refusalOf(stripe.paymentIntents.create(bad, { idempotencyKey: "step_2" }))).code,
      "card_declined",
    );
  }
  assert.equal(simulator.objects("charge").filter(({ status }) => status === "failed").length, 1);
});

test("a timeout after success is repeated by the SDK with its key and charges once", async () => {
  const { simulator, stripe } = await open();
  simulator.failApi({ kind: "timeoutAfterSuccess", on: "POST /v1/payment_intents" });
  const intent = await stripe.paymentIntents.create({
    amount: 900,
    currency: "eur",
    payment_method: "pm_card_visa",
    confirm: true,
  });
  assert.equal(intent.status, "succeeded");
  assert.equal(simulator.objects("charge").length, 1);
  simulator.failApi({ kind: "timeoutBefore", on: "POST /v1/refunds" });
  simulator.failApi({ kind: "serverError", on: "POST /v1/refunds" });
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 400 });
  assert.equal(refund.status, "succeeded");
  assert.equal(simulator.objects("refund").length, 1);
  simulator.failApi({ kind: "rateLimit", times: 9 });
  assert.ok((await refusalOf(stripe.refunds.list())) instanceof Stripe.errors.StripeRateLimitError);
});

test("faults are asked for over HTTP, too; what is none is refused and says why", async () => {
  const { simulator } = await open();
  const ask = async (fault: unknown, type = "application/json") => {
    const init = { method: "POST", headers: { "content-type": type }, body: JSON.stringify(fault) };
    const response = await fetch(`${simulator.url}/_/faults`, init);
    return {
      status: response.status,
      body: (await response.json()) as { readonly error?: string },
    };
  };
  const fault = { of: "api", kind: "serverError", on: "GET /v1/products" };
  assert.deepEqual(await ask(fault), { status: 200, body: fault });
  const list = () =>
    fetch(`${simulator.url}/v1/products`, {
      headers: { authorization: `Bearer ${simulator.secretKey}` },
    });
  assert.deepEqual([(await list()).status, (await list()).status], [500, 200]);
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ ...fault, of: "bank" }, /`of`/],
    [{ ...fault, kind: "duplicate" }, /`kind` is one of rateLimit/],
    [{ ...fault, on: 1 }, /`on`/],
    [{ ...fault, times: 0 }, /`times`/],
    [{ ...fault, ms: "1s" }, /`ms`/],
    [{ ...fault, often: 2 }, /`often`/],
    [[], /JSON object/],
  ];
  for (const [asked, error] of wrong) {
    const { status, body } = await ask(asked);
    assert.equal(status, 400);
    assert.match(body.error ?? "", error);
  }
  assert.match((await ask(fault, "text/plain")).body.error ?? "", /content type/);
});

test("refunds add up to what was charged and no more", async () => {
  const { stripe } = await open();
  const intent = await stripe.paymentIntents.create({
    amount: 1_000,
    currency: "eur",
    payment_method: "pm_card_visa",
    confirm: true,
  });
  await stripe.refunds.create({ payment_intent: intent.id, amount: 600 });
  const tooMuch = await refusalOf(
    stripe.refunds.create({ payment_intent: intent.id, amount: 500 }),
  );
  assert.equal(tooMuch.param, "amount");
  await stripe.refunds.create({ payment_intent: intent.id });
  assert.equal(
    (await refusalOf(stripe.refunds.create({ payment_intent: intent.id }))).code,
    "charge_already_refunded",
  );
  const [charge] = (await stripe.charges.list()).data;
  assert.deepEqual([charge?.amount_refunded, charge?.refunded], [1_000, true]);
});

test("webhooks: refused ones come again, and faults double, drop and reorder them", async () => {
  const hook = await receiver("whsec_x", 2);
  const { simulator, stripe } = await open({
    webhooks: [{ url: hook.url, secret: "whsec_x" }],
    webhookRetryMs: [5, 5, 5],
  });
  await stripe.customers.create({ email: "one@example.com" });
  const until = async (count: number) => {
    while (hook.events.length < count) await new Promise((resolve) => setImmediate(resolve));
    await simulator.settled();
  };
  await until(1);
  assert.deepEqual(
    simulator.webhookAttempts().map(({ status }) => status),
    [503, 503, 200],
  );
  simulator.failWebhook({ kind: "duplicate" });
  await stripe.customers.create({ email: "two@example.com" });
  await until(3);
  assert.equal(hook.events[1]?.id, hook.events[2]?.id);
  simulator.failWebhook({ kind: "drop" });
  simulator.failWebhook({ kind: "reorder" });
  for (const name of ["dropped", "late", "early"]) await stripe.customers.create({ name });
  await until(5);
  const names = hook.events.slice(3).map((event) => (event.data.object as Stripe.Customer).name);
  assert.deepEqual(new Set(names), new Set(["early", "late"]));
  // What was dropped is still in the list of events, for whoever reconciles.
  const listed = await stripe.events.list({ type: "customer.created", limit: 3 });
  assert.deepEqual(
    listed.data.map((event) => (event.data.object as Stripe.Customer).name),
    ["early", "late", "dropped"],
  );
});

test("a subscription renews, goes past due when its card fails, and ends", async () => {
  const { simulator, stripe } = await open();
  const customer = await stripe.customers.create({ email: "club@example.com" });
  const price = await stripe.prices.create({
    currency: "eur",
    unit_amount: 9_00,
    recurring: { interval: "month" },
    product_data: { name: "Film club" },
  });
  const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: method.id,
  });
  assert.equal(subscription.status, "active");
  // From the last day of January a month later is the last of February.
  const [item] = subscription.items.data;
  assert.equal(
    new Date((item?.current_period_end ?? 0) * 1_000).toISOString(),
    "2026-02-28T12:00:00.000Z",
  );
  simulator.advance(29 * 86_400_000);
  assert.equal((await stripe.invoices.list({ customer: customer.id })).data.length, 2);
  await stripe.subscriptions.update(subscription.id, {
    default_payment_method: "pm_card_chargeCustomerFail",
  });
  simulator.advance(31 * 86_400_000);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "past_due");
  const ended = await stripe.subscriptions.cancel(subscription.id);
  assert.equal(ended.status, "canceled");
  const types = simulator.objects("event").map(({ type }) => type);
  for (const type of [
    "invoice.paid",
    "invoice.payment_failed",
    "customer.subscription.updated",
    "customer.subscription.deleted",
  ]) {
    assert.ok(types.includes(type), type);
  }
});

test("checkout of a subscription, and its cancellation in the portal", async () => {
  const { simulator, stripe } = await open();
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [
      {
        price_data: {
          currency: "eur",
          unit_amount: 5_00,
          recurring: { interval: "week" },
          product_data: { name: "Club" },
        },
        quantity: 1,
      },
    ],
    subscription_data: { metadata: { plan: "club" } },
    success_url: "https://example.com",
  });
  simulator.pay(session.id);
  const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription"] });
  const subscription = paid.subscription as Stripe.Subscription;
  assert.deepEqual([subscription.status, subscription.metadata["plan"]], ["active", "club"]);
  const portal = await stripe.billingPortal.sessions.create({
    customer: String(paid.customer),
    return_url: "https://example.com",
  });
  assert.match(await (await fetch(portal.url)).text(), /Cancel/);
  await fetch(portal.url, {
    method: "POST",
    body: new URLSearchParams({ do: "cancel", subscription: subscription.id }),
  });
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).cancel_at_period_end, true);
  simulator.advance(8 * 86_400_000);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
});

test("lists are paged as the SDK walks them, and sessions expire", async () => {
  const { simulator, stripe } = await open();
  for (let index = 0; index < 25; index++) await stripe.customers.create({ name: String(index) });
  const names: string[] = [];
  for await (const customer of stripe.customers.list({ limit: 10 }))
    names.push(customer.name ?? "");
  assert.deepEqual(
    names,
    Array.from({ length: 25 }, (_, index) => String(24 - index)),
  );
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com",
  });
  simulator.advance(86_400_001);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, "expired");
  assert.throws(() => simulator.pay(session.id), /expired/);
});

/** A folder that is there until the end: a simulator writes its file when it is closed. */
function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-stripe-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a simulator that is started on the file of another goes on with it: pages, cards, keys, and webhooks that nobody took", async () => {
  const folder = tempFolder();
  const file = join(folder, "deep", "stripe.json");
  const deaf = await receiver("whsec_first", Number.MAX_SAFE_INTEGER);
  const first = await startStripeSimulator({
    ...{ file, webhookRetryMs: [60_000] },
    webhooks: [{ url: deaf.url, secret: "whsec_first" }],
  });
  const of = ({ host, port, secretKey }: typeof first) =>
    new Stripe(secretKey, { host, port, protocol: "http" });
  const before = of(first);
  const session = await before.checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com/done",
  });
  const customer = await before.customers.create({ email: "a@example.com" });
  const declined = await before.paymentMethods.create({
    type: "card",
    card: { number: "4000000000000002", exp_month: 12, exp_year: 2040 },
  });
  const charge = () => ({
    amount: 700,
    currency: "eur",
    confirm: true,
    payment_method: "pm_card_visa",
  });
  const key = { idempotencyKey: "once" };
  const paid = await before.paymentIntents.create(charge(), key);
  await first.settled();
  await first.close();

  const hook = await receiver("whsec_second");
  const second = await startStripeSimulator({ file });
  after(() => second.close());
  assert.equal(second.url, first.url, "where it was");
  second.addWebhook({ url: hook.url, secret: "whsec_second" });
  await second.settled();
  assert.ok(
    hook.events.some(({ type, data }) => {
      return type === "payment_intent.succeeded" && (data.object as { id: string }).id === paid.id;
    }),
    "what the first could not tell",
  );
  const stripe = of(second);
  assert.equal((await stripe.paymentIntents.create(charge(), key)).id, paid.id, "charged once");
  assert.equal((await stripe.customers.retrieve(customer.id)).id, customer.id);
  const again = { amount: 1, currency: "eur", confirm: true, payment_method: declined.id };
  assert.equal((await refusalOf(stripe.paymentIntents.create(again))).code, "card_declined");
  const page = await fetch(session.url ?? "");
  assert.match(await page.text(), /Seat F7/);
  assert.equal(second.pay(session.id), "https://example.com/done");
  await second.settled();
  const told = hook.events.map(({ type }) => type);
  assert.equal(told.filter((type) => type === "checkout.session.completed").length, 1);
  const made = await stripe.customers.create({ email: "b@example.com" });
  assert.notEqual(made.id, customer.id);
});

test("pages move along when the port of a simulator is taken", async () => {
  const folder = tempFolder();
  const file = join(folder, "stripe.json");
  const first = await startStripeSimulator({ file });
  const { host, port, secretKey } = first;
  const session = await new Stripe(secretKey, {
    host,
    port,
    protocol: "http",
  }).checkout.sessions.create({
    mode: "payment",
    line_items: lines,
    success_url: "https://example.com",
  });
  await first.close();
  const other = createServer().listen(port, "127.0.0.1");
  after(() => other.close());
  const second = await startStripeSimulator({ file });
  after(() => second.close());
  assert.notEqual(second.url, first.url);
  const moved = await new Stripe(secretKey, {
    ...{ host, port: second.port, protocol: "http" },
  }).checkout.sessions.retrieve(session.id);
  assert.ok(moved.url?.startsWith(second.url), moved.url ?? "");
});

test("faults of time and of the machine: a late webhook, a late answer, an error that the SDK tries again, a limit", async () => {
  const hook = await receiver("whsec_test");
  const { simulator, stripe } = await open({ webhooks: [{ url: hook.url, secret: "whsec_test" }] });
  simulator.failWebhook({ kind: "delay", on: "customer.created", ms: 150 });
  const customer = await stripe.customers.create({ email: "late@example.com" });
  await simulator.settled();
  assert.equal(hook.events.length, 0, "not yet");
  for (let tries = 0; tries < 500 && hook.events.length === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(
    (hook.events[0]?.data.object as { readonly id?: string } | undefined)?.id,
    customer.id,
  );

  simulator.failApi({ kind: "delay", on: "GET /v1/customers", ms: 120 });
  const askedMs = performance.now();
  await stripe.customers.retrieve(customer.id);
  assert.ok(performance.now() - askedMs >= 100);
  simulator.failApi({ kind: "serverError", on: "POST /v1/customers" });
  assert.match((await stripe.customers.create({ email: "again@example.com" })).id, /^cus_/);
  simulator.failApi({ kind: "rateLimit", on: "GET /v1/customers", times: 10 });
  assert.equal((await refusalOf(stripe.customers.retrieve(customer.id))).statusCode, 429);
});
