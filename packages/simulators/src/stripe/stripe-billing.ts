// Subscriptions and their invoices (https://docs.stripe.com/billing/subscriptions/overview): made, renewed when time
// passes, past due when a card fails, cancelled.
import { paymentMethodOf } from "./stripe-cards.ts";
import { StripeError, wrongState } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeParams } from "./stripe-params.ts";
import { confirmPayment, makePayment } from "./stripe-payments.ts";
import type { StripeRoute } from "./stripe-route.ts";
import { hiddenOf, type StripeObject, type StripeState } from "./stripe-state.ts";

/** What a subscription is made of. */
export interface SubscriptionOrder {
  readonly customer: string;
  readonly items: readonly { readonly price: StripeObject; readonly quantity: number }[];
  readonly method: StripeObject | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly trialDays: number;
  readonly url: string;
}

interface Item {
  readonly id: string;
  readonly price: StripeObject;
  quantity: number;
  current_period_start: number;
  current_period_end: number;
}

const daySeconds = 86_400;
const attemptsMax = 4;

/** Makes a subscription and has its first invoice paid. */
export function makeSubscription(state: StripeState, order: SubscriptionOrder): StripeObject {
  const start = state.now();
  const trialEnd = order.trialDays > 0 ? start + order.trialDays * daySeconds : null;
  const items = order.items.map(({ price, quantity }) => ({
    id: state.id("si"),
    object: "subscription_item",
    price,
    quantity,
    current_period_start: start,
    current_period_end: trialEnd ?? periodEnd(start, price),
  }));
  const subscription = state.make("sub", "subscription", {
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null as number | null,
    collection_method: "charge_automatically",
    currency: String(order.items[0]?.price["currency"] ?? "usd"),
    customer: order.customer,
    default_payment_method: order.method?.id ?? null,
    ended_at: null as number | null,
    items: { object: "list", has_more: false, url: "/v1/subscription_items", data: items },
    latest_invoice: null as string | null,
    metadata: order.metadata,
    start_date: start,
    status: trialEnd === null ? "incomplete" : "trialing",
    trial_start: trialEnd === null ? null : start,
    trial_end: trialEnd,
  });
  if (trialEnd === null) {
    const isPaid = payInvoice(state, subscription, {
      reason: "subscription_create",
      url: order.url,
    });
    subscription["status"] = isPaid ? "active" : "incomplete";
  }
  state.emit("customer.subscription.created", subscription);
  return subscription;
}

/** Renews, retries and ends what is due now. */
export function renewSubscriptions(state: StripeState, url: string): void {
  for (const subscription of state.all("subscription").toReversed()) {
    while (isDue(state, subscription)) renew(state, subscription, url);
  }
}

function isDue(state: StripeState, subscription: StripeObject): boolean {
  const isRunning = ["active", "trialing", "past_due"].includes(String(subscription["status"]));
  return isRunning && (itemsOf(subscription)[0]?.current_period_end ?? Infinity) <= state.now();
}

function renew(state: StripeState, subscription: StripeObject, url: string): void {
  const before = { status: subscription["status"] };
  if (subscription["cancel_at_period_end"] === true) {
    end(state, subscription);
    return;
  }
  for (const item of itemsOf(subscription)) {
    item.current_period_start = item.current_period_end;
    item.current_period_end = periodEnd(item.current_period_end, item.price);
  }
  const isPaid = payInvoice(state, subscription, { reason: "subscription_cycle", url });
  subscription["status"] = isPaid ? "active" : "past_due";
  const known = hiddenOf(subscription);
  const failed = isPaid ? 0 : (known.failures ?? 0) + 1;
  known.failures = failed;
  if (failed >= attemptsMax) {
    end(state, subscription);
    return;
  }
  state.emit("customer.subscription.updated", subscription, before);
}

function end(state: StripeState, subscription: StripeObject): void {
  const now = state.now();
  Object.assign(subscription, { status: "canceled", canceled_at: now, ended_at: now });
  state.emit("customer.subscription.deleted", subscription);
}

/** @returns whether it was paid. */
function payInvoice(
  state: StripeState,
  subscription: StripeObject,
  { reason, url }: { readonly reason: string; readonly url: string },
): boolean {
  const lines = itemsOf(subscription).map((item) => ({
    id: state.id("il"),
    object: "line_item",
    amount: Number(item.price["unit_amount"]) * item.quantity,
    currency: item.price["currency"],
    description: null,
    period: { start: item.current_period_start, end: item.current_period_end },
    pricing: {
      type: "price_details",
      price_details: { price: item.price.id, product: item.price["product"] },
    },
    quantity: item.quantity,
  }));
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  const invoice = state.make("in", "invoice", {
    amount_due: total,
    amount_paid: 0,
    amount_remaining: total,
    attempt_count: 1,
    attempted: true,
    billing_reason: reason,
    collection_method: "charge_automatically",
    currency: subscription["currency"],
    customer: subscription["customer"],
    hosted_invoice_url: null,
    lines: { object: "list", has_more: false, url: "/v1/invoices/lines", data: lines },
    metadata: {},
    parent: {
      type: "subscription_details",
      subscription_details: { subscription: subscription.id, metadata: subscription["metadata"] },
    },
    status: "open",
    total,
  });
  subscription["latest_invoice"] = invoice.id;
  state.emit("invoice.created", invoice);
  state.emit("invoice.finalized", invoice);
  if (total > 0 && !charge(state, subscription, { total, url })) {
    state.emit("invoice.payment_failed", invoice);
    return false;
  }
  Object.assign(invoice, { status: "paid", amount_paid: total, amount_remaining: 0 });
  state.emit("invoice.paid", invoice);
  state.emit("invoice.payment_succeeded", invoice);
  return true;
}

function charge(
  state: StripeState,
  subscription: StripeObject,
  { total, url }: { readonly total: number; readonly url: string },
): boolean {
  const customer = state.find(String(subscription["customer"]));
  const settings = customer?.["invoice_settings"] as
    | { readonly default_payment_method?: string }
    | undefined;
  const method = subscription["default_payment_method"] ?? settings?.default_payment_method ?? null;
  if (typeof method !== "string") return false;
  const intent = makePayment(state, {
    amount: total,
    currency: String(subscription["currency"]),
    customer: String(subscription["customer"]),
    metadata: {},
    description: "Subscription",
    captureMethod: "automatic",
  });
  try {
    const confirmation = { method: state.get("payment_method", method), offSession: true, url };
    return confirmPayment(state, intent, confirmation)["status"] === "succeeded";
  } catch (error) {
    if (error instanceof StripeError) return false;
    throw error;
  }
}

function periodEnd(start: number, price: StripeObject): number {
  const recurring = price["recurring"] as {
    readonly interval: string;
    readonly interval_count: number;
  } | null;
  const { interval = "month", interval_count: count = 1 } = recurring ?? {};
  const at = new Date(start * 1_000);
  if (interval === "day") at.setUTCDate(at.getUTCDate() + count);
  else if (interval === "week") at.setUTCDate(at.getUTCDate() + 7 * count);
  else {
    const months = interval === "year" ? 12 * count : count;
    const day = at.getUTCDate();
    at.setUTCMonth(at.getUTCMonth() + months, 1);
    const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
    at.setUTCDate(Math.min(day, last));
  }
  return Math.floor(at.getTime() / 1_000);
}

function itemsOf(subscription: StripeObject): Item[] {
  return (subscription["items"] as { readonly data: Item[] }).data;
}

function change(
  state: StripeState,
  subscription: StripeObject,
  params: StripeParams,
): StripeObject {
  if (subscription["status"] === "canceled") {
    throw wrongState("resource_missing", "A canceled subscription can't be changed.");
  }
  const before: Record<string, unknown> = {};
  const atEnd = params.flag("cancel_at_period_end");
  if (atEnd !== null) {
    before["cancel_at_period_end"] = subscription["cancel_at_period_end"];
    subscription["cancel_at_period_end"] = atEnd;
    subscription["canceled_at"] = atEnd ? state.now() : null;
  }
  const method = params.text("default_payment_method");
  if (method !== null) {
    before["default_payment_method"] = subscription["default_payment_method"];
    subscription["default_payment_method"] = paymentMethodOf(state, method).id;
  }
  for (const asked of params.objects("items")) {
    const id = asked.text("id");
    const item = itemsOf(subscription).find((one) => id === null || one.id === id);
    const price = asked.text("price");
    const quantity = asked.int("quantity");
    if (item === undefined)
      throw wrongState("resource_missing", `No such subscription item: ${id}`);
    before["items"] ??= structuredClone(subscription["items"]);
    if (price !== null) Object.assign(item, { price: state.get("price", price) });
    if (quantity !== null) item.quantity = quantity;
  }
  const metadata = params.map("metadata");
  if (Object.keys(metadata).length > 0) {
    before["metadata"] = subscription["metadata"];
    subscription["metadata"] = { ...(subscription["metadata"] as object), ...metadata };
  }
  params.ignore("proration_behavior");
  params.done();
  state.emit("customer.subscription.updated", subscription, before);
  return subscription;
}

/** Calls about subscriptions and invoices. */
export const billingRoutes: readonly StripeRoute[] = [
  {
    method: "POST",
    path: "/v1/subscriptions",
    run: ({ state, params, url }) => {
      const customer = state.get("customer", params.needed("customer")).id;
      const items = params.objects("items").map((item) => ({
        price: state.get("price", item.needed("price")),
        quantity: item.int("quantity") ?? 1,
      }));
      if (items.length === 0) params.needed("items");
      const method = params.text("default_payment_method");
      const order = {
        customer,
        items,
        method: method === null ? null : paymentMethodOf(state, method),
        metadata: params.map("metadata"),
        trialDays: params.int("trial_period_days") ?? 0,
        url,
      };
      params.ignore("payment_behavior", "payment_settings", "off_session");
      params.done();
      return makeSubscription(state, order);
    },
  },
  {
    method: "GET",
    path: "/v1/subscriptions",
    run: (call) => {
      const status = call.params.text("status");
      const page = listOf(
        call,
        "subscription",
        "/v1/subscriptions",
        status === "all" ? ["customer"] : ["customer", "status"],
      );
      return page;
    },
  },
  {
    method: "GET",
    path: "/v1/subscriptions/:id",
    run: ({ state, path }) => state.get("subscription", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/subscriptions/:id",
    run: ({ state, path, params }) =>
      change(state, state.get("subscription", path["id"] ?? ""), params),
  },
  {
    method: "DELETE",
    path: "/v1/subscriptions/:id",
    run: ({ state, path }) => {
      const subscription = state.get("subscription", path["id"] ?? "");
      if (subscription["status"] !== "canceled") end(state, subscription);
      return subscription;
    },
  },
  {
    method: "GET",
    path: "/v1/invoices",
    run: (call) => listOf(call, "invoice", "/v1/invoices", ["customer", "status"]),
  },
  {
    method: "GET",
    path: "/v1/invoices/:id",
    run: ({ state, path }) => state.get("invoice", path["id"] ?? ""),
  },
];
