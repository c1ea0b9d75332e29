// What waits while an update takes away what it waits for. A queue or function that is gone is waited for, also by the
// steps of runs that began before: whoever was charged must not end as a run that failed. A cron that is gone is over.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import { openOperatorDesk } from "@keelson/server/operator";
import { untilSo } from "./work-scene.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, action, queue, cron, workflow, app } = define({ note: table({ text: t.text({ max: 200 }) }) });`,
  "app.ts": `
import { app } from "./schema.ts";
import * as shop from "./shop.ts";
export default app({ functions: { shop } });`,
};
const shop = `
import { t } from "keelson";
import { action, cron, mutation, query, queue, workflow } from "./schema.ts";
const run = t.text({ max: 100 });
export const write = mutation({ args: { text: t.text({ max: 200 }) }, async run({ db }, { text }) {
  await db.asSystem("a test").note.create({ text });
} });
export const charge = action({ async run({ run }) { await run(write, { text: "charged" }); } });
export const undo = mutation({ async run({ db }) { await db.asSystem("a test").note.create({ text: "undone" }); } });
export const pay = workflow({ signals: { go: {} }, async run({ step, signal, compensate }) {
  compensate(() => step(undo));
  await signal("go");
  await step(charge);
  await signal("go");
  await step(write, { text: "active" });
} });
export const start = mutation({ allow: "anyone", returns: run, run: ({ startWorkflow }) => startWorkflow(pay) });
export const go = mutation({ args: { run }, allow: "anyone", returns: t.bool(),
  run: ({ signalWorkflow }, { run }) => signalWorkflow(pay, run, "go") });
export const cancel = mutation({ args: { run }, allow: "anyone", returns: t.bool(),
  run: ({ cancelWorkflow }, { run }) => cancelWorkflow(run) });
export const writes = queue(write);
export const later = mutation({ allow: "anyone", returns: run,
  run: ({ enqueue }) => enqueue(writes, { text: "later" }, { in: "1s" }) });
export const nightly = cron("every month on the 1 at 03:00", { zone: "UTC", missed: "all" }, undo);
export const notes = query({ allow: "anyone", async run({ db }) {
  return (await db.asSystem("a test").note.list()).map(({ text }) => text);
} });
`;

interface Shown {
  readonly state: string;
  readonly error: { readonly code: string } | null;
  readonly steps: readonly { readonly name: string; readonly state: string }[];
}

class Scene {
  readonly stranded: unknown[] = [];
  readonly #server: RunningServer;
  readonly #file: string;
  readonly #dataDir: string;

  constructor(server: RunningServer, file: string, dataDir: string) {
    this.#server = server;
    this.#file = file;
    this.#dataDir = dataDir;
  }

  async call(name: string, args: object = {}): Promise<unknown> {
    const answer = await fetch(`${this.#server.url}/api/fn/shop.${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    assert.equal(answer.status, 200);
    return answer.json();
  }

  async update(source: string): Promise<void> {
    writeFileSync(this.#file, source);
    const { kind } = await this.#server.reload();
    assert.equal(kind, "replaced");
  }

  operate(
    procedure: string,
    input: Parameters<ReturnType<typeof openOperatorDesk>["procedure"]>[1],
  ) {
    const { limits } = this.#server;
    const desk = openOperatorDesk(this.#server.current(), { dataDir: this.#dataDir, limits });
    return desk.procedure(procedure, input, "test");
  }

  /** The run as the operator sees it, once it is as asked for. */
  async shown(run: unknown, isSo: (shown: Shown) => boolean): Promise<Shown> {
    const ask = async () => this.operate("workflow.show", { run: run as string });
    return untilSo(async () => (await ask()) as unknown as Shown, isSo);
  }

  /** States of what waits in a queue. */
  async states(queue: string): Promise<readonly string[]> {
    const jobs = (await this.operate("work.list", { queue })) as unknown as { state: string }[];
    return jobs.map(({ state }) => state);
  }

  /** A run comes to a function that is gone. */
  async isStranded(run: unknown, name: string): Promise<void> {
    await this.call("go", { run });
    const shown = await this.shown(run, ({ steps }) => steps.at(-1)?.state === "stranded");
    assert.equal(shown.state, "running");
    assert.equal(shown.steps.at(-1)?.name, name);
    assert.deepEqual(await this.states(`step:${name}`), ["stranded"]);
    assert.deepEqual(this.stranded.splice(0), [{ queue: `step:${name}` }]);
  }
}

async function open(context: TestContext): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-stranded-"));
  const appDir = join(folder, "app");
  mkdirSync(join(appDir, "keelson"), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(appDir, "keelson", name), text);
  }
  const file = join(appDir, "keelson", "shop.ts");
  writeFileSync(file, shop);
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  const dataDir = join(folder, "data");
  const server = await startServer({
    appDir,
    dataDir,
    port: 0,
    threads: 0,
    mode: "development",
    report(error) {
      const { code, details } = error as { readonly code?: string; readonly details?: unknown };
      if (code !== "WORK_STRANDED") throw error;
      scene.stranded.push(details);
    },
  });
  const scene = new Scene(server, file, dataDir);
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return scene;
}

test("a run whose step calls a function that is gone waits until it is there again", async (context) => {
  const scene = await open(context);
  const run = await scene.call("start");
  await scene.update(shop.replaceAll("charge", "bill"));
  await scene.isStranded(run, "shop.charge");
  await scene.update(shop.replaceAll("write", "put"));
  await scene.isStranded(run, "shop.write");
  assert.deepEqual(await scene.call("notes"), ["charged"]);
  await scene.update(shop);
  const { state } = await scene.shown(run, ({ state }) => state !== "running");
  assert.equal(state, "done");
  assert.deepEqual(await scene.call("notes"), ["charged", "active"]);
});

test("a run that waits for a function that is gone can be cancelled", async (context) => {
  const scene = await open(context);
  const run = await scene.call("start");
  await scene.update(shop.replaceAll("charge", "bill"));
  await scene.isStranded(run, "shop.charge");
  await scene.call("cancel", { run });
  const { state } = await scene.shown(run, ({ state }) => state !== "running");
  assert.equal(state, "cancelled");
  assert.deepEqual(await scene.call("notes"), ["undone"]);
  assert.deepEqual(await scene.states("step:shop.charge"), []);
});

for (const [name, kind] of [
  ["charge", "action({"],
  ["write", "mutation({ args: { text"],
] as const) {
  test(`what ${name} asks of its caller holds also when it was waited for`, async (context) => {
    const scene = await open(context);
    const run = await scene.call("start");
    if (name === "write") {
      await scene.call("go", { run });
      await scene.shown(run, ({ steps }) => steps.length === 3);
    }
    await scene.update(shop.replaceAll(name, "other"));
    await scene.isStranded(run, `shop.${name}`);
    const own = `${name} = ${kind}`;
    const asking = shop.replace(own, own.replace("({", '({ allow: "signed-in",'));
    assert.notEqual(asking, shop);
    await scene.update(asking);
    const { error } = await scene.shown(run, ({ state }) => state === "failed");
    assert.equal(error?.code, "SIGN_IN_REQUIRED");
  });
}

test("a job whose queue is gone waits until it is there again", async (context) => {
  const scene = await open(context);
  await scene.call("later");
  await scene.update(shop.replaceAll("writes", "puts"));
  const queue = "queue:shop.writes";
  assert.deepEqual(await scene.states(queue), ["stranded"]);
  await untilSo(
    () => Promise.resolve(scene.stranded.length),
    (count) => count > 0,
  );
  assert.deepEqual(scene.stranded.splice(0), [{ queue }]);
  await scene.update(shop);
  await untilSo(
    () => scene.states(queue),
    ({ length }) => length === 0,
  );
  assert.deepEqual(await scene.call("notes"), ["later"]);
});

test("a cron that is gone waits for no tick, and one that comes back has missed none", async (context) => {
  const scene = await open(context);
  const queue = "cron:shop.nightly";
  assert.deepEqual(await scene.states(queue), ["waiting"]);
  await scene.update(shop.replaceAll("nightly", "monthly"));
  assert.deepEqual(await scene.states(queue), []);
  assert.deepEqual(await scene.states("cron:shop.monthly"), ["waiting"]);
  assert.deepEqual(scene.stranded, []);
});
