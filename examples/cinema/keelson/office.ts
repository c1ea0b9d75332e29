// What staff do, and what must hold whatever happens.
import { Refusal, t, type Id } from "keelson";
import { sendCalledOff } from "./letters.ts";
import { giveBack, owe } from "./pay.ts";
import { cron, invariant, mutation, query, workflow } from "./schema.ts";

/** Puts a film on the programme: one screening a day at the same hour. */
export const schedule = mutation({
  args: {
    film: t.id("film"),
    hall: t.text({ min: 1, max: 40 }),
    firstAt: t.time(),
    days: t.int({ min: 1, max: 31 }),
    price: t.money("EUR", { min: 0, max: 100_00 }),
    rows: t.int({ min: 1, max: 25 }),
    seatsPerRow: t.int({ min: 1, max: 40 }),
  },
  allow: { role: ["staff"] },
  returns: t.int(),
  async run({ db }, { film, hall, firstAt, days, price, rows, seatsPerRow }) {
    const dayMs = 86_400_000;
    for (let day = 0; day < days; day++) {
      const startsAt = new Date(Date.parse(firstAt) + day * dayMs).toISOString();
      await db.screening.create({ film, hall, startsAt, price, rows, seatsPerRow });
    }
    return days;
  },
});

/** The next screenings with what is sold of them, and what is still to be given back. */
export const programme = query({
  args: {},
  allow: { role: ["staff"] },
  returns: t.list(
    t.object({
      id: t.id("screening"),
      film: t.text({ max: 200 }),
      hall: t.text({ max: 40 }),
      startsAt: t.time(),
      status: t.oneOf("planned", "off"),
      held: t.int(),
      paid: t.int(),
      due: t.int(),
    }),
    { max: 50 },
  ),
  async run({ db, now }) {
    const shows = await db.screening.list({
      where: { startsAt: { gt: now } },
      orderBy: "startsAt",
      limit: 50,
      with: { film: true },
    });
    const screening = { in: shows.map(({ id }) => id) };
    const sold = await db.booking.aggregate({
      where: { screening, status: { in: ["held", "paid"] } },
      groupBy: ["screening", "status"],
      values: { seats: "count" },
    });
    const owed = await db.refund.list({
      where: { status: "due" },
      with: { booking: true },
      limit: 1_000,
    });
    const seats = (id: Id<"screening">, status: string) =>
      sold.find((one) => one.screening === id && one.status === status)?.seats ?? 0;
    return shows.map(({ id, film, hall, startsAt, status }) => ({
      ...{ id, hall, startsAt, status, film: film?.title ?? "" },
      held: seats(id, "held"),
      paid: seats(id, "paid"),
      due: owed.filter(({ booking }) => booking?.screening === id).length,
    }));
  },
});

/** Calls a screening off: nobody books it from this moment, and everybody who paid gets the money back. */
export const callOff = mutation({
  args: { screening: t.id("screening") },
  allow: { role: ["staff"] },
  returns: t.nothing(),
  async run({ db, startWorkflow }, { screening }) {
    await db.screening.update(screening, { status: "off" });
    await startWorkflow(calledOff, { screening }, { key: screening });
  },
});

/** Frees the seats, some at a time, and gives back what was paid for them. */
export const calledOff = workflow({
  args: { screening: t.id("screening") },
  async run({ step, tell, restart }, { screening }) {
    const { refunds, isLast } = await step(freeSeats, { screening });
    tell(`${refunds.length} to be given back`);
    const settle = async (refund: Id<"refund">) => {
      await step(giveBack, { refund });
      await step(sendCalledOff, { refund });
    };
    // One that fails keeps no other waiting. Its refund stays due, for staff to see.
    await Promise.allSettled(refunds.map(settle));
    if (!isLast) restart({ screening });
  },
});

/** Takes seats of a screening back. @returns what is owed for them. */
export const freeSeats = mutation({
  args: { screening: t.id("screening") },
  returns: t.object({ refunds: t.list(t.id("refund"), { max: 100 }), isLast: t.bool() }),
  async run({ db, run }, { screening }) {
    const system = db.asSystem("the house called the screening off");
    const pageMax = 100;
    const sold = await system.booking.list({
      where: { screening, status: { in: ["held", "paid"] } },
      limit: pageMax,
    });
    const refunds: Id<"refund">[] = [];
    for (const { id, status } of sold) {
      await system.booking.update(id, { status: "cancelled" });
      const refund = status === "paid" ? await run(owe, { booking: id }) : null;
      if (refund !== null) refunds.push(refund);
    }
    return { refunds, isLast: sold.length < pageMax };
  },
});

/** Makes somebody who signed up one of the staff. The first one: `keelson run office.hire`. */
export const hire = mutation({
  args: { email: t.text({ max: 320, format: "email" }) },
  allow: { role: ["staff"] },
  returns: t.id("user"),
  async run({ db }, { email }) {
    const system = db.asSystem("staff hire staff");
    const user = await system.user.first({ where: { email: email.toLowerCase() } });
    if (user === null) throw new Refusal("NOBODY", "Nobody with this address has signed up.");
    await system.user.update(user.id, { role: "staff" });
    return user.id;
  },
});

/** Writes down what the day before brought. */
export const report = mutation({
  args: { at: t.time() },
  returns: t.nothing(),
  async run({ db }, { at }) {
    const dayMs = 86_400_000;
    const day = new Date(Date.parse(at) - dayMs).toISOString().slice(0, 10);
    const system = db.asSystem("the house's own books");
    const { tickets, income } = await system.booking.aggregate({
      where: {
        status: "paid",
        heldAt: { gte: `${day}T00:00:00.000Z`, lt: `${at.slice(0, 10)}T00:00:00.000Z` },
      },
      values: { tickets: "count", income: { sum: "price" } },
    });
    const known = await system.report.first({ where: { day } });
    if (known === null) await system.report.create({ day, tickets, income: income ?? 0 });
    else await system.report.update(known.id, { tickets, income: income ?? 0 });
  },
});

export const nightly = cron("every day at 03:00", { zone: "UTC" }, report);

interface SoldPage {
  readonly rows: readonly {
    readonly screening: string;
    readonly row: number;
    readonly place: number;
  }[];
  readonly next: string | null;
}

/** No seat is sold twice, whatever road the booking took. */
export const eachSeatOnce = invariant(async ({ db }) => {
  const sold = new Set<string>();
  let after: string | null = null;
  do {
    const page: SoldPage = await db.booking.page({
      where: { status: { in: ["held", "paid"] } },
      select: ["screening", "row", "place"],
      orderBy: "id",
      limit: 1_000,
      ...(after !== null && { after }),
    });
    for (const { screening, row, place } of page.rows) {
      const seat = `${screening} ${row} ${place}`;
      if (sold.has(seat)) return false;
      sold.add(seat);
    }
    after = page.next;
  } while (after !== null);
  return true;
});
