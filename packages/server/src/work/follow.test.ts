// Quick jobs run in the group of writes that adds them: they come and go within one commit.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Commit, Store } from "../store/store.ts";
import { openGateApp } from "../gate/gate-app.ts";
import type { ProcedureCall } from "../gate/procedure.ts";
import { JobRunner } from "./job-runner.ts";
import type { Job } from "./job.ts";
import { QueueBook } from "./queue-book.ts";
import { openWorkScene, withFullDisk, type WorkScene } from "./work-scene.case.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, queue, rules, app } = define({ seen: table({ text: t.text({ max: 40 }) }) });`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { mutation, queue } from "./schema.ts";
const text = t.text({ max: 40 });
export const see = mutation({
  args: { text },
  run({ db, job }, { text }) {
    if (text === "fails once" && (job?.attempt ?? 1) === 1) throw new Error("not yet");
    return db.asSystem("a test").seen.create({ text }).then(() => null);
  },
});
export const plain = queue(see);
export const paced = queue(see, { rate: "1000/second" });
export const inOrder = queue(see, { ordered: true });
const queues = { plain, paced, inOrder };
export const put = mutation({
  args: { queue: t.oneOf("plain", "paced", "inOrder"), texts: t.list(text, { max: 20 }) },
  allow: "anyone",
  async run({ enqueue }, { queue, texts }) {
    for (const text of texts) await enqueue(queues[queue], { text });
  },
});
export const breaks = mutation({
  args: { text },
  allow: "anyone",
  async run({ enqueue }, { text }) {
    await enqueue(plain, { text });
    throw new Error("after all not");
  },
});`,
};

type Queue = "plain" | "paced" | "inOrder";

/** An app whose queues have run a job each, and the groups that were committed since. */
async function openScene(
  context: TestContext,
  wrapStore?: (store: Store) => Store,
): Promise<{ readonly scene: WorkScene; readonly groups: (readonly Commit[])[] }> {
  const scene = await openWorkScene({ files, ...(wrapStore === undefined ? {} : { wrapStore }) });
  context.after(() => scene.close());
  for (const queue of ["plain", "paced", "inOrder"] as const) {
    await put(scene, queue, "first");
    await scene.idle();
  }
  const groups: (readonly Commit[])[] = [];
  context.after(scene.commits.subscribe((commits) => void groups.push(commits)));
  return { scene, groups };
}

const put = (scene: WorkScene, queue: Queue, ...texts: string[]) =>
  scene.call("work.put", { queue, texts });

const textsOf = async (scene: WorkScene): Promise<readonly string[]> =>
  (await scene.rows("seen")).map((row) => String(row["text"])).filter((text) => text !== "first");

/** Commits of a group that made rows of the app's table. */
const madeIn = (commits: readonly Commit[]) =>
  commits.flatMap(({ changes }) => changes).filter(({ table }) => table === "seen").length;

test("quick jobs are committed with what adds them, and are in no log", async (context) => {
  const { scene, groups } = await openScene(context);
  const before = await scene.harness.store.lastSeq();
  await put(scene, "plain", "a", "b", "c");
  assert.deepEqual(await textsOf(scene), ["a", "b", "c"], "before the answer");
  await scene.idle();
  const [group = []] = groups;
  assert.equal(madeIn(group), 3);
  const log = await scene.harness.store.commitsAfter(before, 100);
  assert.deepEqual(
    log.map(({ changes }) => changes.map(({ table }) => table)),
    [[], ["seen", "seen", "seen"]],
  );
  assert.deepEqual(scene.told.at(-1)?.count, 3);
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("a job that fails in the group goes with nothing, and runs as others do", async (context) => {
  const { scene } = await openScene(context);
  await put(scene, "plain", "x", "fails once", "y");
  await scene.advance(60_000);
  assert.deepEqual((await textsOf(scene)).toSorted(), ["fails once", "x", "y"]);
  assert.equal(scene.told.filter(({ failure }) => failure !== null).length, 1, "one attempt more");
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a mutation that fails starts nothing", async (context) => {
  const { scene } = await openScene(context);
  const { code } = await scene.ask("work.breaks", { text: "never" });
  assert.equal(code, "FUNCTION_FAILED");
  await scene.idle();
  assert.deepEqual(await textsOf(scene), []);
});

test("jobs of a queue with a rate run by themselves", async (context) => {
  const { scene, groups } = await openScene(context);
  await put(scene, "paced", "by itself");
  await scene.idle();
  assert.equal(madeIn(groups[0] ?? []), 0);
  assert.deepEqual(await textsOf(scene), ["by itself"]);
});

test("only jobs that were quick the last time follow, and about 5 ms of them", async (context) => {
  const { scene } = await openScene(context);
  const ran = { cpuUs: 0 };
  const runner = new JobRunner(
    {
      app: openGateApp(scene.harness.parts),
      kinds: new Map(),
      store: scene.harness.store,
      commits: scene.commits,
      submit: (job, work) => {
        const { input } = job.operation as ProcedureCall;
        const count = (input as { readonly ids: readonly string[] }).ids.length;
        if (work !== undefined) work.cpuUs = ran.cpuUs * count;
        return Promise.resolve({ count });
      },
      actor: { act: () => Promise.reject(new Error("not asked here")), cancel: () => undefined },
      clock: scene.clock,
      report: (error) => assert.fail(String(error)),
    },
    { turn: () => undefined, hold: (error) => assert.fail(String(error)) },
  );
  const job: Job = {
    ...{ id: "work_job_1", queue: "queue:work.plain", lane: "l", place: 1, key: null, once: null },
    ...{ attempts: 0, input: null, me: null, origin: { root: "r", chain: [] }, createdMs: 0 },
    ...{ priority: 0, dueMs: null, sinceMs: null, startedMs: null, failure: null, progress: null },
  };
  const jobs = Array.from({ length: 1_000 }, () => job);
  const book = new QueueBook(
    job.queue,
    null,
    { lanesMax: 1, entriesMax: 1, lanePageMax: 1 },
    false,
  );
  const following = async (cpuUs: number): Promise<number> => {
    ran.cpuUs = cpuUs;
    await runner.run(book, [{ ...job, world: false, alone: false }]);
    return [...runner.follow(job.queue, jobs)]
      .map(({ job }) => (job.operation as ProcedureCall).input as { ids: readonly string[] })
      .reduce((count, { ids }) => count + ids.length, 0);
  };
  assert.deepEqual([...runner.follow(job.queue, jobs)], [], "nothing is known of it");
  assert.equal(await following(501), 0);
  assert.equal(await following(500), 10);
  assert.equal(await following(20), 250);
  const [first] = runner.follow(job.queue, jobs);
  assert.ok(first, "they come one after the other:");
  const before = runner.follow(job.queue, jobs)[Symbol.iterator]();
  assert.equal(before.next().done, false);
  scene.clock.pass(6);
  assert.equal(before.next().done, true, "when the time is over, no more");
});

test("in order: a job does not go before one that waits for its next attempt", async (context) => {
  const { scene } = await openScene(context);
  await put(scene, "inOrder", "fails once");
  await put(scene, "inOrder", "behind it");
  await scene.advance(60_000);
  assert.deepEqual(await textsOf(scene), ["fails once", "behind it"]);
});

test("a group that can't be committed: neither what adds jobs nor they happened", async (context) => {
  const disk = { isFull: false };
  const { scene } = await openScene(context, (store) => withFullDisk(store, disk));
  disk.isFull = true;
  const { code } = await scene.ask("work.put", { queue: "plain", texts: ["lost"] });
  assert.equal(code, "DISK_FULL");
  disk.isFull = false;
  await scene.advance(10_000);
  assert.deepEqual(await textsOf(scene), []);
  await put(scene, "plain", "kept");
  await scene.idle();
  assert.deepEqual(await textsOf(scene), ["kept"]);
});
