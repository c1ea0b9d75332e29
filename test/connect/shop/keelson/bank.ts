// Accounts at banks by Plaid: linked, and kept in step by a cursor.
import { t } from "keelson";
import { plaidOf, plaidWorld, syncTransactions } from "keelson/plaid";
import { action, mutation, query } from "./schema.ts";

const system = "the books of the bank";

export const link = action({
  ...plaidWorld,
  args: { publicToken: t.text({ max: 200 }) },
  allow: "anyone",
  returns: t.id("bank"),
  async run(ctx, { publicToken }) {
    const plaid = plaidOf(ctx);
    const { data } = await plaid.itemPublicTokenExchange({ public_token: publicToken });
    return ctx.run(keep, { token: data.access_token });
  },
});

export const keep = mutation({
  args: { token: t.text({ max: 100 }) },
  returns: t.id("bank"),
  async run({ db }, { token }) {
    return (await db.asSystem(system).bank.create({ token })).id;
  },
});

export const one = query({
  args: { bank: t.id("bank") },
  returns: t.json(),
  run: ({ db }, { bank }) => db.asSystem(system).bank.get(bank),
});

export const accounts = action({
  ...plaidWorld,
  args: { bank: t.id("bank") },
  allow: "anyone",
  returns: t.int(),
  async run(ctx, { bank }) {
    const { token } = (await ctx.run(one, { bank })) as { token: string };
    const { data } = await plaidOf(ctx).accountsGet({ access_token: token });
    return data.accounts.length;
  },
});

export const sync = action({
  ...plaidWorld,
  args: { bank: t.id("bank") },
  allow: "anyone",
  returns: t.json(),
  async run(ctx, { bank }) {
    const kept = (await ctx.run(one, { bank })) as { token: string; cursor: string | null };
    const changes = await syncTransactions(plaidOf(ctx), kept.token, kept.cursor);
    const set = [...changes.added, ...changes.modified].map((change) => ({
      number: change.transaction_id,
      amount: change.amount,
    }));
    const gone = changes.removed.map((change) => change.transaction_id);
    await ctx.run(apply, { bank, cursor: changes.cursor, set, gone });
    return { set: set.length, gone: gone.length };
  },
});

/** Changes and the cursor in one transaction: neither is there without the other. */
export const apply = mutation({
  args: {
    bank: t.id("bank"),
    cursor: t.text({ max: 400 }),
    set: t.list(t.object({ number: t.text({ max: 60 }), amount: t.number() }), { max: 2_000 }),
    gone: t.list(t.text({ max: 60 }), { max: 2_000 }),
  },
  async run({ db }, { bank, cursor, set, gone }) {
    const all = db.asSystem(system);
    for (const { number, amount } of set) {
      const known = await all.transaction.first({ where: { number } });
      if (known === null) await all.transaction.create({ number, amount });
      else await all.transaction.update(known.id, { amount });
    }
    for (const number of gone) {
      const known = await all.transaction.first({ where: { number } });
      if (known !== null) await all.transaction.delete(known.id);
    }
    await all.bank.update(bank, { cursor });
  },
});

export const howMany = query({
  args: {},
  allow: "anyone",
  returns: t.int(),
  run: ({ db }) => db.asSystem(system).transaction.count(),
});
