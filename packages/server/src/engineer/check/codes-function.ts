// Codes about functions as code.
import type { CheckCode } from "./check-code.ts";

const mutation = (body: string, top = ""): string => `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";
${top}
export const add = mutation({
  args: { title: t.text({ max: 200 }), phone: t.text({ max: 30 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { title, phone }) {
${body}
  },
});
`;

const page = (line: string): string => `
// src/page.ts
import { createClient } from "keelson/client";
${line}

export const api = createClient<typeof app>("");
`;

/** K403, K404, K407 to K409, K411 to K413, K416. */
export const functionCodes = {
  K403: {
    severity: "hole",
    category: "functions",
    title: "Secret in the code",
    why: "Everybody who ever read the repository has it.",
    about:
      "A literal has the form of a known service's key, or is long and random and stands under a name that says secret, in the backend or in the frontend.",
    bad: mutation(
      "    await db.note.create({ owner: me.id, title });",
      `
const apiSecret = "q7Zp2Lx9Wm4Tn8Rb6Vc3Yk5Hd1"; // <- K403
`,
    ),
    good: mutation(
      "    await db.note.create({ owner: me.id, title });",
      `
const apiSecretName = "the name under which the host keeps it";
`,
    ),
  },
  K404: {
    severity: "hole",
    category: "functions",
    title: "Backend in the browser's bundle",
    why: "Rules, functions and whatever they hold can be read in the page.",
    about:
      "A file of the frontend imports a value from the backend's folder. Types are erased and not meant; nor are modules that import nothing themselves.",
    bad: page('import app from "../keelson/app.ts"; // <- K404'),
    good: page('import type app from "../keelson/app.ts";'),
  },
  K407: {
    severity: "risk",
    category: "functions",
    title: "Promise that nobody waits for",
    why: "The answer leaves before the work is done, and its failure with nobody to tell.",
    about:
      "A call on a table, of `run` or `fetch` whose promise is neither awaited nor returned, also in a callback of `forEach`.",
    bad: mutation("    db.note.create({ owner: me.id, title }); // <- K407"),
    good: mutation("    await db.note.create({ owner: me.id, title });"),
  },
  K408: {
    severity: "hole",
    category: "functions",
    title: "Token that can be guessed",
    why: "Whoever saw a few can tell the next; in a mutation randomness is seeded, too.",
    about:
      "A field named token, code, secret, key, invite or voucher is written from `Math.random` or from the time.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    inviteCode: t.text({ max: 40 }).private(),
  }),
});
${mutation('    await db.asSystem("invites are made here").note.create({ owner: me.id, title, inviteCode: String(Math.random()) }); // <- K408').trimStart()}`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    inviteCode: t.text({ max: 40 }).private(),
  }),
});
${mutation('    await db.asSystem("invites are made here").note.create({ owner: me.id, title, inviteCode: crypto.randomUUID() });').trimStart()}`,
  },
  K409: {
    severity: "hole",
    category: "functions",
    title: "State that outlives a call",
    why: "One person's data turns up in another's answer: isolates serve many, one after the other.",
    about:
      "A name at the top of a module with functions is changed inside a function: a `let`, or a Map, Set, array or object.",
    bad: mutation(
      "    seen.set(title, me.id);\n    await db.note.create({ owner: me.id, title });",
      `
const seen = new Map<string, string>(); // <- K409
`,
    ),
    good: mutation(
      "    const seen = new Map([[title, me.id]]);\n    await db.note.create({ owner: me.id, title: [...seen.keys()][0] ?? title });",
    ),
  },
  K413: {
    severity: "risk",
    category: "functions",
    title: "Time or randomness of the start",
    why: "It was right on the day of the deployment, and is a little more wrong every day.",
    about:
      "`new Date()`, `Date.now()`, `Math.random()` or `crypto.randomUUID()` stands outside of every function of a module with functions.",
    bad: mutation(
      "    await db.note.create({ owner: me.id, title: title + year });",
      `
const year = new Date().getUTCFullYear(); // <- K413
`,
    ),
    good: mutation(
      "    await db.note.create({ owner: me.id, title: title + new Date().getUTCFullYear() });",
    ),
  },
  K411: {
    severity: "risk",
    category: "functions",
    title: "Failure that disappears",
    why: "What failed is reported as done.",
    about: "An empty `catch` around something that is awaited.",
    bad: mutation(`    try {
      await db.note.create({ owner: me.id, title });
    } catch {} // <- K411`),
    good: mutation(`    try {
      await db.note.create({ owner: me.id, title });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }`),
  },
  K412: {
    severity: "risk",
    category: "functions",
    title: "Personal data in the log",
    why: "Logs are read by more people than the database, and kept longer.",
    about:
      "`console` is given all arguments, a row read outside the rules, or a value whose name says secret or personal.",
    bad: mutation(
      '    console.log("added by", phone); // <- K412\n    await db.note.create({ owner: me.id, title });',
    ),
    good: mutation(
      '    console.log("added by", me.id);\n    await db.note.create({ owner: me.id, title });',
    ),
  },
  K416: {
    severity: "risk",
    category: "functions",
    title: "Table where there is none",
    why: "The call fails whenever it is reached, in production as well.",
    about:
      "A query or mutation reads or writes a table whose name nobody declared; or an action, an `http` function or a workflow does with any, though none of them has `db`. TypeScript says the same, where it runs; a name that is made up at run time is not looked at.",
    bad: mutation("    await db.notes.create({ owner: me.id, title }); // <- K416"),
    good: mutation("    await db.note.create({ owner: me.id, title });"),
  },
} satisfies Readonly<Record<string, CheckCode>>;
