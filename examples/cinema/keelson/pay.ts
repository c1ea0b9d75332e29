// Money: what is owed for held seats, Stripe's page to pay it on, what Stripe says came of it, and what is given back.
import { isId, Refusal, t } from "keelson";
import { stripeOf, stripeWorld } from "keelson/stripe";
import { deliver } from "./letters.ts";
import { action, hook, mutation, query } from "./schema.ts";
import { holdExpiry, seatName } from "./seat.ts";

const seatsMax = 40;
/** Stripe wants half an hour at least. A hold ends long before, and who pays later gets the money back. */
const sessionSeconds = 3_600;

const line = t.object({ name: t.text({ max: 300 }), price: t.money("EUR") });

/**
 * Writes down that the caller is about to pay for the seats held at a screening, at the prices of the house, and has
 * Stripe's page made for it: `till` tells where. The same seats are the same payment, however often it is asked for.
 */
export const start = mutation({
  args: { screening: t.id("screening") },
  allow: "signed-in",
  limit: { perUser: "30/minute" },
  returns: t.id("payment"),
  async run({ db, me, now, enqueue }, { screening }) {
    const all = await db.booking.list({
      where: { screening, customer: me.id, status: "held" },
      orderBy: "id",
      limit: seatsMax,
      with: { screening: { with: { film: true } } },
    });
    const held = all.filter(({ heldAt }) => holdExpiry(heldAt) > now);
    if (held.length === 0) {
      throw new Refusal("NOTHING_HELD", "You hold no seat here. One is held for ten minutes.");
    }
    const ids = held.map(({ id }) => id);
    const lines = held.map(({ row, place, price, screening: show }) => {
      const film = show?.film?.title ?? "Film";
      return { name: `${film}, seat ${seatName(row, place)}`, price };
    });
    const last = held[0]?.payment ?? null;
    const amount = lines.reduce((sum, { price }) => sum + price, 0);
    if (amount === 0) throw new Refusal("NOTHING_OWED", "Nothing is to be paid.");
    const system = db.asSystem("the house writes its bills");
    const before = last === null ? null : await system.payment.get(last);
    if (before?.status === "open" && before.bookings.join() === ids.join()) return before.id;
    const draft = { customer: me.id, bookings: ids, amount, status: "open" } as const;
    const { id, begunAt } = await system.payment.create(draft);
    for (const booking of ids) await system.booking.update(booking, { payment: id });
    await enqueue(openPage, { payment: id, begunAt, lines });
    return id;
  },
});

/** Where a payment of the caller's is made; null until Stripe has said. */
export const till = query({
  args: { payment: t.id("payment") },
  allow: "signed-in",
  returns: t.text({ max: 2_000 }).optional(),
  async run({ db }, { payment }) {
    return (await db.payment.get(payment))?.page ?? null;
  },
});

/** Has Stripe make the page. */
export const openPage = action({
  hosts: stripeWorld.hosts,
  secrets: [...stripeWorld.secrets, "KEELSON_URL"],
  args: { payment: t.id("payment"), begunAt: t.time(), lines: t.list(line, { max: seatsMax }) },
  returns: t.nothing(),
  async run(ctx, { payment, begunAt, lines }) {
    const home = ctx.secret("KEELSON_URL");
    const { url } = await stripeOf(ctx).checkout.sessions.create(
      {
        mode: "payment",
        client_reference_id: payment,
        expires_at: Math.floor(Date.parse(begunAt) / 1_000) + sessionSeconds,
        success_url: `${home}/?paid`,
        cancel_url: `${home}/`,
        line_items: lines.map(({ name, price }) => ({
          price_data: { currency: "eur", unit_amount: price, product_data: { name } },
          quantity: 1,
        })),
      },
      { idempotencyKey: payment },
    );
    if (url !== null) await ctx.run(pageOpen, { payment, page: url });
  },
});

export const pageOpen = mutation({
  args: { payment: t.id("payment"), page: t.text({ max: 2_000 }) },
  returns: t.nothing(),
  async run({ db }, { payment, page }) {
    await db.asSystem("Stripe made the page").payment.update(payment, { page });
  },
});

interface Session {
  readonly client_reference_id: string | null;
  readonly payment_intent: string | null;
  readonly payment_status: string;
  readonly amount_total: number | null;
  readonly customer_details: { readonly email: string | null } | null;
}

/** What Stripe says. It says everything at least once and in any order; it has one effect. */
export const onStripe = mutation({
  args: { type: t.text({ max: 100 }).optional(), body: t.json({ maxBytes: 200_000 }) },
  async run({ db, run, enqueue, startWorkflow }, { type, body }) {
    if (type?.startsWith("checkout.session.") !== true) return;
    const { object } = (body as { readonly data: { readonly object: Session } }).data;
    const id = object.client_reference_id ?? "";
    const system = db.asSystem("Stripe says so");
    const payment = isId("payment", id) ? await system.payment.get(id) : null;
    if (payment === null || payment.status === "paid") return;
    if (type === "checkout.session.expired") {
      await system.payment.update(payment.id, { status: "expired" });
    }
    if (object.payment_status !== "paid" || object.payment_intent === null) return;
    if (object.amount_total !== payment.amount) {
      throw new Refusal("AMOUNT_WRONG", `${object.amount_total} was paid for ${payment.id}.`);
    }
    const email = object.customer_details?.email ?? null;
    const { payment_intent: intent } = object;
    await system.payment.update(payment.id, { status: "paid", intent, email });
    let kept = 0;
    for (const booking of payment.bookings) {
      const row = await system.booking.get(booking);
      if (row === null) continue;
      if (row.status === "held") {
        await system.booking.update(booking, { status: "paid", payment: payment.id });
        kept += 1;
        continue;
      }
      // Too late: the seat was let go, or paid for on another page.
      const refund = await run(owe, { booking, payment: payment.id });
      if (refund !== null) await enqueue(giveBack, { refund });
    }
    // In this transaction: whoever has paid gets a letter, whatever happens to the server.
    if (kept > 0) await startWorkflow(deliver, { payment: payment.id }, { key: payment.id });
  },
});

export const stripe = hook(
  "stripe",
  { verify: "stripe", secrets: ["STRIPE_WEBHOOK_SECRET"] },
  onStripe,
);

/** Writes down that the price of a booking is to be given back. @returns null when nothing was paid, or it is written down. */
export const owe = mutation({
  args: { booking: t.id("booking"), payment: t.id("payment").optional() },
  returns: t.id("refund").optional(),
  async run({ db }, { booking, payment }) {
    const system = db.asSystem("the house owes it");
    const row = await system.booking.get(booking);
    const by = payment ?? row?.payment ?? null;
    const paid = by === null ? null : await system.payment.get(by);
    if (row === null || row.price === 0 || paid === null || paid.status !== "paid") return null;
    const known = await system.refund.first({ where: { booking, payment: paid.id } });
    if (known !== null) return null;
    const draft = { booking, payment: paid.id, amount: row.price, status: "due" } as const;
    return (await system.refund.create(draft)).id;
  },
});

/** Gives money back. As often as it is tried, once. */
export const giveBack = action({
  ...stripeWorld,
  args: { refund: t.id("refund") },
  returns: t.nothing(),
  async run(ctx, { refund }) {
    const owed = await ctx.run(owedFor, { refund });
    if (owed === null) return;
    await stripeOf(ctx).refunds.create(
      { payment_intent: owed.intent, amount: owed.amount, metadata: { refund } },
      { idempotencyKey: refund },
    );
    await ctx.run(gaveBack, { refund });
  },
});

/** What is still due of a refund. */
export const owedFor = query({
  args: { refund: t.id("refund") },
  returns: t.object({ intent: t.text({ max: 100 }), amount: t.money("EUR") }).optional(),
  async run({ db }, { refund }) {
    const system = db.asSystem("the house owes it");
    const row = await system.refund.get(refund, { with: { payment: true } });
    const intent = row?.payment?.intent ?? null;
    return row?.status !== "due" || intent === null ? null : { intent, amount: row.amount };
  },
});

export const gaveBack = mutation({
  args: { refund: t.id("refund") },
  returns: t.nothing(),
  async run({ db }, { refund }) {
    await db.asSystem("Stripe took the refund").refund.update(refund, { status: "done" });
  },
});
