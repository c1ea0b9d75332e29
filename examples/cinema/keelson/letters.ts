// Letters to customers: the tickets when they are paid for, and bad news. Their words are in mail/.
import { t } from "keelson";
import { action, query, workflow } from "./schema.ts";
import { seatName } from "./seat.ts";

/** Sends the tickets of a payment. */
export const deliver = workflow({
  args: { payment: t.id("payment") },
  async run({ step }, { payment }) {
    await step(sendTickets, { payment });
  },
});

const words = t.object({
  to: t.text({ max: 320 }),
  film: t.text({ max: 200 }),
  hall: t.text({ max: 40 }),
  startsAt: t.text({ max: 40 }),
  seats: t.text({ max: 400 }),
  amount: t.text({ max: 40 }),
});

/** Writes to whoever paid. An attempt that is made again may send the letter twice. */
export const sendTickets = action({
  args: { payment: t.id("payment") },
  returns: t.nothing(),
  async run(ctx, { payment }) {
    const letter = await ctx.run(ticketWords, { payment });
    if (letter === null) return;
    const { to, film, hall, startsAt, seats } = letter;
    await ctx.mail.send({ to, template: "ticket", data: { film, hall, startsAt, seats } });
  },
});

/** Tells a customer that a screening was called off, and what comes back. */
export const sendCalledOff = action({
  args: { refund: t.id("refund") },
  returns: t.nothing(),
  async run(ctx, { refund }) {
    const letter = await ctx.run(refundWords, { refund });
    if (letter === null) return;
    const { to, film, startsAt, seats, amount } = letter;
    await ctx.mail.send({ to, template: "called-off", data: { film, startsAt, seats, amount } });
  },
});

/** What a ticket says; null when there is nobody to send it to, or nothing that was kept. */
export const ticketWords = query({
  args: { payment: t.id("payment") },
  returns: words.optional(),
  async run({ db }, { payment }) {
    const system = db.asSystem("the house writes to its customers");
    const paid = await system.payment.get(payment);
    const seats = await system.booking.list({
      where: { payment, status: "paid" },
      orderBy: "id",
      limit: 40,
      with: { screening: { with: { film: true } } },
    });
    const show = seats[0]?.screening ?? null;
    if (paid === null || paid.email === null || show === null) return null;
    const names = seats.map(({ row, place }) => seatName(row, place)).join(", ");
    return wordsOf(paid.email, show, { names, amount: paid.amount });
  },
});

/** What is said of a refund; null when nobody told where to write to. */
export const refundWords = query({
  args: { refund: t.id("refund") },
  returns: words.optional(),
  async run({ db }, { refund }) {
    const row = await db.asSystem("the house writes to its customers").refund.get(refund, {
      with: { payment: true, booking: { with: { screening: { with: { film: true } } } } },
    });
    const to = row?.payment?.email ?? null;
    const show = row?.booking?.screening ?? null;
    if (row === null || row.booking === null || to === null || show === null) return null;
    const names = seatName(row.booking.row, row.booking.place);
    return wordsOf(to, show, { names, amount: row.amount });
  },
});

interface Show {
  readonly hall: string;
  readonly startsAt: string;
  readonly film: { readonly title: string } | null;
}

function wordsOf(
  to: string,
  { film, hall, startsAt }: Show,
  { names, amount }: { readonly names: string; readonly amount: number },
) {
  return {
    ...{ to, hall, seats: names, film: film?.title ?? "the film" },
    startsAt: `${startsAt.slice(0, 16).replace("T", " ")} UTC`,
    amount: `EUR ${(amount / 100).toFixed(2)}`,
  };
}
