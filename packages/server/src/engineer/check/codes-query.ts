// Codes about what queries cost.
import type { CheckCode } from "./check-code.ts";

const task = (more: string): string => `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  task: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    team: t.text({ max: 40 }).immutable(),
    due: t.date(),
    points: t.int({ min: 0 }),
  })${more},
});
// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  task: { read: ({ row, me }) => row.owner === me.id },
});
`;

const run = (body: string, args = ""): string => `// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const answer = query({
  args: { ${args} },
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me }${args === "" ? "" : `, { ${args.split(":")[0] ?? ""} }`}) {
${body}
  },
});
`;

const page = (from: string): string => `// src/page.ts
import { createClient } from "keelson/client";
import type app from "../keelson/app.ts";

const api = createClient<typeof app>("");
${from}
`;

const live = (where: string): string => `// keelson/notes.ts
import { t } from "keelson";
import { query } from "./schema.ts";

export const board = query({
  args: { },
  allow: "signed-in",
  returns: t.list(t.date(), { max: 100 }),
  async run({ db, me }) {
    const rows = await db.task.list(${where});
    return rows.map(({ due }) => due);
  },
});
`;

/** K301 to K307. */
export const queryCodes = {
  K301: {
    severity: "cost",
    category: "queries",
    title: "Query without an index",
    why: "It is fast with the ten rows of today, and reads all of a million.",
    about:
      "The engine's own plan of a list that a function asks for reads the whole table. With `--data` the table's rows are counted, and tables of at most 1,000 rows are not meant. What can't be told from the source (a filter that is put together at run time) is not asked.",
    bad: `${task("")}${run(`    const rows = await db.task.list({ where: { owner: me.id, due: { gte: "2026-01-01" } }, orderBy: "due", limit: 20 });
    const late = await db.asSystem("only a number leaves").task.first({ where: { team: "red", due: "2026-01-01" } }); // <- K301
    return late === null ? rows.length : 0;`)}`,
    good: `${task('.index("team", "due").index("due")')}${run(`    const late = await db.asSystem("only a number leaves").task.first({ where: { team: "red", due: "2026-01-01" } });
    const over = await db.asSystem("only a number leaves").task.list({ where: { due: { lt: "2025-01-01" } }, limit: 50 });
    return late === null ? over.length : late.points;`)}`,
  },
  K302: {
    severity: "cost",
    category: "queries",
    title: "Rule without an index",
    why: "Every list of the table goes through the rule: for everybody, the whole table.",
    about:
      "A read rule leaves ordinary callers the rows where one field equals something of theirs, and the engine's plan of a list reads the whole table; or it looks for rows of another table (`some`), and the plan reads all of that for every row. References always have an index.",
    bad: `${task("").replace("row.owner === me.id },", "row.team === me.team }, // <- K302")}${run("    return await db.task.count({ where: { owner: me.id } });")}`,
    good: `${task('.index("team")').replace("row.owner === me.id", "row.team === me.team")}${run("    return await db.task.count({ where: { owner: me.id } });")}`,
  },
  K303: {
    severity: "cost",
    category: "queries",
    title: "One query for every row",
    why: "A hundred rows are a hundred and one queries, and nobody sees it with three.",
    about: "A read stands in a loop, or in a callback, over the rows of another read.",
    bad: `${task("")}${run(`    const rows = await db.task.list({ where: { owner: me.id }, limit: 100 });
    let sum = 0;
    for (const row of rows) {
      sum += await db.task.count({ where: { owner: row.owner } }); // <- K303
    }
    return sum;`)}`,
    good: `${task("")}${run(`    const rows = await db.task.list({ where: { owner: me.id }, limit: 100, with: { owner: true } });
    return rows.filter((row) => row.owner !== null).length;`)}`,
  },
  K304: {
    severity: "risk",
    category: "queries",
    title: "List that ends without a word",
    why: "The 101st row is missing in the sum, and nobody is told.",
    about:
      "A list without `limit` gives the first 100 rows. It is said when a loop that reads or writes, or a sum, takes them for all.",
    bad: `${task("")}${run(`    const rows = await db.task.list({ where: { owner: me.id } }); // <- K304
    return rows.reduce((sum, row) => sum + row.points, 0);`)}`,
    good: `${task("")}${run(`    const { points } = await db.task.aggregate({ where: { owner: me.id }, values: { points: { sum: "points" } } });
    return points;`)}`,
  },
  K305: {
    severity: "cost",
    category: "queries",
    title: "Pages by number",
    why: "Page 50 reads the 49 before it, and rows are missed or shown twice when others come and go.",
    about: "The rows of a list are cut by an argument.",
    bad: `${task("")}${run(
      `    const rows = await db.task.list({ where: { owner: me.id }, limit: 1_000 });
    return rows.slice(skip, skip + 20).length; // <- K305`,
      "skip: t.int()",
    )}`,
    good: `${task("")}${run(
      `    const { rows } = await db.task.page({ where: { owner: me.id }, limit: 20, after });
    return rows.length;`,
      "after: t.text({ max: 500 }).optional()",
    ).replace("run({ db, me }, { after })", "run({ db, me }, { after = undefined })")}`,
  },
  K306: {
    severity: "cost",
    category: "queries",
    title: "Everything counted on every call",
    why: "An engine keeps no number of rows: it goes through all of them, each time.",
    about: "A function that people can call counts a table without a filter.",
    bad: `${task("")}${run('    return await db.asSystem("only a number leaves").task.count(); // <- K306')}`,
    good: `${task("")}${run("    return await db.task.count({ where: { owner: me.id } });")}`,
  },
  K307: {
    severity: "cost",
    category: "queries",
    title: "Live query over a whole table",
    why: "Every write runs it again for everybody who looks.",
    about:
      "The frontend keeps a function live that lists without filter and limit, or counts or aggregates without filter.",
    bad: `${task("")}${live("")}${page("api.notes.board.live({}, (rows) => console.log(rows.length)); // <- K307")}`,
    good: `${task("")}${live("{ where: { owner: me.id }, limit: 50 }")}${page("api.notes.board.live({}, (rows) => console.log(rows.length));")}`,
  },
} satisfies Readonly<Record<string, CheckCode>>;
