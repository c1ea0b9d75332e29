import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Json } from "../base/json.ts";
import { jobOfRow } from "./job.ts";
import { openWorkScene, type WorkScene, type WorkSceneOptions } from "./work-scene.case.ts";

/** @param more functions and consumers. @param options of `define`, beside the events. */
function filesWith(more: string, options = ""): Readonly<Record<string, string>> {
  return {
    "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, action, queue, on, onChange, rules, app } = define({
  seen: table({ by: t.text({ max: 40 }), key: t.text({ max: 80 }), number: t.int(), me: t.text({ max: 60 }).optional() }),
  thing: table({ name: t.text({ max: 40 }), size: t.int() }),
}, {
  events: { "thing.made": event({ key: t.text({ max: 40 }), number: t.int() }, { key: "key", keep: "1h" }) },
  ${options}
});`,
    "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
    "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
    "work.ts": `
import { Refusal, t } from "keelson";
import { action, mutation, on, onChange, queue } from "./schema.ts";
const text = t.text({ max: 80 });
const see = (db, by, key, number, me) => db.asSystem("a test").seen.create({ by, key, number, me: me?.id ?? null });
export const make = mutation({
  args: { key: text, from: t.int(), count: t.int(), fail: t.bool().optional() },
  allow: "anyone",
  async run({ emit }, { key, from, count, fail }) {
    for (let number = from; number < from + count; number++) await emit("thing.made", { key, number });
    if (fail) throw new Refusal("NO", "Not at all.");
  },
});
export const emitRaw = mutation({
  args: { event: text, payload: t.json() },
  allow: "anyone",
  run: ({ emit }, { event, payload }) => emit(event, payload).then(() => null),
});
export const thing = mutation({
  args: { name: text, size: t.int(), id: text.optional(), gone: t.bool().optional() },
  allow: "anyone",
  returns: t.text(),
  async run({ db }, { name, size, id, gone }) {
    const all = db.asSystem("a test");
    if (gone) return (await all.thing.delete(id), id);
    if (id) return (await all.thing.update(id, { name, size })).id;
    return (await all.thing.create({ name, size })).id;
  },
});
${more}`,
  };
}

const plainConsumer = `
export const one = mutation({
  args: { key: text, number: t.int() },
  run: ({ db, me }, { key, number }) => see(db, "one", key, number, me).then(() => null),
});
export const ones = on("thing.made", one);`;

async function open(
  context: TestContext,
  more: string,
  options: Omit<Partial<WorkSceneOptions>, "files"> & { readonly define?: string } = {},
): Promise<WorkScene> {
  const scene = await openWorkScene({ files: filesWith(more, options.define), ...options });
  context.after(() => scene.close());
  return scene;
}

const make = (scene: WorkScene, key: string, from: number, count = 1) =>
  scene.call("work.make", { key, from, count }, { id: "user_1" });
const seenBy = async (scene: WorkScene, by: string): Promise<string[]> =>
  (await scene.rows("seen"))
    .filter((row) => row["by"] === by)
    .map((row) => `${String(row["key"])}${String(row["number"])}`);

test("a payload is held against its declaration, and an event that is none is refused", async (context) => {
  const scene = await open(context, plainConsumer);
  const emit = (event: string, payload: Json) => scene.ask("work.emitRaw", { event, payload });
  assert.equal((await emit("thing.made", { key: "a", number: "7" })).code, "ARGUMENT_INVALID");
  assert.equal(
    (await emit("thing.made", { key: "a", number: 7, more: 1 })).code,
    "ARGUMENT_INVALID",
  );
  assert.equal((await emit("thing.lost", {})).code, "WORK_NOT_FOUND");
  assert.equal((await emit("thing.made", { key: "a", number: 7 })).code, null);
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a7"]);
});

test("an event commits or vanishes with the transaction that emits it", async (context) => {
  const scene = await open(context, plainConsumer);
  const { code } = await scene.ask("work.make", { key: "a", from: 1, count: 3, fail: true });
  assert.equal(code, "FUNCTION_REFUSED");
  await make(scene, "a", 4);
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a4"]);
  assert.equal((await scene.rows("workEvent")).length, 1);
});

test("a consumer runs with the rights of who emitted", async (context) => {
  const scene = await open(context, plainConsumer);
  await make(scene, "a", 1);
  await scene.idle();
  assert.equal((await scene.rows("seen"))[0]?.["me"], "user_1");
});

test("consumers are independent: one that fails holds up no other, and each has all events once", async (context) => {
  const scene = await open(
    context,
    `${plainConsumer}
export const bad = mutation({
  args: { key: text, number: t.int() },
  async run({ db, job }, { key, number }) {
    if ((job?.attempt ?? 1) < 3) throw new Error("not yet");
    await see(db, "bad", key, number);
  },
});
export const bads = on("thing.made", bad, { backoff: "1s" });
export const far = action({ args: { number: t.int() }, async run({ run }, { number }) { await run(note, { number }); } });
export const note = mutation({ args: { number: t.int() }, run: ({ db }, { number }) => see(db, "far", "f", number).then(() => null) });
export const fars = on("thing.made", far);`,
  );
  for (let number = 0; number < 20; number++) await make(scene, `k${number % 3}`, number);
  await scene.idle();
  assert.equal((await seenBy(scene, "one")).length, 20);
  assert.equal((await seenBy(scene, "far")).length, 20);
  assert.equal((await seenBy(scene, "bad")).length, 0);
  await scene.advance(200_000);
  const bad = await seenBy(scene, "bad");
  assert.equal(bad.length, 20);
  assert.equal(new Set(bad).size, 20);
});

test("in order per key: what comes after a failed one of its key waits, others do not", async (context) => {
  const scene = await open(
    context,
    `
export const one = mutation({
  args: { key: text, number: t.int() },
  async run({ db, job }, { key, number }) {
    if (key === "a" && number === 1 && (job?.attempt ?? 1) < 3) throw new Error("not yet");
    await see(db, "one", key, number);
  },
});
export const ones = on("thing.made", one, { backoff: "1s" });`,
  );
  await make(scene, "a", 0, 4);
  await make(scene, "b", 0, 4);
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a0", "b0", "b1", "b2", "b3"]);
  await scene.restart();
  await make(scene, "a", 4);
  await scene.advance(5_000);
  const own = (await seenBy(scene, "one")).filter((name) => name.startsWith("a"));
  assert.deepEqual(own, ["a0", "a1", "a2", "a3", "a4"]);
});

test("a consumer that is sent back has what is kept from there on again", async (context) => {
  const scene = await open(context, plainConsumer);
  for (let number = 0; number < 5; number++) await make(scene, "a", number);
  await scene.idle();
  const places = (await scene.rows("workEvent")).map(({ place }) => place as number);
  await scene.procedure("work.replay", { consumer: "work.ones", place: places[2] ?? 0 });
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a0", "a1", "a2", "a3", "a4", "a3", "a4"]);
  await assert.rejects(scene.procedure("work.replay", { consumer: "work.none", place: 0 }), {
    code: "WORK_NOT_FOUND",
  });
});

test("a consumer that is sent back to a time has all that was emitted from then on, whatever shared its moment", async (context) => {
  const scene = await open(context, plainConsumer);
  await make(scene, "a", 0, 2);
  await scene.advance(60_000);
  const at = new Date(scene.clock.nowMs()).toISOString();
  await make(scene, "b", 0, 40);
  await scene.idle();
  const replayed = async (from: string): Promise<readonly string[]> => {
    const before = (await scene.rows("seen")).length;
    await scene.procedure("work.replay", { consumer: "work.ones", at: from });
    await scene.idle();
    return (await seenBy(scene, "one")).slice(before);
  };
  const those = Array.from({ length: 40 }, (_, number) => `b${number}`);
  assert.deepEqual(await replayed(at), those);
  assert.deepEqual(await replayed(at.replace("Z", "+00:00")), those);
  assert.deepEqual(await replayed("2020-01-01T00:00:00Z"), ["a0", "a1", ...those]);
  const problem = "no event came from that time on, so there is none to have again";
  const details = { consumer: "work.ones", problem };
  await assert.rejects(replayed("2030-01-01T00:00:00Z"), { code: "ARGUMENT_INVALID", details });
  await assert.rejects(replayed("yesterday"), { code: "ARGUMENT_INVALID" });
});

test("a consumer that is sent back to a time loses nothing to a clock that was set back since", async (context) => {
  const scene = await open(context, plainConsumer);
  await make(scene, "a", 0);
  scene.clock.step(-600_000);
  await scene.call("work.make", { key: "a", from: 1, count: 1 }, { id: "user_2" });
  await scene.idle();
  const at = new Date(scene.clock.nowMs() - 1_000).toISOString();
  await scene.procedure("work.replay", { consumer: "work.ones", at });
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a0", "a1", "a0", "a1"]);
});

test("a consumer goes on where it was when the process ended", async (context) => {
  const scene = await open(context, plainConsumer);
  await make(scene, "a", 0, 3);
  await scene.idle();
  await scene.dispatcher().stop();
  await make(scene, "a", 3, 3);
  await scene.restart();
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "one"), ["a0", "a1", "a2", "a3", "a4", "a5"]);
});

test("events stay as long as they are kept, and never go before every consumer has had them", async (context) => {
  const scene = await open(context, plainConsumer);
  await make(scene, "a", 0, 3);
  await scene.idle();
  await scene.advance(1_800_000);
  assert.equal((await scene.rows("workEvent")).length, 3);
  await scene.advance(2_000_000);
  assert.equal((await scene.rows("workEvent")).length, 0);
});

test("a trigger has every change of its table once, in order, with the row before and after", async (context) => {
  const scene = await open(
    context,
    `
export const watch = mutation({
  args: { id: text, change: text, before: t.json().optional(), after: t.json().optional() },
  run: ({ db }, { id, change, before, after }) =>
    see(db, "watch", change, (after?.size ?? 0) * 10 + (before?.size ?? 0)).then(() => null),
});
export const watches = onChange("thing", watch);
export const gone = mutation({ args: { change: text }, run: ({ db }, { change }) => see(db, "gone", change, 0).then(() => null) });
export const gones = onChange("thing", gone, { changes: ["delete"] });`,
  );
  const id = await scene.call("work.thing", { name: "a", size: 1 });
  await scene.call("work.thing", { id, name: "a", size: 2 });
  await scene.dispatcher().stop();
  await scene.call("work.thing", { id, name: "a", size: 3 });
  await scene.restart();
  await scene.call("work.thing", { id, name: "a", size: 3, gone: true });
  await scene.idle();
  assert.deepEqual(await seenBy(scene, "watch"), ["create10", "update21", "update32", "delete3"]);
  assert.deepEqual(await seenBy(scene, "gone"), ["delete0"]);
});

const chains: Readonly<Record<string, string>> = {
  "that enqueues itself": `
export const loop = mutation({
  args: { number: t.int() },
  allow: "anyone",
  async run({ db, enqueue }, { number }) {
    await see(db, "loop", "l", number);
    await enqueue("work.loop", { number: number + 1 });
  },
});
export const begin = loop;`.replace("export const begin = loop;", ""),
  "of events that cause themselves": `
export const loop = mutation({
  args: { number: t.int() },
  allow: "anyone",
  async run({ db, emit }, { number }) {
    await see(db, "loop", "l", number);
    await emit("thing.made", { key: "a", number: number + 1 });
  },
});
export const loops = on("thing.made", loop);`,
  "of triggers that change their own table": `
export const loop = mutation({
  args: { number: t.int().optional(), after: t.json().optional() },
  allow: "anyone",
  async run({ db }, { number, after }) {
    const next = (after?.size ?? number) + 1;
    await see(db, "loop", "l", next);
    await db.asSystem("a loop").thing.create({ name: "x", size: next });
  },
});
export const loops = onChange("thing", loop, { changes: ["create"] });`,
};
for (const [what, more] of Object.entries(chains)) {
  test(`a chain ${what} ends after sixteen, and the dead letter shows it`, async (context) => {
    const scene = await open(context, more);
    await scene.call("work.loop", { number: 0 });
    await scene.advance(3_600_000);
    const [dead] = await scene.rows("workDead");
    const job = dead === undefined ? assert.fail("no dead letter") : jobOfRow(dead);
    assert.equal(job.failure?.code, "WORK_TOO_DEEP");
    const { chain } = (job.failure?.details ?? {}) as { chain: string[] };
    assert.equal(chain.length, 17);
    assert.match(chain.join(" > "), /loop/);
    const runs = (await scene.rows("seen")).length;
    assert.ok(runs >= 16 && runs <= 18, `${runs} runs`);
    assert.deepEqual(await scene.rows("workJob"), []);
  });
}

test("what one request causes in all is bounded by the app's fuel, however wide it is", async (context) => {
  const scene = await open(
    context,
    `
export const wide = mutation({
  args: { depth: t.int() },
  allow: "anyone",
  async run({ db, enqueue }, { depth }) {
    await see(db, "wide", "w", depth);
    for (let count = 0; count < 4; count++) await enqueue("work.wide", { depth: depth + 1 });
  },
});`,
    { define: "fuel: 50," },
  );
  await scene.call("work.wide", { depth: 0 });
  await scene.advance(3_600_000);
  const runs = (await scene.rows("seen")).length;
  assert.ok(runs <= 50 + 5, `${runs} runs`);
  const codes = (await scene.rows("workDead")).map((row) => jobOfRow(row).failure?.code);
  assert.ok(codes.length > 0);
  assert.deepEqual(new Set(codes), new Set(["WORK_FUEL_SPENT"]));
  await scene.call("work.wide", { depth: 100 });
  await scene.idle();
  assert.ok((await scene.rows("seen")).length > runs, "another request has fuel of its own");
});
