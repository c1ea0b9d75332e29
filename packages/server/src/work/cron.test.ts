import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openWorkScene, type WorkScene } from "./work-scene.case.ts";

const filesWith = (crons: string): Readonly<Record<string, string>> => ({
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, action, cron, rules, app } = define({
  tick: table({ name: t.text({ max: 10 }), at: t.time(), now: t.time() }),
});`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { action, cron, mutation } from "./schema.ts";
export const beat = mutation({
  args: { at: t.time() },
  run: ({ db, now }, { at }) => db.asSystem("a tick").tick.create({ name: "beat", at, now }).then(() => null),
});
export const far = action({
  args: { at: t.time() },
  run: ({ run }, { at }) => run(beat, { at }),
});
export const bad = mutation({ args: {}, async run() { throw new Error("bad"); } });
export const mend = mutation({
  args: {}, allow: "anyone", run: ({ db, now }) => db.asSystem("a test").tick.create({ name: "mended", at: now, now }).then(() => null),
});
export const moody = mutation({
  args: { at: t.time() },
  async run({ db, run }, { at }) {
    if ((await db.asSystem("a test").tick.count({ where: { name: "mended" } })) === 0) throw new Error("not yet");
    await run(beat, { at });
  },
});
${crons}`,
});

async function open(context: TestContext, crons: string): Promise<WorkScene> {
  const scene = await openWorkScene({ files: filesWith(crons) });
  context.after(() => scene.close());
  return scene;
}

// The scene begins at 2027-01-15T08:00:00Z.
const ticksOf = async (scene: WorkScene): Promise<string[]> =>
  (await scene.rows("tick")).map(({ at }) => (at as string).slice(11, 16));
const minutes = (count: number): number => count * 60_000;

test("each tick runs once, at its time", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  await scene.advance(minutes(61));
  assert.deepEqual(await ticksOf(scene), ["08:15", "08:30", "08:45", "09:00"]);
  for (const { at, now } of await scene.rows("tick")) assert.equal(at, now);
});

test("an action's ticks run once each, too", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, far);`,
  );
  await scene.advance(minutes(31));
  assert.deepEqual(await ticksOf(scene), ["08:15", "08:30"]);
});

test("a restart neither repeats a tick nor loses the next", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  for (let count = 0; count < 4; count++) {
    await scene.advance(minutes(10));
    await scene.restart();
    await scene.idle();
  }
  assert.deepEqual(await ticksOf(scene), ["08:15", "08:30"]);
});

const missed: Readonly<Record<string, string[]>> = {
  last: ["09:00", "09:15"],
  all: ["08:15", "08:30", "08:45", "09:00", "09:15"],
  none: ["09:15"],
};
for (const [policy, expected] of Object.entries(missed)) {
  test(`ticks missed while nothing ran: ${policy}`, async (context) => {
    const scene = await open(
      context,
      `export const c = cron("every 15 minutes", { zone: "UTC", missed: "${policy}" }, beat);`,
    );
    await scene.dispatcher().stop();
    scene.clock.pass(minutes(65));
    await scene.restart();
    await scene.advance(minutes(11));
    assert.deepEqual(await ticksOf(scene), expected);
  });
}

test("the clock is set back an hour: no tick of that hour runs again", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  await scene.advance(minutes(46));
  scene.clock.step(-minutes(60));
  await scene.advance(minutes(90));
  assert.deepEqual(await ticksOf(scene), ["08:15", "08:30", "08:45", "09:00", "09:15"]);
});

test("the clock is set on by an hour: what it jumped over is missed, and goes by the policy", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC", missed: "all" }, beat);`,
  );
  await scene.advance(minutes(16));
  scene.clock.step(minutes(60));
  await scene.advance(minutes(16));
  assert.deepEqual(await ticksOf(scene), ["08:15", "08:30", "08:45", "09:00", "09:15", "09:30"]);
});

test("a tick that fails for good is a dead letter, and the next ones come all the same", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC", attempts: 2, backoff: "1s" }, bad);`,
  );
  await scene.advance(minutes(31));
  assert.equal((await scene.rows("workDead")).length, 2);
  const [job] = await scene.rows("workJob");
  assert.equal(job?.["place"], Date.parse("2027-01-15T08:45:00Z"));
});

test("a dead tick that is tried again is that tick alone: the schedule goes on as it was", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC", attempts: 1 }, moody);`,
  );
  await scene.advance(minutes(31));
  const dead = await scene.rows("workDead");
  assert.equal(dead.length, 2);
  await scene.call("work.mend");
  const retried = await scene.procedure("work.retryAll", { queue: dead[0]?.["queue"] as string });
  assert.equal(retried, 2);
  await scene.advance(minutes(30));
  assert.deepEqual((await ticksOf(scene)).toSorted(), [
    "08:15",
    "08:30",
    "08:31",
    "08:45",
    "09:00",
  ]);
  assert.equal((await scene.rows("workJob")).length, 1);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a tick that is cancelled is left out, and the next ones come all the same", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  const [waiting] = await scene.rows("workJob");
  await scene.procedure("work.stop", { id: waiting?.["id"] as string });
  await scene.advance(minutes(46));
  assert.deepEqual(await ticksOf(scene), ["08:30", "08:45"]);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a clock that was ahead: no tick runs again by itself, and a cancel goes back to the clock", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  const dayMs = minutes(24 * 60);
  scene.clock.step(30 * dayMs);
  await scene.advance(minutes(1));
  scene.clock.step(-30 * dayMs);
  await scene.advance(minutes(59));
  assert.equal((await scene.rows("tick")).length, 1);
  const [waiting] = await scene.rows("workJob");
  await scene.procedure("work.stop", { id: waiting?.["id"] as string });
  await scene.advance(minutes(31));
  assert.deepEqual((await ticksOf(scene)).slice(1), ["09:15", "09:30"]);
});

test("a cron that waits is run now as a tick of its own: its schedule loses none", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, beat);`,
  );
  const [waiting] = await scene.rows("workJob");
  const id = waiting?.["id"] as string;
  await scene.advance(minutes(5));
  const ran = await scene.procedure("work.retry", { id });
  assert.notEqual(ran, id);
  await scene.idle();
  assert.deepEqual(await ticksOf(scene), ["08:05"]);
  assert.deepEqual(
    (await scene.rows("workJob")).map((row) => [row["id"], row["place"]]),
    [[id, Date.parse("2027-01-15T08:15:00Z")]],
  );
  await scene.advance(minutes(26));
  assert.deepEqual(await ticksOf(scene), ["08:05", "08:15", "08:30"]);
});

test("a cron of an action is run now, too, and one that failed is tried again as it is", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC" }, far);
export const m = cron("30 * * * *", { zone: "UTC", backoff: "10m" }, moody);`,
  );
  const waits = async (name: string): Promise<string> => {
    const rows = await scene.rows("workJob");
    return rows.find((row) => row["queue"] === `cron:work.${name}`)?.["id"] as string;
  };
  await scene.procedure("work.retry", { id: await waits("c") });
  await scene.idle();
  assert.deepEqual(await ticksOf(scene), ["08:00"]);
  await scene.advance(minutes(31));
  assert.deepEqual(await ticksOf(scene), ["08:00", "08:15", "08:30"]);
  await scene.call("work.mend");
  const failed = await waits("m");
  assert.equal(await scene.procedure("work.retry", { id: failed }), failed);
  await scene.idle();
  assert.deepEqual(await ticksOf(scene), ["08:00", "08:15", "08:30", "08:31", "08:30"]);
  const next = (await scene.rows("workJob")).find((row) => row["queue"] === "cron:work.m");
  assert.equal(next?.["place"], Date.parse("2027-01-15T09:30:00Z"));
});

test("a cron's tick is given no other input, neither while it waits nor dead", async (context) => {
  const scene = await open(
    context,
    `export const c = cron("every 15 minutes", { zone: "UTC", attempts: 1 }, bad);`,
  );
  await scene.advance(minutes(16));
  const ids = [...(await scene.rows("workJob")), ...(await scene.rows("workDead"))];
  assert.equal(ids.length, 2);
  for (const { id } of ids) {
    const given = scene.procedure("work.retry", { id: id as string, input: { at: "now" } });
    await assert.rejects(given, { code: "ARGUMENT_INVALID" });
  }
});
