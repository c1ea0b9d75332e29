// Mutations of several rows, and what must always be true of them.
import { Refusal, t } from "keelson";
import { invariant, mutation } from "./schema.ts";

const balanceAtStart = 1_000;

export const transfer = mutation({
  args: {
    round: t.int(),
    key: t.text({ max: 80 }),
    from: t.id("account"),
    to: t.id("account"),
    amount: t.int({ min: 1 }),
  },
  allow: { role: ["client"] },
  returns: t.object({ left: t.int() }),
  async run({ db }, { round, key, from, to, amount }) {
    const bank = db.asSystem("balances are moved by this function alone");
    const source = await bank.account.get(from);
    const target = await bank.account.get(to);
    if (source === null || target === null) throw new Refusal("NO_ACCOUNT", "No such account.");
    await bank.transfer.create({ round, key, from, to, amount });
    await bank.account.update(to, { balance: target.balance + amount });
    // After the writes on purpose: a refusal must take them back.
    if (source.balance < amount) throw new Refusal("FUNDS", "The balance is too low.");
    await bank.account.update(from, { balance: source.balance - amount });
    return { left: source.balance - amount };
  },
});

export const raise = mutation({
  args: { client: t.int() },
  allow: { role: ["client"] },
  returns: t.int(),
  async run({ db }, { client }) {
    const all = db.asSystem("tallies are raised by this function alone");
    const row = await all.tally.first({ where: { client } });
    if (row === null) throw new Refusal("NO_TALLY", "No such tally.");
    await all.tally.update(row.id, { value: row.value + 1 });
    return row.value + 1;
  },
});

/** Money is moved, never made. */
export const nothingMade = invariant(async ({ db }) => {
  const { count, sum } = await db.account.aggregate({
    values: { count: "count", sum: { sum: "balance" } },
  });
  return count === 0 || sum === count * balanceAtStart;
});
