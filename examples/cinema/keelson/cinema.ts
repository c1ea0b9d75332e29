// What the page does: see what plays and a screening's seats, hold one, let go. Paying is in pay.ts.
import { Refusal, t, type Id } from "keelson";
import { giveBack, owe } from "./pay.ts";
import { mutation, query } from "./schema.ts";
import { holdExpiry, parseSeat, seatName } from "./seat.ts";

/** The films that can be seen from now on. */
export const playing = query({
  args: {},
  allow: "anyone",
  returns: t.list(t.id("film"), { max: 500 }),
  async run({ db, now }) {
    const shows = await db.screening.list({
      where: { startsAt: { gt: now }, status: "planned" },
      orderBy: "startsAt",
      select: ["film"],
      limit: 1_000,
    });
    return [...new Set(shows.map(({ film }) => film))].slice(0, 500);
  },
});

/** Every seat of a screening and whether it can still be had. Says nothing of who holds the others. */
export const seats = query({
  args: { screening: t.id("screening") },
  allow: "anyone",
  returns: t.list(t.object({ seat: t.text({ max: 4 }), state: t.oneOf("free", "taken", "mine") }), {
    max: 1_000,
  }),
  async run({ db, me, now }, { screening }) {
    const show = await db.screening.get(screening);
    if (show === null) throw new Refusal("NO_SCREENING", "There is no such screening.");
    const sold = await db.asSystem("only taken or free leaves").booking.list({
      where: { screening, status: { in: ["held", "paid"] } },
      select: ["row", "place", "customer", "status", "heldAt"],
      limit: 1_000,
    });
    const holders = new Map<string, Id<"user">>();
    for (const { row, place, customer, status, heldAt } of sold) {
      if (status === "held" && holdExpiry(heldAt) <= now) continue;
      holders.set(seatName(row, place), customer);
    }
    return Array.from({ length: show.rows * show.seatsPerRow }, (_, index) => {
      const row = Math.floor(index / show.seatsPerRow) + 1;
      const seat = seatName(row, (index % show.seatsPerRow) + 1);
      return { seat, state: seatState(holders.get(seat), me.id) };
    });
  },
});

/** Holds a seat for ten minutes. The loser of a race gets UNIQUE_TAKEN (409). */
// keelson-attack A202 booking.status=held: a hold that ran out is nobody's any more, so the next one cancels it
export const hold = mutation({
  args: { screening: t.id("screening"), seat: t.text({ max: 4 }) },
  allow: "signed-in",
  limit: { perUser: "30/minute" },
  returns: t.id("booking"),
  async run({ db, me, now, schedule }, { screening, seat }) {
    const show = await db.screening.get(screening);
    if (show === null) throw new Refusal("NO_SCREENING", "There is no such screening.");
    if (show.startsAt <= now) throw new Refusal("STARTED", "This screening has begun.");
    if (show.status === "off") throw new Refusal("CALLED_OFF", "This screening was called off.");
    const at = parseSeat(seat);
    if (at === null || at.row > show.rows || at.place > show.seatsPerRow) {
      throw new Refusal("NO_SEAT", `${show.hall} has no seat ${seat}.`);
    }
    const system = db.asSystem("a hold that ran out is nobody's any more");
    const before = await system.booking.first({ where: { screening, ...at, status: "held" } });
    if (before !== null && holdExpiry(before.heldAt) <= now) {
      await system.booking.update(before.id, { status: "cancelled" });
    }
    const { price } = show;
    const booking = await db.booking.create({
      ...{ screening, ...at, price },
      customer: me.id,
      status: "held",
    });
    // Commits with the hold, or vanishes with it.
    await schedule(holdExpiry(booking.heldAt), expire, { booking: booking.id });
    return booking.id;
  },
});

/** Takes a seat back that was held for ten minutes and not paid. */
export const expire = mutation({
  args: { booking: t.id("booking") },
  returns: t.nothing(),
  async run({ db, now }, { booking }) {
    const system = db.asSystem("a hold that ran out is nobody's any more");
    const held = await system.booking.get(booking);
    if (held === null || held.status !== "held" || holdExpiry(held.heldAt) > now) return;
    await system.booking.update(booking, { status: "cancelled" });
  },
});

/** Lets a seat go; anybody may take it from that moment. What was paid for it is given back, before the film begins. */
export const release = mutation({
  args: { booking: t.id("booking") },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me, now, run, enqueue }, { booking }) {
    const mine = await db.booking.get(booking, { with: { screening: true } });
    if (mine === null || mine.status !== "paid" || mine.customer !== me.id) {
      await db.booking.update(booking, { status: "cancelled" });
      return;
    }
    if (mine.screening === null || mine.screening.startsAt <= now) {
      throw new Refusal("STARTED", "This screening has begun.");
    }
    await db.asSystem("the money is given back").booking.update(booking, { status: "cancelled" });
    const refund = await run(owe, { booking });
    if (refund !== null) await enqueue(giveBack, { refund });
  },
});

/** The caller's bookings with film and screening, newest first. */
export const mine = query({
  args: {},
  allow: "signed-in",
  returns: t.list(
    t.object({
      id: t.id("booking"),
      screening: t.id("screening"),
      seat: t.text({ max: 4 }),
      status: t.oneOf("held", "expired", "paid", "cancelled"),
      price: t.money("EUR"),
      film: t.text({ max: 200 }),
      hall: t.text({ max: 40 }),
      startsAt: t.time(),
      heldUntil: t.time(),
    }),
    { max: 100 },
  ),
  async run({ db, me, now }) {
    const rows = await db.booking.list({
      where: { customer: me.id },
      orderBy: "-id",
      limit: 100,
      with: { screening: { with: { film: true } } },
    });
    return rows.flatMap(({ id, row, place, status, price, heldAt, screening }) => {
      if (screening === null || screening.film === null) return [];
      const heldUntil = holdExpiry(heldAt);
      const { film, hall, startsAt } = screening;
      return [
        {
          ...{ id, price, hall, startsAt, heldUntil },
          screening: screening.id,
          seat: seatName(row, place),
          status: status === "held" && heldUntil <= now ? ("expired" as const) : status,
          film: film.title,
        },
      ];
    });
  },
});

/**
 * Takes the caller's name and addresses off the books. What they booked stays there, and so their account: it is what
 * bookings refer to.
 */
export const forgetMe = mutation({
  args: {},
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }) {
    await db.user.update(me.id, { name: "gone", email: null });
    const system = db.asSystem("the books keep no addresses of who is gone");
    const where = { customer: me.id, email: { not: null } };
    for (const { id } of await system.payment.list({ where, limit: 1_000 })) {
      await system.payment.update(id, { email: null });
    }
  },
});

function seatState(holder: string | undefined, me: string | null): "free" | "taken" | "mine" {
  if (holder === undefined) return "free";
  return holder === me ? "mine" : "taken";
}
