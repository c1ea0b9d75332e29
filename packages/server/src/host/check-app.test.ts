// The review as a whole: the same twice, whole for large apps, silent on apps that are right, and what it does
// with comments that allow findings.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AppInvalid } from "../model/app-mistake.ts";
import { exampleFiles } from "../engineer/check/example-app.ts";
import { checkAppFolder } from "./check-desk.ts";

const folder = mkdtempSync(join(tmpdir(), "keelson-check-app-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let apps = 0;

function writeApp(files: Readonly<Record<string, string>>): string {
  apps += 1;
  const target = join(folder, String(apps));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  return target;
}

async function found(text: string): Promise<readonly string[]> {
  const appDir = writeApp(exampleFiles(text).files);
  const { report } = await checkAppFolder({ appDir, dataDir: null, against: null });
  return report.findings.map(({ code, at }) => `${code} ${at.file}:${at.line}`);
}

const notes = (body: string): string => `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";

${body}
`;

test("the apps of this repository end with no finding that is not explained", async () => {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  for (const app of [
    "examples/cinema",
    "bench/app",
    "packages/cli/template",
    "fixtures/clean/shop",
  ]) {
    const { report } = await checkAppFolder({
      appDir: join(root, app),
      dataDir: null,
      against: null,
    });
    assert.deepEqual(
      report.findings.map(({ code, at, says }) => `${app} ${code} ${at.file}:${at.line} ${says}`),
      [],
    );
    assert.deepEqual(report.looked.unread, []);
    for (const { reason } of report.allowed) assert.ok(reason.length > 10);
  }
});

test("tables where there are none are found: misspelt, or in what is no transaction", async () => {
  const text = `
// keelson/notes.ts
import { t } from "keelson";
import { action, query } from "./schema.ts";

const returns = t.int();
export const misspelt = query({ args: {}, allow: "signed-in", returns, run: ({ db, me }) => db.nota.count({ where: { owner: me.id } }) });
export const ask = action({
  args: {},
  allow: "signed-in",
  returns,
  limit: { perUser: "5/minute" },
  run: (ctx: any) => ctx.db.note.count({ where: { owner: ctx.me.id } }),
});
export const platform = query({ args: {}, allow: { role: ["staff"] }, returns, run: ({ db }) => db.asSystem("how many are signed in").authSession.count({ where: { user: "x" } }) });
`;
  assert.deepEqual(await found(text), ["K416 keelson/notes.ts:5", "K416 keelson/notes.ts:11"]);
});

test("a comment allows what is on its line or below it, and its reason is in the report", async () => {
  const files = exampleFiles(
    notes(`// keelson-allow K407: the write may come later,
// and nobody waits for it
export const one = 1;
export const add = mutation({
  args: { title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { title }) {
    // keelson-allow K407: the write may come later,
    // and nobody waits for it
    db.note.create({ owner: me.id, title });
    db.note.create({ owner: me.id, title }); // keelson-allow K407: nor here
    db.note.create({ owner: me.id, title });
  },
});`),
  ).files;
  const { report } = await checkAppFolder({
    appDir: writeApp(files),
    dataDir: null,
    against: null,
  });
  assert.deepEqual(
    report.allowed.map(({ reason, finding }) => [finding.at.line, reason]),
    [
      [14, "the write may come later, and nobody waits for it"],
      [15, "nor here"],
    ],
  );
  assert.deepEqual(
    report.findings.map(({ code, at }) => [code, at.line]),
    [
      ["K407", 16],
      ["K002", 4],
    ],
  );
});

test("helpers of the app are followed: a check in one counts, a write in one is found in it", async () => {
  const checked = await found(
    notes(`const mayRename = (me: { id: string }, owner: string) => me.id === owner;
export const rename = mutation({
  args: { note: t.id("note"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { note, title }) {
    const system = db.asSystem("owners are checked below");
    const row = await system.note.get(note);
    if (row === null || !mayRename(me, row.owner)) throw new Refusal("NO", "Not yours.");
    await system.note.update(note, { title });
  },
});`),
  );
  assert.deepEqual(checked, []);
  const written = await found(
    notes(`async function rename(db: any, note: any, title: string) {
  await db.asSystem("titles are free for all").note.update(note, { title });
}
export const change = mutation({
  args: { note: t.id("note"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { note, title }) {
    await rename(db, note, title);
  },
});`),
  );
  assert.deepEqual(written, ["K106 keelson/notes.ts:5"]);
});

test("an owner that nobody could set to another is no hole: references lead to rows that one may read", async () => {
  const lines = async (user: string, owner: string): Promise<readonly string[]> =>
    found(`
// keelson/schema.ts
import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({
  note: table({ owner: ${owner}, title: t.text({ max: 200 }) }),
});
// keelson/rules.ts
import { rules } from "./schema.ts";
export default rules({
  ${user}
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ me }) => me.id !== null,
    update: ({ row, me }) => row.owner === me.id,
  },
});
`);
  const reference = `t.ref("user", { onDelete: "cascade" })`;
  const both = ["K102 keelson/rules.ts:6", "K104 keelson/rules.ts:7"];
  const email = "fields: { email: { read: ({ row, me }) => row.id === me.id } } },";
  assert.deepEqual(await lines("", reference), []);
  assert.deepEqual(
    await lines("user: { read: ({ row, me }) => row.id === me.id },", reference),
    [],
  );
  assert.deepEqual(await lines(`user: { read: ({ me }) => me.role === "staff" },`, reference), []);
  assert.deepEqual(
    await lines(`user: { read: ({ me }) => me.id !== null, ${email}`, reference),
    both,
  );
  assert.deepEqual(
    await lines(
      `user: { read: ({ row, me }) => row.id === me.id || row.email !== null, ${email}`,
      reference,
    ),
    both,
  );
  assert.deepEqual(
    await lines(
      `user: { read: ({ row, me }) => row.id === me.id || me.role === "staff" },`,
      reference,
    ),
    [],
  );
  // Those whom a claim opens others to can name them.
  assert.deepEqual(
    await lines(
      `user: { read: ({ row, me }) => row.id === me.id || me.orgRole === "owner", ${email}`,
      reference,
    ),
    both,
  );
  // An id that is no reference is not looked up.
  assert.ok((await lines("", `t.id("user")`)).includes("K104 keelson/rules.ts:7"));
});

test("an argument that is written as a whole outside the rules may hold rights", async () => {
  const lines = await found(
    notes(`export const edit = mutation({
  args: { patch: t.object({ name: t.text({ max: 50 }).optional(), role: t.text({ max: 50 }).optional() }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db, me }, { patch }) {
    await db.asSystem("people edit their profile").user.update(me.id, patch);
  },
});`),
  );
  assert.deepEqual(lines, ["K103 keelson/notes.ts:9"]);
});

test("a function whose name is the beginning of its kind is looked at as any other", async () => {
  const lines = await found(
    notes(`export const mut = mutation({
  args: { note: t.id("note"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { note, title }) {
    await db.asSystem("titles are free for all").note.update(note, { title });
  },
});`),
  );
  assert.deepEqual(lines, ["K106 keelson/notes.ts:9"]);
});

test("what looks like a fault and is none is not said", async () => {
  const lines = await found(
    notes(`export const fine = mutation({
  args: { title: t.text({ max: 200 }), ids: t.list(t.id("note"), { max: 20 }) },
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me, now }, { title, ids }) {
    const counts = new Map<string, number>();
    for (const id of ids) {
      const row = await db.note.get(id);
      if (row !== null) counts.set(row.title, (counts.get(row.title) ?? 0) + 1);
    }
    const seen: string[] = [];
    const found = await Promise.all(ids.map(async (id) => await db.note.get(id)));
    for (const row of found) if (row !== null) seen.push(row.title);
    const rows = await db.note.list({ where: { owner: me.id }, limit: 50 });
    await Promise.all(rows.map((row) => db.note.update(row.id, { title })));
    console.log("changed", rows.length, "at", now);
    const code = Math.floor(Math.random() * 6);
    return code + counts.size + seen.length;
  },
});`),
  );
  assert.deepEqual(lines, []);
});

/** An app of tables alone. */
const withoutFunctions = `
// keelson/app.ts
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules });
`;

const people = (onDelete: string): string => `${withoutFunctions}
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, action, rules, app } = define({
  user: table({ name: t.text({ max: 100 }).optional(), email: t.text({ max: 320 }).optional().unique() }),
  home: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), address: t.text({ max: 300 }) }),
  bill: table({ payer: t.ref("user"${onDelete}).optional(), number: t.int({ min: 1 }).unique() }),
});

// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id },
  home: { read: ({ row, me }) => row.owner === me.id, create: ({ next, me }) => next.owner === me.id },
  bill: { read: ({ row, me }) => row.payer === me.id },
});
`;

test("rows in a state that everybody may read are not the caller's own", async () => {
  const posts = `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, action, rules, app } = define({
  post: table({ title: t.text({ max: 100 }), state: t.oneOf("draft", "live").default("draft") }),
});

// keelson/rules.ts
import { rules } from "./schema.ts";

export default rules({
  post: { read: ({ row, me }) => row.state === "live" || me.role === "editor", write: ({ me }) => me.role === "editor" },
});
`;
  assert.deepEqual(await found(posts + withoutFunctions), []);
});

test("who leaves takes along what goes with them, unless a reference stands in the way", async () => {
  assert.deepEqual(await found(people(', { onDelete: "clear" }')), []);
  const kept = await found(people(""));
  assert.deepEqual(kept, ["K210 keelson/schema.ts:4", "K210 keelson/schema.ts:5"]);
});

test("an app of 50 tables and 200 functions is reviewed as a whole, and twice the same", async () => {
  const appDir = writeApp(largeApp(50, 4));
  const { report } = await checkAppFolder({ appDir, dataDir: null, against: null });
  assert.equal(report.looked.tables, 51);
  assert.equal(report.looked.functions, 200);
  assert.deepEqual(report.looked.unread, []);
  const again = await checkAppFolder({ appDir, dataDir: null, against: null });
  assert.equal(JSON.stringify(again.report), JSON.stringify(report));
  // One fault is planted in every table and one in every module.
  assert.deepEqual(
    [...Map.groupBy(report.findings, ({ code }) => code)].map(([code, each]) => [
      code,
      each.length,
    ]),
    [
      ["K106", 50],
      ["K301", 50],
    ],
  );
});

/** Tables with owners, references, states; functions that list, add, change and count. */
function largeApp(tables: number, functionsEach: 4): Readonly<Record<string, string>> {
  const names = Array.from({ length: tables }, (_, index) => `item${letters(index)}`);
  const schema = names.map(
    (name, index) => `  ${name}: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    ${index === 0 ? "" : `parent: t.ref("item${letters(index - 1)}", { onDelete: "cascade" }).optional(),`}
    title: t.text({ max: 200 }),
    status: t.oneOf("open", "done").immutable(),
    due: t.time(),
    price: t.money("EUR", { min: 0 }),
  }).index("owner", "due"),`,
  );
  const rules = names.map(
    (name) => `  ${name}: {
    read: ({ row, me }) => row.owner === me.id || me.role === "staff",
    create: ({ next, me }) => next.owner === me.id,
    update: ({ row, me }) => row.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,
  },`,
  );
  const modules = names.map((name) => [`keelson/${name}.ts`, largeModule(name)] as const);
  assert.equal(functionsEach, 4);
  return {
    "keelson/schema.ts": `import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({
${schema.join("\n")}
});
`,
    "keelson/rules.ts": `import { rules } from "./schema.ts";
export default rules({
${rules.join("\n")}
});
`,
    "keelson/app.ts": `${names.map((name) => `import * as ${name} from "./${name}.ts";`).join("\n")}
import rules from "./rules.ts";
import { app } from "./schema.ts";
export default app({ rules, functions: { ${names.join(", ")} } });
`,
    ...Object.fromEntries(modules),
  };
}

function largeModule(name: string): string {
  return `import { Refusal, t } from "keelson";
import { mutation, query } from "./schema.ts";
export const open = query({
  args: { from: t.time() },
  allow: "signed-in",
  returns: t.list(t.text({ max: 200 }), { max: 50 }),
  async run({ db, me }, { from }) {
    const rows = await db.${name}.list({ where: { owner: me.id, due: { gte: from } }, orderBy: "due", limit: 50 });
    return rows.map((row) => row.title);
  },
});
export const add = mutation({
  args: { title: t.text({ max: 200 }), due: t.time() },
  allow: "signed-in",
  returns: t.id("${name}"),
  async run({ db, me }, { title, due }) {
    const row = await db.${name}.create({ owner: me.id, title, due, status: "open", price: 0 });
    return row.id;
  },
});
export const rename = mutation({
  args: { id: t.id("${name}"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { id, title }) {
    await db.asSystem("titles are for everybody").${name}.update(id, { title });
  },
});
export const cheap = query({
  args: { price: t.int({ min: 0 }) },
  allow: "signed-in",
  returns: t.int(),
  async run({ db, me }, { price }) {
    if (me.role === null) throw new Refusal("NO", "Not for you.");
    const rows = await db.asSystem("only how many leaves").${name}.list({ where: { price: { lte: price } }, limit: 20 });
    return rows.length;
  },
});
`;
}

/** Names of tables take no digits. */
function letters(index: number): string {
  return String.fromCharCode(97 + Math.floor(index / 26), 97 + (index % 26));
}

const workSchema = `
// keelson/schema.ts
import { define, event, table, t } from "keelson";

export const { query, mutation, action, queue, workflow, on, cron, hook, rules, app } = define(
  {
    note: table({ owner: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 200 }) }),
  },
  { events: { "note.old": event({ note: t.id("note") }) } },
);
`;
const workNotes = (body: string): string => `${workSchema}
// keelson/notes.ts
import { t } from "keelson";
import { action, cron, hook, mutation, on, queue, workflow } from "./schema.ts";

const note = t.id("note");
const system = "old notes go by themselves";
export const drop = mutation({
  args: { note },
  async run({ db }, { note }) {
    await db.asSystem(system).note.delete(note);
  },
});
export const drops = queue(drop, { attempts: 2 });
${body}
`;

test("steps of workflows, jobs, consumers, crons and hooks are looked at as other functions are", async () => {
  const faults = `
let count = 0;
export const tidy = workflow({
  args: { note, phone: t.text({ max: 20 }) },
  async run({ step, sleep }, { note, phone }) {
    count += 1;
    sleep("1d");
    console.log("for", phone);
    try {
      await step(drop, { note });
    } catch {}
  },
});
export const begin = mutation({
  allow: "signed-in",
  returns: t.nothing(),
  async run({ startWorkflow, emit, db, me }) {
    const { id } = await db.note.create({ owner: me.id, title: "x" });
    startWorkflow(tidy, { note: id, phone: "1" });
    emit("note.old", { note: id });
  },
});
export const onOld = mutation({
  args: { note },
  async run({ db }, { note }) {
    db.asSystem(system).note.delete(note);
  },
});
export const olds = on("note.old", onOld);
export const nightly = action({
  args: { at: t.time() },
  hosts: ["api.example.com"],
  async run() {
    await fetch("https://api.example.com/charge", { method: "POST", body: "{}" });
  },
});
export const nights = cron("every day at 03:00", { zone: "UTC" }, nightly);
export const onMail = mutation({
  args: { body: t.json() },
  async run({ webhooks }, { body }) {
    console.log(Boolean(body));
    webhooks.send("mail", {});
  },
});
export const mails = hook("mail", { verify: "github", secrets: ["MAIL"] }, onMail);
`;
  const text = workNotes(faults);
  const { files } = exampleFiles(text);
  const lines = (files["keelson/notes.ts"] ?? "").split("\n");
  const lineOf = (part: string) => lines.findIndex((line) => line.includes(part)) + 1;
  const wanted = [
    ["K409", "let count"],
    ["K407", 'sleep("1d")'],
    ["K412", 'console.log("for"'],
    ["K411", "catch {}"],
    ["K407", "startWorkflow(tidy"],
    ["K407", 'emit("note.old"'],
    ["K407", "    db.asSystem(system)"],
    ["K401", "https://api.example.com/charge"],
    ["K407", "webhooks.send("],
  ].map(([code, part = ""]) => `${code} keelson/notes.ts:${lineOf(part)}`);
  const said = await found(text);
  for (const each of wanted) assert.ok(said.includes(each), `${each} of ${said.join(", ")}`);
  assert.deepEqual(
    said.filter((each) => !wanted.includes(each)),
    [],
  );
});

test("a cron that can't be is told where it is declared", async () => {
  const { files } = exampleFiles(
    workNotes(`export const tick = action({ args: { at: t.time() }, async run() {} });
export const late = cron("61 * * * *", { zone: "UTC" }, tick);
export const never = cron("0 0 30 2 *", { zone: "UTC" }, tick);`),
  );
  const lines = (files["keelson/notes.ts"] ?? "").split("\n");
  const lineOf = (part: string) => lines.findIndex((line) => line.includes(part)) + 1;
  const appDir = writeApp(files);
  await assert.rejects(
    checkAppFolder({ appDir, dataDir: null, against: null }),
    (error: AppInvalid) => {
      const told = error.mistakes.map(({ file, line, column, problem }) => {
        return `${file}:${line}:${column} ${problem.split(" has ", 1)[0]}`;
      });
      assert.deepEqual(told, [
        `keelson/notes.ts:${lineOf("late =")}:14 the cron notes.late`,
        `keelson/notes.ts:${lineOf("never =")}:14 the cron notes.never`,
      ]);
      return true;
    },
  );
});

const handing = {
  "a queue's function": "enqueue(drop, { note })",
  "a queue": "enqueue(drops, { note })",
  "later work": 'schedule("1d", drop, { note })',
  "a workflow's step": "startWorkflow(tidy, { note })",
  "an event's consumer": 'emit("note.old", { note })',
};
for (const [name, call] of Object.entries(handing)) {
  const calls = name.includes("workflow") ? "startWorkflow" : (call.split("(")[0] ?? "");
  const text = (before: string) =>
    workNotes(`
export const tidy = workflow({
  args: { note },
  run: ({ step }, { note }) => step(drop, { note }),
});
export const olds = on("note.old", drop);
export const begin = mutation({
  args: { note },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ ${calls}, db }, { note }) {
    ${before}
    await ${call};
  },
});
`);
  test(`a row that any caller names for ${name} outside the rules is found, and not when it was read with their rights`, async () => {
    const said = await found(text("console.log(typeof db);"));
    assert.deepEqual(
      said.map((each) => each.split(" ")[0]),
      ["K106"],
    );
    assert.deepEqual(await found(text("if ((await db.note.get(note)) === null) return;")), []);
  });
}
