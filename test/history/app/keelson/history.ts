// Transactions of reads and writes that each say what they saw.
import { Refusal, t } from "keelson";
import { mutation, query } from "./schema.ts";

const reason = "who is signed in reads and writes all of it";
const found = t.list(t.int(), { max: 1_000 }).optional();

/** Appends to lists and reads them, in the order given. A refusal comes last, after everything was written. */
export const transact = mutation({
  args: {
    steps: t.list(
      t.object({
        kind: t.oneOf("append", "read"),
        of: t.oneOf("list", "slot"),
        key: t.int(),
        value: t.int().optional(),
      }),
      { max: 10 },
    ),
    refuse: t.bool(),
  },
  allow: "signed-in",
  returns: t.list(t.object({ values: found }), { max: 10 }),
  async run({ db }, { steps, refuse }) {
    const all = db.asSystem(reason);
    const answers: { values: number[] | null }[] = [];
    for (const { kind, of, key, value } of steps) {
      if (of === "list") {
        const first = await all.list.first({ where: { key }, select: ["id"] });
        const row = first === null ? null : await all.list.get(first.id);
        const values = row === null ? [] : [...row.values];
        answers.push({ values: kind === "read" ? values : null });
        if (kind === "read" || value === null) continue;
        if (row === null) await all.list.create({ key, values: [value] });
        else await all.list.update(row.id, { values: [...values, value] });
      } else if (kind === "read" || value === null) {
        const rows = await all.slot.list({ where: { key }, orderBy: "at", limit: 1_000 });
        answers.push({ values: rows.map(({ value }) => value) });
      } else {
        const at = await all.slot.count({ where: { key } });
        await all.slot.create({ key, at, value });
        answers.push({ values: null });
      }
    }
    if (refuse) throw new Refusal("AS_ASKED", "It was asked to refuse.");
    return answers;
  },
});

/** All of several keys, at one moment. */
export const look = query({
  args: { keys: t.list(t.int(), { max: 20 }) },
  allow: "signed-in",
  returns: t.list(
    t.object({
      key: t.int(),
      list: found,
      slot: found,
      entry: found,
      register: t.int().optional(),
    }),
    { max: 20 },
  ),
  async run({ db }, { keys }) {
    const answers = [];
    for (const key of keys) {
      const list = await db.list.first({ where: { key } });
      const slots = await db.slot.list({ where: { key }, orderBy: "at", limit: 1_000 });
      const entries = await db.entry.list({ where: { key }, limit: 1_000 });
      const register = await db.register.first({ where: { key } });
      answers.push({
        key,
        list: list === null ? [] : [...list.values],
        slot: slots.map(({ value }) => value),
        entry: entries.map(({ value }) => value),
        register: register?.value ?? null,
      });
    }
    return answers;
  },
});

/** Sets a register. @returns what it was. With `from`, it is set only when it was that. */
export const swap = mutation({
  args: { key: t.int(), value: t.int(), from: t.int().optional(), compare: t.bool() },
  allow: "signed-in",
  returns: t.object({ before: t.int().optional(), done: t.bool() }),
  async run({ db }, { key, value, from, compare }) {
    const all = db.asSystem(reason);
    const row = await all.register.first({ where: { key } });
    const before = row?.value ?? null;
    if (compare && before !== from) return { before, done: false };
    if (row === null) await all.register.create({ key, value });
    else await all.register.update(row.id, { value });
    return { before, done: true };
  },
});

/** Opens or closes the secrets for somebody. @returns the value before. */
export const admit = mutation({
  args: { user: t.id("user"), value: t.int(), open: t.bool() },
  allow: "signed-in",
  returns: t.object({ before: t.int().optional() }),
  async run({ db }, { user, value, open }) {
    const all = db.asSystem(reason);
    const row = await all.member.first({ where: { user } });
    if (row === null) await all.member.create({ user, value, open });
    else await all.member.update(row.id, { value, open });
    return { before: row?.value ?? null };
  },
});
