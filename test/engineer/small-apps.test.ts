// Small apps under attack: what is sound must pass, and what goes on after the answer must not be passed over.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { attackFolder } from "./shop-with-holes.case.ts";

const appText = `import rules from "./rules.ts";
import { app } from "./schema.ts";
`;

/** Attacks an app of these files. @returns the verdict, what was found and what was left open. */
async function attacked(files: Readonly<Record<string, string>>) {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-small-"));
  try {
    mkdirSync(join(appDir, "keelson"));
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(appDir, "keelson", file), text);
    }
    const { verdict, findings, inconclusive } = await attackFolder(appDir, 1);
    return {
      verdict,
      found: findings.map(({ code, subject, says }) => `${code} ${subject}: ${says}`),
      open: inconclusive.map(({ subject, says }) => `${subject}: ${says}`),
    };
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
}

test("identity tells people their own id, also where no rule shows it", async () => {
  const report = await attacked({
    "schema.ts": `import { define, table, t } from "keelson";
export const { rules, app } = define({ news: table({ title: t.text({ max: 100 }) }) });
`,
    "rules.ts": `import { rules } from "./schema.ts";
export default rules({ news: { read: () => true, write: ({ me }) => me.role === "editor" } });
`,
    "app.ts": `${appText}export default app({ rules, functions: {} });\n`,
  });
  assert.deepEqual([report.verdict, report.found, report.open], ["clean", [], []]);
});

test("what goes along with a row that may be deleted is no hole, also the membership that shows it", async () => {
  const report = await attacked({
    "schema.ts": `import { define, table, t } from "keelson";
export const { rules, app } = define({
  user: table({ nick: t.text({ max: 100 }) }),
  room: table({ maker: t.ref("user", { onDelete: "cascade" }).immutable(), title: t.text({ max: 100 }) }),
  member: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    user: t.ref("user", { onDelete: "cascade" }).immutable(),
  }).unique("room", "user"),
  post: table({
    room: t.ref("room", { onDelete: "cascade" }).immutable(),
    author: t.ref("user", { onDelete: "cascade" }).immutable(),
    under: t.ref("post", { onDelete: "cascade" }).optional().immutable(),
    about: t.ref("post", { onDelete: "clear" }).optional(),
    body: t.text({ max: 100 }),
  }).index("room"),
});
`,
    "rules.ts": `import type { RuleId, RuleInput } from "keelson";
import { rules } from "./schema.ts";
type Who = Pick<RuleInput<typeof rules>, "me" | "db">;
const isIn = ({ me, db }: Who, room: RuleId<"room">) => db.member.some((m) => m.room === room && m.user === me.id);
export default rules({
  user: { read: ({ me }) => me.id !== null },
  room: { read: ({ row, me, db }) => isIn({ me, db }, row.id), delete: ({ row, me }) => row.maker === me.id },
  member: {
    read: ({ row, me, db }) => isIn({ me, db }, row.room),
    create: ({ next, me }) => next.room.maker === me.id,
    delete: ({ row, me }) => row.room.maker === me.id,
  },
  post: {
    read: ({ row, me, db }) => isIn({ me, db }, row.room),
    delete: ({ row, me }) => row.author === me.id || row.room.maker === me.id,
  },
});
`,
    "app.ts": `${appText}export default app({ rules, functions: {} });\n`,
  });
  assert.deepEqual([report.verdict, report.found, report.open], ["clean", [], []]);
});

test("arguments that are objects are made; what refuses every call is named by its own code", async () => {
  const report = await attacked({
    "schema.ts": `import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({ visit: table({ city: t.text({ max: 100 }), owner: t.ref("user", { onDelete: "cascade" }).immutable() }) });
`,
    "rules.ts": `import { rules } from "./schema.ts";
export default rules({ visit: { read: ({ row, me }) => row.owner === me.id } });
`,
    "visits.ts": `import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";
const place = t.object({ city: t.text({ min: 1, max: 100 }), at: t.object({ x: t.int({ min: 0, max: 9 }), y: t.int({ min: 0, max: 9 }).optional() }) });
export const note = mutation({
  args: { place, others: t.list(place, { max: 3 }) },
  allow: "signed-in",
  limit: { perUser: "9/minute" },
  returns: t.id("visit"),
  async run({ db, me }, { place }) {
    return (await db.asSystem("whoever was there").visit.create({ city: place.city, owner: me.id })).id;
  },
});
export const never = mutation({
  args: {},
  allow: "signed-in",
  limit: { perUser: "9/minute" },
  returns: t.nothing(),
  async run() { throw new Refusal("NOT_YET", "Not yet."); },
});
`,
    "app.ts": `import * as visits from "./visits.ts";
${appText}export default app({ rules, functions: { visits } });\n`,
  });
  assert.deepEqual(report.found, []);
  assert.match(
    report.open.join(),
    /^visits\.never: no call succeeded: FUNCTION_REFUSED NOT_YET \d+ times$/,
  );
});

test("a row that must lead to two people is planted, and what is wrong with it found", async () => {
  const files = (rule: string) => ({
    "schema.ts": `import { define, table, t } from "keelson";
export const { rules, app } = define({
  user: table({ nick: t.text({ max: 40 }) }),
  follow: table({
    to: t.ref("user", { onDelete: "cascade" }).immutable(),
    from: t.ref("user", { onDelete: "cascade" }).immutable(),
  }).unique("from", "to").check(({ next }) => next.from !== next.to, "Not oneself."),
});
`,
    "rules.ts": `import { rules } from "./schema.ts";
export default rules({
  user: { read: ({ me }) => me.id !== null },
  follow: { read: ({ me }) => me.id !== null, create: ({ next, me }) => next.from === me.id, delete: ({ row, me }) => ${rule} },
});
`,
    "app.ts": `${appText}export default app({ rules, functions: {} });\n`,
  });
  const sound = await attacked(files("row.from === me.id"));
  assert.deepEqual([sound.verdict, sound.found, sound.open], ["clean", [], []]);
  const open = await attacked(files("me.id !== null"));
  assert.match(
    open.found.join(),
    /^A104 follow: stranger deletes a row of follow that belongs to another/,
  );
});

const orders = {
  "schema.ts": `import { define, event, table, t } from "keelson";
export const { mutation, action, http, workflow, on, onChange, rules, app } = define({
  order: table({
    customer: t.ref("user", { onDelete: "cascade" }).immutable(),
    state: t.oneOf("new", "paid", "sent"),
  }).index("customer"),
}, { events: { "order.paid": event({ order: t.id("order") }) } });
`,
  "rules.ts": `import { rules } from "./schema.ts";
export default rules({
  order: {
    read: ({ row, me }) => row.customer === me.id,
    create: ({ next, me }) => next.customer === me.id && next.state === "new",
  },
});
`,
  "app.ts": `import * as later from "./later.ts";
${appText}export default app({ rules, functions: { later } });
`,
};

/** Functions that leave what they do to work. @param guard stands before each beginning. */
const later = (guard: string) => `import { Refusal, t } from "keelson";
import { action, mutation, on, onChange, workflow } from "./schema.ts";
const order = t.id("order");
export const sent = mutation({
  args: { order },
  async run({ db }, { order }) {
    await db.asSystem("it was sent to them").order.update(order, { state: "sent" });
  },
});
export const forward = mutation({ args: { order }, run: ({ enqueue }, { order }) => enqueue(sent, { order }).then(() => null) });
export const onPaid = on("order.paid", sent);
const called = { args: { order }, allow: "signed-in", limit: { perUser: "9/minute" }, returns: t.nothing() } as const;
export const enqueued = mutation({ ...called, async run({ db, enqueue }, { order }) { ${guard} await enqueue(sent, { order }); } });
export const passedOn = mutation({ ...called, async run({ db, enqueue }, { order }) { ${guard} await enqueue(forward, { order }); } });
export const scheduled = mutation({ ...called, async run({ db, schedule }, { order }) { ${guard} await schedule("1m", sent, { order }); } });
export const emitted = mutation({ ...called, async run({ db, emit }, { order }) { ${guard} await emit("order.paid", { order }); } });
`;

test("what a call has done later is done and judged: anybody's order can be sent", async () => {
  const report = await attacked({ ...orders, "later.ts": later("") });
  assert.deepEqual(
    report.found.map((each) => each.split(":")[0]),
    ["emitted", "enqueued", "passedOn", "scheduled"].map((name) => `A202 later.${name}`),
  );
  assert.deepEqual([report.verdict, report.open], ["holes", []]);
});

const guard = `if ((await db.order.get(order)) === null) throw new Refusal("NO", "There is no such order.");`;

test("what a call has done later with the caller's own is no hole", async () => {
  const report = await attacked({ ...orders, "later.ts": later(guard) });
  assert.deepEqual([report.verdict, report.found, report.open], ["clean", [], []]);
});

test("what follows a table's changes is done and judged, too", async () => {
  const report = await attacked({
    ...orders,
    "later.ts": `import { t } from "keelson";
import { mutation, onChange } from "./schema.ts";
export const spread = mutation({
  args: { id: t.id("order") },
  async run({ db }, { id }) {
    const system = db.asSystem("all are sent together");
    for (const order of await system.order.list({ where: { id: { not: id }, state: "new" }, limit: 9 })) {
      await system.order.update(order.id, { state: "sent" });
    }
  },
});
export const spreads = onChange("order", spread, { changes: ["create"] });
`,
  });
  assert.deepEqual(report.found, [
    "A202 later.spread: later.spread lets stranger change a row of order that belongs to another and that rules close",
  ]);
});

/** Work that goes on in more than one transaction. @param guard stands before each beginning. */
const further = (guard: string) => `${later(guard)}
export const tell = action({
  args: { order },
  hosts: ["api.example.com"],
  secrets: ["PARCEL_KEY"],
  async run({ run, secret }, { order }) {
    const headers = { authorization: secret("PARCEL_KEY") };
    const answer = await fetch("https://api.example.com/parcels", { method: "POST", headers, body: JSON.stringify({ order }) });
    const parcel = await answer.json();
    if (parcel.order === order && typeof parcel.id === "string") await run(sent, { order });
  },
});
export const sending = workflow({
  args: { order },
  async run({ step, sleep, waitFor }, { order }) {
    await sleep("30d");
    await waitFor("order.paid", { timeout: "7d" });
    await step(tell, { order });
  },
});
export const told = mutation({ ...called, async run({ db, enqueue }, { order }) { ${guard} await enqueue(tell, { order }); } });
export const flows = mutation({ ...called, async run({ db, startWorkflow }, { order }) { ${guard} await startWorkflow(sending, { order }); } });
export const mine = mutation({ args: { order }, async run({ db }, { order }) { ${guard} } });
export const asks = action({
  ...called,
  hosts: ["api.example.com"],
  async run({ run }, { order }) {
    await run(mine, { order });
    const answer = await fetch("https://api.example.com/parcels?order=" + order);
    if (answer.ok) await run(sent, { order });
  },
});
`;

test("a workflow and an action that reaches others are run, others answered for", async () => {
  const report = await attacked({ ...orders, "later.ts": further("") });
  assert.deepEqual(
    report.found
      .map((each) => each.split(":")[0] ?? "")
      .filter((each) => /asks|flows|told/.test(each)),
    ["A202 later.asks", "A202 later.flows", "A202 later.told"],
  );
  assert.deepEqual(report.open, []);
});

test("nor is a workflow or such an action with the caller's own a hole", async () => {
  const report = await attacked({ ...orders, "later.ts": further(guard) });
  assert.deepEqual([report.verdict, report.found, report.open], ["clean", [], []]);
});

test("work that never comes to its end is open, and no pass", async () => {
  const report = await attacked({
    ...orders,
    "later.ts": `${later(guard)}
export const waits = workflow({ args: { order }, async run({ waitFor }, { order }) { await waitFor("order.paid"); } });
export const refuses = mutation({ args: { order }, async run() { throw new Refusal("NEVER", "It never does."); } });
export const begins = mutation({ ...called, async run({ db, startWorkflow }, { order }) { ${guard} await startWorkflow(waits, { order }); } });
export const puts = mutation({ ...called, async run({ db, enqueue }, { order }) { ${guard} await enqueue(refuses, { order }); } });
`,
  });
  assert.deepEqual(report.found, []);
  const says = "is begun by requests, and none of its runs came to its end";
  assert.deepEqual(report.open.toSorted(), [
    `later.refuses: ${says}: NEVER`,
    `later.waits: ${says}: it waits for what no request brings`,
  ]);
  assert.equal(report.verdict, "inconclusive");
});

test("what stays open can be accepted with a reason, where it stands", async () => {
  const waits = `workflow({ args: { order }, async run({ waitFor }, { order }) { await waitFor("order.paid"); } });`;
  const report = await attacked({
    ...orders,
    "later.ts": `${later(guard)}
// keelson-attack open: the bank's event ends it, and nobody else can send that
export const waits = ${waits}
export const begins = mutation({ ...called, async run({ db, startWorkflow }, { order }) { ${guard} await startWorkflow(waits, { order }); } });
`,
  });
  assert.deepEqual([report.verdict, report.found], ["clean", []]);
  assert.match(report.open.join(), /^later\.waits: .*no request brings$/);
});

const desk = (check: string) => ({
  ...orders,
  "later.ts": `import { t } from "keelson";
import { action, http, mutation } from "./schema.ts";
export const paid = mutation({
  args: { id: t.id("order") },
  async run({ db }, { id }) { await db.asSystem("the till says so").order.update(id, { state: "paid" }); },
});
export const till = http({
  method: "POST",
  path: "/till",
  allow: "anyone",
  secrets: ["TILL_SECRET"],
  limit: { perAddress: "100/minute" },
  async run({ run, secret }, request) {
    const body = await request.text();
    if (${check}) return new Response("no", { status: 401 });
    await run(paid, { id: JSON.parse(body).order });
    return new Response("ok");
  },
});
export const hello = action({
  allow: "anyone",
  args: {},
  secrets: ["TILL_SECRET"],
  limit: { perAddress: "100/minute" },
  returns: t.text({ max: 200 }),
  async run({ secret }) { return "Key: " + secret("TILL_SECRET"); },
});
`,
});

test("secrets of the environment are made up: deliveries are signed with them, and their way out is seen", async () => {
  const right = await attacked(desk(`request.headers.get("x-till") !== secret("TILL_SECRET")`));
  const told = /^A201 later\.hello: later\.hello tells \S+ the secret TILL_SECRET$/;
  assert.match(right.found.join("\n"), told);
  assert.deepEqual(right.open, []);
  const wrong = await attacked(
    desk(`request.headers.get("x-till") === "" && secret("TILL_SECRET")`),
  );
  assert.match(wrong.found.join("\n"), /A20\d later\.till/);
});

/** An app in which people write down what they owe. @param owner how the field of whoever writes it is called. */
const owed = (owner: string, done: string) => ({
  "schema.ts": `import { define, table, t } from "keelson";
export const { mutation, rules, app } = define({
  invoice: table({
    ${owner}: t.ref("user", { onDelete: "cascade" }).immutable(),
    amount: t.money("EUR", { min: 1 }),
    status: t.oneOf("open", "paid", "cancelled"),
  }).index("${owner}"),
});
`,
  "rules.ts": `import { rules } from "./schema.ts";
export default rules({ invoice: { read: ({ row, me }) => row.${owner} === me.id } });
`,
  "money.ts": `import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";
export const done = mutation({
  args: { invoice: t.id("invoice") }, allow: "signed-in", limit: { perUser: "9/minute" }, returns: t.nothing(),
  async run({ db }, { invoice }) {
    const found = await db.invoice.get(invoice);
    if (found === null || found.status !== "open") throw new Refusal("NO", "There is no such invoice.");
    await db.asSystem("states are this function's").invoice.update(invoice, { status: "${done}" });
  },
});
`,
  "app.ts": `import * as money from "./money.ts";
${appText}export default app({ rules, functions: { money } });
`,
});

test("who owes may not say that it is paid; who is owed may; where names do not tell, it is open", async () => {
  const payer = await attacked(owed("customer", "paid"));
  assert.deepEqual(
    payer.found.map((each) => each.split(" lets")[0]),
    ["A109 money.done: money.done"],
  );
  const seller = await attacked(owed("seller", "paid"));
  assert.deepEqual([seller.verdict, seller.found, seller.open], ["clean", [], []]);
  const owner = await attacked(owed("owner", "paid"));
  assert.deepEqual(owner.found, []);
  assert.deepEqual(owner.open, [
    `money.done: makes invoice.status "paid" for whoever owns the row: whether that is theirs to say could not be told`,
  ]);
  const cancelled = await attacked(owed("customer", "cancelled"));
  assert.deepEqual([cancelled.verdict, cancelled.found, cancelled.open], ["clean", [], []]);
});

test("a rule that nobody meets is told with its end left out where it is long", async () => {
  const report = await attacked({
    "schema.ts": `import { define, table, t } from "keelson";
export const { rules, app } = define({ news: table({ title: t.text({ max: 100 }) }) });
`,
    "rules.ts": `import { rules } from "./schema.ts";
export default rules({ news: { read: () => true, create: ({ next }) => next.title.startsWith("a title that nobody would ever think of") && next.title.length === 97 } });
`,
    "app.ts": `${appText}export default app({ rules, functions: {} });\n`,
  });
  assert.match(report.open.join(), /^news\.create: nobody could be found .*\.\.\.\)$/);
});
