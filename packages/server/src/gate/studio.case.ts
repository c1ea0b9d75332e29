// For tests of rights: a small film studio where every kind of protection stands once, and a canary in
// every value that somebody may not see.
import type { Asker, GateHarness } from "./gate-harness.case.ts";

/** The studio's source. */
export const studioFiles = {
  "schema.ts": `
import { define, table, t } from "keelson";

export const { query, mutation, action, invariant, rules, app } = define({
  user: table({
    name: t.text({ max: 100 }),
    email: t.text({ max: 200 }).optional().unique(),
    role: t.text({ max: 20 }).optional(),
    password: t.text({ max: 100 }).optional().private(),
  }),
  film: table({
    title: t.text({ max: 200 }),
    slug: t.text({ max: 50 }).optional().immutable(),
    rating: t.number({ min: 0, max: 10 }).optional(),
    budget: t.int().optional(),
    memo: t.text({ max: 200 }).optional(),
    owner: t.ref("user").optional(),
    partner: t.ref("user").optional(),
    draft: t.bool().default(false),
    code: t.text({ max: 50 }).optional().private(),
  }).index("rating").search("title"),
  note: table({
    film: t.ref("film", { onDelete: "cascade" }),
    author: t.ref("user"),
    text: t.text({ max: 200 }),
    secret: t.text({ max: 200 }).optional(),
  }).index("film").search("text", "secret"),
  booking: table({
    film: t.ref("film"),
    customer: t.ref("user"),
    seat: t.text({ max: 4 }),
  }).unique("film", "seat").index("customer"),
  account: table({ owner: t.ref("user"), balance: t.int() })
    .check(({ next }) => next.balance >= 0, "an account is never overdrawn"),
  box: table({ text: t.text({ max: 200 }) }),
  vault: table({ text: t.text({ max: 200 }) }),
});
`,
  "rules.ts": `
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id || me.role === "staff" },
  film: {
    read: ({ row, me }) => !row.draft || row.owner === me.id || me.role === "staff",
    create: ({ next, me }) => next.owner === me.id || me.role === "staff",
    update: ({ row, next, me }) => (row.owner === me.id && next.owner === me.id) || me.role === "staff",
    delete: ({ me }) => me.role === "staff",
    fields: {
      budget: { read: ({ me }) => me.role === "staff", write: ({ me }) => me.role === "staff" },
      memo: { read: ({ row, me }) => row.owner === me.id },
    },
  },
  note: {
    read: () => true,
    create: ({ next, me }) => next.author === me.id,
    update: ({ row, next, me }) => row.author === me.id && next.author === me.id,
    delete: ({ row, me }) => row.author === me.id,
    fields: {
      secret: { read: ({ row, me }) => row.author === me.id },
      author: { read: ({ row, me }) => row.author === me.id || row.film.owner === me.id },
    },
  },
  booking: {
    read: ({ row, me, db }) => row.customer === me.id || db.account.some((a) => a.owner === me.id && a.balance > 999),
    create: ({ next, me }) => next.customer === me.id,
    write: ({ row, me }) => row.customer === me.id,
  },
  account: { read: ({ row, me }) => row.owner === me.id, update: ({ row, me }) => row.owner === me.id },
  box: { create: () => true },
});
`,
  "studio.ts": `
import { t, Refusal } from "keelson";
import { query, mutation, action, invariant } from "./schema.ts";

export const film = query({
  args: { id: t.id("film") }, allow: "anyone",
  run: ({ db }, { id }) => db.film.get(id),
});
export const films = query({
  args: { by: t.text().optional(), expand: t.bool().default(false) }, allow: "anyone",
  run: ({ db }, { by, expand }) =>
    db.film.list({ ...(by === null ? {} : { orderBy: by }), ...(expand ? { with: { note: true } } : {}) } as never),
});
export const total = query({
  args: { of: t.text() }, allow: "anyone",
  run: ({ db }, { of }) => db.film.aggregate({ values: { total: { sum: of } } } as never),
});
export const titles = query({
  args: {}, allow: "anyone", returns: t.list(t.text()),
  async run({ db }) {
    const films = await db.asSystem("titles are no secret").film.list({ orderBy: "title" });
    return films.map((film) => film.title);
  },
});
export const add = mutation({
  args: { value: t.json() }, allow: "signed-in",
  run: ({ db }, { value }) => db.film.create(value as never),
});
export const change = mutation({
  args: { id: t.id("film"), value: t.json() }, allow: "signed-in",
  run: ({ db }, { id, value }) => db.film.update(id, value as never),
});
export const takeSeat = mutation({
  args: { film: t.id("film"), seat: t.text({ max: 4 }) }, allow: "signed-in",
  async run({ db, me }, { film, seat }) {
    const booking = await db.booking.create({ film, seat, customer: me.id as never });
    return booking.id;
  },
});
export const takeTwo = mutation({
  args: { film: t.id("film"), seats: t.list(t.text({ max: 4 })) }, allow: "signed-in",
  async run({ run }, { film, seats }) {
    const ids = [];
    for (const seat of seats) ids.push(await run(takeSeat, { film, seat }));
    return ids;
  },
});
export const takeOrNot = mutation({
  args: { film: t.id("film"), seat: t.text({ max: 4 }) }, allow: "signed-in",
  async run({ db, run, me }, { film, seat }) {
    await db.box.create({ text: "tried" });
    try { await run(refuseAfterWrite, {}); } catch { return "caught"; }
    return "passed";
  },
});
export const refuseAfterWrite = mutation({
  args: {}, allow: "nobody",
  async run({ db }) {
    await db.box.create({ text: "half done" });
    throw new Refusal("NOT_NOW", "come back later", { when: "tomorrow" });
  },
});
export const hidden = query({ args: {}, run: () => 1 });
export const staffOnly = query({ args: {}, allow: { role: ["staff"] }, run: () => "staff" });
export const wrong = query({ args: {}, allow: "anyone", returns: t.object({ a: t.int() }), run: () => ({ a: 1, b: "extra" }) as never });
export const sneaky = query({
  args: {}, allow: "anyone",
  run: ({ db }) => (db as never as { box: { create(value: object): Promise<unknown> } }).box.create({ text: "written by a query" }),
});
export const misspelt = query({
  args: { name: t.text() }, allow: "anyone",
  run: ({ db }, { name }) => (db as never as Record<string, { list(): unknown }>)[name]?.list() as never,
});
export const asked = query({
  args: {}, allow: "anyone",
  async run({ db }) {
    const given = await (db as never as PromiseLike<unknown>) as { film: unknown };
    return [given === db, typeof given.film, "films" in given, (given as never)[Symbol.iterator] === undefined];
  },
});
const lost: Readonly<Record<string, object>> = {
  plain: { where: { title: undefined } },
  operator: { where: { title: { startsWith: undefined } } },
  inside: { where: { not: { or: [{ title: "a" }, { title: undefined }] } } },
};
export const lostFilter = query({
  args: { how: t.text(), reading: t.text() }, allow: "anyone",
  run: ({ db }, { how, reading }) => {
    const { film } = db.asSystem("to see whether all come") as never as { film: Record<string, (...given: unknown[]) => unknown> };
    return film[reading]?.(lost[how]) as never;
  },
});
export const withId = mutation({
  args: { method: t.text(), id: t.json().optional() }, allow: "anyone",
  run: ({ db }, { method, id }) =>
    (db.asSystem("to see what an id is") as never as { box: Record<string, (id: unknown, value: object) => unknown> }).box[method]?.(id ?? undefined, {}) as never,
});
export const many = query({
  args: { times: t.int() }, allow: "anyone",
  async run({ db }, { times }) {
    for (let n = 0; n < times; n++) await db.film.list({});
    return null;
  },
});
export const act = action({
  args: { film: t.id("film"), seat: t.text({ max: 4 }) }, allow: "anyone",
  async run({ run }, { film, seat }) {
    const id = await run(takeSeat, { film, seat });
    return { id, films: (await run(films, {})).length };
  },
});
export const solvent = invariant(async ({ db }) => (await db.account.list({ where: { balance: { lt: 0 } } })).length === 0);
export const noBox = invariant(async ({ db }) => (await db.box.list({})).length === 0);
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as studio from "./studio.ts";

export default app({ rules, functions: { studio }, invariants: [studio.solvent, studio.noBox] });
`,
};

/** Rows and people of the studio. */
export interface Studio {
  readonly ann: Asker;
  readonly bob: Asker;
  readonly staff: Asker;
  /** Ids by name. */
  readonly id: Readonly<Record<StudioRow, string>>;
}

/** Named rows. */
export type StudioRow =
  | "ann"
  | "bob"
  | "sam"
  | "open"
  | "draft"
  | "bobs"
  | "annNote"
  | "bobNote"
  | "annSeat"
  | "bobSeat"
  | "annAccount"
  | "vault";

/** Plants the data. Canaries end in the name of who may see them: `_STAFF`, `_ANN`, `_NOBODY`. */
export function plantStudio(harness: GateHarness): Promise<Studio> {
  return harness.asSystem((db) => {
    const add = (table: string, value: Record<string, string | number | boolean>): string => {
      const row = db.create(table, value, "system");
      if (row instanceof Promise) throw new Error("the embedded engine answers at once");
      return row["id"] as string;
    };
    const ann = add("user", { name: "Ann", email: "ann@x.example", password: "CANARY_NOBODY_1" });
    const bob = add("user", {
      name: "CANARY_BOB_NAME",
      email: "bob@x.example",
      password: "CANARY_NOBODY_2",
    });
    const sam = add("user", { name: "Sam", role: "staff" });
    const open = add("film", {
      title: "Open",
      rating: 5,
      budget: 111_111_111,
      memo: "CANARY_ANN_MEMO",
      owner: ann,
      code: "CANARY_NOBODY_3",
    });
    const draft = add("film", {
      title: "CANARY_ANN_DRAFT",
      rating: 9,
      budget: 222_222_222,
      owner: ann,
      draft: true,
    });
    const bobs = add("film", {
      title: "Bobs",
      rating: 7,
      budget: 333_333_333,
      memo: "CANARY_BOB_MEMO",
      owner: bob,
    });
    const annNote = add("note", {
      film: bobs,
      author: ann,
      text: "by ann",
      secret: "CANARY_ANN_SECRET",
    });
    const bobNote = add("note", {
      film: open,
      author: bob,
      text: "by bob",
      secret: "CANARY_BOB_SECRET",
    });
    add("note", { film: draft, author: ann, text: "on a draft", secret: "CANARY_ANN_SECRET_2" });
    const annSeat = add("booking", { film: open, customer: ann, seat: "A1" });
    const bobSeat = add("booking", { film: open, customer: bob, seat: "B1" });
    const annAccount = add("account", { owner: ann, balance: 100 });
    const vault = add("vault", { text: "CANARY_NOBODY_4" });
    return {
      ann: { id: ann, role: null },
      bob: { id: bob, role: null },
      staff: { id: sam, role: "staff" },
      id: {
        ann,
        bob,
        sam,
        open,
        draft,
        bobs,
        annNote,
        bobNote,
        annSeat,
        bobSeat,
        annAccount,
        vault,
      },
    };
  });
}
