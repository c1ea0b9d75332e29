// Codes about what the rules say.
import type { CheckCode } from "./check-code.ts";

const scheme = (fields: string): string => `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({ name: t.text({ max: 100 }), role: t.oneOf("member", "staff").default("member").immutable() }),
  note: table({
    owner: t.ref("user", { onDelete: "cascade" })${fields}
    title: t.text({ max: 200 }),
  }),
});
`;

/** @param user rules of `user`, with the line's end. */
const noteRules = (lines: string, user = ""): string => `// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
${user}  note: {
${lines}
  },
});
`;

const peopleAreRead = `  user: { read: ({ me }) => me.id !== null },
`;
const namesAreRead = `  user: {
    read: ({ me }) => me.id !== null,
    fields: { email: { read: ({ row, me }) => row.id === me.id } },
  },
`;

/** K102 to K105, K111 to K118. */
export const ruleCodes = {
  K102: {
    severity: "hole",
    category: "trust",
    title: "Client sets the owner",
    why: "People can make rows in the name of others.",
    about:
      "A table has a reference to a person that says whose row it is (other rules compare it with `me.id`, or its name says so), and the create rule, open to ordinary callers, does not speak of it. A reference must lead to a row that the caller may read: where nobody but oneself may be read in `user`, naming another is refused, and nothing is said.",
    bad: `
${noteRules(
  `    read: ({ row, me }) => row.owner === me.id,
    create: ({ me }) => me.id !== null, // <- K102`,
  namesAreRead,
)}`,
    good: `
${noteRules(
  `    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,`,
  namesAreRead,
)}`,
  },
  K103: {
    severity: "hole",
    category: "trust",
    title: "Client sets their own rights",
    why: "One PATCH, and a member is an admin.",
    about:
      "A field whose name says what somebody may do (role, admin, plan, credits, verified), on `user` or on a table that rules ask for rights, can be set by ordinary callers: the rule does not speak of it, and it is neither immutable nor held by a field rule; or a function writes it, outside the rules, from an argument.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({ name: t.text({ max: 100 }), role: t.oneOf("member", "staff").default("member") }),
  note: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 200 }) }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  user: {
    read: ({ row, me }) => row.id === me.id,
    update: ({ row, me }) => row.id === me.id, // <- K103
  },
  note: { read: ({ row, me }) => row.owner === me.id },
});
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({ name: t.text({ max: 100 }), role: t.oneOf("member", "staff").default("member") }),
  note: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 200 }) }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  user: {
    read: ({ row, me }) => row.id === me.id,
    update: ({ row, me }) => row.id === me.id,
    fields: { role: { write: ({ me }) => me.role === "staff" } },
  },
  note: { read: ({ row, me }) => row.owner === me.id },
});
`,
  },
  K104: {
    severity: "hole",
    category: "trust",
    title: "Update gives the row away",
    why: "What was checked before the change says nothing of the row after it.",
    about:
      "An update rule compares a field of `row` with `me.id` and does not speak of that field in `next`, and the field is neither immutable nor held by a field rule. The same for a reference whose parent decides: its owner, its members, the tenant. A reference must lead to a row that the caller may read: where nobody but oneself may be read in `user`, naming another is refused, and nothing is said.",
    bad: `${scheme(",")}${noteRules(
      `    read: ({ row, me }) => row.owner === me.id,
    update: ({ row, me }) => row.owner === me.id, // <- K104`,
      peopleAreRead,
    )}`,
    good: `${scheme(".immutable(),")}${noteRules(
      `    read: ({ row, me }) => row.owner === me.id,
    update: ({ row, me }) => row.owner === me.id,`,
      peopleAreRead,
    )}`,
  },
  K105: {
    severity: "hole",
    category: "trust",
    title: "Reference without a right on its parent",
    why: "Whoever can put a row under a parent gets what such rows open.",
    about:
      "A table that rules ask for rights (memberships) lets ordinary callers create rows for any parent they can see; or rules compare what a reference leads to with the caller (`row.order.customer === me.id`, a tenant's claim, a membership), everybody can read those parents, and `create` does not speak of the reference; or a function creates, outside the rules, a row under a parent that an argument names without reading that parent with the caller's rights. Through the doors, references must lead to rows that the caller may read.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  room: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), name: t.text({ max: 100 }) }),
  member: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    person: t.ref("user", { onDelete: "cascade" }).immutable(),
  }).unique("room", "person"),
  message: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    text: t.text({ max: 500 }),
  }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  room: { read: () => true },
  member: {
    read: ({ row, me }) => row.person === me.id,
    create: ({ next, me }) => next.person === me.id, // <- K105
  },
  message: {
    read: ({ row, me, db }) => db.member.some((m) => m.room === row.room && m.person === me.id),
  },
});
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules });
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  room: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), name: t.text({ max: 100 }) }),
  member: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    person: t.ref("user", { onDelete: "cascade" }).immutable(),
  }).unique("room", "person"),
  message: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    text: t.text({ max: 500 }),
  }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  room: { read: () => true },
  member: {
    read: ({ row, me }) => row.person === me.id,
    create: ({ next, me }) => next.room.owner === me.id,
  },
  message: {
    read: ({ row, me, db }) => db.member.some((m) => m.room === row.room && m.person === me.id),
  },
});
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules });
`,
  },
  K111: {
    severity: "hole",
    category: "trust",
    title: "Personal data open to all",
    why: "This is how databases of millions of people were copied: by asking for the list.",
    about:
      "A read rule that is always true (for everybody, or for everybody signed in) on a table with a field whose name says that it is about a person, not private and without a field rule of its own.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    phone: t.text({ max: 30 }),
  }),
});
${noteRules(`    read: () => true, // <- K111
    delete: ({ row, me }) => row.owner === me.id,`)}`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    phone: t.text({ max: 30 }),
  }),
});
${noteRules(`    read: () => true,
    delete: ({ row, me }) => row.owner === me.id,
    fields: { phone: { read: ({ row, me }) => row.owner === me.id } },`)}`,
  },
  K112: {
    severity: "hole",
    category: "trust",
    title: "Write open to all",
    why: "Everybody can change or delete what belongs to everybody else.",
    about:
      "An update or delete rule that is true for every row, for everybody or for everybody signed in.",
    bad: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id,
    delete: ({ me }) => me.id !== null, // <- K112`)}`,
    good: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,`)}`,
  },
  K113: {
    severity: "risk",
    category: "trust",
    title: "Rule that is never true",
    why: "Nobody can do what the rule was written for, or somebody finds another way to allow it.",
    about:
      "Two conditions of one `&&` exclude each other: the same field equals two values, or something is absent and compared. `() => false` says what it means and is not meant.",
    bad: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id && (row.title === "a" && row.title === "b"), // <- K113
    create: ({ next, me }) => next.owner === me.id,`)}`,
    good: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id && (row.title === "a" || row.title === "b"),
    create: ({ next, me }) => next.owner === me.id,`)}`,
  },
  K114: {
    severity: "risk",
    category: "trust",
    title: "Clause that changes nothing",
    why: "Somebody believes that this clause protects something.",
    about:
      "A clause stands beside one that decides alone, stands there twice, or is contained in another.",
    bad: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id || (row.owner === me.id && me.role === "staff"), // <- K114
    create: ({ next, me }) => next.owner === me.id,`)}`,
    good: `
${noteRules(`    read: ({ row, me }) => row.owner === me.id || me.role === "staff",
    create: ({ next, me }) => next.owner === me.id,`)}`,
  },
  K115: {
    severity: "risk",
    category: "trust",
    title: "Role that nobody can have",
    why: "What is for that role is for nobody, and the day somebody adds the value it is for them.",
    about: "A rule or an `allow` names a role that `user.role`, a `t.oneOf`, does not take.",
    bad: `${scheme(".immutable(),")}${noteRules(`    read: ({ row, me }) => row.owner === me.id || me.role === "stuff", // <- K115
    create: ({ next, me }) => next.owner === me.id,`)}`,
    good: `${scheme(".immutable(),")}${noteRules(`    read: ({ row, me }) => row.owner === me.id || me.role === "staff",
    create: ({ next, me }) => next.owner === me.id,`)}`,
  },
  K116: {
    severity: "advice",
    category: "trust",
    title: "Table that nothing leads to",
    why: "It was forgotten in the rules, or in the schema.",
    about: "A table has no rules, no function names it, and no reference leads to it.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 200 }) }),
  draft: table({ title: t.text({ max: 200 }) }), // <- K116
});
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 200 }) }),
  draft: table({ title: t.text({ max: 200 }) }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  note: { read: ({ row, me }) => row.owner === me.id },
  draft: { read: () => true },
});
`,
  },
  K117: {
    severity: "hole",
    category: "trust",
    title: "Secret in rows that people read",
    why: "Who reads a token or a hash can act as the person it belongs to.",
    about:
      "A text whose name says secret (password, token, api key) is in a table that ordinary callers may read, and is neither private nor kept for a role by a field rule.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    accessToken: t.text({ max: 100 }), // <- K117
  }),
});
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    accessToken: t.text({ max: 100 }).private(),
  }),
});
`,
  },
  K118: {
    severity: "advice",
    category: "trust",
    title: "Every website may call",
    why: "A page that somebody opens can use this app with what their browser knows.",
    about: 'The app\'s `cors` is `["*"]`.',
    bad: `
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {}, cors: ["*"] }); // <- K118
`,
    good: `
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {}, cors: ["https://notes.example"] });
`,
  },
} satisfies Readonly<Record<string, CheckCode>>;
