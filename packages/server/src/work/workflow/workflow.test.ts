// Workflows through real isolates, a real store and a real dispatcher.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../../base/json.ts";
import { openWorkflowScene, type WorkflowScene } from "./workflow-scene.case.ts";

const schema = `
import { define, event, table, t } from "keelson";
export const { query, mutation, action, workflow, queue, rules, app } = define({
  note: table({ text: t.text({ max: 200 }), by: t.text({ max: 100 }).optional() }),
}, { events: {
  paid: event({ order: t.text({ max: 50 }), amount: t.int({ min: 0, max: 100000 }) }, { key: "order" }),
  bell: event({}),
} });
`;

const main = `
import { Refusal, t } from "keelson";
import { action, mutation, query, queue, workflow } from "./schema.ts";

export const write = mutation({
  args: { text: t.text({ max: 200 }) },
  async run({ db, me, job }, { text }) {
    if (text.startsWith("refuse")) throw new Refusal("NO", "not this");
    const before = await db.asSystem("test").note.list({ where: { text: "fail " + text } });
    if (before.length > 0) {
      await db.asSystem("test").note.delete(before[0].id);
      throw new Error("not yet");
    }
    if (text.startsWith("never")) throw new Error("never");
    await db.asSystem("test").note.create({ text, by: me.id ?? undefined });
    return "wrote " + text;
  },
});
export const countNotes = query({ async run({ db }) {
  return (await db.asSystem("test").note.list({})).length;
} });
const seen = [];
export const call = action({
  args: { text: t.text({ max: 200 }), fails: t.int({ min: 0, max: 10 }).default(0) },
  async run({ job, run }, { text, fails }) {
    if (text === "refuse") throw new Refusal("NO", "not this");
    await run(write, { text: "token " + job.token + " " + job.attempt });
    if (job.attempt <= fails) throw new Error("down");
    return { token: job.token, attempt: job.attempt };
  },
});
export const calls = queue(call, { attempts: 3, backoff: "1s" });

export const three = workflow({
  args: { text: t.text({ max: 50 }) },
  async run({ step, id, me }, { text }) {
    const a = await step(write, { text: text + " 1" });
    const b = await step(write, { text: text + " 2" });
    const c = await step(write, { text: text + " 3" });
    return { a, b, c, by: me.id };
  },
});
export const month = workflow({
  async run({ sleep, step, now }) {
    const from = now();
    await sleep("30d");
    await step(write, { text: "a month" });
    await sleep({ until: "2027-03-01T00:00:00.000Z" });
    return { from, to: now(), date: new Date().toISOString(), random: Math.random() };
  },
});
export const minute = workflow({
  args: { text: t.text({ max: 50 }) },
  async run({ sleep, step }, { text }) {
    await sleep("60s");
    await step(write, { text });
  },
});
export const short = workflow({
  args: { order: t.text({ max: 50 }) },
  signals: { ship: { by: t.text({ max: 50 }) } },
  async run({ waitFor, signal }, { order }) {
    const waits = waitFor("paid", { key: order, timeout: "60s" });
    await signal("ship");
    return (await waits) === null ? "late" : "paid";
  },
});
export const wall = workflow({
  args: { until: t.time() },
  async run({ sleep }, { until }) { await sleep({ until }); },
});
export const acts = workflow({
  args: { fails: t.int({ min: 0, max: 10 }), text: t.text({ max: 50 }).default("x") },
  async run({ step }, { fails, text }) {
    try {
      return await step(call, { text, fails });
    } catch (error) {
      return { code: error.code, details: error.details };
    }
  },
});
export const parallel = workflow({
  async run({ step, sleep }) {
    const [a, b, c, n] = await Promise.all([
      step(write, { text: "p1" }),
      step(call, { text: "p2" }),
      step(write, { text: "p3" }),
      sleep("1h").then(() => step(countNotes)),
    ]);
    const first = await Promise.race([sleep("2d").then(() => "slow"), step(write, { text: "p4" })]);
    return [a, b.attempt, c, n, first];
  },
});
export const catches = workflow({
  args: { text: t.text({ max: 50 }) },
  async run({ step }, { text }) {
    try {
      return await step(write, { text });
    } catch (error) {
      return { name: error.name, code: error.code, text: error.message, details: error.details };
    }
  },
});
export const order = workflow({
  args: { order: t.text({ max: 50 }) },
  signals: { ship: { by: t.text({ max: 50 }) } },
  async run({ waitFor, signal, tell }, { order }) {
    tell("waits for payment");
    const paid = await waitFor("paid", { key: order, timeout: "3d" });
    if (paid === null) return "expired";
    tell("paid " + paid.amount);
    const first = await signal("ship");
    const second = await signal("ship", { timeout: "1h" });
    return [paid.amount, first.by, second];
  },
});
export const twice = workflow({
  async run({ waitFor }) {
    const one = await waitFor("paid");
    const two = await waitFor("paid");
    return [one.amount, two.amount];
  },
});
export const saga = workflow({
  args: { fail: t.text({ max: 50 }) },
  async run({ step, compensate, sleep }, { fail }) {
    await step(write, { text: "book flight" });
    compensate(() => step(write, { text: "undo flight" }));
    await step(write, { text: "book hotel" });
    compensate(() => step(write, { text: "refuse undo hotel" }));
    compensate(() => step(write, { text: "undo hotel" }));
    if (fail === "sleep") await sleep("10d");
    await step(write, { text: fail });
    return "booked";
  },
});
export const parent = workflow({
  args: { text: t.text({ max: 50 }) },
  async run({ child, step }, { text }) {
    const [one, two] = await Promise.all([child(three, { text }), child(catches, { text: "in child" })]);
    return { a: one.a, two };
  },
});
export const waitsForChild = workflow({
  async run({ child }) {
    return child(saga, { fail: "sleep" });
  },
});
export const late = workflow({
  deadline: "1d",
  async run({ sleep, compensate, step }) {
    compensate(() => step(write, { text: "too late" }));
    await sleep("2d");
    return "in time";
  },
});
export const loop = workflow({
  args: { left: t.int({ min: 0, max: 1000 }) },
  async run({ step, restart, id }, { left }) {
    await step(write, { text: "loop " + left });
    if (left > 0) restart({ left: left - 1 });
    return id;
  },
});
export const endless = workflow({
  async run({ step, compensate }) {
    compensate(() => step(write, { text: "cleaned up" }));
    for (let n = 0; ; n++) await step(countNotes);
  },
});
export const breaks = workflow({ async run() { throw new TypeError("a bug"); } });
export const spins = workflow({ async run() { for (;;); } });
export const hangs = workflow({ async run() { await new Promise(() => {}); } });
export const reaches = workflow({ async run(ctx) { await fetch("https://example.com"); } });
let calls2 = 0;
export const moody = workflow({
  async run({ step, sleep }) {
    calls2++;
    if (calls2 === 1) await step(countNotes);
    else await step(write, { text: "something else" });
    await sleep("1d");
  },
});
export const self = workflow({
  async run({ step, id, waitFor }) {
    const [paid, done] = await Promise.all([waitFor("paid", { key: "self" }), step(ring)]);
    return [paid.amount, done];
  },
});
export const hoards = workflow({
  args: { text: t.text({ max: 200 }) },
  async run({ step }, { text }) { for (;;) await step(write, { text: text.slice(0, 190) }); },
});
export const mine = mutation({ allow: "signed-in", async run({ me }) { return me.id.length; } });
export const signedIn = workflow({ async run({ step }) { return step(mine); } });
export const spender = workflow({ async run({ step }) { for (;;) await step(call, { text: "s" }); } });
export const bells = workflow({ async run({ waitFor }) { await waitFor("bell"); return "rang"; } });
export const deep = workflow({ async run({ child }) { return child(deep); } });
export const many = workflow({
  args: { count: t.int({ min: 1, max: 1000 }) },
  async run({ child }, { count }) {
    await Promise.all(Array.from({ length: count }, () => child(bells)));
  },
});
export const startMany = mutation({
  args: { count: t.int({ min: 1, max: 1000 }) },
  allow: "anyone",
  async run({ startWorkflow }, { count }) {
    for (let n = 0; n < count; n++) await startWorkflow(bells);
  },
});
export const ringBell = mutation({ allow: "anyone", async run({ emit }) { await emit("bell", {}); } });
export const ring = mutation({ async run({ emit }) {
  await emit("paid", { order: "self", amount: 5 });
  return "rang";
} });
export const suicide = workflow({
  async run({ step, id }) { await step(kill, { run: id }); return "survived"; },
});
export const kill = mutation({
  args: { run: t.text({ max: 100 }) },
  allow: "anyone",
  async run({ cancelWorkflow }, { run }) { return cancelWorkflow(run); },
});

const all = { three, month, minute, short, wall, acts, parallel, catches, order, twice, saga, parent, waitsForChild, late, loop, endless,
  breaks, spins, hangs, reaches, moody, self, suicide, hoards, deep, many, signedIn, spender };
export const start = mutation({
  args: { name: t.text({ max: 50 }), args: t.json({ maxBytes: 1000 }), key: t.text({ max: 50 }).optional(), fail: t.bool().default(false) },
  allow: "anyone",
  async run({ startWorkflow }, { name, args, key, fail }) {
    const id = await startWorkflow(all[name], args, key === null ? {} : { key });
    if (fail) throw new Refusal("NO", "undone");
    return id;
  },
});
export const pay = mutation({
  args: { order: t.text({ max: 50 }), amount: t.int({ min: 0, max: 100000 }) },
  allow: "anyone",
  async run({ emit }, args) { await emit("paid", args); },
});
export const ship = mutation({
  args: { run: t.text({ max: 100 }), by: t.text({ max: 50 }) },
  allow: "anyone",
  async run({ signalWorkflow }, { run, by }) { return signalWorkflow(order, run, "ship", { by }); },
});
export const shipShort = mutation({
  args: { run: t.text({ max: 100 }) },
  allow: "anyone",
  async run({ signalWorkflow }, { run }) { return signalWorkflow(short, run, "ship", { by: "me" }); },
});
export const look = query({
  args: { run: t.text({ max: 100 }) },
  allow: "anyone",
  async run({ workflowRun }, { run }) { return workflowRun(order, run); },
});
export const seed = mutation({
  args: { text: t.text({ max: 100 }) },
  allow: "anyone",
  async run({ db }, { text }) { await db.asSystem("test").note.create({ text }); },
});
`;

const app = `
import { app } from "./schema.ts";
import * as main from "./main.ts";
export default app({ functions: { main } });
`;

const files = { "schema.ts": schema, "main.ts": main, "app.ts": app };
const day = 86_400_000;
let scene: WorkflowScene;

before(async () => {
  scene = await openWorkflowScene({ files, limits: { workflowStepsMax: 40, cpuMsMax: 300 } });
});
after(() => scene?.close());

const start = async (name: string, args: Json = {}, more: object = {}): Promise<Json> => {
  const id = await scene.call("main.start", { name, args, ...more });
  await scene.settle();
  return id;
};
const notes = async (): Promise<readonly Json[]> =>
  (await scene.rows("note")).map(({ text }) => text ?? null);

test("steps run one after the other, each once, and the run ends with the result", async () => {
  const before = (await notes()).length;
  const id = await start("three", { text: "three" });
  const run = await scene.run(id);
  assert.equal(run["state"], "done");
  assert.deepEqual(run["result"], {
    a: "wrote three 1",
    b: "wrote three 2",
    c: "wrote three 3",
    by: null,
  });
  assert.deepEqual((await notes()).slice(before), ["three 1", "three 2", "three 3"]);
  assert.deepEqual(await scene.steps(id), Array(3).fill("step main.write done"));
});

test("a run that is started by a mutation that fails is not started", async () => {
  const before = (await scene.rows("workRun")).length;
  const args = { name: "three", args: { text: "not" }, fail: true };
  const refused = await scene.harness.ask(null, { kind: "call", name: "main.start", args });
  assert.equal(refused.code, "FUNCTION_REFUSED");
  assert.equal((await scene.rows("workRun")).length, before);
});

test("with a key there is one run at a time", async () => {
  const given = { key: "once" };
  const first = await start("order", { order: "k1" }, given);
  assert.equal(await start("order", { order: "k1" }, given), first);
  await scene.call("main.kill", { run: first });
  await scene.settle();
  assert.notEqual(await start("order", { order: "k1" }, given), first);
});

test("arguments and names are held against what is declared", async () => {
  const wrong = { name: "order", args: { order: 5 } };
  const refused = await scene.harness.ask(null, { kind: "call", name: "main.start", args: wrong });
  assert.equal(refused.code, "ARGUMENT_INVALID");
});

test("an operator is told which signals there are, and how a run that can't go on has ended", async () => {
  const run = await start("order", { order: "signals" });
  const send = scene.procedure("workflow.sendSignal", { run, signal: "shipp" });
  await assert.rejects(send, {
    code: "WORK_NOT_FOUND",
    details: { workflow: "main.order", signal: "shipp", there: ["ship"] },
  });
  await scene.procedure("workflow.stop", { run });
  await scene.settle();
  await assert.rejects(scene.procedure("workflow.retry", { run }), {
    details: { run, state: "cancelled" },
  });
  await assert.rejects(scene.procedure("workflow.retry", { run: "work_run_none" }), {
    details: { run: "work_run_none" },
  });
});

test("it sleeps for thirty days, through restarts, and its clock and numbers stay as they were", async () => {
  const id = await start("month");
  const startedAt = (await scene.run(id))["startedAt"];
  assert.deepEqual(await scene.steps(id), ["sleep  waiting"]);
  await scene.restart();
  await scene.pass(29 * day);
  assert.equal((await scene.run(id))["state"], "running");
  assert.ok(!(await notes()).includes("a month"));
  await scene.pass(day);
  assert.equal((await notes()).filter((text) => text === "a month").length, 1);
  await scene.restart();
  await scene.pass(60 * day);
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  const { from, to, date, random } = result as Record<string, Json>;
  assert.equal(from, startedAt);
  assert.equal(to, date);
  assert.ok(String(to) >= "2027-03-01T00:00:00.000Z");
  assert.ok(typeof random === "number" && random > 0 && random < 1);
});

test("a clock that steps back wakes nobody too early, and one that steps on loses nobody", async () => {
  const id = await start("order", { order: "clock" });
  await scene.pass(-3_600_000);
  assert.equal((await scene.run(id))["state"], "running");
  await scene.pass(3_600_000 + 2 * day);
  assert.equal((await scene.run(id))["state"], "running");
  await scene.pass(day);
  assert.equal((await scene.run(id))["result"], "expired");
});

test("a clock that is set back makes no sleep and no timeout longer, whether anything happens meanwhile or not", async () => {
  await scene.setClock(3_600_000);
  const minute = await start("minute", { text: "set back" });
  const order = await start("order", { order: "set back" });
  const both = await start("short", { order: "both" });
  await scene.pass(2_000);
  await scene.setClock(-3_600_000);
  // A signal that comes is a tick of its own: the timeout begins anew there, and ends.
  await scene.call("main.shipShort", { run: both });
  await scene.pass(2_000);
  await scene.pass(61_000);
  assert.equal((await scene.run(minute))["state"], "done");
  assert.equal((await scene.run(both))["result"], "late");
  assert.equal((await scene.run(order))["state"], "running");
  await scene.pass(3 * day);
  assert.equal((await scene.run(order))["result"], "expired");
});

test("a sleep until a time on the wall is over at that time, also when the clock is set back", async () => {
  await scene.setClock(3_600_000);
  const until = new Date(scene.harness.clock.ms + 60_000).toISOString();
  const id = await start("wall", { until });
  await scene.setClock(-3_600_000);
  await scene.pass(120_000);
  assert.equal((await scene.run(id))["state"], "running");
  await scene.pass(3_600_000);
  assert.equal((await scene.run(id))["state"], "done");
});

test("an action has the same token in every attempt, and its result is kept", async () => {
  const id = await start("acts", { fails: 2 });
  await scene.pass(10_000);
  await scene.pass(100_000);
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  const { token, attempt } = result as { token: string; attempt: number };
  assert.equal(attempt, 3);
  const tokens = (await notes()).filter((text) => String(text).startsWith(`token ${token} `));
  assert.deepEqual(
    tokens,
    [1, 2, 3].map((count) => `token ${token} ${count}`),
  );
});

test("an action that fails in every attempt fails the step, by the policy of its queue", async () => {
  const id = await start("acts", { fails: 10 });
  for (let count = 0; count < 4; count++) await scene.pass(1_000_000);
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  assert.equal((result as { code: string }).code, "FUNCTION_FAILED");
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a refusal is an answer: it is not tried again", async () => {
  const acted = await start("acts", { fails: 0, text: "refuse" });
  assert.deepEqual((await scene.run(acted))["result"], {
    code: "FUNCTION_REFUSED",
    details: { code: "NO", text: "not this" },
  });
  const wrote = await start("catches", { text: "refuse this" });
  await scene.pass(1_000);
  const { code, details } = (await scene.run(wrote))["result"] as Record<string, Json>;
  assert.equal(code, "FUNCTION_REFUSED");
  assert.deepEqual(details, { code: "NO", text: "not this" });
});

test("a mutation that fails is undone and tried again, and the one that goes well counts once", async () => {
  await scene.call("main.seed", { text: "fail flaky" });
  const id = await start("catches", { text: "flaky" });
  for (let count = 0; count < 3; count++) await scene.pass(1_000);
  // Its failure undid what it wrote: it fails for ever, and its marker stays.
  assert.equal((await scene.run(id))["state"], "running");
  for (let count = 0; count < 12; count++) await scene.pass(3_600_000);
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  assert.equal((result as { code: string }).code, "FUNCTION_FAILED");
  assert.ok((await notes()).includes("fail flaky"));
  assert.ok(!(await notes()).includes("flaky"));
});

test("steps that are asked for together run together, and what ends first is first", async () => {
  const id = await start("parallel");
  await scene.pass(3_600_000);
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  const [a, attempt, c, count, first] = result as Json[];
  assert.deepEqual([a, attempt, c, first], ["wrote p1", 1, "wrote p3", "wrote p4"]);
  assert.equal(typeof count, "number");
  // What nobody waits for any more is given up with the run.
  assert.ok((await scene.steps(id)).includes("sleep  cancelled"));
});

test("it waits for an event by its key, and for signals, those before included", async () => {
  const id = await start("order", { order: "o1" });
  const other = await start("order", { order: "o2" });
  assert.equal((await scene.run(id))["status"], "waits for payment");
  assert.equal(await scene.call("main.ship", { run: id, by: "early" }), true);
  await scene.call("main.pay", { order: "o1", amount: 7 });
  await scene.settle();
  assert.equal((await scene.run(id))["status"], "paid 7");
  await scene.pass(3_600_000);
  assert.deepEqual((await scene.run(id))["result"], [7, "early", null]);
  assert.equal((await scene.run(other))["state"], "running");
  assert.equal(await scene.call("main.ship", { run: id, by: "late" }), false);
  await scene.pass(3 * day);
  assert.equal((await scene.run(other))["result"], "expired");
});

test("an event is not missed between the start and the wait, and each wait gets another one", async () => {
  const id = await scene.call("main.start", { name: "twice", args: {} });
  await scene.call("main.pay", { order: "a", amount: 1 });
  await scene.call("main.pay", { order: "b", amount: 2 });
  await scene.settle();
  assert.deepEqual((await scene.run(id))["result"], [1, 2]);
});

test("an event that its own step emits is taken", async () => {
  const id = await start("self");
  assert.deepEqual((await scene.run(id))["result"], [5, "rang"]);
});

test("what fails is undone, the last first, and one that can't be undone keeps no other", async () => {
  const before = (await notes()).length;
  const id = await start("saga", { fail: "refuse" });
  for (let count = 0; count < 3; count++) await scene.pass(1_000);
  const { state, error, info } = await scene.run(id);
  assert.equal(state, "failed");
  assert.equal((error as { code: string }).code, "FUNCTION_REFUSED");
  assert.deepEqual((await notes()).slice(before), [
    "book flight",
    "book hotel",
    "undo hotel",
    "undo flight",
  ]);
  assert.equal((info as { undoFailures: string[] }).undoFailures.length, 1);
});

test("a run that is cancelled undoes what it did", async () => {
  const id = await start("saga", { fail: "sleep" });
  const before = (await notes()).length;
  assert.equal(await scene.call("main.kill", { run: id }), true);
  for (let count = 0; count < 3; count++) await scene.pass(1_000);
  assert.equal((await scene.run(id))["state"], "cancelled");
  assert.deepEqual((await notes()).slice(before), ["undo hotel", "undo flight"]);
  assert.equal(await scene.call("main.kill", { run: id }), false);
});

test("a step whose job is cancelled fails, and a run whose tick is undoes what it did", async () => {
  const acts = await start("acts", { fails: 1 });
  const step = (await scene.rows("workJob")).find(({ queue }) => queue === "step:main.call");
  await scene.procedure("work.stop", { id: step?.["id"] as string });
  await scene.pass(1_000);
  const { state, result } = await scene.run(acts);
  assert.deepEqual([state, (result as { code: string }).code], ["done", "WORK_CANCELLED"]);
  const sleeps = await start("saga", { fail: "sleep" });
  const before = (await notes()).length;
  const tick = (await scene.rows("workJob")).find(({ once }) => once === sleeps);
  await scene.procedure("work.stop", { id: tick?.["id"] as string });
  for (let count = 0; count < 3; count++) await scene.pass(1_000);
  assert.equal((await scene.run(sleeps))["state"], "cancelled");
  assert.deepEqual((await notes()).slice(before), ["undo hotel", "undo flight"]);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("children run as runs of their own, and are cancelled with their parent", async () => {
  const id = await start("parent", { text: "child" });
  assert.deepEqual((await scene.run(id))["result"], {
    a: "wrote child 1",
    two: "wrote in child",
  });
  const waits = await start("waitsForChild");
  const child = (await scene.rows("workStep")).find(({ run }) => run === waits)?.["job"] ?? null;
  assert.equal((await scene.run(child))["state"], "running");
  await scene.call("main.kill", { run: waits });
  for (let count = 0; count < 3; count++) await scene.pass(1_000);
  assert.equal((await scene.run(waits))["state"], "cancelled");
  assert.equal((await scene.run(child))["state"], "cancelled");
});

test("a run that cancels itself ends there", async () => {
  const id = await start("suicide");
  const { state, error } = await scene.run(id);
  assert.equal(state, "cancelled");
  assert.equal((error as { code: string }).code, "WORKFLOW_CANCELLED");
});

test("a deadline interrupts, and what was done is undone", async () => {
  const id = await start("late");
  await scene.pass(day);
  const { state, error } = await scene.run(id);
  assert.equal(state, "failed");
  assert.equal((error as { code: string }).code, "WORKFLOW_DEADLINE");
  assert.ok((await notes()).includes("too late"));
});

test("a run that restarts has no history and the same id", async () => {
  const id = await start("loop", { left: 60 });
  const { state, result } = await scene.run(id);
  assert.equal(state, "done");
  assert.equal(result, id);
  assert.equal((await scene.steps(id)).length, 1);
  assert.equal((await notes()).filter((text) => String(text).startsWith("loop ")).length, 61);
});

test("a run that does more than one run may fails, and still undoes what it did", async () => {
  const id = await start("endless");
  const { state, error } = await scene.run(id);
  assert.equal(state, "failed");
  assert.equal((error as { code: string }).code, "WORKFLOW_TOO_LONG");
  assert.ok((await notes()).includes("cleaned up"));
});

test("mistakes of a workflow's code are told, and harm nobody else", async () => {
  const expected = {
    breaks: "FUNCTION_FAILED",
    spins: "FUNCTION_CPU_EXCEEDED",
    hangs: "FUNCTION_NEVER_SETTLES",
    reaches: "FUNCTION_FAILED",
  };
  for (const [name, code] of Object.entries(expected)) {
    const id = await start(name);
    const { state, error } = await scene.run(id);
    assert.deepEqual([name, state, (error as { code: string }).code], [name, "failed", code]);
  }
  const id = await start("three", { text: "after" });
  assert.equal((await scene.run(id))["state"], "done");
});

test("code that does something else than before is named, and nothing of it happens", async () => {
  const id = await start("moody");
  const before = (await notes()).length;
  await scene.pass(day);
  const { state, error } = await scene.run(id);
  assert.equal(state, "stuck");
  assert.equal((error as { code: string }).code, "WORKFLOW_NOT_DETERMINISTIC");
  const { details } = error as { details: { step: number; recorded: string; asked: string } };
  assert.equal(details.step, 0);
  assert.match(details.recorded, /^step main\.countNotes /);
  assert.match(details.asked, /^step main\.write /);
  assert.equal((await notes()).length, before);
  await scene.pass(day);
  assert.equal((await scene.run(id))["state"], "stuck");
  assert.equal(await scene.call("main.kill", { run: id }), true);
  assert.equal((await scene.run(id))["state"], "cancelled");
});

test("a query shows a run of its workflow, with nothing of its insides", async () => {
  const id = await start("order", { order: "seen" });
  const shown = (await scene.call("main.look", { run: id })) as Record<string, Json>;
  assert.deepEqual(Object.keys(shown).toSorted(), [
    "by",
    "endedAt",
    "error",
    "id",
    "result",
    "startedAt",
    "state",
    "status",
  ]);
  assert.equal(shown["status"], "waits for payment");
  assert.equal(await scene.call("main.look", { run: await start("three", { text: "y" }) }), null);
});

test("a step for people who are signed in fails for a run that nobody in particular started", async () => {
  const id = await start("signedIn");
  const { state, error } = await scene.run(id);
  assert.equal(state, "failed");
  assert.equal((error as { code: string }).code, "SIGN_IN_REQUIRED");
});

test("steps run with the rights of who started the run", async () => {
  const who = { id: "user_01h455vb4pex5vsknk084sn02q" };
  const id = await scene.call("main.start", { name: "three", args: { text: "mine" } }, who);
  await scene.settle();
  const run = await scene.run(id);
  assert.equal(run["by"], who.id);
  assert.equal((run["result"] as { by: string }).by, who.id);
  const written = (await scene.rows("note")).filter(({ by }) => by === who.id);
  assert.equal(written.length, 3);
});

test("runs are forgotten after their time, with all their steps", async () => {
  const id = await start("three", { text: "forgotten" });
  await scene.pass(31 * day);
  await scene.procedure("work.prune", null);
  assert.ok(!(await scene.rows("workRun")).some((row) => row["id"] === id));
  assert.ok(!(await scene.rows("workStep")).some(({ run }) => run === id));
});

test("a run keeps no more than it may", async () => {
  const own = await openWorkflowScene({ files, limits: { workflowBytesMax: 1_024 } });
  try {
    const text = "x".repeat(200);
    const id = await own.call("main.start", { name: "hoards", args: { text } });
    await own.settle();
    const { state, error } = await own.run(id);
    assert.equal(state, "failed");
    assert.equal((error as { code: string }).code, "WORKFLOW_TOO_LONG");
    const kept = (await own.rows("note")).length;
    assert.ok(kept >= 5 && kept < 10, String(kept));
  } finally {
    await own.close();
  }
});

test("a run is sent no more signals than it may have waiting", async () => {
  const own = await openWorkflowScene({ files, limits: { workflowSignalsMax: 2 } });
  try {
    const run = await own.call("main.start", { name: "order", args: { order: "s" } });
    await own.settle();
    const send = (by: string) => ({ kind: "call", name: "main.ship", args: { run, by } }) as const;
    for (const by of ["a", "b"]) assert.equal(await own.harness.value(null, send(by)), true);
    assert.equal((await own.harness.ask(null, send("c"))).code, "WORK_TOO_MUCH");
    await own.call("main.pay", { order: "s", amount: 1 });
    await own.settle();
    const { result } = await own.run(run);
    assert.deepEqual(result, [1, "a", { by: "b" }]);
  } finally {
    await own.close();
  }
});

test("an event that many runs wait for reaches all of them", async () => {
  const own = await openWorkflowScene({ files });
  try {
    for (let batch = 0; batch < 3; batch++) {
      await own.call("main.startMany", { count: 100 });
      await own.settle();
    }
    await own.call("main.ringBell");
    await own.settle();
    const states = await Promise.all(
      (await own.rows("workRun")).map(({ id }) => own.run(id ?? null)),
    );
    assert.equal(states.length, 300);
    assert.ok(states.every(({ state, result }) => state === "done" && result === "rang"));
  } finally {
    await own.close();
  }
});

test("more children than one transaction can start or cancel are started and cancelled all the same", async () => {
  const own = await openWorkflowScene({ files, limits: { workStartsMax: 40 } });
  try {
    const id = await own.call("main.start", { name: "many", args: { count: 90 } });
    await own.settle();
    const states = async () => (await own.rows("workRun")).map(({ state }) => state);
    assert.equal((await states()).length, 91);
    assert.equal(await own.call("main.kill", { run: id }), true);
    for (let count = 0; count < 3; count++) await own.pass(1_000);
    assert.ok((await states()).every((state) => state === "cancelled"));
  } finally {
    await own.close();
  }
});

test("a workflow that starts itself without end is stopped, with its chain", async () => {
  const id = await start("deep");
  for (let count = 0; count < 3; count++) await scene.pass(10_000);
  const runs = (await scene.rows("workRun")).filter(({ workflow }) => workflow === "main.deep");
  assert.ok(runs.length > 5 && runs.length <= 20, String(runs.length));
  assert.ok(runs.every(({ state }) => state === "failed"));
  const { error } = await scene.run(id);
  assert.equal((error as { code: string }).code, "WORK_TOO_DEEP");
});

test("a run that spends its root's fuel fails, and others go on", async () => {
  const own = await openWorkflowScene({
    files: { ...files, "schema.ts": schema.replace("}, { events", "}, { fuel: 20, events") },
  });
  try {
    const id = await own.call("main.start", { name: "spender", args: {} });
    await own.settle();
    for (let count = 0; count < 3; count++) await own.pass(10_000);
    const { state, error } = await own.run(id);
    assert.equal(state, "failed");
    assert.equal((error as { code: string }).code, "WORK_FUEL_SPENT");
    const other = await own.call("main.start", { name: "three", args: { text: "other" } });
    await own.settle();
    assert.equal((await own.run(other))["state"], "done");
    assert.deepEqual(await own.rows("workDead"), []);
    assert.deepEqual(await own.rows("workJob"), []);
  } finally {
    await own.close();
  }
});
