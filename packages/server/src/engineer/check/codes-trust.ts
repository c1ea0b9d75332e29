// Codes about what functions do with the caller's word.
import type { CheckCode } from "./check-code.ts";

const hookSchema = `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, hook, rules, app } = define({
  receipt: table({ number: t.text({ max: 100 }).unique() }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  receipt: { read: ({ me }) => me.role === "staff" },
});
`;

/** K101, K105 to K110, K119 to K121. */
export const trustCodes = {
  K101: {
    severity: "hole",
    category: "trust",
    title: "Identity comes from an argument",
    why: "Whoever calls can say that they are somebody else.",
    about:
      "An argument names a person in what a function reads or writes outside the rules, and the function looks at `me` nowhere. With the caller's rights (`db` without `asSystem`) the rules decide, and nothing is said.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { mutation } from "./schema.ts";

export const add = mutation({
  args: { user: t.id("user"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { user, title }) {
    await db.asSystem("notes are written by the app").note.create({ owner: user, title }); // <- K101
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { mutation } from "./schema.ts";

export const add = mutation({
  args: { title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { title }) {
    await db.note.create({ owner: me.id, title });
  },
});
`,
  },
  K106: {
    severity: "hole",
    category: "trust",
    title: "Elevated write to any row",
    why: "Row ids are no secrets: they stand in addresses, links and answers.",
    about:
      "A function writes, outside the rules, the row whose id the caller sends, and neither reads that row with the caller's rights nor looks at `me`; a read is none when nobody looks at what it gave (it is dropped or only printed). Also when it hands that id on to what does: a function it runs, a job, an event's consumer, a step of a workflow. A row that the function found itself by other values is not meant.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { mutation } from "./schema.ts";

export const rename = mutation({
  args: { note: t.id("note"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { note, title }) {
    await db.asSystem("titles are checked elsewhere").note.update(note, { title }); // <- K106
  },
});
`,
    good: `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";

export const like = mutation({
  args: { note: t.id("note") },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { note }) {
    const seen = await db.note.get(note);
    if (seen === null) throw new Refusal("NO_NOTE", "There is no such note.");
    await db.asSystem("likes are counted by this function only").note.update(note, { title: seen.title });
  },
});
`,
  },
  K107: {
    severity: "hole",
    category: "trust",
    title: "Elevated read leaves as a whole",
    why: "The rules that protect the table do not protect this way to it.",
    about:
      "A function reads, outside the rules, rows that the caller names, or a list that depends on nobody, and answers whole rows, and looks at `me` nowhere. Answers that are made of single fields are not meant: that is what elevation is for.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const show = query({
  args: { note: t.id("note") },
  allow: "anyone",
  returns: t.json({ maxBytes: 2_000 }),
  async run({ db }, { note }) {
    return await db.asSystem("shared links show a note").note.get(note); // <- K107
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const show = query({
  args: { note: t.id("note") },
  allow: "anyone",
  returns: t.object({ title: t.text({ max: 200 }) }),
  async run({ db }, { note }) {
    const row = await db.asSystem("shared links show a title").note.get(note);
    return { title: row?.title ?? "" };
  },
});
`,
  },
  K108: {
    severity: "advice",
    category: "trust",
    title: "Elevation without a reason",
    why: "The next reader can't tell whether stepping outside the rules is right here.",
    about: "The reason given to `asSystem` is empty or says nothing: system, admin, needed, todo.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const total = query({
  args: {},
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me }) {
    return await db.asSystem("needed").note.count({ where: { owner: me.id } }); // <- K108
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const total = query({
  args: {},
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me }) {
    return await db.asSystem("only a number leaves").note.count({ where: { owner: me.id } });
  },
});
`,
  },
  K109: {
    severity: "risk",
    category: "trust",
    title: "Answer without a shape",
    why: "A field that is added to a table tomorrow leaves through this function tomorrow.",
    about: "A function that people can call from outside has no `returns`.",
    bad: `
// keelson/notes.ts
import { query } from "./schema.ts";

export const mine = query({ // <- K109
  args: {},
  allow: "signed-in",
  async run({ db, me }) {
    return await db.note.list({ where: { owner: me.id }, limit: 50 });
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const mine = query({
  args: {},
  allow: "signed-in",
  returns: t.list(t.object({ title: t.text({ max: 200 }) }), { max: 50 }),
  async run({ db, me }) {
    const rows = await db.note.list({ where: { owner: me.id }, limit: 50 });
    return rows.map(({ title }) => ({ title }));
  },
});
`,
  },
  K110: {
    severity: "hole",
    category: "trust",
    title: "Private field in an answer",
    why: "The field was declared to never leave the server.",
    about:
      "A value read outside the rules from a field that is declared `.private()` is part of what a function answers: by itself, in an object, a list or a spread. A value that was compared or computed with is not followed.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    shareKey: t.text({ max: 40 }).private(),
  }),
});
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const mine = query({
  args: {},
  allow: "signed-in",
  returns: t.list(t.object({ title: t.text({ max: 200 }), key: t.text({ max: 40 }) }), { max: 50 }),
  async run({ db, me }) {
    const rows = await db.asSystem("share keys are shown").note.list({ where: { owner: me.id }, limit: 50 });
    return rows.map((row) => ({ title: row.title, key: row.shareKey })); // <- K110
  },
});
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    shareKey: t.text({ max: 40 }).private(),
  }),
});
// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const isMine = query({
  args: { note: t.id("note"), key: t.text({ max: 40 }) },
  allow: "signed-in",
  returns: t.bool(),
  async run({ db, me }, { note, key }) {
    const row = await db.asSystem("only whether the key fits leaves").note.get(note);
    return row !== null && row.owner === me.id && row.shareKey === key;
  },
});
`,
  },
  K119: {
    severity: "hole",
    category: "trust",
    title: "Caller picks the address",
    why: "The server calls what the caller can't reach: that is how inner services are read from outside.",
    about:
      "The address of a `fetch` is an argument, or the request, as it came. A part of an address is not meant.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { action } from "./schema.ts";

export const preview = action({
  args: { address: t.text({ max: 500, format: "url" }) },
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  hosts: ["example.com"],
  returns: t.text({ max: 1_000 }),
  async run(_ctx, { address }) {
    const page = await fetch(address); // <- K119
    return page.ok ? (await page.text()).slice(0, 1_000) : "";
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { action } from "./schema.ts";

export const preview = action({
  args: { page: t.text({ max: 50 }) },
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  hosts: ["example.com"],
  returns: t.text({ max: 1_000 }),
  async run(_ctx, { page }) {
    const answer = await fetch("https://example.com/" + encodeURIComponent(page));
    return answer.ok ? (await answer.text()).slice(0, 1_000) : "";
  },
});
`,
  },
  K120: {
    severity: "hole",
    category: "trust",
    title: "Webhook that anybody can send",
    why: "The address of a webhook is no secret: whoever knows it can say that something was paid.",
    about:
      "An http function under POST that anybody may call and whose path or name says that it is a webhook runs a function of the app, and neither signature, hmac nor verify stands in it.",
    bad: `
// keelson/notes.ts
import { t } from "keelson";
import { http, mutation } from "./schema.ts";

export const store = mutation({
  args: { owner: t.id("user"), title: t.text({ max: 200 }) },
  async run({ db }, { owner, title }) {
    await db.asSystem("paid notes come from the shop").note.create({ owner, title });
  },
});

export const paid = http({ // <- K120
  method: "POST",
  path: "/shop/webhook",
  allow: "anyone",
  limit: { total: "100/minute" },
  async run({ run }, request) {
    const { owner, title } = await request.json();
    await run(store, { owner, title });
    return new Response(null, { status: 204 });
  },
});
`,
    good: `
// keelson/notes.ts
import { t } from "keelson";
import { http, mutation } from "./schema.ts";

export const store = mutation({
  args: { owner: t.id("user"), title: t.text({ max: 200 }) },
  async run({ db }, { owner, title }) {
    await db.asSystem("paid notes come from the shop").note.create({ owner, title });
  },
});

export const paid = http({
  method: "POST",
  path: "/shop/webhook",
  allow: "anyone",
  limit: { total: "100/minute" },
  async run({ run }, request) {
    const body = await request.text();
    if (!(await hasSignature(body, request.headers.get("x-signature")))) {
      return new Response(null, { status: 400 });
    }
    const { owner, title } = JSON.parse(body);
    await run(store, { owner, title });
    return new Response(null, { status: 204 });
  },
});

async function hasSignature(body: string, given: string | null): Promise<boolean> {
  const bytes = new TextEncoder().encode(body);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return given === btoa(String.fromCharCode(...new Uint8Array(digest)));
}
`,
  },
  K121: {
    severity: "hole",
    category: "trust",
    title: "Webhook's function with an address of its own",
    why: "The signature guards the webhook's address. At the function's own, anybody says what only the sender may say.",
    about:
      'A function that handles a webhook of `hook(...)` has `allow: "anyone"` or `"signed-in"`, so that it can be called at `/api/fn` without a signature. What people may do as well is a function of its own.',
    bad: `${hookSchema}
// keelson/notes.ts
import { t } from "keelson";
import { hook, mutation } from "./schema.ts";

export const onPaid = mutation({ // <- K121
  args: { id: t.text({ max: 100 }), body: t.json({ maxBytes: 10_000 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { id }) {
    await db.asSystem("the shop says that it is paid").receipt.create({ number: id });
  },
});

export const shop = hook("shop", { verify: "standard", secrets: ["SHOP_SECRET"] }, onPaid);
`,
    good: `${hookSchema}
// keelson/notes.ts
import { t } from "keelson";
import { hook, mutation } from "./schema.ts";

export const onPaid = mutation({
  args: { id: t.text({ max: 100 }), body: t.json({ maxBytes: 10_000 }) },
  returns: t.nothing(),
  async run({ db }, { id }) {
    await db.asSystem("the shop says that it is paid").receipt.create({ number: id });
  },
});

export const shop = hook("shop", { verify: "standard", secrets: ["SHOP_SECRET"] }, onPaid);
`,
  },
} satisfies Readonly<Record<string, CheckCode>>;
