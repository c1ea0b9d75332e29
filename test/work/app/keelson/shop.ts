// Work of every kind, each leaving a row that tells of it.
import { Refusal, t } from "keelson";
import { action, cron, mutation, on, onChange, queue, workflow } from "./schema.ts";

const text = t.text({ max: 200 });

/** Pays: emits, enqueues a mutation and an action, delays one, starts a workflow; with this transaction or not at all. */
export const pay = mutation({
  args: { client: t.text({ max: 80 }), number: t.int(), fail: t.bool().optional() },
  allow: "anyone",
  async run({ db, emit, enqueue, schedule, startWorkflow, now }, { client, number, fail }) {
    const key = `${client}-${number}`;
    const all = db.asSystem("the tests' own rows");
    await all.order.create({ key, state: "paid" });
    await all.entry.create({ kind: "pay", key, number, at: now });
    await emit("order.paid", { client, number });
    await enqueue(stock, { key, number });
    await enqueue(mail, { key, number });
    await schedule("50ms", remind, { key, number });
    await startWorkflow(carry, { client, number });
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

/** Reaches the world, with the job's token as the key of the call. */
export const send = action({
  args: { key: text, number: t.int() },
  hosts: ["localhost:4999"],
  async run({ run, job }, { key, number }) {
    const headers = { "idempotency-key": job?.token ?? "" };
    await fetch(`http://localhost:4999/${key}`, { method: "POST", headers });
    await run(note, { kind: "mail", key, number });
  },
});
export const mail = queue(send, { concurrency: 8, backoff: "20ms", attempts: 100 });

/** A step that reaches the world: the step's job has a token of its own. */
export const handOver = action({
  args: { key: text },
  hosts: ["localhost:4999"],
  returns: text,
  async run({ job }, { key }) {
    const token = job?.token ?? "";
    await fetch(`http://localhost:4999/carry-${key}`, {
      method: "POST",
      headers: { "idempotency-key": token },
    });
    return token;
  },
});
export const handOvers = queue(handOver, { concurrency: 8, backoff: "20ms", attempts: 100 });

/** A mutation, an action, a sleep, and two mutations at once. */
export const carry = workflow({
  args: { client: t.text({ max: 80 }), number: t.int() },
  async run({ step, sleep }, { client, number }) {
    const key = `${client}-${number}`;
    await step(note, { kind: "load", key, number });
    await step(handOver, { key });
    await sleep("60ms");
    await Promise.all([
      step(note, { kind: "unload", key, number }),
      step(note, { kind: "sign", key, number }),
    ]);
  },
});

/** Says so when an event comes out of order. */
export const tally = mutation({
  args: { client: text, number: t.int() },
  async run({ db, now }, { client, number }) {
    const all = db.asSystem("a consumer");
    const last = await all.last.first({ where: { client } });
    if (last === null) await all.last.create({ client, number });
    else await all.last.update(last.id, { number });
    const kind = (last?.number ?? 0) === number - 1 ? "tally" : "disorder";
    await all.entry.create({ kind, key: `${client}-${number}`, number, at: now });
  },
});
export const tallies = on("order.paid", tally);

export const ship = action({
  args: { client: text, number: t.int() },
  async run({ run }, { client, number }) {
    await run(note, { kind: "ship", key: `${client}-${number}`, number });
  },
});
export const ships = on("order.paid", ship, { concurrency: 4, attempts: 100 });

export const follow = mutation({
  args: { change: text, after: t.json().optional() },
  async run({ db, now }, { change, after }) {
    const { key } = after as { readonly key: string };
    await db.asSystem("a trigger").entry.create({ kind: change, key, number: 0, at: now });
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

export const sleepless = mutation({
  args: { at: t.time() },
  async run({ db, now }, { at }) {
    await db.asSystem("a tick").entry.create({ kind: "night", key: at, number: 0, at: now });
  },
});
export const nights = cron("30 2 * * *", { zone: "Europe/Vienna", missed: "all" }, sleepless);

/** Fails unless it is told better. */
export const risk = mutation({
  args: { key: text, good: t.bool() },
  async run({ db, now }, { key, good }) {
    if (!good) throw new Refusal("RISKY", "Not like this.");
    await db.asSystem("a job").entry.create({ kind: "risk", key, number: 0, at: now });
  },
});
export const risks = queue(risk, { attempts: 1, keep: "1h" });

export const dare = mutation({
  args: { key: text },
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ enqueue }, { key }) => enqueue(risks, { key, good: false }),
});
