// Codes about single fields.
import type { CheckCode } from "./check-code.ts";

const field = (line: string): string => `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    ${line}
  }),
});
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {} });
`;

const user = (line: string, auth: string): string => `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({
    email: t.text({ max: 320 }).optional().unique(),
    ${line}
  }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id },
});
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {}${auth} });
`;

/** K203 to K205, K207, K208, K212 to K214. */
export const fieldCodes = {
  K203: {
    severity: "risk",
    category: "data",
    title: "Money as a floating-point number",
    why: "Sums come out wrong by cents, and comparisons by more.",
    about:
      "A `t.number` whose name says money: price, amount, total, balance, fee. Rates, scores and counts are not meant.",
    bad: field("price: t.number({ min: 0 }), // <- K203"),
    good: field('price: t.money("EUR", { min: 0 }),'),
  },
  K204: {
    severity: "risk",
    category: "data",
    title: "Time as text",
    why: "An hour is wrong for everybody in another zone, and lists by time are in the wrong order.",
    about:
      "A `t.text` whose name says a moment or a day: ends in At, Date, Time, Until; or deadline, birthday.",
    bad: field("remindAt: t.text({ max: 30 }), // <- K204"),
    good: field("remindAt: t.time(),"),
  },
  K205: {
    severity: "advice",
    category: "data",
    title: "Size that nobody chose",
    why: "What a field can hold is what somebody will put there: in every row, list and answer.",
    about:
      "A text, list or json of a table without a bound of its own. There is always a bound (10,000 characters, 1,000 items, 64 KiB); this says that nobody chose it.",
    bad: field("body: t.text(), // <- K205"),
    good: field("body: t.text({ max: 4_000 }),"),
  },
  K207: {
    severity: "risk",
    category: "data",
    title: "Reference that nothing holds",
    why: "Rows that refer to nothing turn up months later, in a list that fails.",
    about: "A `t.id` in a table, or a text named after a table (`filmId`, `ownerId`).",
    bad: field("ownerId: t.text({ max: 40 }), // <- K207"),
    good: field('reader: t.ref("user", { onDelete: "cascade" }),'),
  },
  K208: {
    severity: "advice",
    category: "data",
    title: "Choice as free text",
    why: "Every spelling is a value of its own, and every list by it misses some.",
    about: "A text named status, state, type, kind, level, priority or so, without a pattern.",
    bad: field("status: t.text({ max: 20 }), // <- K208"),
    good: field('status: t.oneOf("draft", "published").immutable(),'),
  },
  K212: {
    severity: "risk",
    category: "data",
    title: "Key that two rows can have",
    why: "Two requests at once make two, and everything that looks one up finds either.",
    about:
      "A text named slug, username, handle, sku, iban or isbn, or the e-mail of `user`, that no unique constraint names.",
    bad: field("slug: t.text({ max: 60 }), // <- K212"),
    good: field("slug: t.text({ max: 60 }).unique(),"),
  },
  K213: {
    severity: "risk",
    category: "data",
    title: "Stock that can go below zero",
    why: "The last ticket is sold twice, and nothing stops it.",
    about:
      "A number named stock, inventory, quantity, available, remaining or credits has no `min` of 0 or more, and no check of the table speaks of it.",
    bad: field("stock: t.int().immutable(), // <- K213"),
    good: field("stock: t.int({ min: 0 }).immutable(),"),
  },
  K214: {
    severity: "risk",
    category: "data",
    title: "Field that keeps new people out",
    why: "Whoever signs up is refused for a field that no form shows them.",
    about:
      'Sign-up is open, and a field of `user` is required, has no default, and is not among `signUpFields`. People who come by another provider are led to the same form. `name` is asked for by itself and `email` filled in. Of an app with `signUp: "closed"`, which makes its users itself, nothing is said.',
    bad: user("company: t.text({ max: 80 }), // <- K214", ""),
    good: user("company: t.text({ max: 80 }),", ', auth: { signUpFields: ["company"] }'),
  },
} satisfies Readonly<Record<string, CheckCode>>;
