import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Json } from "../base/json.ts";
import type { Row } from "../store/store.ts";
import { jobOfRow } from "./job.ts";
import { openWorkScene, type WorkScene, type WorkSceneOptions } from "./work-scene.case.ts";

const schema = `
import { define, table, t } from "keelson";
export const { query, mutation, action, queue, rules, app } = define({
  done: table({ what: t.text({ max: 40 }), key: t.text({ max: 40 }).optional(), by: t.text({ max: 60 }).optional(), at: t.time(), attempt: t.int() }),
  flag: table({ name: t.text({ max: 40 }) }),
});
`;
const appFile = `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });
`;

/** @param more functions and queues beside \`todo\`, a mutation that leaves a row, and \`put\`, which enqueues. */
function filesWith(more = ""): Readonly<Record<string, string>> {
  return {
    "schema.ts": schema,
    "app.ts": appFile,
    "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
    "work.ts": `
import { Refusal, t } from "keelson";
import { action, mutation, queue, query } from "./schema.ts";
export const todo = mutation({
  args: { what: t.text({ max: 40 }), key: t.text({ max: 40 }).optional(), fail: t.int().optional() },
  async run({ db, me, now, job }, { what, key, fail }) {
    const attempt = job === null ? 0 : job.attempt;
    await db.asSystem("a job").done.create({ what, key, by: me.id, at: now, attempt });
    if (fail !== undefined && attempt <= fail) throw new Refusal("STILL", "Not yet.");
    return attempt;
  },
});
export const put = mutation({
  args: { name: t.text({ max: 60 }), jobs: t.json(), options: t.json().optional() },
  allow: "anyone",
  returns: t.json(),
  async run({ enqueue }, { name, jobs, options }) {
    const ids = [];
    for (const job of jobs) ids.push(await enqueue(name, job, { ...options, ...(job.key ? { key: job.key } : {}) }));
    return ids;
  },
});
export const take = mutation({
  args: { id: t.text({ max: 60 }) },
  allow: "anyone",
  returns: t.bool(),
  run: ({ cancel }, { id }) => cancel(id),
});
${more}
`,
  };
}

async function open(
  context: TestContext,
  more = "",
  options: Omit<Partial<WorkSceneOptions>, "files"> = {},
): Promise<WorkScene> {
  const scene = await openWorkScene({ files: filesWith(more), ...options });
  context.after(() => scene.close());
  return scene;
}

/** Why the last attempt of a job or dead letter failed. */
const failureOf = (row: Row | undefined) => (row === undefined ? null : jobOfRow(row).failure);

const todo = "work.todo";
const put = (scene: WorkScene, name: string, jobs: readonly Json[], options: Json = {}) =>
  scene.call("work.put", { name, jobs, options }) as Promise<string[]>;
const whatOf = async (scene: WorkScene): Promise<string[]> =>
  (await scene.rows("done")).map(({ what }) => what as string);

test("a job runs with the rights of who enqueued it, and is gone afterwards", async (context) => {
  const scene = await open(context);
  const who = { id: "user_1", role: "staff" };
  await scene.call("work.put", { name: todo, jobs: [{ what: "a" }] }, who);
  await scene.idle();
  const [row] = await scene.rows("done");
  assert.equal(row?.["by"], "user_1");
  assert.deepEqual(await scene.rows("workJob"), []);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("arguments are held against the function when they are enqueued", async (context) => {
  const scene = await open(context);
  const { code } = await scene.ask("work.put", { name: todo, jobs: [{ what: 7 }] });
  assert.equal(code, "ARGUMENT_INVALID");
  const unknown = await scene.ask("work.put", { name: "work.nothing", jobs: [{}] });
  assert.equal(unknown.code, "ARGUMENT_INVALID");
});

test("a function is enqueued into the queue that is declared for it; of several, one has to be named", async (context) => {
  const scene = await open(
    context,
    `
export const poison = mutation({ run() { throw new Error("poison"); } });
export const poisons = queue(poison, { attempts: 1 });
export const feed = mutation({ allow: "anyone", returns: t.json(), run: ({ enqueue }) => enqueue(poison, {}) });
export const look = query({ args: { id: t.text({ max: 60 }) }, allow: "anyone", returns: t.json(),
  async run({ jobState }, { id }) {
    const states = [await jobState(poison, id), await jobState(poisons, id)];
    return states.map((found) => found?.state ?? null);
  } });
export const twice = mutation({ run() {} });
export const slow = queue(twice, { attempts: 1 });
export const fast = queue(twice, { attempts: 2 });
export const either = mutation({ allow: "anyone", returns: t.json(), run: ({ enqueue }) => enqueue(twice, {}) });
`,
  );
  const id = await scene.call("work.feed");
  await scene.idle();
  const dead = await scene.rows("workDead");
  assert.deepEqual(
    dead.map(({ queue, attempts }) => [queue, attempts]),
    [["queue:work.poisons", 1]],
  );
  assert.deepEqual(await scene.call("work.look", { id }), ["dead", "dead"]);
  const either = await scene.ask("work.either");
  assert.match(JSON.stringify(either), /work\.twice has several queues: name one of them/);
});

test("a delayed job waits for its time, also through a restart", async (context) => {
  const scene = await open(context);
  await put(scene, todo, [{ what: "later" }], { in: "10m" });
  await put(scene, todo, [{ what: "soon" }], { at: "2027-01-15T08:00:30.000Z" });
  assert.equal(scene.harness.clock.ms, Date.parse("2027-01-15T08:00:00.000Z"));
  await scene.advance(29_000);
  assert.deepEqual(await whatOf(scene), []);
  await scene.advance(2_000);
  assert.deepEqual(await whatOf(scene), ["soon"]);
  await scene.restart();
  await scene.advance(9 * 60_000);
  assert.deepEqual(await whatOf(scene), ["soon"]);
  await scene.advance(60_000);
  assert.deepEqual(await whatOf(scene), ["soon", "later"]);
});

test("a clock that is set back makes a delay no longer, one set on makes it no loss; a time on the wall is kept", async (context) => {
  const scene = await open(context);
  await put(scene, todo, [{ what: "delay" }], { in: "10m" });
  await put(scene, todo, [{ what: "wall" }], { at: "2027-01-15T08:10:00.000Z" });
  scene.clock.step(-3_600_000);
  await scene.advance(602_000);
  assert.deepEqual(await whatOf(scene), ["delay"]);
  await scene.advance(3_000_000);
  await scene.restart();
  scene.clock.step(3_600_000);
  await put(scene, todo, [{ what: "next" }], { in: "10m" });
  scene.clock.step(-7_200_000);
  await scene.restart();
  await scene.advance(602_000);
  assert.deepEqual((await whatOf(scene)).toSorted(), ["delay", "next", "wall"].toSorted());
});

test("higher priorities run first", async (context) => {
  const scene = await open(context, "", { start: false });
  await put(scene, todo, [{ what: "low" }], { priority: -4 });
  await put(scene, todo, [{ what: "middle" }]);
  await put(scene, todo, [{ what: "high" }], { priority: 4 });
  await scene.dispatcher().start();
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["high", "middle", "low"]);
  const { code } = await scene.ask("work.put", {
    name: todo,
    jobs: [{ what: "x" }],
    options: { priority: 5 },
  });
  assert.equal(code, "ARGUMENT_INVALID");
});

test("a job whose time has come takes its turn by its priority among those that wait", async (context) => {
  const scene = await open(context, "", { start: false });
  await put(scene, todo, [{ what: "delayed high" }], { in: "1s", priority: 2 });
  await put(scene, todo, [{ what: "delayed low" }], { in: "1s", priority: -2 });
  await put(scene, todo, [{ what: "middle" }]);
  scene.clock.pass(1_500);
  await scene.dispatcher().start();
  await scene.advance(10);
  const order = await whatOf(scene);
  assert.ok(order.indexOf("delayed high") < order.indexOf("delayed low"), order.join());
});

test("while a job holds a text, no second one of it is added; afterwards there may be", async (context) => {
  const scene = await open(context);
  const [first] = await put(scene, todo, [{ what: "a" }], { once: "only", in: "1m" });
  const [second] = await put(scene, todo, [{ what: "b" }], { once: "only" });
  assert.equal(second, first);
  await scene.advance(60_000);
  assert.deepEqual(await whatOf(scene), ["a"]);
  const [third] = await put(scene, todo, [{ what: "c" }], { once: "only" });
  assert.notEqual(third, first);
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["a", "c"]);
});

test("a failed attempt leaves nothing, and the next waits twice as long, give or take a quarter", async (context) => {
  const scene = await open(
    context,
    `export const tried = queue(todo, { attempts: 5, backoff: "1s" });`,
  );
  await put(scene, "work.tried", [{ what: "a", fail: 3 }]);
  await scene.idle();
  const waits: number[] = [];
  for (;;) {
    const [job] = await scene.rows("workJob");
    if (job === undefined) break;
    const info = job["info"] as { dueMs: number; failure: { code: string; details: Json } };
    assert.equal(info.failure.code, "FUNCTION_REFUSED");
    const waitMs = info.dueMs - scene.clock.nowMs();
    waits.push(waitMs);
    assert.deepEqual(await whatOf(scene), []);
    await scene.advance(waitMs);
  }
  assert.equal(waits.length, 3);
  for (const [index, waitMs] of waits.entries()) {
    const base = 1_000 * 2 ** index;
    assert.ok(waitMs >= base * 0.75 - 1 && waitMs <= base * 1.25 + 1, `${waitMs} of ${base}`);
  }
  const [row] = await scene.rows("done");
  assert.equal(row?.["attempt"], 4);
});

test("jitter keeps jobs that failed together apart", async (context) => {
  const scene = await open(context);
  await put(
    scene,
    todo,
    Array.from({ length: 20 }, () => ({ what: "a", fail: 1 })),
  );
  await scene.idle();
  const dues = (await scene.rows("workJob")).map(({ info }) => (info as { dueMs: number }).dueMs);
  assert.equal(dues.length, 20);
  assert.ok(new Set(dues).size > 10, dues.join());
});

test("the wait between attempts has a bound", async (context) => {
  const scene = await open(
    context,
    `export const tried = queue(todo, { attempts: 9, backoff: "1s", backoffMax: "2s" });`,
  );
  await put(scene, "work.tried", [{ what: "a", fail: 8 }]);
  await scene.advance(8 * 2_500 + 100);
  assert.deepEqual(await whatOf(scene), ["a"]);
});

test("a job that used up its attempts is a dead letter, to be read, edited and replayed", async (context) => {
  const scene = await open(
    context,
    `export const tried = queue(todo, { attempts: 2, backoff: "1s" });`,
  );
  const [id] = await put(scene, "work.tried", [{ what: "a", fail: 100 }]);
  await scene.advance(2_000);
  assert.deepEqual(await scene.rows("workJob"), []);
  const [dead] = await scene.rows("workDead");
  assert.equal(dead?.["attempts"], 2);
  assert.deepEqual(dead?.["input"], { what: "a", key: null, fail: 100 });
  assert.match(failureOf(dead)?.text ?? "", /Not yet/);
  const again = await scene.procedure("work.retry", {
    id: dead?.["id"] as string,
    input: { what: "mended" },
  });
  assert.equal(again, id);
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["mended"]);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a mutation that cancels the job that it runs for is told that it is too late, and is done", async (context) => {
  const more = `
export const quits = mutation({
  args: {},
  async run({ db, now, cancel, job }) {
    await db.asSystem("a test").done.create({ what: String(await cancel(job.id)), at: now, attempt: job.attempt });
  },
});`;
  const scene = await open(context, more);
  await put(scene, "work.quits", [{}]);
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["false"]);
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("a query tells how far a job is, what it ended with, and why it failed", async (context) => {
  const more = `
export const far = action({
  args: { fail: t.bool() }, returns: t.text({ max: 9 }),
  async run({ job, run }, { fail }) {
    await job.progress({ done: 3 });
    await run(note, { job: job.id });
    if (fail) throw new Refusal("NO", "Not today.");
    return "whole";
  },
});
export const note = mutation({
  args: { job: t.text({ max: 60 }) },
  async run({ db, now, jobState }, { job }) {
    const { state, progress } = await jobState(fars, job);
    await db.asSystem("a test").done.create({ what: state + " " + JSON.stringify(progress), at: now, attempt: 0 });
  },
});
export const fars = queue(far, { keep: "1h", attempts: 1 });
export const look = query({
  args: { id: t.text({ max: 60 }), other: t.bool().default(false) }, allow: "anyone", returns: t.json().optional(),
  run: ({ jobState }, { id, other }) => jobState(other ? todo : fars, id),
});`;
  const scene = await open(context, more);
  const [later = ""] = await put(scene, "work.fars", [{ fail: false }], { in: "1m" });
  const nothing = { by: null, progress: null, result: null, error: null };
  const look = (id: string, other = false) => scene.call("work.look", { id, other });
  assert.deepEqual(await look(later), { id: later, state: "waiting", ...nothing });
  assert.equal(await look(later, true), null, "a job of another queue");
  await scene.advance(60_000);
  assert.deepEqual(await whatOf(scene), ['running {"done":3}']);
  const done = { id: later, state: "done", ...nothing, progress: { done: 3 }, result: "whole" };
  assert.deepEqual(await look(later), done);
  const [bad = ""] = await put(scene, "work.fars", [{ fail: true }]);
  await scene.idle();
  const dead = (await look(bad)) as { readonly state: string; readonly error: { code: string } };
  assert.deepEqual([dead.state, dead.error.code], ["dead", "FUNCTION_REFUSED"]);
  assert.equal(await look("work_job_01h455vb4pex5vsknk084sn02q"), null);
  assert.equal(await look("nothing"), null);
});

test("an action under way is not tried again beside itself", async (context) => {
  const scene = await open(
    context,
    `export const long = action({ args: {}, run: () => new Promise((resolve) => setTimeout(resolve, 60_000)) });`,
  );
  const [id = ""] = await put(scene, "work.long", [{}]);
  while (jobOfRow((await scene.rows("workJob"))[0] as Row).startedMs === null) await setImmediate();
  await assert.rejects(scene.procedure("work.retry", { id }), { code: "ARGUMENT_INVALID" });
  assert.equal(scene.dispatcher().counts().running, 1);
  assert.equal(await scene.call("work.take", { id }), true);
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("what began and runs no more, as no server does, can be tried again", async (context) => {
  const scene = await open(
    context,
    `export const long = action({ args: { what: t.text({ max: 9 }) }, async run({ run }, { what }) {
  if (what === "slow") await new Promise((resolve) => setTimeout(resolve, 60_000));
  await run(todo, { what });
} });`,
  );
  const [id = ""] = await put(scene, "work.long", [{ what: "slow" }]);
  while (jobOfRow((await scene.rows("workJob"))[0] as Row).startedMs === null) await setImmediate();
  const state = async (isIdle: boolean): Promise<Json> =>
    ((await scene.procedure("work.show", { id, isIdle })) as { readonly state: string }).state;
  assert.deepEqual([await state(false), await state(true)], ["running", "waiting"]);
  const stopped = scene.dispatcher().stop();
  const retried = await scene.procedure("work.retry", {
    id,
    input: { what: "fast" },
    isIdle: true,
  });
  assert.equal(retried, id);
  await stopped;
  await scene.restart();
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["fast"]);
});

test("a job of an ordered queue that is tried again by hand keeps its place in line", async (context) => {
  const scene = await open(
    context,
    `export const line = queue(todo, { ordered: true, attempts: 3, backoff: "1h", backoffMax: "1h" });`,
  );
  const [first = ""] = await put(scene, "work.line", [{ what: "a", fail: 1 }, { what: "b" }], {
    key: "k",
  });
  await scene.idle();
  assert.deepEqual(await whatOf(scene), []);
  await scene.procedure("work.retry", { id: first, input: { what: "a" } });
  await scene.idle();
  assert.deepEqual(await whatOf(scene), ["a", "b"]);
});

test("dead letters of one text are tried again together, also while another job holds the text", async (context) => {
  const scene = await open(context, `export const tried = queue(todo, { attempts: 1 });`);
  for (const what of ["a", "b"]) {
    await put(scene, "work.tried", [{ what, fail: 1 }], { once: "nightly" });
    await scene.idle();
  }
  await put(scene, "work.tried", [{ what: "c" }], { once: "nightly", in: "1h" });
  assert.equal((await scene.rows("workDead")).length, 2);
  assert.equal(await scene.procedure("work.retryAll", { queue: "queue:work.tried" }), 2);
  await scene.idle();
  for (const { id, input } of await scene.rows("workDead")) {
    const { what } = input as { readonly what: string };
    await scene.procedure("work.retry", { id: id as string, input: { what } });
  }
  await scene.advance(3_700_000);
  assert.deepEqual((await whatOf(scene)).toSorted(), ["a", "b", "c"]);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a dead letter can be dropped", async (context) => {
  const scene = await open(context, `export const tried = queue(todo, { attempts: 1 });`);
  const [id = ""] = await put(scene, "work.tried", [{ what: "a", fail: 1 }]);
  await scene.idle();
  await scene.procedure("work.drop", { id });
  assert.deepEqual(await scene.rows("workDead"), []);
  await assert.rejects(scene.procedure("work.drop", { id }), { code: "WORK_NOT_FOUND" });
});

const poisons: Readonly<Record<string, { readonly body: string; readonly code: string }>> = {
  throws: { body: `throw new Error("poison");`, code: "FUNCTION_FAILED" },
  loops: { body: `for (;;);`, code: "FUNCTION_CPU_EXCEEDED" },
  "exhausts memory": {
    body: `const all = []; for (;;) all.push(new Array(100_000).fill(all.length + 0.5));`,
    code: "FUNCTION_MEMORY_EXCEEDED",
  },
  "never settles": { body: `await new Promise(() => {});`, code: "FUNCTION_NEVER_SETTLES" },
};
for (const kind of ["mutation", "action"]) {
  for (const [what, { body, code }] of Object.entries(poisons)) {
    test(`a poison ${kind} that ${what} does not stop the others`, async (context) => {
      const more = `
export const poison = ${kind}({ args: {}, async run() { ${body} } });
export const poisoned = queue(poison, { attempts: 2, backoff: "1s" });`;
      const scene = await open(context, more, {
        limits: { cpuMsMax: what === "loops" ? 200 : 10_000, isolateBytesMax: 33_554_432 },
      });
      await put(scene, todo, [{ what: "before" }]);
      await put(scene, "work.poisoned", [{}, {}]);
      await put(scene, todo, [{ what: "after" }]);
      await scene.idle();
      assert.deepEqual(await whatOf(scene), ["before", "after"]);
      await scene.advance(5_000);
      const dead = await scene.rows("workDead");
      assert.deepEqual(
        dead.map((row) => failureOf(row)?.code),
        [code, code],
      );
    });
  }
}

test("of jobs that share a transaction, the one that fails takes none of the others with it", async (context) => {
  const scene = await open(context, "", { start: false });
  const jobs = Array.from({ length: 300 }, (_, index) => ({
    what: `${index}`,
    ...(index % 50 === 25 ? { fail: 100 } : {}),
  }));
  await put(scene, todo, jobs);
  await scene.dispatcher().start();
  await scene.idle();
  assert.equal((await whatOf(scene)).length, 294);
  assert.equal(new Set(await whatOf(scene)).size, 294);
  assert.equal((await scene.rows("workJob")).length, 6);
});

test("jobs on disk are found also when others of their queue come while the dispatcher starts", async (context) => {
  const scene = await openWorkScene({ files: filesWith(), start: false });
  context.after(() => scene.close());
  const put = (whats: readonly string[], options: Json = null): Promise<Json> =>
    scene.call("work.put", { name: "work.todo", jobs: whats.map((what) => ({ what })), options });
  await put(["a", "b"]);
  await put(["later"], { in: "1s" });
  const starting = scene.dispatcher().start();
  await put(["c"]);
  await starting;
  await scene.idle();
  await scene.advance(2_000);
  const whats = (await scene.rows("done")).map(({ what }) => what);
  assert.deepEqual(new Set(whats), new Set(["a", "b", "c", "later"]));
});
