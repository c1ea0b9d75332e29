import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Json } from "../base/json.ts";
import { openWorkScene, type WorkScene } from "./work-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, queue, cron, app } = define({ done: table({ what: t.text({ max: 40 }) }) });`,
  "app.ts": `
import { app } from "./schema.ts";
import * as work from "./work.ts";
export default app({ functions: { work } });`,
  "work.ts": `
import { Refusal, t } from "keelson";
import { cron, mutation, queue } from "./schema.ts";
const count = t.int();
export const todo = mutation({ args: { count }, async run({ db }, { count }) {
  await db.asSystem("a test").done.create({ what: String(count) });
} });
export const slow = queue(todo);
export const slower = queue(todo);
export const poison = mutation({ args: { count }, run() { throw new Error("poison"); } });
export const poisons = queue(poison, { attempts: 1 });
export const nightly = cron("every day at 03:00", { zone: "UTC" }, todo);
export const refuse = mutation({ args: { count }, run() { throw new Refusal("LATER", "Not now."); } });
export const refusals = queue(refuse, { attempts: 1 });
const queues = { slow, slower, poisons, refusals };
export const put = mutation({
  args: { queue: t.text({ max: 20 }), count, in: t.text({ max: 10 }).optional() }, allow: "anyone", returns: t.nothing(),
  async run({ enqueue }, { queue, count, in: after }) {
    for (let at = 0; at < count; at++) await enqueue(queues[queue], { count: at }, after ? { in: after } : {});
  },
});`,
};

async function open(context: TestContext): Promise<WorkScene> {
  const scene = await openWorkScene({ files });
  context.after(() => scene.close());
  return scene;
}

/** Queues as a line each. */
async function queues(scene: WorkScene): Promise<readonly string[]> {
  const rows = (await scene.procedure("work.list", { what: "queues" })) as unknown;
  return (rows as readonly Record<string, Json>[]).map((row) =>
    ["queue", "jobs", "dead", "since", "due", "state"].map((name) => String(row[name])).join(" "),
  );
}

const put = (scene: WorkScene, queue: string, count: number, more: object = {}) =>
  scene.call("work.put", { queue, count, ...more });
const cron = "cron:work.nightly 1 0 null 2027-01-16T03:00:00.000Z null";

test("queues are listed with how much waits in each, since when, and how much failed", async (context) => {
  const scene = await open(context);
  assert.deepEqual(await queues(scene), [cron]);
  await put(scene, "poisons", 3);
  await put(scene, "slow", 2, { in: "10m" });
  await scene.idle();
  await scene.dispatcher().stop();
  await put(scene, "slow", 4);
  await put(scene, "slower", 1);
  const at = "2027-01-15T08:00:00.000Z";
  assert.deepEqual(await queues(scene), [
    cron,
    "queue:work.poisons 0 3 null null null",
    `queue:work.slow 6 0 ${at} 2027-01-15T08:10:00.000Z null`,
    `queue:work.slower 1 0 ${at} null null`,
  ]);
});

test("all jobs of a queue are taken away, and of no other; its dead letters when they are asked for", async (context) => {
  const scene = await open(context);
  await put(scene, "poisons", 600);
  await scene.idle();
  await put(scene, "slow", 700, { in: "10m" });
  await put(scene, "slower", 2, { in: "10m" });
  const stop = (queue: string, dead = false) => scene.procedure("work.stopAll", { queue, dead });
  assert.deepEqual([await stop("queue:work.slow"), await stop("queue:work.slow")], [500, 200]);
  assert.equal(await stop("queue:work.poisons"), 0);
  const dead = () => stop("queue:work.poisons", true);
  assert.deepEqual([await dead(), await dead()], [500, 100]);
  assert.deepEqual(await queues(scene), [
    cron,
    "queue:work.slower 2 0 null 2027-01-15T08:10:00.000Z null",
  ]);
  await scene.advance(601_000);
  assert.equal((await scene.rows("done")).length, 2);
});

test("to cancel all of a cron leaves out the tick that it waits for; runs of a workflow are no jobs", async (context) => {
  const scene = await open(context);
  const stop = (queue: string) => scene.procedure("work.stopAll", { queue, dead: false });
  assert.equal(await stop("cron:work.nightly"), 1);
  assert.deepEqual(await queues(scene), [cron.replace("01-16", "01-17")]);
  await assert.rejects(stop("workflow:work.deliver"), { code: "ARGUMENT_INVALID" });
});

test("a list tells what failed with what is known of it", async (context) => {
  const scene = await open(context);
  await put(scene, "poisons", 1);
  await put(scene, "refusals", 1);
  await scene.idle();
  const rows = (await scene.procedure("work.list", { what: "dead" })) as unknown;
  const failures = (rows as readonly { readonly failure: string }[]).map(({ failure }) => failure);
  assert.deepEqual(failures.toSorted(), [
    "FUNCTION_FAILED The function failed.: poison (function: work.poison)",
    "FUNCTION_REFUSED Not now. (code: LATER)",
  ]);
});
