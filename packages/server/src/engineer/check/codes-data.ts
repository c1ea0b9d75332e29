// Codes about whole tables, and about data that two requests change at once.
import type { CheckCode } from "./check-code.ts";

const tables = (text: string): string => `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, action, rules, app } = define({
${text}
});
`;
const rules = (text: string): string => `// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
${text}
});
`;
const noFunctions = `// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {} });
`;

const tag = (unique: string): string =>
  tables(
    `  tag: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), name: t.text({ max: 50 }) })${unique}`,
  ) +
  rules(`  tag: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
  },`) +
  `// keelson/notes.ts
import { t } from "keelson";
import { mutation } from "./schema.ts";

export const ensure = mutation({
  args: { name: t.text({ max: 50 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { name }) {
    const there = await db.tag.first({ where: { owner: me.id, name } });
    if (there === null) await db.tag.create({ owner: me.id, name });`;

const rest = `
  },
});
`;

/** K201, K202, K206, K209 to K211. */
export const dataCodes = {
  K201: {
    severity: "risk",
    category: "data",
    title: "Looked for, then made, held by nothing",
    why: "Another way to the same table makes the second one.",
    about:
      "A function looks for a row and, depending on what it found, makes it, and no unique constraint covers what it looked for, and there is another way that makes such rows: the table's own door, or another function. Two calls of the one mutation can't both pass: it is one serializable transaction.",
    bad: `${tag('.index("owner", "name"),')} // <- K201${rest}`,
    good: `${tag('.unique("owner", "name"),')}${rest}`,
  },
  K202: {
    severity: "risk",
    category: "data",
    title: "Read, computed and written in pieces",
    why: "What somebody else wrote in between is lost: the classic way to lose money.",
    about:
      "An action reads by one call of `run`, computes, and writes what it computed by another. Each is a transaction of its own.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { action, mutation, query } from "./schema.ts";

export const likes = query({
  args: { note: t.id("note") },
  returns: t.int(),
  async run({ db }, { note }) {
    return (await db.note.get(note))?.likes ?? 0;
  },
});

export const setLikes = mutation({
  args: { note: t.id("note"), likes: t.int() },
  async run({ db }, { note, likes }) {
    await db.asSystem("only this module counts likes").note.update(note, { title: String(likes) });
  },
});

export const like = action({
  args: { note: t.id("note") },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ run }, { note }) {
    const before = await run(likes, { note });
    await run(setLikes, { note, likes: before + 1 }); // <- K202
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { action, mutation } from "./schema.ts";

export const addLike = mutation({
  args: { note: t.id("note"), by: t.int() },
  async run({ db }, { note, by }) {
    const row = await db.note.get(note);
    const title = String((row?.likes ?? 0) + by);
    await db.asSystem("only this module counts likes").note.update(note, { title });
  },
});

export const like = action({
  args: { note: t.id("note") },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ run }, { note }) {
    await run(addLike, { note, by: 1 });
  },
});
`,
  },
  K206: {
    severity: "advice",
    category: "data",
    title: "Delete that is refused for ever",
    why: "The first row below it makes the parent eternal, and somebody finds out in a support call.",
    about:
      'A reference without `onDelete` (so "refuse") to a table whose rows can be deleted, from a table whose rows nothing deletes. To write `{ onDelete: "refuse" }` says that it is meant.',
    bad:
      tables(`  shelf: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), name: t.text({ max: 50 }) }),
  book: table({
    shelf: t.ref("shelf").immutable(), // <- K206
    title: t.text({ max: 200 }),
  }),`) +
      rules(`  shelf: { read: () => true, delete: ({ row, me }) => row.owner === me.id },
  book: { read: () => true, create: ({ next, me }) => next.shelf.owner === me.id },`) +
      noFunctions,
    good:
      tables(`  shelf: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), name: t.text({ max: 50 }) }),
  book: table({
    shelf: t.ref("shelf", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
  }),`) +
      rules(`  shelf: { read: () => true, delete: ({ row, me }) => row.owner === me.id },
  book: { read: () => true, create: ({ next, me }) => next.shelf.owner === me.id },`) +
      noFunctions,
  },
  K209: {
    severity: "advice",
    category: "data",
    title: "Rows that belong to nobody",
    why: "No rule can say who may change them, nobody can be asked, and nothing goes when an account goes.",
    about:
      "Ordinary callers may create rows of a table from which no reference leads to `user`. Tables of a tenant or a team (rules that compare a claim or look for a membership) and what strangers may create are not meant.",
    bad:
      tables(`  idea: table({ text: t.text({ max: 200 }) }), // <- K209`) +
      rules(`  idea: { read: () => true, create: ({ me }) => me.id !== null },`) +
      noFunctions,
    good:
      tables(`  idea: table({ text: t.text({ max: 200 }), author: t.ref("user").immutable() }),`) +
      rules(`  idea: { read: () => true, create: ({ next, me }) => next.author === me.id },`) +
      noFunctions,
  },
  K210: {
    severity: "risk",
    category: "data",
    title: "Personal data that never goes",
    why: "People may ask to be forgotten, and what is kept for ever leaks some day.",
    about:
      "A table holds fields whose names say that they are about a person, and no delete rule, function or parent removes its rows, and no function empties the field. Who deletes their account takes their row of `user` along, and what cascades from it, unless a reference refuses.",
    bad:
      tables(`  contact: table({
    owner: t.ref("user", { onDelete: "refuse" }).immutable(),
    phone: t.text({ max: 30 }), // <- K210
  }),`) +
      rules(`  contact: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
  },`) +
      noFunctions,
    good:
      tables(`  contact: table({
    owner: t.ref("user", { onDelete: "refuse" }).immutable(),
    phone: t.text({ max: 30 }),
  }),`) +
      rules(`  contact: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,
  },`) +
      noFunctions,
  },
  K211: {
    severity: "risk",
    category: "data",
    title: "State that goes anywhere",
    why: "A draft becomes paid by one PATCH.",
    about:
      "A `t.oneOf` named status, state, stage or phase can be changed by ordinary callers, and neither the update rule, a field rule nor a check of the table says from what to what.",
    bad:
      tables(`  order: table({
    buyer: t.ref("user", { onDelete: "cascade" }).immutable(),
    status: t.oneOf("open", "paid", "sent"),
  }),`) +
      rules(`  order: {
    read: ({ row, me }) => row.buyer === me.id,
    update: ({ row, me }) => row.buyer === me.id, // <- K211
  },`) +
      noFunctions,
    good:
      tables(`  order: table({
    buyer: t.ref("user", { onDelete: "cascade" }).immutable(),
    status: t.oneOf("open", "paid", "sent", "cancelled"),
  }),`) +
      rules(`  order: {
    read: ({ row, me }) => row.buyer === me.id,
    update: ({ row, next, me }) =>
      row.buyer === me.id && row.status === "open" && next.status === "cancelled",
  },`) +
      noFunctions,
  },
} satisfies Readonly<Record<string, CheckCode>>;
