// Events that died and come twice: by a replay, and by their dead letter. In a time that the test moves.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openWorkScene, type WorkScene } from "../work/work-scene.case.ts";
import { hookKind } from "./hook-kind.ts";
import { hookProcedures } from "./hook-procedures.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { action, hook, mutation, rules, app } = define({
  seen: table({ event: t.text({ max: 60 }) }),
  broken: table({ why: t.text({ max: 60 }) }),
});`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as hooks from "./hooks.ts";
export default app({ rules, functions: { hooks } });`,
  "hooks.ts": `
import { t } from "keelson";
import { action, hook, mutation } from "./schema.ts";
const text = t.text({ max: 60 });
export const onInside = mutation({
  args: { id: text },
  async run({ db }, { id }) {
    if ((await db.asSystem("a test").broken.count()) > 0) throw new Error("not mended yet");
    await db.asSystem("a test").seen.create({ event: id });
  },
});
export const onOutside = action({
  args: { id: text },
  async run({ run }, { id }) {
    await run(onInside, { id });
    return id;
  },
});
const sender = { verify: "github", secrets: ["SECRET"], attempts: 1 };
const ordered = { ...sender, order: { key: "thing", at: "at" } };
export const inside = hook("inside", sender, onInside);
export const outside = hook("outside", sender, onOutside);
export const orderedOutside = hook("ordered", ordered, onOutside);
export const take = mutation({
  args: { hook: text, id: text, at: t.json() },
  allow: "anyone",
  run: ({ webhooks }, { hook, id, at }) => webhooks.take(hook, { id, body: { thing: "a", at } }).then(() => null),
});
export const replay = mutation({
  args: { id: text },
  allow: "anyone",
  run: ({ webhooks }, { id }) => webhooks.replay(id),
});
export const spoil = mutation({
  args: {},
  allow: "anyone",
  run: ({ db }) => db.asSystem("a test").broken.create({ why: "a test" }).then(() => null),
});
export const mend = mutation({
  args: {},
  allow: "anyone",
  async run({ db }) {
    const all = db.asSystem("a test").broken;
    for (const { id } of await all.list({})) await all.delete(id);
  },
});`,
};

async function open(context: TestContext): Promise<WorkScene> {
  const scene = await openWorkScene({
    files,
    kinds: [hookKind],
    procedures: new Map(hookProcedures),
  });
  context.after(() => scene.close());
  return scene;
}

interface Dead {
  readonly scene: WorkScene;
  replay(): Promise<unknown>;
  retry(): Promise<unknown>;
  /** How often the event was handled, and its state. */
  outcome(): Promise<readonly unknown[]>;
}

/** An event that died, and whose handler is mended. */
async function openDead(context: TestContext, hook: string): Promise<Dead> {
  const scene = await open(context);
  await scene.call("hooks.spoil");
  await scene.call("hooks.take", { hook, id: "one", at: 1 });
  await scene.idle();
  const [event] = await scene.rows("hookEvent");
  const [letter] = await scene.rows("workDead");
  assert.equal(event?.["state"], "dead");
  await scene.call("hooks.mend");
  return {
    scene,
    replay: () => scene.call("hooks.replay", { id: event?.["id"] as string }),
    retry: () => scene.procedure("work.retry", { id: letter?.["id"] as string }),
    async outcome() {
      await scene.idle();
      assert.deepEqual(await scene.rows("workJob"), []);
      const [row] = await scene.rows("hookEvent");
      return [(await scene.rows("seen")).length, row?.["state"]];
    },
  };
}

for (const hook of ["inside", "outside"]) {
  const by = hook === "inside" ? "a mutation" : "an action";

  test(`by ${by}: what a replay handled, its dead letter does not handle again`, async (context) => {
    const { scene, replay, retry, outcome } = await openDead(context, hook);
    await replay();
    await scene.idle();
    await retry();
    assert.deepEqual(await outcome(), [1, "done"]);
    // To have it handled once more is what a replay is for.
    await replay();
    assert.deepEqual(await outcome(), [2, "done"]);
  });

  test(`by ${by}: a replay and a dead letter at once are one`, async (context) => {
    const { replay, retry, outcome } = await openDead(context, hook);
    await Promise.all([replay(), retry()]);
    assert.deepEqual(await outcome(), [1, "done"]);
  });

  test(`by ${by}: a dead letter and a replay at once are one`, async (context) => {
    const { replay, retry, outcome } = await openDead(context, hook);
    await Promise.all([retry(), replay()]);
    assert.deepEqual(await outcome(), [1, "done"]);
  });

  test(`by ${by}: an event that died twice is handled by whichever letter comes first`, async (context) => {
    const { scene, replay, outcome } = await openDead(context, hook);
    await scene.call("hooks.spoil");
    await replay();
    assert.deepEqual(await outcome(), [0, "dead"]);
    await scene.call("hooks.mend");
    const letters = await scene.rows("workDead");
    assert.equal(letters.length, 2);
    for (const { id } of letters) await scene.procedure("work.retry", { id: id as string });
    assert.deepEqual(await outcome(), [1, "done"]);
  });
}

test("an event that an action left out for being late stays late", async (context) => {
  const scene = await open(context);
  for (const at of [2, 1]) {
    await scene.call("hooks.take", { hook: "ordered", id: String(at), at });
    await scene.idle();
  }
  const states = (await scene.rows("hookEvent")).map(({ event, state }) => [event, state]);
  assert.deepEqual(
    new Map(states as [string, string][]),
    new Map([
      ["2", "done"],
      ["1", "late"],
    ]),
  );
  assert.equal((await scene.rows("seen")).length, 1);
});

test("what is late is told by times of any offset, and by none that can't be read", async (context) => {
  const scene = await open(context);
  const times = {
    first: "2026-11-22T12:00:00+02:00",
    earlier: "2026-11-22T10:30:00.5+01:00",
    later: "2026-11-22T08:00:00.25-03:00",
    words: "yesterday",
    digits: "1763800000",
    day: "2026-11-22",
  };
  for (const [id, at] of Object.entries(times)) {
    await scene.call("hooks.take", { hook: "ordered", id, at });
    await scene.idle();
  }
  const late = (await scene.rows("hookEvent")).filter(({ state }) => state === "late");
  assert.deepEqual(
    late.map(({ event }) => event),
    ["earlier"],
  );
});
