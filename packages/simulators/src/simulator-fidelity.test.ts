// What docs/reference/simulators.md says of every call is what the simulators do: each call is made here by the official
// SDK, with all the parameters that it takes, and what it looked for is held against the table.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  Configuration,
  CountryCode,
  PlaidApi,
  Products,
  SandboxItemFireWebhookRequestWebhookCodeEnum as Fired,
} from "plaid";
import { Stripe } from "stripe";
import type { CallFidelity, SimulatedCall } from "./http/simulated-call.ts";
import { plaidFidelity } from "./plaid/plaid-fidelity.ts";
import { plaidCalls, startPlaidSimulator } from "./plaid/plaid-simulator.ts";
import { stripeFidelity } from "./stripe/stripe-fidelity.ts";
import { startStripeSimulator, stripeCalls } from "./stripe/stripe-simulator.ts";

/** What was looked for, by call. */
class Seen {
  readonly #takes = new Map<string, Set<string>>();
  readonly #ignores = new Map<string, Set<string>>();

  readonly add = ({ name, takes, ignores }: SimulatedCall): void => {
    this.#of(this.#takes, name, takes);
    this.#of(this.#ignores, name, ignores);
  };

  calls(): readonly SimulatedCall[] {
    return [...this.#takes.keys()].toSorted().map((name) => ({
      name,
      takes: [...(this.#takes.get(name) ?? [])].toSorted(),
      ignores: [...(this.#ignores.get(name) ?? [])].toSorted(),
    }));
  }

  #of(map: Map<string, Set<string>>, name: string, names: readonly string[]): void {
    const known = map.get(name) ?? new Set();
    for (const one of names) known.add(one);
    map.set(name, known);
  }
}

function hold(table: readonly CallFidelity[], seen: Seen, all: readonly string[]): void {
  const said = table.map(({ name, takes, ignores }) => ({ name, takes, ignores }));
  assert.deepEqual(
    said.map(({ name }) => name).toSorted(),
    all.toSorted(),
    "the table has every call, and no other",
  );
  assert.deepEqual(
    said.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    seen.calls(),
  );
}

test("every call of the simulated Stripe takes what the page says", async () => {
  const seen = new Seen();
  const simulator = await startStripeSimulator({ onCall: seen.add });
  after(() => simulator.close());
  const { host, port, secretKey } = simulator;
  const stripe = new Stripe(secretKey, { host, port, protocol: "http" });
  const page = { limit: 3, created: { gte: 1 } };
  const metadata = { a: "b" };

  const customer = await stripe.customers.create({ email: "a@example.com", name: "A", metadata });
  await stripe.customers.update(customer.id, { name: "B" });
  await stripe.customers.retrieve(customer.id);
  await stripe.customers.list(page);
  const product = await stripe.products.create({ name: "Seat" });
  await stripe.products.retrieve(product.id);
  await stripe.products.list(page);
  const recurring = { interval: "month" } as const;
  const price = await stripe.prices.create({
    ...{ currency: "eur", unit_amount: 900, product: product.id, recurring },
  });
  await stripe.prices.create({ currency: "eur", unit_amount: 1, product_data: { name: "Own" } });
  await stripe.prices.retrieve(price.id);
  await stripe.prices.list(page);

  const number = "4242424242424242";
  const card = { number, exp_month: 12, exp_year: 2040, cvc: "123" };
  const method = await stripe.paymentMethods.create({ type: "card", card });
  await stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" } });
  await stripe.paymentMethods.attach(method.id, { customer: customer.id });
  await stripe.paymentMethods.retrieve(method.id);
  await stripe.paymentMethods.list({ ...page, customer: customer.id });
  const invoice_settings = { default_payment_method: method.id };
  await stripe.customers.update(customer.id, { invoice_settings });

  const money = { amount: 700, currency: "eur" };
  const manual = await stripe.paymentIntents.create({ ...money, capture_method: "manual" });
  await stripe.paymentIntents.confirm(manual.id, { payment_method: "pm_card_visa" });
  await stripe.paymentIntents.capture(manual.id, { amount_to_capture: 600 });
  const intent = await stripe.paymentIntents.create({
    ...{ ...money, confirm: true, off_session: true },
    // The SDK's types know no bare numbers: PCI forbids them to most.
    payment_method_data: { type: "card", card: { number } } as never,
  });
  await stripe.paymentIntents.retrieve(intent.id);
  await stripe.paymentIntents.list(page);
  const open = await stripe.paymentIntents.create(money);
  await stripe.paymentIntents.cancel(open.id, { cancellation_reason: "abandoned" });
  const other = await stripe.paymentIntents.create(money);
  await stripe.paymentIntents.confirm(other.id, {
    payment_method_data: { type: "card", card: { number } } as never,
  });
  const charges = await stripe.charges.list(page);
  await stripe.charges.retrieve(charges.data[0]?.id ?? "");
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 100 });
  await stripe.refunds.create({ charge: String(intent.latest_charge), amount: 100 });
  await stripe.refunds.retrieve(refund.id);
  await stripe.refunds.list(page);

  const success_url = "https://example.com";
  const price_data = { currency: "eur", unit_amount: 900, product_data: { name: "Seat" } };
  const session = await stripe.checkout.sessions.create({
    ...{ mode: "payment", success_url, customer: customer.id },
    line_items: [{ quantity: 1, price_data }],
    payment_intent_data: { metadata },
  });
  await stripe.checkout.sessions.create({
    ...{ mode: "subscription", success_url, customer_email: "b@example.com" },
    line_items: [{ quantity: 1, price: price.id }],
    subscription_data: { metadata },
  });
  await stripe.checkout.sessions.retrieve(session.id);
  await stripe.checkout.sessions.list(page);
  await stripe.checkout.sessions.listLineItems(session.id);
  await stripe.checkout.sessions.expire(session.id);
  await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: success_url });

  const subscription = await stripe.subscriptions.create({
    ...{ customer: customer.id, items: [{ price: price.id }], default_payment_method: method.id },
  });
  const [item] = subscription.items.data;
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item?.id ?? "", quantity: 2 }],
    cancel_at_period_end: true,
  });
  await stripe.subscriptions.retrieve(subscription.id);
  await stripe.subscriptions.list({ ...page, status: "active" });
  await stripe.subscriptions.cancel(subscription.id);
  const invoices = await stripe.invoices.list(page);
  await stripe.invoices.retrieve(invoices.data[0]?.id ?? "");

  const events = await stripe.events.list({ ...page, types: ["charge.refunded"] });
  await stripe.events.retrieve(events.data[0]?.id ?? "");
  const url = "http://127.0.0.1:9/";
  const hook = await stripe.webhookEndpoints.create({ url, enabled_events: ["charge.refunded"] });
  await stripe.webhookEndpoints.list({ limit: 3 });
  await stripe.webhookEndpoints.del(hook.id);
  await stripe.paymentMethods.detach(method.id);
  await stripe.customers.del(customer.id);
  hold(stripeFidelity, seen, stripeCalls());
});

test("every call of the simulated Plaid takes what the page says", async () => {
  const seen = new Seen();
  const simulator = await startPlaidSimulator({ onCall: seen.add });
  after(() => simulator.close());
  const headers = { "PLAID-CLIENT-ID": simulator.clientId, "PLAID-SECRET": simulator.secret };
  const configuration = new Configuration({ basePath: simulator.url, baseOptions: { headers } });
  const plaid = new PlaidApi(configuration);
  const webhook = "http://127.0.0.1:9/";
  await plaid.linkTokenCreate({
    ...{ client_name: "Cinema", language: "en", country_codes: [CountryCode.Us], webhook },
    user: { client_user_id: "user_1" },
    products: [Products.Transactions],
  });
  const made = await plaid.sandboxPublicTokenCreate({
    institution_id: "ins_109508",
    initial_products: [Products.Transactions],
    options: { webhook },
  });
  const { public_token } = made.data;
  const { access_token } = (await plaid.itemPublicTokenExchange({ public_token })).data;
  await plaid.itemGet({ access_token });
  await plaid.itemWebhookUpdate({ access_token, webhook });
  await plaid.accountsGet({ access_token });
  await plaid.accountsBalanceGet({ access_token });
  await plaid.transactionsSync({ access_token, cursor: "", count: 10 });
  await plaid.transactionsRefresh({ access_token });
  await plaid.webhookVerificationKeyGet({ key_id: "sim-key-1" });
  const webhook_code = Fired.SyncUpdatesAvailable;
  await plaid.sandboxItemFireWebhook({ access_token, webhook_code });
  await plaid.sandboxItemResetLogin({ access_token });
  await plaid.itemRemove({ access_token });
  hold(plaidFidelity, seen, plaidCalls());
});
