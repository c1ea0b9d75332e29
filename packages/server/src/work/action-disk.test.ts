// Attempts of actions on a disk that is full for a while. What the machine could not write down is no attempt of
// theirs: it runs again until it was written, with the number that it had, and never becomes a dead letter by it.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { withGroups } from "../store/group-wrap.ts";
import type { Change, Store } from "../store/store.ts";
import { openWorkScene, type WorkScene } from "./work-scene.case.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, action, queue, rules, app } = define({
  seen: table({ attempt: t.int() }),
});`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { action, mutation, queue } from "./schema.ts";
export const see = mutation({
  args: { attempt: t.int() },
  run: ({ db }, row) => db.asSystem("a test").seen.create(row).then(() => null),
});
export const act = action({
  args: { fails: t.bool() },
  async run({ run, job }, { fails }) {
    await run(see, { attempt: job.attempt });
    if (fails) throw new Error("its own fault");
  },
});
export const acts = queue(act, { attempts: 2, backoff: "1s" });
export const begin = mutation({
  args: { fails: t.bool() },
  allow: "anyone",
  run: ({ enqueue }, args) => enqueue(acts, args).then(() => null),
});`,
};

/** How often which commits are to find the disk full. */
interface Disk {
  left: number;
  finds: (change: Change) => boolean;
}

/** A store on whose disk there is no room for some commits. */
function withDisk(store: Store, disk: Disk): Store {
  return withGroups(store, (inner) => {
    let isHit = false;
    return {
      mutate: async (meta, body) => {
        const outcome = await inner.mutate(meta, body);
        if (outcome.kind === "done") isHit ||= outcome.commit?.changes.some(disk.finds) === true;
        return outcome;
      },
      commit: () => {
        if (!isHit || disk.left === 0) return inner.commit();
        disk.left -= 1;
        inner.abort();
        throw new PlatformError("DISK_FULL");
      },
      abort: () => inner.abort(),
    };
  });
}

async function openScene(context: TestContext, disk: Disk): Promise<WorkScene> {
  const scene = await openWorkScene({ files, wrapStore: (store) => withDisk(store, disk) });
  context.after(() => scene.close());
  return scene;
}

const fullTimes = 5;
const attemptsOf = async (scene: WorkScene) =>
  (await scene.rows("seen")).map(({ attempt }) => attempt);

test("an action whose writes found the disk full five times has used none of its two attempts", async (context) => {
  const disk: Disk = { left: fullTimes, finds: ({ table }) => table === "seen" };
  const scene = await openScene(context, disk);
  await scene.call("work.begin", { fails: false });
  await scene.advance(60_000);
  assert.equal(disk.left, 0);
  const codes = scene.told.flatMap(({ failure }) => (failure === null ? [] : [failure.code]));
  assert.deepEqual(codes, Array<string>(fullTimes).fill("DISK_FULL"));
  assert.deepEqual(await attemptsOf(scene), [1]);
  assert.deepEqual(await scene.rows("workJob"), []);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("an attempt whose end found no room is made again under its own number, however often that happens", async (context) => {
  const ends = (change: Change) => change.table === "workJob" && change.after === null;
  const disk: Disk = { left: fullTimes, finds: ends };
  const scene = await openScene(context, disk);
  await scene.call("work.begin", { fails: false });
  await scene.advance(60_000);
  assert.equal(disk.left, 0);
  assert.equal(scene.reported.length, fullTimes);
  // At least once: what it did before its end was refused is done, and it is told that it is the same attempt.
  assert.deepEqual(await attemptsOf(scene), Array<number>(fullTimes + 1).fill(1));
  assert.deepEqual(await scene.rows("workJob"), []);
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("a full disk between does not give an action that fails by itself further attempts", async (context) => {
  const second = ({ table, after }: Change) => table === "seen" && after?.["attempt"] === 2;
  const disk: Disk = { left: fullTimes, finds: second };
  const scene = await openScene(context, disk);
  await scene.call("work.begin", { fails: true });
  await scene.advance(120_000);
  assert.equal(disk.left, 0);
  assert.deepEqual(await attemptsOf(scene), [1, 2]);
  const [dead, ...others] = await scene.rows("workDead");
  assert.deepEqual([dead?.["attempts"], others.length], [2, 0]);
  assert.match(JSON.stringify(dead?.["info"]), /its own fault/);
});
