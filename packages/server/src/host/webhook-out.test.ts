// The app's own webhooks, from the call in a function to a real receiver, in a time that the test moves.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { CloudEvent as SdkEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { hookKind } from "../connect/hook-kind.ts";
import { hookProcedures } from "../connect/hook-procedures.ts";
import { pruneHooks } from "../connect/hook-prune.ts";
import { webhookKind } from "../connect/webhook-kind.ts";
import type { Row } from "../store/store.ts";
import { openWorkScene, type WorkScene } from "../work/work-scene.case.ts";
import { openRealEgress, type Resolve } from "./real-egress.ts";
import {
  openWebhookReceiver,
  type ReceivedWebhook,
  type WebhookReceiver,
} from "./webhook-receiver.case.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const filesFor = (hosts: readonly string[]): Readonly<Record<string, string>> => ({
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, action, rules, app } = define(
  { note: table({ text: t.text({ max: 20 }) }) },
  { webhookHosts: ${JSON.stringify(hosts)} },
);
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({});
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as out from "./out.ts";
export default app({ rules, functions: { out } });
`,
  "out.ts": `
import { Refusal, t } from "keelson";
import { action, mutation } from "./schema.ts";
const one = { id: t.text({ max: 60 }) };
export const add = mutation({
  args: { endpoint: t.json() }, allow: "anyone", returns: t.json(),
  run: ({ webhooks }, { endpoint }) => webhooks.add(endpoint),
});
export const send = mutation({
  args: { type: t.text({ max: 40 }), data: t.json(), owner: t.text({ max: 40 }).optional(), fail: t.bool().optional() },
  allow: "anyone", returns: t.json(),
  async run({ webhooks }, { type, data, owner, fail }) {
    const sent = await webhooks.send(type, data, owner === null ? {} : { owner });
    if (fail === true) throw new Refusal("NO", "Not this time.");
    return sent;
  },
});
export const sendOutside = action({
  args: { type: t.text({ max: 40 }) }, allow: "anyone", returns: t.json(),
  run: ({ webhooks }, { type }) => webhooks.send(type, {}),
});
export const sendTo = mutation({
  args: { owner: t.json(), unfit: t.bool() }, allow: "anyone", returns: t.json(),
  run: ({ webhooks }, { owner, unfit }) => webhooks.send("a", {}, { owner: unfit ? "\\ud800" : owner }),
});
export const listOf = mutation({
  args: { owner: t.json() }, allow: "anyone", returns: t.json(), run: ({ webhooks }, { owner }) => webhooks.list({ owner }),
});
export const remove = mutation({ args: one, allow: "anyone", run: ({ webhooks }, { id }) => webhooks.remove(id) });
export const turn = mutation({
  args: { ...one, on: t.bool() }, allow: "anyone", run: ({ webhooks }, { id, on }) => webhooks.switch(id, on),
});
export const rotate = mutation({
  args: one, allow: "anyone", returns: t.json(), run: ({ webhooks }, { id }) => webhooks.rotate(id),
});
export const listAll = mutation({
  args: { owner: t.text({ max: 40 }) }, allow: "anyone", returns: t.json(), run: ({ webhooks }, { owner }) => webhooks.list({ owner }),
});
export const deliveries = mutation({
  args: one, allow: "anyone", returns: t.json(), run: ({ webhooks }, { id }) => webhooks.deliveries(id),
});
export const redeliver = mutation({ args: one, allow: "anyone", run: ({ webhooks }, { id }) => webhooks.redeliver(id) });
`,
});

interface Out {
  readonly scene: WorkScene;
  readonly receiver: WebhookReceiver;
  add(more?: object): Promise<{ readonly id: string; readonly secret: string }>;
  send(type?: string, data?: object, more?: object): Promise<{ readonly endpoints: number }>;
  deliveries(): Promise<readonly Row[]>;
}

async function open(
  context: TestContext,
  options: { readonly hosts?: readonly string[]; readonly resolve?: Resolve } = {},
): Promise<Out> {
  const receiver = await openWebhookReceiver();
  context.after(() => receiver.close());
  const { hosts = [receiver.host], resolve } = options;
  const scene = await openWorkScene({
    files: filesFor(hosts),
    kinds: [hookKind, webhookKind],
    procedures: new Map(hookProcedures),
    prunes: [pruneHooks],
    egress: openRealEgress(resolve === undefined ? {} : { resolve }),
  });
  context.after(() => scene.close());
  return {
    scene,
    receiver,
    add: async (more = {}) =>
      (await scene.call("out.add", { endpoint: { url: receiver.url, ...more } })) as never,
    send: async (type = "booking.paid", data = { seat: "F7" }, more = {}) =>
      (await scene.call("out.send", { type, data: { ...data }, ...more })) as never,
    deliveries: () => scene.rows("hookDelivery"),
  };
}

/** Hours and days at once: the wall clock is set on, and the dispatcher finds out within a minute. */
async function pass(scene: WorkScene, ms: number): Promise<void> {
  scene.clock.step(ms - minuteMs);
  await scene.advance(minuteMs);
}

const idOf = ({ headers }: ReceivedWebhook): string => String(headers["webhook-id"]);
const signaturesOf = ({ headers }: ReceivedWebhook): readonly string[] =>
  String(headers["webhook-signature"]).split(" ");

/** What the library of Standard Webhooks signs. */
function signed(secret: string, came: ReceivedWebhook): string {
  const at = new Date(Number(came.headers["webhook-timestamp"]) * 1_000);
  return new Webhook(secret).sign(idOf(came), at, came.body);
}

test("a webhook is sent once it is committed, signed as Standard Webhooks signs", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  const { secret } = await add();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{32}$/);
  assert.equal((await send("booking.paid", { seat: "Größe ♥" })).endpoints, 1);
  await scene.idle();
  const [came] = receiver.received as [ReceivedWebhook];
  assert.equal(receiver.received.length, 1);
  assert.deepEqual(JSON.parse(came.body), {
    type: "booking.paid",
    timestamp: "2027-01-15T08:00:00.000Z",
    data: { seat: "Größe ♥" },
  });
  assert.equal(came.headers["content-type"], "application/json");
  assert.deepEqual(signaturesOf(came), [signed(secret, came)]);
  const [row] = await deliveries();
  assert.deepEqual([row?.["state"], row?.["status"], row?.["attempts"]], ["done", 204, 1]);
  await scene.call("out.sendOutside", { type: "from.action" });
  await scene.idle();
  assert.equal(receiver.received.length, 2);
});

test("what a mutation that fails wanted to send is not sent", async (context) => {
  const { scene, receiver, add, deliveries } = await open(context);
  await add();
  const data = { type: "booking.paid", data: {}, fail: true };
  assert.equal((await scene.ask("out.send", data)).code, "FUNCTION_REFUSED");
  await scene.idle();
  assert.equal(receiver.received.length, 0);
  assert.deepEqual(await deliveries(), []);
});

test("an endpoint gets the types that it asked for, and what is its owner's", async (context) => {
  const { scene, receiver, add, send } = await open(context);
  await add({ url: `${receiver.url}/anna`, types: ["booking.paid"], owner: "anna" });
  await add({ url: `${receiver.url}/ben`, owner: "ben" });
  await send("booking.paid", {}, { owner: "anna" });
  await send("booking.held", {}, { owner: "anna" });
  await send("booking.held", {}, { owner: "ben" });
  await send("everybody", {});
  await scene.idle();
  assert.deepEqual(
    receiver.received.map(({ path }) => path).toSorted(),
    ["/in/anna", "/in/ben", "/in/ben"].slice(1).concat("/in/anna").toSorted(),
  );
});

test("a delivery that fails is tried for three days, then it is dead, and can be sent again", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  const { secret } = await add();
  receiver.answer(500);
  const startMs = scene.clock.nowMs();
  await send();
  await scene.idle();
  const times: number[] = [0];
  while ((await scene.rows("workJob")).length > 0) {
    const before = receiver.received.length;
    await pass(scene, hourMs);
    if (receiver.received.length > before) times.push(scene.clock.nowMs() - startMs);
    assert.ok(times.length < 100);
  }
  // After 5 s, 10 s, 20 s (the first minute) and on, the longest wait 12 hours give or take a quarter.
  assert.ok(receiver.received.length >= 14, String(receiver.received.length));
  assert.ok(receiver.received.length <= 25, String(receiver.received.length));
  const last = times.at(-1) ?? 0;
  assert.ok(last >= 3 * dayMs && last < 3.8 * dayMs, String(last / dayMs));
  for (const [index, at] of times.entries()) {
    assert.ok(at - (times[index - 1] ?? 0) <= 16 * hourMs);
  }
  // The same message, signed anew each time.
  assert.equal(new Set(receiver.received.map(idOf)).size, 1);
  for (const came of receiver.received)
    assert.deepEqual(signaturesOf(came), [signed(secret, came)]);
  assert.ok(new Set(receiver.received.map((came) => signaturesOf(came)[0])).size > 10);
  const [dead] = (await deliveries()) as [Row];
  assert.deepEqual([dead["state"], dead["status"]], ["dead", 500]);
  assert.equal((await scene.rows("workDead")).length, 1);
  receiver.answer(200);
  const count = receiver.received.length;
  await scene.call("out.redeliver", { id: dead["id"] as string });
  await scene.advance(2 * hourMs);
  assert.equal(receiver.received.length, count + 1);
  assert.equal((await deliveries())[0]?.["state"], "done");
});

test("a delivery that was refused once comes a little later", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  await add();
  receiver.answer((came) =>
    receiver.received.filter((one) => one.path === came.path).length === 1 ? 503 : 200,
  );
  await send();
  await scene.idle();
  await scene.advance(3_000);
  assert.equal(receiver.received.length, 1);
  await scene.advance(4_000);
  assert.equal(receiver.received.length, 2);
  assert.deepEqual((await deliveries())[0]?.["attempts"], 2);
});

test("410 Gone switches the endpoint off; a redirect is not followed", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  const { id } = await add();
  receiver.answer(302);
  await send();
  await scene.idle();
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ["/in"],
  );
  assert.equal((await deliveries())[0]?.["status"], 302);
  receiver.answer(410);
  await scene.advance(10_000);
  assert.equal((await deliveries())[0]?.["state"], "dead");
  assert.equal((await scene.rows("hookEndpoint"))[0]?.["isOn"], false);
  receiver.answer(200);
  assert.equal((await send()).endpoints, 0);
  await scene.call("out.turn", { id, on: true });
  assert.equal((await send()).endpoints, 1);
  await scene.idle();
  assert.equal((await deliveries()).at(-1)?.["state"], "done");
});

test("the status decides, whatever comes behind it: an endless body is cut off", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  await add();
  receiver.answer({ endless: 200 });
  await send();
  await scene.idle();
  const [taken] = await deliveries();
  assert.deepEqual([taken?.["state"], taken?.["status"], taken?.["problem"]], ["done", 200, null]);
  receiver.answer({ endless: 410 });
  await send();
  await scene.idle();
  const [, gone] = await deliveries();
  const { state, status, problem } = gone ?? {};
  assert.deepEqual([state, status, problem], ["dead", 410, "answered 410"]);
  assert.equal((await scene.rows("hookEndpoint"))[0]?.["isOn"], false);
  assert.equal(receiver.received.length, 2);
});

test("five failures open the circuit: nothing is sent for a minute, one tries, and then the others go", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  await add();
  receiver.answer(500);
  for (let count = 0; count < 5; count++) {
    await send();
    await scene.idle();
  }
  assert.equal(receiver.received.length, 5);
  for (let count = 0; count < 5; count++) await send();
  await scene.advance(55_000);
  assert.equal(receiver.received.length, 5);
  // Half open: one tries, and fails; it is closed for two minutes.
  await scene.advance(10_000);
  assert.equal(receiver.received.length, 6);
  await scene.advance(100_000);
  assert.equal(receiver.received.length, 6);
  receiver.answer(200);
  await scene.advance(5 * minuteMs);
  assert.deepEqual(new Set((await deliveries()).map(({ state }) => state)), new Set(["done"]));
  assert.equal((await scene.rows("hookEndpoint"))[0]?.["failures"], 0);
});

test("a secret that was replaced is good for a day", async (context) => {
  const { scene, receiver, add, send } = await open(context);
  const { id, secret: old } = await add();
  const { secret } = (await scene.call("out.rotate", { id })) as { secret: string };
  assert.notEqual(secret, old);
  await send();
  await scene.idle();
  const [both] = receiver.received as [ReceivedWebhook];
  assert.deepEqual(signaturesOf(both), [signed(secret, both), signed(old, both)]);
  await pass(scene, dayMs);
  await send();
  await scene.idle();
  const [, one] = receiver.received as [ReceivedWebhook, ReceivedWebhook];
  assert.deepEqual(signaturesOf(one), [signed(secret, one)]);
});

test("an endpoint that is removed or switched off gets nothing; what waits for one that is off is dead, and can be sent again", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  const first = await add({ url: `${receiver.url}/first` });
  const second = await add({ url: `${receiver.url}/second` });
  receiver.answer(500);
  await send();
  await scene.idle();
  assert.equal(receiver.received.length, 2);
  await scene.call("out.remove", { id: first.id });
  await scene.call("out.turn", { id: second.id, on: false });
  await scene.advance(minuteMs);
  assert.equal(receiver.received.length, 2);
  assert.deepEqual(await scene.rows("workJob"), []);
  const [left, ...others] = await deliveries();
  assert.deepEqual([left?.["state"], others], ["dead", []]);
  assert.equal(left?.["problem"], "the endpoint is switched off");
  // Not while it is off, and nothing changes by the try; then once.
  const id = left?.["id"] as string;
  assert.equal((await scene.ask("out.redeliver", { id })).code, "CONFLICT");
  assert.deepEqual(await deliveries(), [left]);
  receiver.answer(200);
  await scene.call("out.turn", { id: second.id, on: true });
  await scene.call("out.redeliver", { id });
  await scene.idle();
  assert.equal(receiver.received.length, 3);
  assert.equal((await deliveries())[0]?.["state"], "done");
});

test("endpoints are https and public; a name that turned private is not asked", async (context) => {
  let addresses: readonly string[] = ["127.0.0.1"];
  const asked: string[] = [];
  const { scene, receiver, add, send, deliveries } = await open(context, {
    hosts: [],
    resolve: async (name) => {
      asked.push(name);
      return addresses;
    },
  });
  for (const url of [
    receiver.url,
    "http://example.com/in",
    "https://127.0.0.1/in",
    "https://10.1.2.3/in",
    "https://[::1]/in",
    "https://[::ffff:10.0.0.1]/in",
    "https://169.254.169.254/latest",
    "https://2130706433/in",
    "https://localhost/in",
    "https://db.internal/in",
    "https://intranet/in",
    "https://anna:secret@example.com/in",
    "ftp://example.com/in",
    "nonsense",
  ]) {
    assert.equal((await scene.ask("out.add", { endpoint: { url } })).code, "ENDPOINT_INVALID", url);
  }
  await add({ url: "https://turned.example.com/in" });
  await send();
  await scene.idle();
  addresses = ["10.0.0.1", "93.184.216.34"];
  await send();
  await scene.idle();
  assert.deepEqual(asked, ["turned.example.com", "turned.example.com"]);
  assert.equal(receiver.received.length, 0);
  for (const { state, problem } of await deliveries()) {
    assert.equal(state, "dead");
    assert.match(String(problem), /private address/);
  }
});

test("one that never answers holds up four deliveries of its own, and nobody else's", async (context) => {
  const { scene, receiver, add, send } = await open(context);
  await add({ url: `${receiver.url}/slow`, owner: "slow" });
  await add({ url: `${receiver.url}/quick`, owner: "quick" });
  receiver.answer(({ path }) => (path.endsWith("slow") ? "nothing" : 200));
  for (let count = 0; count < 8; count++) await send("x", {}, { owner: "slow" });
  await receiver.came(4);
  for (let count = 0; count < 3; count++) await send("x", {}, { owner: "quick" });
  await receiver.came(7);
  assert.equal(receiver.waiting(), 4);
  const quick = receiver.received.filter(({ path }) => path.endsWith("quick"));
  assert.equal(quick.length, 3);
  receiver.answer(200);
  receiver.release(200);
  await scene.idle();
  assert.equal(receiver.received.length, 11);
});

test("the cloudevents SDK reads all three forms", async (context) => {
  const { scene, receiver, add, send } = await open(context);
  const structured = await add({ url: `${receiver.url}/structured`, form: "cloudevents" });
  await add({ url: `${receiver.url}/binary`, form: "cloudevents-binary" });
  await add({ url: `${receiver.url}/batch`, form: "cloudevents-batch" });
  await send("booking.paid", { seat: "F7" });
  await scene.idle();
  for (const came of receiver.received) {
    const message = { headers: came.headers, body: came.body };
    const [read, ...more] = [HTTP.toEvent<object>(message)].flat() as SdkEvent<object>[];
    assert.ok(read?.validate() === true && more.length === 0);
    assert.deepEqual([read.type, read.id, read.data], ["booking.paid", idOf(came), { seat: "F7" }]);
    if (came.path.endsWith("structured")) {
      assert.deepEqual(signaturesOf(came), [signed(structured.secret, came)]);
    }
  }
  assert.equal(receiver.received.length, 3);
});

test("a dead delivery is tried again as work, too; one that is cancelled is dead in the log", async (context) => {
  const { scene, receiver, add, send, deliveries } = await open(context);
  await add();
  receiver.answer(410);
  await send();
  await scene.idle();
  const [endpoint] = await scene.rows("hookEndpoint");
  const [letter] = await scene.rows("workDead");
  receiver.answer(200);
  await scene.call("out.turn", { id: endpoint?.["id"] as string, on: true });
  await scene.procedure("work.retry", { id: letter?.["id"] as string });
  await scene.idle();
  assert.equal(receiver.received.length, 2);
  assert.equal((await deliveries())[0]?.["state"], "done");
  receiver.answer(500);
  await send();
  await scene.idle();
  const [waiting] = await scene.rows("workJob");
  await scene.procedure("work.stop", { id: waiting?.["id"] as string });
  const states = new Set((await deliveries()).map(({ state }) => state));
  assert.deepEqual(states, new Set(["done", "dead"]));
  assert.deepEqual(await scene.rows("workDead"), []);
});

test("deliveries are listed, and dropped after thirty days", async (context) => {
  const { scene, add, send, deliveries } = await open(context);
  const { id } = await add({ owner: "anna" });
  await send("first");
  await scene.idle();
  await scene.advance(hourMs);
  await send("second");
  await scene.idle();
  const listed = (await scene.call("out.deliveries", { id })) as { type: string; state: string }[];
  assert.deepEqual(
    listed.map(({ type, state }) => `${type} ${state}`),
    ["second done", "first done"],
  );
  const all = (await scene.call("out.listAll", { owner: "anna" })) as object[];
  assert.equal(all.length, 1);
  assert.ok(!JSON.stringify(all).includes("whsec_"));
  assert.deepEqual(await scene.call("out.listAll", { owner: "ben" }), []);
  await pass(scene, 31 * dayMs);
  await send("third");
  await scene.idle();
  await scene.advance(2 * minuteMs);
  assert.deepEqual(
    (await deliveries()).map(({ type }) => type),
    ["third"],
  );
});

test("what is asked of an endpoint is held against what it can be", async (context) => {
  const { scene, receiver } = await open(context);
  for (const more of [{ types: ["a b"] }, { types: "x" }, { owner: 7 }, { form: "xml" }]) {
    const endpoint = { url: receiver.url, ...more };
    assert.equal((await scene.ask("out.add", { endpoint })).code, "ARGUMENT_INVALID");
  }
  assert.equal((await scene.ask("out.send", { type: "a b", data: {} })).code, "ARGUMENT_INVALID");
  // Who is no owner is never taken for everybody, nor for another one.
  await scene.call("out.add", { endpoint: { url: receiver.url, owner: "\ufffd" } });
  for (const [name, args] of [
    ["out.sendTo", { owner: 7, unfit: false }],
    ["out.sendTo", { owner: "x", unfit: true }],
    ["out.listOf", { owner: ["x"] }],
  ] as const) {
    assert.equal((await scene.ask(name, args)).code, "ARGUMENT_INVALID");
  }
  assert.deepEqual(await scene.rows("hookDelivery"), []);
  for (const name of ["out.remove", "out.rotate", "out.redeliver"]) {
    assert.equal((await scene.ask(name, { id: "nothing" })).code, "NOT_FOUND", name);
  }
});
