// What whoever watches is told of work: every attempt, how it ended, and what it wrote to the console.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { WorkTold } from "./dispatch-parts.ts";
import { openWorkScene, type WorkScene } from "./work-scene.case.ts";
import { openWorkflowScene } from "./workflow/workflow-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, action, workflow, queue, on, cron, rules, app } = define({
  note: table({ text: t.text({ max: 40 }) }),
}, { events: { rang: event({ bad: t.bool() }) } });`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { Refusal, t } from "keelson";
import { action, cron, mutation, on, queue, workflow } from "./schema.ts";
const args = { what: t.text({ max: 20 }), bad: t.bool().default(false) };
export const write = mutation({ args, async run({ db }, { what, bad }) {
  console.log("wrote", what);
  if (bad) throw new Refusal("NO", "Not this.");
  await db.asSystem("test").note.create({ text: what });
} });
export const send = action({ args, async run({ run }, { what, bad }) {
  console.warn("sends", what);
  await run(write, { what: what + "!" });
  if (bad) throw new Error("down");
} });
export const writes = queue(write, { attempts: 2 });
export const heard = mutation({ args: { bad: t.bool() }, async run(_, { bad }) {
  console.log("heard", bad);
  if (bad) throw new Error("too loud");
} });
export const listener = on("rang", heard, { attempts: 2 });
export const beat = mutation({ async run() { console.log("beat"); } });
export const beats = cron("*/5 * * * *", { zone: "UTC" }, beat);
export const put = mutation({ args: { jobs: t.json() }, allow: "anyone", async run({ enqueue }, { jobs }) {
  for (const [name, given] of jobs) await enqueue(name, given);
} });
export const ring = mutation({ args: { bad: t.list(t.bool(), { max: 5 }) }, allow: "anyone", async run({ emit }, { bad }) {
  for (const each of bad) await emit("rang", { bad: each });
} });
export const trip = workflow({ args: { bad: t.bool() }, async run({ step, sleep }, { bad }) {
  console.log("begins");
  await step(write, { what: "one" });
  console.log("between");
  await sleep("1h");
  await step(send, { what: "two" });
  if (bad) throw new Error("lost");
  console.log("ends");
} });
export const start = mutation({ args: { bad: t.bool() }, allow: "anyone", returns: t.json(), async run({ startWorkflow }, { bad }) {
  return startWorkflow(trip, { bad });
} });
`,
};

/** As `keelson dev` shows it, without the time. */
function lineOf({ queue, count, did, failure, log }: WorkTold): string {
  const parts = [failure?.code ?? "ok", queue, did, count === 1 ? null : count];
  const said = log.map(({ level, text }) => `${level}: ${text}`);
  return [...parts.filter((part) => part !== null), ...said].join(" | ");
}

async function open(context: TestContext): Promise<WorkScene> {
  const scene = await openWorkScene({ files });
  context.after(() => scene.close());
  return scene;
}

test("jobs are told with their console, those that shared a transaction together", async (context) => {
  const scene = await open(context);
  const jobs = ["a", "b", "c"].map((what) => ["work.writes", { what }]);
  await scene.call("work.put", { jobs });
  await scene.idle();
  const lines = scene.told.map(lineOf);
  assert.equal(
    scene.told.reduce((sum, { count }) => sum + count, 0),
    3,
  );
  const said = scene.told.flatMap(({ log }) => log.map(({ text }) => text));
  assert.deepEqual(said, ["wrote a", "wrote b", "wrote c"], lines.join());
  assert.ok(scene.told.every(({ tookMs, queue }) => tookMs >= 0 && queue === "queue:work.writes"));
});

test("a job that fails is told once for each attempt, with its code and what it wrote before", async (context) => {
  const scene = await open(context);
  const jobs = [
    ["work.writes", { what: "a" }],
    ["work.writes", { what: "b", bad: true }],
  ];
  await scene.call("work.put", { jobs });
  await scene.idle();
  await scene.advance(3_000);
  const failed = scene.told.filter(({ failure }) => failure !== null);
  assert.deepEqual(
    failed.map(lineOf),
    Array.from({ length: 2 }, () => "FUNCTION_REFUSED | queue:work.writes | info: wrote b"),
  );
  const good = scene.told.filter(({ failure }) => failure === null);
  assert.deepEqual(good.map(lineOf), ["ok | queue:work.writes | info: wrote a"]);
});

test("an action is told with its own console and that of what it ran", async (context) => {
  const scene = await open(context);
  await scene.call("work.put", { jobs: [["work.send", { what: "a" }]] });
  await scene.idle();
  await scene.call("work.put", { jobs: [["work.send", { what: "b", bad: true }]] });
  await scene.idle();
  assert.deepEqual(scene.told.map(lineOf), [
    "ok | queue:work.send | info: wrote a! | warn: sends a",
    "FUNCTION_FAILED | queue:work.send | info: wrote b! | warn: sends b",
  ]);
});

test("events are told for each consumer, one that fails by itself", async (context) => {
  const scene = await open(context);
  await scene.call("work.ring", { bad: [false, true, false] });
  await scene.idle();
  const lines = scene.told.map(lineOf);
  assert.equal(
    lines.filter((line) => line.startsWith("FUNCTION_FAILED")).length,
    1,
    lines.join("\n"),
  );
  assert.ok(
    lines.includes("FUNCTION_FAILED | consumer:work.listener | info: heard true"),
    lines.join("\n"),
  );
  const good = scene.told.filter(({ failure }) => failure === null);
  assert.equal(
    good.reduce((sum, { count }) => sum + count, 0),
    2,
    lines.join("\n"),
  );
});

test("each tick of a cron is told", async (context) => {
  const scene = await open(context);
  await scene.advance(600_000);
  assert.deepEqual(scene.told.map(lineOf), [
    "ok | cron:work.beats | info: beat",
    "ok | cron:work.beats | info: beat",
  ]);
});

test("each step of a workflow is told, and each line of its console once", async (context) => {
  const { "work.ts": work = "", ...rest } = files;
  const quiet = work.replace(/export const beats.*\n/, "");
  const scene = await openWorkflowScene({ files: { ...rest, "work.ts": quiet } });
  context.after(() => scene.close());
  await scene.call("work.start", { bad: false });
  await scene.settle();
  await scene.pass(3_600_000);
  const lines = scene.told.map(lineOf);
  assert.deepEqual(
    lines.filter((line) => line.includes("workflow:")),
    [
      "ok | workflow:work.trip | step work.write, sleep | info: wrote one | info: begins | info: between",
      "ok | workflow:work.trip | step work.send",
      "ok | workflow:work.trip | done | info: ends",
    ],
    lines.join("\n"),
  );
  assert.ok(
    lines.includes("ok | step:work.send | info: wrote two! | warn: sends two"),
    lines.join("\n"),
  );

  const before = scene.told.length;
  await scene.call("work.start", { bad: true });
  await scene.settle();
  await scene.pass(3_600_000);
  const last = scene.told.slice(before).map(lineOf).at(-1);
  assert.equal(last, "FUNCTION_FAILED | workflow:work.trip | failed");
});
