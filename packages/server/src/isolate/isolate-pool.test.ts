import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../base/json.ts";
import type { SystemCall } from "./app-isolate.ts";
import { AppInvalid } from "../model/app-mistake.ts";
import { IsolateImage } from "./isolate-image.ts";
import { IsolatePool } from "./isolate-pool.ts";
import { actions, openTestApp, queries, type TestApp } from "./isolate-harness.case.ts";

let app: TestApp;
let next: TestApp;
let pool: IsolatePool;

const limits = { cpuMsMax: 500, isolateBytesMax: 33_554_432, isolatesMax: 3 };

before(async () => {
  const body = {
    version: "return 1;",
    loop: "for (;;) {}",
    bomb: "const a: any[] = []; for (;;) a.push({ a });",
    wait: "await ctx.db.film.get('x'); return 1;",
    nest: "return args.n === 0 ? 0 : 1 + await ctx.run('test.nest', { n: args.n - 1 });",
    tally: "return ++calls;",
    leak: "for (let i = 0; i < 10_000; i++) kept.push({ i, kept }); return kept.length;",
  };
  const text = queries(body, "let calls = 0; const kept: any[] = [];");
  const action = actions({
    sleep: "await new Promise((r) => setTimeout(r, 100)); return 1;",
    actionLoop: "for (;;) {}",
  });
  const files = (version: number): string =>
    [text.replace("return 1; }", `return ${version}; }`), ...action.split("\n").slice(2)].join(
      "\n",
    );
  app = await openTestApp(files(1), { limits });
  next = await openTestApp(files(2), { limits });
  pool = new IsolatePool(app.image, app.ports);
});
after(() => {
  pool.dispose();
  app.close();
  next.close();
});

const system: SystemCall = () => "null";

async function value(name: string, args: Json = {}, answers = system): Promise<Json> {
  return JSON.parse((await pool.call(app.input(name, args), answers)).resultJson) as Json;
}

test("calls after a dead isolate work, three times in a row", async () => {
  for (const name of ["bomb", "loop", "bomb", "loop", "bomb"]) {
    await assert.rejects(async () => value(name), { code: /FUNCTION_(CPU|MEMORY)_EXCEEDED/ });
    assert.equal(await value("version"), 1);
  }
  assert.equal(pool.size, 1);
});

test("an isolate that died is replaced before the next call comes", async () => {
  const other = new IsolatePool(app.image, app.ports);
  for (const [name, size] of [
    ["loop", 1],
    ["bomb", 1],
    ["actionLoop", 2],
  ] as const) {
    const call = async (): Promise<unknown> => other.call(app.input(name, {}), system);
    await assert.rejects(call, { code: /FUNCTION_(CPU|MEMORY)_EXCEEDED/ });
    assert.equal(other.size, size, name);
  }
  const waiting = other.call(app.input("wait", {}), () => new Promise(() => {}));
  other.dispose();
  await assert.rejects(async () => waiting, { code: "FUNCTION_INTERRUPTED" });
  assert.equal(other.size, 0, "none after the end");
});

test("a function may run others, deeper than there are isolates", async () => {
  let deepest = 0;
  const nesting =
    (depth: number): SystemCall =>
    (_operation, payload) => {
      deepest = Math.max(deepest, pool.size);
      const { name, args } = JSON.parse(payload) as { name: string; args: Json };
      const outcome = pool.call(app.input(name.slice("test.".length), args), nesting(depth + 1));
      return outcome instanceof Promise
        ? outcome.then(({ resultJson }) => resultJson)
        : outcome.resultJson;
    };
  assert.equal(await value("nest", { n: 2 }, nesting(0)), 2);
  assert.equal(await value("nest", { n: 8 }, nesting(0)), 8);
  assert.equal(deepest, 3);
});

test("two levels of nesting are answered at once", () => {
  const nested: SystemCall = (_operation, payload) => {
    const { name, args } = JSON.parse(payload) as { name: string; args: Json };
    const outcome = pool.call(app.input(name.slice("test.".length), args), nested);
    assert.ok(!(outcome instanceof Promise));
    return outcome.resultJson;
  };
  assert.ok(!(pool.call(app.input("nest", { n: 2 }), nested) instanceof Promise));
});

test("an action that breaks a limit ends no query", async () => {
  const waiting = value(
    "wait",
    {},
    () => new Promise((resolve) => setImmediate(() => resolve("null"))),
  );
  await assert.rejects(async () => value("actionLoop"), { code: "FUNCTION_CPU_EXCEEDED" });
  assert.equal(await waiting, 1);
});

test("calls go on through a swap, and new ones see the new app", async () => {
  let answer: (text: string) => void = () => undefined;
  const waiting = value("wait", {}, () => new Promise((resolve) => (answer = resolve)));
  const sleeping = value("sleep");
  pool.swap(next.image);
  assert.equal(await value("version"), 2);
  assert.ok(pool.size > 1);
  answer("null");
  assert.equal(await waiting, 1);
  await app.clock.move(100);
  assert.equal(await sleeping, 1);
  await value("version");
  assert.equal(pool.size, 1);
  pool.swap(app.image);
  assert.equal(await value("version"), 1);
});

test("a swap to an app that cannot be loaded leaves the old one", async () => {
  const broken = await IsolateImage.of({ ...app.image.bundle, code: "throw new Error('broken');" });
  assert.throws(() => pool.swap(broken), AppInvalid);
  assert.equal(await value("version"), 1);
});

test("an isolate whose modules keep too much is replaced before a call dies of it", async () => {
  let kept = 0;
  let replaced = 0;
  for (let call = 0; call < 60_000 && replaced === 0; call++) {
    if (call % 500 === 0 && kept < 1_000_000) {
      const now = (await value("leak")) as number;
      kept = now;
    }
    const count = (await value("tally")) as number;
    if (call > 0 && count === 1) replaced++;
  }
  assert.equal(replaced, 1);
});

test("dispose ends what waits", async () => {
  const other = new IsolatePool(app.image, app.ports);
  const waiting = other.call(app.input("wait"), () => new Promise(() => {}));
  const ended = assert.rejects(Promise.resolve(waiting), { code: "FUNCTION_INTERRUPTED" });
  other.dispose();
  await ended;
});
