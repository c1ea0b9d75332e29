import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import type { Json } from "../base/json.ts";
import type { Procedures } from "../gate/gate-app.ts";
import { addJob, type NewJob } from "./job-write.ts";
import { jobOfRow } from "./job.ts";
import type { QueuePolicy, WorkKind } from "./work-kind.ts";
import { openWorkScene, type WorkScene } from "./work-scene.case.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { rules, app } = define({ thing: table({ name: t.text({ max: 10 }) }) });`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
export default app({ rules, functions: {} });`,
};

const plain: QueuePolicy = {
  concurrency: 10,
  perKey: null,
  rate: null,
  ratePerKey: null,
  attemptsMax: 3,
  backoffMs: 1_000,
  backoffMsMax: 60_000,
  timeoutMs: 30_000,
  keepMs: 0,
  ordered: false,
};

interface Ground {
  readonly scene: WorkScene;
  /** Names of attempts as they began. */
  readonly began: string[];
  /** Ends an attempt under way. */
  end(name: string, error?: Error): Promise<void>;
  add(job: Partial<NewJob> & { readonly input: string }): Promise<string>;
}

/** A queue `hold:it` whose attempts in the world (or in the writer) end when the test says so. */
async function open(
  context: TestContext,
  policy: Partial<QueuePolicy>,
  { place = "world", start = true }: { place?: "world" | "writer"; start?: boolean } = {},
): Promise<Ground> {
  const began: string[] = [];
  const under = new Map<string, PromiseWithResolvers<Json>>();
  const kind: WorkKind = {
    kind: "hold",
    policy: () => ({ ...plain, ...policy }),
    place: () => place,
    run(_scope, job) {
      began.push(job.input as string);
      if (job.attempts < 1 && (job.input as string).startsWith("bad")) throw new Error("bad");
      return { kind: "done" };
    },
    act(_world, job) {
      began.push(job.input as string);
      const ending = Promise.withResolvers<Json>();
      under.set(job.input as string, ending);
      return ending.promise;
    },
  };
  const procedures: Procedures = new Map([
    ["hold.add", { run: (scope, input) => addJob(scope, input as unknown as NewJob) }],
  ]);
  const scene = await openWorkScene({ files, kinds: [kind], procedures, start });
  context.after(() => scene.close());
  return {
    scene,
    began,
    async end(name, error) {
      const ending = under.get(name);
      under.delete(name);
      if (error === undefined) ending?.resolve(`result of ${name}`);
      else ending?.reject(error);
      await quiet();
    },
    async add(job) {
      const id = await scene.procedure("hold.add", { queue: "hold:it", ...job } as unknown as Json);
      await quiet();
      return id as string;
    },
  };
}

/** Lets all that can happen without time happen. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await setImmediate();
}

const names = (count: number, of = "j"): string[] =>
  Array.from({ length: count }, (_, index) => `${of}${index}`);

test("no more attempts run at once than the queue's concurrency", async (context) => {
  const { began, add, end } = await open(context, { concurrency: 2 });
  for (const input of names(5)) await add({ input });
  assert.deepEqual(began, ["j0", "j1"]);
  await end("j0");
  assert.deepEqual(began, ["j0", "j1", "j2"]);
});

test("no more attempts of one key run at once than it may", async (context) => {
  const { began, add } = await open(context, { perKey: 1 });
  for (const input of names(3, "a")) await add({ input, key: "a" });
  for (const input of names(2, "b")) await add({ input, key: "b" });
  await add({ input: "none" });
  assert.deepEqual(began, ["a0", "b0", "none"]);
});

test("keys take turns: one with a thousand jobs does not hold up one with two", async (context) => {
  const { scene, began, add, end } = await open(context, { concurrency: 1 }, { start: false });
  for (const input of names(40, "big")) await add({ input, key: "big" });
  for (const input of names(2, "small")) await add({ input, key: "small" });
  await scene.dispatcher().start();
  await quiet();
  for (let count = 0; count < 3; count++) await end(began[count] ?? "");
  assert.deepEqual(
    began.slice(0, 4).toSorted((a, b) => (a < b ? -1 : 1)),
    ["big0", "big1", "small0", "small1"],
  );
});

test("delayed jobs of a key that is at its limit do not hold up others whose time has come", async (context) => {
  const { scene, began, add } = await open(context, { perKey: 1 });
  const dueMs = scene.clock.nowMs() + 1_000;
  for (const input of names(300, "big")) await add({ input, key: "big", dueMs });
  await add({ input: "small", key: "small", dueMs: dueMs + 1 });
  scene.clock.pass(2_000);
  await quiet();
  assert.deepEqual(
    began.toSorted((a, b) => (a < b ? -1 : 1)),
    ["big0", "small"],
  );
});

test("a rate lets so many start in a period, and the others later", async (context) => {
  const { scene, began, add } = await open(
    context,
    { rate: { count: 3, perMs: 1_000 } },
    { place: "writer" },
  );
  for (const input of names(8)) await add({ input });
  await quiet();
  assert.equal(began.length, 3);
  await scene.advance(2_500);
  assert.equal(began.length, 8);
});

test("a rate of each key holds up that key only", async (context) => {
  const { began, add } = await open(
    context,
    { ratePerKey: { count: 1, perMs: 60_000 } },
    { place: "writer" },
  );
  for (const input of names(3, "a")) await add({ input, key: "a" });
  for (const input of names(3, "b")) await add({ input, key: "b" });
  await quiet();
  assert.deepEqual(began, ["a0", "b0"]);
});

test("in order: jobs of a key wait while an earlier one is tried again, those of others go on", async (context) => {
  const { scene, began, add } = await open(context, { ordered: true }, { place: "writer" });
  for (const input of ["bad0", "a1", "a2"]) await add({ input, key: "a" });
  for (const input of ["b0", "b1"]) await add({ input, key: "b" });
  await quiet();
  assert.deepEqual(
    began.filter((name) => name.startsWith("a")),
    [],
  );
  assert.ok(began.includes("b0") && began.includes("b1"));
  await scene.restart();
  await quiet();
  assert.deepEqual(
    began.filter((name) => name.startsWith("a")),
    [],
  );
  await scene.advance(1_500);
  assert.deepEqual(began.slice(-3), ["bad0", "a1", "a2"]);
});

test("in order in the world: each attempt waits for the one before", async (context) => {
  const { began, add, end } = await open(context, { ordered: true, perKey: 5 });
  for (const input of names(3)) await add({ input, key: "a" });
  assert.deepEqual(began, ["j0"]);
  await end("j0");
  assert.deepEqual(began, ["j0", "j1"]);
});

test("an attempt in the world that takes too long is cut off and tried again with the same token", async (context) => {
  const { scene, began, add, end } = await open(context, { timeoutMs: 5_000 });
  const id = await add({ input: "slow" });
  scene.clock.pass(5_000);
  await quiet();
  const [row] = await scene.rows("workJob");
  assert.equal(row?.["id"], id);
  assert.equal(row === undefined ? null : jobOfRow(row).failure?.code, "FUNCTION_TIMEOUT");
  scene.clock.pass(1_500);
  await quiet();
  assert.deepEqual(began, ["slow", "slow"]);
  await end("slow");
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("a cancelled job is gone, also when it runs in the world: what it says afterwards is not taken", async (context) => {
  const { scene, began, add, end } = await open(context, { keepMs: 60_000 });
  const waiting = await add({ input: "waiting", dueMs: scene.clock.nowMs() + 60_000 });
  const running = await add({ input: "running" });
  assert.equal(await scene.procedure("work.cancel", { id: waiting }), true);
  assert.equal(await scene.procedure("work.cancel", { id: running }), true);
  assert.equal(await scene.procedure("work.cancel", { id: running }), false);
  await quiet();
  await end("running");
  await scene.advance(61_000);
  assert.deepEqual(began, ["running"]);
  assert.deepEqual(await scene.rows("workJob"), []);
  assert.deepEqual(await scene.rows("workDone"), []);
});

test("a job that is cancelled in the group of writes in which it begins does not run", async (context) => {
  const { scene, began } = await open(context, {});
  const order = { queue: "hold:it", input: "it" };
  const id = await scene.procedure("hold.add", order);
  // The dispatcher has asked for its begin, and the writer has not had its turn.
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assert.equal(await scene.procedure("work.cancel", { id }), true);
  await quiet();
  assert.deepEqual(began, []);
  await scene.idle();
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("a result is kept as long as the queue says, then dropped", async (context) => {
  const { scene, add, end } = await open(context, { keepMs: 120_000 });
  await add({ input: "it" });
  await end("it");
  const [done] = await scene.rows("workDone");
  assert.equal(done?.["result"], "result of it");
  await scene.advance(200_000);
  assert.deepEqual(await scene.rows("workDone"), []);
});

test("an attempt in the world that never ended, since the process did, begins again after a start", async (context) => {
  const { scene, began, add, end } = await open(context, { attemptsMax: 2 });
  await add({ input: "it" });
  await scene.restart();
  await quiet();
  assert.deepEqual(began, ["it", "it"]);
  await scene.restart();
  await quiet();
  assert.deepEqual(began, ["it", "it"], "its attempts are used up");
  const [dead] = await scene.rows("workDead");
  assert.equal(dead === undefined ? null : jobOfRow(dead).failure?.code, "FUNCTION_INTERRUPTED");
  await end("it");
});

test("many more jobs than are kept in memory all run, in the order of their keys", async (context) => {
  const { scene, began, add } = await open(context, {}, { place: "writer", start: false });
  const bulk = Array.from({ length: 3_000 }, (_, index) => ({
    input: `${index}`,
    key: `k${index % 7}`,
  }));
  await Promise.all(bulk.map((job) => scene.procedure("hold.add", { queue: "hold:it", ...job })));
  await add({ input: "last" });
  await scene.dispatcher().start();
  await scene.idle();
  assert.equal(began.length, 3_001);
  for (let key = 0; key < 7; key++) {
    const own = began.filter((name) => Number(name) % 7 === key).map(Number);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    );
  }
});
