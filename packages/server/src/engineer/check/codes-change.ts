// Codes about what a deployment changes, and about the comments that allow findings.
import type { CheckCode } from "./check-code.ts";

const schema = (when: "" | "before: ", line: string): string => `
// ${when}keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({${line.startsWith("!") ? line.slice(1) : ""}
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),${line.startsWith("!") ? "" : `\n    ${line}`}
  }),
});
`;

const mine = (when: "" | "before: ", args: string, mark = ""): string => `// ${when}keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const mine = query({${mark}
  args: { ${args} },
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me }) {
    return await db.note.count({ where: { owner: me.id } });
  },
});
`;

/** K001, K002, K501 to K505. */
export const changeCodes = {
  K001: {
    severity: "advice",
    category: "review",
    title: "Allowed without a reason",
    why: "Nobody can tell later whether it was right, so it allows nothing.",
    about: "A comment `keelson-allow` without code or without reason.",
    bad: `
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

// keelson-allow // <- K001
export default app({ rules, functions: {} });
`,
    good: `
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: {} });
`,
  },
  K002: {
    severity: "advice",
    category: "review",
    title: "Allowed, and not there",
    why: "The reason outlived what it explained, and hides the next finding of that code.",
    about: "A comment `keelson-allow` names a code that is not found at its line.",
    bad: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }), // keelson-allow K205: titles are short // <- K002
  }),
});
`,
    good: `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text(), // keelson-allow K205: titles are as long as people write them
  }),
});
`,
  },
  K501: {
    severity: "risk",
    category: "change",
    title: "Deployment that loses data",
    why: "What is dropped is in the backup only.",
    about:
      "With `--data`: the migration of that database drops a column or a table that holds values. Renames are never guessed.",
    bad:
      schema("before: ", "body: t.text({ max: 500 }),") +
      schema("", "!").replace("note: table({", "note: table({ // <- K501").trimStart(),
    good:
      schema("before: ", "body: t.text({ max: 500 }),") +
      schema("", "body: t.text({ max: 900 }),").trimStart(),
  },
  K502: {
    severity: "risk",
    category: "change",
    title: "Deployment that stops at the data",
    why: "The new version does not start, at the moment when it should.",
    about: "With `--data`: rows of that database do not fit the new schema.",
    bad: schema("before: ", "!") + schema("", "body: t.text({ max: 500 }), // <- K502").trimStart(),
    good:
      schema("before: ", "!") + schema("", "body: t.text({ max: 500 }).optional(),").trimStart(),
  },
  K503: {
    severity: "risk",
    category: "change",
    title: "Function that shipped clients can't call",
    why: "Pages that are open and apps on phones call what was there when they were made.",
    about:
      "Compared with the app that was started last on the data (`--data`) or with `--against`: a function is gone, closed, moved, asks for more, takes less, or answers less.",
    bad: `
${mine("before: ", "")}${mine("", "team: t.text({ max: 40 })", " // <- K503")}`,
    good: `
${mine("before: ", "")}${mine("", "team: t.text({ max: 40 }).optional()")}`,
  },
  K504: {
    severity: "risk",
    category: "change",
    title: "Table that shipped clients can't use",
    why: "Pages that are open and apps on phones read and write the fields that were there.",
    about:
      "Compared as for K503: a table that is reachable through the doors is gone, lost a right or a field, holds another kind, takes less, or asks for a new field on create.",
    bad:
      schema("before: ", "!") +
      schema("", "body: t.text({ max: 500 }),")
        .replace("note: table({", "note: table({ // <- K504")
        .trimStart(),
    good:
      schema("before: ", "!") + schema("", "body: t.text({ max: 500 }).optional(),").trimStart(),
  },
  K505: {
    severity: "cost",
    category: "change",
    title: "Deployment that everybody waits for",
    why: "Until the last row is done the new version answers nobody.",
    about:
      "With `--data`: the migration of that database makes an index, copies a table or fills a search over 50,000 rows or more. A new column needs no copy.",
    bad:
      schema("before: ", "body: t.text({ max: 500 }),") +
      schema("", "body: t.text({ max: 500 }),")
        .replace("note: table({", "note: table({ // <- K505")
        .replace("}),\n});", '}).index("title"),\n});')
        .trimStart(),
    good:
      schema("before: ", "body: t.text({ max: 500 }),") +
      schema("", "body: t.text({ max: 500 }),\n    more: t.int().optional(),").trimStart(),
  },
} satisfies Readonly<Record<string, CheckCode>>;
