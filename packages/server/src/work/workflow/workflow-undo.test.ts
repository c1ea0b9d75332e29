// What undoes a run's work goes through, whatever asks the run to end meanwhile: a refund that is tried again is not
// cut off by the deadline, by a second click on "cancel", or by the end of a parent.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openWorkflowScene, type WorkflowScene } from "./workflow-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, action, workflow, queue, rules, app } = define({
  note: table({ text: t.text({ max: 200 }) }),
}, { events: { bell: event({}) } });`,
  "app.ts": `
import { app } from "./schema.ts";
import * as shop from "./shop.ts";
export default app({ functions: { shop } });`,
  "shop.ts": `
import { t } from "keelson";
import { action, mutation, queue, workflow } from "./schema.ts";
export const write = mutation({ args: { text: t.text({ max: 200 }) }, async run({ db }, { text }) {
  await db.asSystem("a test").note.create({ text });
} });
export const refund = action({ async run({ job, run }) {
  if (job.attempt <= 3) throw new Error("down");
  await run(write, { text: "refunded" });
} });
export const refunds = queue(refund, { attempts: 5, backoff: "20m", backoffMax: "20m" });
export const order = workflow({ deadline: "1h", async run({ step, sleep, compensate }) {
  await step(write, { text: "paid" });
  compensate(() => step(write, { text: "undone" }));
  compensate(() => step(refund));
  await sleep("50m");
  throw new Error("broken");
} });
export const stays = workflow({ async run({ step, compensate, waitFor }) {
  compensate(() => step(write, { text: "last" }));
  compensate(() => waitFor("bell"));
  throw new Error("broken");
} });
export const inner = workflow({ async run({ step, sleep, compensate }) {
  compensate(async () => { await sleep("1h"); await step(write, { text: "inner undone" }); });
  await sleep("10d");
} });
export const outer = workflow({ async run({ step, child, compensate }) {
  compensate(() => step(write, { text: "outer undone" }));
  await child(inner);
} });
const all = { order, stays, outer };
export const start = mutation({ args: { name: t.text({ max: 50 }) }, allow: "anyone", returns: t.json(),
  run: ({ startWorkflow }, { name }) => startWorkflow(all[name]) });
export const cancel = mutation({ args: { run: t.text({ max: 100 }) }, allow: "anyone", returns: t.bool(),
  run: ({ cancelWorkflow }, { run }) => cancelWorkflow(run) });
`,
};

const minute = 60_000;

async function open(context: TestContext): Promise<WorkflowScene> {
  const scene = await openWorkflowScene({ files });
  context.after(() => scene.close());
  return scene;
}

async function begin(scene: WorkflowScene, name: string): Promise<string> {
  const id = (await scene.call("shop.start", { name })) as string;
  await scene.settle();
  return id;
}

const notes = async (scene: WorkflowScene) => (await scene.rows("note")).map(({ text }) => text);

async function endOf(scene: WorkflowScene, run: string) {
  const { state, error, info } = await scene.run(run);
  const { undoFailures } = info as { readonly undoFailures: readonly string[] };
  return [state, (error as { readonly code: string } | null)?.code, undoFailures.length];
}

for (const [when, hopMs] of [
  ["while it undoes", 10 * minute],
  ["with the failure, as after a standstill", 4 * 60 * minute],
] as const) {
  test(`a deadline that comes ${when} does not cut off a refund`, async (context) => {
    const scene = await open(context);
    const run = await begin(scene, "order");
    for (let passed = 0; passed < 4 * 60 * minute; passed += hopMs) await scene.pass(hopMs);
    for (let count = 0; count < 6; count++) await scene.pass(30 * minute);
    assert.deepEqual(await notes(scene), ["paid", "refunded", "undone"]);
    assert.deepEqual(await endOf(scene, run), ["failed", "FUNCTION_FAILED", 0]);
    assert.deepEqual(await scene.rows("workJob"), []);
  });
}

test("who cancels twice at once, and again while it undoes, cuts nothing off", async (context) => {
  const scene = await open(context);
  const run = await begin(scene, "order");
  const cancel = () => scene.call("shop.cancel", { run });
  assert.deepEqual(await Promise.all([cancel(), cancel()]), [true, true]);
  await scene.settle();
  await scene.pass(minute);
  assert.equal(await cancel(), true);
  for (let count = 0; count < 6; count++) await scene.pass(30 * minute);
  assert.deepEqual(await notes(scene), ["paid", "refunded", "undone"]);
  assert.deepEqual(await endOf(scene, run), ["cancelled", "WORKFLOW_CANCELLED", 0]);
  assert.equal(await cancel(), false);
});

test("a child that undoes goes on when it is cancelled, however its parent has ended", async (context) => {
  const scene = await open(context);
  const run = await begin(scene, "outer");
  const child = (await scene.rows("workRun")).find(({ id }) => id !== run)?.["id"] as string;
  await scene.call("shop.cancel", { run });
  await scene.settle();
  assert.equal((await scene.run(run))["state"], "cancelled");
  await scene.pass(minute);
  assert.equal(await scene.call("shop.cancel", { run: child }), true);
  await scene.pass(60 * minute);
  assert.deepEqual(await notes(scene), ["outer undone", "inner undone"]);
  assert.deepEqual(await endOf(scene, child), ["cancelled", "WORKFLOW_CANCELLED", 0]);
});

test("the operator ends what undoes and waits for what never comes; the rest is undone, and it is noted", async (context) => {
  const scene = await open(context);
  const run = await begin(scene, "stays");
  assert.equal(await scene.call("shop.cancel", { run }), true);
  await scene.pass(60 * minute);
  assert.deepEqual(await endOf(scene, run), ["running", undefined, 0]);
  await scene.restart();
  assert.equal(await scene.procedure("workflow.stop", { run }), true);
  await scene.settle();
  assert.deepEqual(await notes(scene), ["last"]);
  assert.deepEqual(await endOf(scene, run), ["failed", "FUNCTION_FAILED", 1]);
});
