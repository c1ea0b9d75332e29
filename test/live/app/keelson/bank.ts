// Mutations of several rows, and queries that see all of them.
import { Refusal, t } from "keelson";
import { action, mutation, query } from "./schema.ts";

/** Adds one to a tally and writes down for whom: as many entries as the tally's value, always. */
export const raise = mutation({
  args: { name: t.text({ max: 20 }), mark: t.text({ max: 60 }) },
  allow: "anyone",
  returns: t.int(),
  async run({ db }, { name, mark }) {
    const all = db.asSystem("tallies and entries are written together");
    const row = await all.tally.first({ where: { name } });
    if (row === null) throw new Refusal("NO_TALLY", "No such tally.");
    await all.entry.create({ name, mark });
    await all.tally.update(row.id, { value: row.value + 1 });
    return row.value + 1;
  },
});

/** Moves one from an account to another: the sum stays. */
export const move = mutation({
  args: { from: t.id("account"), to: t.id("account") },
  allow: "anyone",
  returns: t.nothing(),
  async run({ db }, { from, to }) {
    const source = await db.account.get(from);
    const target = await db.account.get(to);
    if (source === null || target === null) throw new Refusal("NO_ACCOUNT", "No such account.");
    if (source.balance === 0 || from === to) return;
    await db.account.update(from, { balance: source.balance - 1 });
    await db.account.update(to, { balance: target.balance + 1 });
  },
});

/** Adds one to every account: a commit that touches as many live queries as there are accounts. */
export const raiseAll = mutation({
  allow: "anyone",
  returns: t.nothing(),
  async run({ db }) {
    for (const { id, balance } of await db.account.list({ limit: 1_000 })) {
      await db.account.update(id, { balance: balance + 1 });
    }
  },
});

export const open = mutation({
  args: { count: t.int({ min: 1, max: 1_000 }) },
  allow: "anyone",
  returns: t.nothing(),
  async run({ db }, { count }) {
    for (let number = 0; number < count; number++) {
      await db.account.create({ number, balance: 100 });
    }
  },
});

export const summary = query({
  allow: "anyone",
  returns: t.object({ sum: t.int(), entries: t.int(), value: t.int() }),
  async run({ db }) {
    const { sum } = await db.account.aggregate({ values: { sum: { sum: "balance" } } });
    const tally = await db.tally.first({ where: { name: "t" } });
    const entries = await db.entry.count({ where: { name: "t" } });
    return { sum: sum ?? 0, entries, value: tally?.value ?? 0 };
  },
});

export const pay = action({
  args: { mark: t.text({ max: 60 }) },
  allow: "anyone",
  returns: t.int(),
  run: ({ run }, { mark }) => run(raise, { name: "paid", mark }),
});

/** The caller's notes: nobody's are nobody's business. */
export const mine = query({
  allow: "signed-in",
  returns: t.list(t.text({ max: 100 }), { max: 100 }),
  run: async ({ db }) => (await db.note.list()).map(({ text }) => text),
});
