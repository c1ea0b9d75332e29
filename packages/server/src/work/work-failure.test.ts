import assert from "node:assert/strict";
import { test } from "node:test";
import type { Procedures } from "../gate/gate-app.ts";
import { addJob, type NewJob } from "./job-write.ts";
import type { WorkKind } from "./work-kind.ts";
import { openWorkScene, withFullDisk } from "./work-scene.case.ts";

const files = {
  "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, action, on, rules, app } = define(
  { seen: table({ by: t.text({ max: 10 }), number: t.int() }) },
  { events: { made: event({ number: t.int() }) } },
);`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { action, mutation, on } from "./schema.ts";
export const see = mutation({
  args: { by: t.text({ max: 10 }), number: t.int() },
  run: ({ db }, row) => db.asSystem("a test").seen.create(row).then(() => null),
});
export const begin = mutation({
  args: { number: t.int() },
  allow: "anyone",
  async run({ emit, enqueue }, { number }) {
    await emit("made", { number });
    await enqueue(see, { by: "job", number });
    await enqueue(far, { number });
  },
});
export const far = action({ args: { number: t.int() }, run: ({ run }, { number }) => run(see, { by: "action", number }) });
export const one = mutation({ args: { number: t.int() }, run: ({ run }, { number }) => run(see, { by: "event", number }) });
export const ones = on("made", one);`,
};

test("a full disk: what is asked for is refused, work rests, and goes on without loss or double when there is room", async (context) => {
  const disk = { isFull: false };
  const scene = await openWorkScene({
    files,
    wrapStore: (store) => withFullDisk(store, disk),
  });
  context.after(() => scene.close());
  await scene.dispatcher().stop();
  for (let number = 0; number < 50; number++) await scene.call("work.begin", { number });
  disk.isFull = true;
  await assert.rejects(scene.restart(), { code: "DISK_FULL" });
  disk.isFull = false;
  await scene.restart();
  disk.isFull = true;
  const { code } = await scene.ask("work.begin", { number: 99 });
  assert.equal(code, "DISK_FULL");
  await scene.advance(10_000);
  assert.equal(scene.dispatcher().counts().held, true);
  assert.ok(scene.reported.length > 0);
  disk.isFull = false;
  await scene.advance(10_000);
  const counts = new Map<string, number>();
  for (const { by, number } of await scene.rows("seen")) {
    const name = `${String(by)} ${String(number)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const by of ["job", "event"]) {
    for (let number = 0; number < 50; number++) assert.equal(counts.get(`${by} ${number}`), 1);
  }
  for (let number = 0; number < 50; number++) assert.ok((counts.get(`action ${number}`) ?? 0) >= 1);
  assert.ok(![...counts.keys()].some((name) => name.endsWith(" 99")));
  assert.deepEqual(await scene.rows("workJob"), []);
});

test("a kind that fails when it is told of a dead letter does not keep its job, nor others, from ending", async (context) => {
  const kind: WorkKind = {
    kind: "odd",
    policy: () => ({
      concurrency: 1,
      perKey: null,
      rate: null,
      ratePerKey: null,
      attemptsMax: 1,
      backoffMs: 1,
      backoffMsMax: 1,
      timeoutMs: 1_000,
      keepMs: 0,
      ordered: false,
    }),
    place: () => "writer",
    run() {
      throw new Error("never");
    },
    died() {
      throw new Error("not this either");
    },
  };
  const procedures: Procedures = new Map([
    ["odd.add", { run: (scope, input) => addJob(scope, input as unknown as NewJob) }],
  ]);
  const scene = await openWorkScene({ files, kinds: [kind], procedures });
  context.after(() => scene.close());
  await scene.procedure("odd.add", { queue: "odd:it", input: {} });
  await scene.call("work.begin", { number: 1 });
  await scene.advance(2_000);
  assert.equal((await scene.rows("workDead")).length, 1);
  assert.equal((await scene.rows("seen")).length, 3);
  assert.match(String(scene.reported[0]), /not this either/);
});

test("jobs of a queue that the app has no more wait until it has it again", async (context) => {
  const scene = await openWorkScene({
    files,
    procedures: new Map([
      ["odd.add", { run: (scope, input) => addJob(scope, input as unknown as NewJob) }],
    ]),
  });
  context.after(() => scene.close());
  await scene.procedure("odd.add", { queue: "queue:work.gone", input: {} });
  await scene.procedure("odd.add", { queue: "nothing:at.all", input: {} });
  await scene.call("work.begin", { number: 1 });
  await scene.advance(5_000);
  assert.equal((await scene.rows("workJob")).length, 2);
  assert.equal((await scene.rows("seen")).length, 3);
});
