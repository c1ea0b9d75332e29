// Transfers between accounts (the published keynote-2 workload) and a contended counter.
import { Refusal, t } from "keelson";
import { mutation, query } from "./schema.ts";

// keelson-allow K406: a benchmark is called as often as it can be
export const transfer = mutation({
  args: { from: t.id("account"), to: t.id("account"), amount: t.int({ min: 1, max: 1_000_000 }) },
  allow: "anyone",
  returns: t.nothing(),
  async run({ db }, { from, to, amount }) {
    if (from === to) return;
    const bank = db.asSystem("the workload has no owners");
    const source = await bank.account.get(from);
    const target = await bank.account.get(to);
    if (source === null || target === null) throw new Refusal("NO_ACCOUNT", "No such account.");
    if (source.balance < amount) throw new Refusal("FUNDS", "The balance is too low.");
    // keelson-allow K106: the published workload has no owners
    await bank.account.update(from, { balance: source.balance - amount });
    // keelson-allow K106: the published workload has no owners
    await bank.account.update(to, { balance: target.balance + amount });
  },
});

// keelson-allow K406: a benchmark is called as often as it can be
export const raise = mutation({
  args: { counter: t.id("counter") },
  allow: "anyone",
  returns: t.int(),
  async run({ db }, { counter }) {
    const all = db.asSystem("the counter is everybody's");
    const row = await all.counter.get(counter);
    if (row === null) throw new Refusal("NO_COUNTER", "No such counter.");
    // keelson-allow K106: the counter is everybody's
    await all.counter.update(counter, { value: row.value + 1 });
    return row.value + 1;
  },
});

/** Five reads by id: what a warm function call costs. */
export const fiveReads = query({
  args: { ids: t.list(t.id("account"), { max: 5 }) },
  allow: "anyone",
  returns: t.int(),
  async run({ db }, { ids }) {
    const bank = db.asSystem("the workload has no owners");
    let sum = 0;
    for (const id of ids) sum += (await bank.account.get(id))?.balance ?? 0;
    return sum;
  },
});

/** Ends its isolate: the next call needs a new one. */
export const spin = query({
  args: {},
  allow: "anyone",
  returns: t.nothing(),
  run() {
    for (;;);
  },
});
