// What staff do, and what must hold whatever happens.
import { Refusal, t } from "keelson";
import { cron, invariant, mutation } from "./schema.ts";

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
