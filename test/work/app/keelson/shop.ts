// Work of every kind, each leaving a row that tells of it.
import { Refusal, t } from "keelson";
import { action, cron, mutation, on, onChange, queue } from "./schema.ts";

const text = t.text({ max: 200 });

/** Pays: emits, enqueues a mutation and an action, and delays one; all of it with this transaction or not at all. */
export const pay = mutation({
  args: { key: t.text({ max: 80 }), number: t.int(), fail: t.bool().optional() },
  allow: "anyone",
  async run({ db, emit, enqueue, schedule, now }, { key, number, fail }) {
    const all = db.asSystem("the tests' own rows");
    await all.order.create({ key, state: "paid" });
    await all.entry.create({ kind: "pay", key, number, at: now });
    await emit("order.paid", { order: key, number });
    await enqueue(stock, { key, number });
    await enqueue(mail, { key, number });
    await schedule("50ms", remind, { key, number });
    if (fail === true) throw new Refusal("NO", "Nothing of this happened.");
  },
});

export const stock = mutation({
  args: { key: text, number: t.int() },
  async run({ db, now }, { key, number }) {
    await db.asSystem("a job").entry.create({ kind: "stock", key, number, at: now });
  },
});

export const remind = mutation({
  args: { key: text, number: t.int() },
  async run({ db, now }, { key, number }) {
    await db.asSystem("a job").entry.create({ kind: "remind", key, number, at: now });
  },
});

export const note = mutation({
  args: { kind: text, key: text, number: t.int() },
  async run({ db, now }, row) {
    await db.asSystem("a note").entry.create({ ...row, at: now });
  },
});

/** Reaches the world: its token is the key of the call. */
export const send = action({
  args: { key: text, number: t.int() },
  async run({ run, job }, { key, number }) {
    await run(note, { kind: "token", key: job?.token ?? "", number });
    await run(note, { kind: "mail", key, number });
  },
});
export const mail = queue(send, { concurrency: 4, backoff: "20ms" });

export const tally = mutation({
  args: { order: text, number: t.int() },
  async run({ db, now }, { order, number }) {
    await db.asSystem("a consumer").entry.create({ kind: "tally", key: order, number, at: now });
  },
});
export const counts = on("order.paid", tally);

export const ship = action({
  args: { order: text },
  async run({ run }, { order }) {
    await run(note, { kind: "ship", key: order, number: 0 });
  },
});
export const ships = on("order.paid", ship, { concurrency: 4 });

export const follow = mutation({
  args: { id: text, change: text, after: t.json().optional() },
  async run({ db }, { id, change, after }) {
    const state = (after as { state?: string } | null)?.state ?? null;
    await db.asSystem("a trigger").audit.create({ order: id, change, state });
  },
});
export const follows = onChange("order", follow);

export const beat = mutation({
  args: { at: t.time() },
  async run({ db, now }, { at }) {
    await db.asSystem("a tick").entry.create({ kind: "tick", key: at, number: 0, at: now });
  },
});
export const beats = cron("* * * * *", { zone: "Europe/Vienna", missed: "all" }, beat);
