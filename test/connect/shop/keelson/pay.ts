// A shop with Stripe: checkout, refunds, a subscription, what webhooks say, and what they did not bring.
import { Refusal, t } from "keelson";
import { reconcileStripe, stripeOf, stripeWorld } from "keelson/stripe";
import { action, hook, mutation, query } from "./schema.ts";

const system = "the shop's own books";

export const place = mutation({
  args: { name: t.text({ max: 40 }), price: t.money("EUR") },
  allow: "anyone",
  returns: t.id("order"),
  async run({ db }, { name, price }) {
    return (await db.asSystem(system).order.create({ name, price, status: "open" })).id;
  },
});

export const read = query({
  args: { order: t.id("order") },
  allow: "anyone",
  returns: t.json(),
  run: ({ db }, { order }) => db.asSystem(system).order.get(order),
});

export const checkout = action({
  ...stripeWorld,
  args: { order: t.id("order") },
  allow: "anyone",
  returns: t.text({ max: 2_000 }),
  async run(ctx, { order }) {
    const { name, price } = (await ctx.run(read, { order })) as { name: string; price: number };
    const session = await stripeOf(ctx).checkout.sessions.create({
      mode: "payment",
      client_reference_id: order,
      success_url: "http://localhost/done",
      line_items: [
        {
          price_data: { currency: "eur", unit_amount: price, product_data: { name } },
          quantity: 1,
        },
      ],
    });
    return session.id;
  },
});

export const subscribe = action({
  ...stripeWorld,
  args: { email: t.text({ max: 100 }) },
  allow: "anyone",
  returns: t.json(),
  async run(ctx, { email }) {
    const stripe = stripeOf(ctx);
    const customer = await stripe.customers.create({ email });
    const session = await stripe.checkout.sessions.create({
      mode: "subscription",
      customer: customer.id,
      success_url: "http://localhost/done",
      line_items: [
        {
          price_data: {
            currency: "eur",
            unit_amount: 900,
            recurring: { interval: "month" },
            product_data: { name: "Friends of the house" },
          },
          quantity: 1,
        },
      ],
    });
    const portal = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      return_url: "http://localhost/",
    });
    return { customer: customer.id, session: session.id, portal: portal.url };
  },
});

/** Charges by itself, as a job does. Fails after the money was taken, the first time. */
export const charge = action({
  ...stripeWorld,
  args: { order: t.id("order"), failures: t.int() },
  async run(ctx, { order, failures }) {
    const stripe = stripeOf(ctx);
    const payment = await stripe.paymentIntents.create({
      amount: 700,
      currency: "eur",
      confirm: true,
      payment_method: "pm_card_visa",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      metadata: { order },
    });
    if ((ctx.job?.attempt ?? 0) <= failures) throw new Refusal("LATE", "After the charge.");
    await ctx.run(paid, { order, payment: payment.id });
  },
});

export const chargeLater = mutation({
  args: { order: t.id("order"), failures: t.int() },
  allow: "anyone",
  async run({ enqueue }, args) {
    await enqueue(charge, args);
  },
});

export const paid = mutation({
  args: { order: t.id("order"), payment: t.text({ max: 100 }).optional() },
  async run({ db }, { order, payment }) {
    await db.asSystem(system).order.update(order, { status: "paid", payment });
  },
});

export const refund = action({
  ...stripeWorld,
  args: { order: t.id("order") },
  allow: "anyone",
  async run(ctx, { order }) {
    const { payment } = (await ctx.run(read, { order })) as { payment: string };
    await stripeOf(ctx).refunds.create({ payment_intent: payment });
  },
});

interface StripeEvent {
  readonly data: { readonly object: { readonly [key: string]: unknown } };
}

export const onStripe = mutation({
  args: { type: t.text({ max: 100 }).optional(), body: t.json({ maxBytes: 200_000 }) },
  async run({ db }, { type, body }) {
    const all = db.asSystem("Stripe says so");
    const { object } = (body as StripeEvent).data;
    if (type === "checkout.session.completed" && object["mode"] === "payment") {
      const payment = String(object["payment_intent"]);
      await all.order.update(object["client_reference_id"] as never, { status: "paid", payment });
    }
    if (type === "charge.refunded") {
      const where = { payment: String(object["payment_intent"]) };
      for (const { id } of await all.order.list({ where })) {
        await all.order.update(id, { status: "refunded" });
      }
    }
    if (type?.startsWith("customer.subscription.") === true) {
      const customer = String(object["customer"]);
      const isActive = object["status"] === "active";
      const known = await all.entitlement.first({ where: { customer } });
      if (known === null) await all.entitlement.create({ customer, isActive });
      else await all.entitlement.update(known.id, { isActive });
    }
  },
});

export const stripe = hook(
  "stripe",
  { verify: "stripe", secrets: ["STRIPE_WEBHOOK_SECRET"] },
  onStripe,
);

export const entitled = query({
  args: { customer: t.text({ max: 60 }) },
  allow: "anyone",
  returns: t.bool(),
  async run({ db }, { customer }) {
    const row = await db.asSystem(system).entitlement.first({ where: { customer } });
    return row?.isActive === true;
  },
});

export const reconcile = action({
  ...stripeWorld,
  args: { since: t.int() },
  allow: "anyone",
  returns: t.json(),
  run: (ctx, { since }) => reconcileStripe(ctx, { hook: "stripe", since }),
});
