// One moment for all live queries of a client, against a scripted server: what comes for some of them is not shown
// before the others stand where it does. All histories: live-moments.prop.test.ts.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ClientOptions } from "./client.ts";
import { openScene, problem, settled, until, type SceneSocket } from "./live-scene.case.ts";

const counted = (count: number) => ({ rows: [{ count }], next: null });

/** A count and seats, followed and answered at commit 1. */
async function openTwo(context: TestContext, options: ClientOptions = {}) {
  const scene = openScene(options);
  const { api, connected } = scene;
  context.after(() => api.close());
  const count = api.film.count().store();
  const seats = api.cinema.seats({ hall: 1 }).store();
  const shown: unknown[] = [];
  const now = () => {
    const [one, two] = [count.getSnapshot(), seats.getSnapshot()];
    return [one.error?.code ?? one.data, two.error?.code ?? two.data?.join()];
  };
  const see = () => shown.push(now());
  const stopCount = count.subscribe(see);
  seats.subscribe(see);
  const socket = await connected(1);
  socket.open();
  tellBoth(socket, 1);
  assert.deepEqual(shown.splice(0), [
    [1, "1"],
    [1, "1"],
  ]);
  return { ...scene, first: socket, now, shown, stopCount };
}

function tellBoth(socket: SceneSocket, seq: number): void {
  const [one, two] = socket.subs.slice(-2).map(({ id }) => id) as [number, number];
  socket.tell({
    type: "push",
    seq,
    changes: [
      { id: one, hash: `a${seq}`, value: counted(seq) },
      { id: two, hash: `b${seq}`, value: [String(seq)] },
    ],
  });
}

void test("a connection that is lost when only some were answered shows nothing of what came", async (context) => {
  const { api, connected, first, shown, now } = await openTwo(context);
  first.end();
  const second = await connected(2);
  second.open();
  const id = second.subs[0]?.id ?? 0;
  second.tell({ type: "push", seq: 5, changes: [{ id, hash: "a5", value: counted(5) }] });
  second.end();
  assert.deepEqual(now(), [1, "1"]);
  // Who comes now sees what the others see.
  const page = api.film.aggregate({ values: { count: "count" } }).store();
  page.subscribe(() => undefined);
  await settled();
  assert.equal(page.getSnapshot().data?.count, 1);
  const third = await connected(3);
  third.open();
  assert.deepEqual(
    third.subs.map(({ hash }) => hash),
    ["a5", "b1"],
    "what came is known, and not sent again",
  );
  const [one, two] = third.subs.map((sub) => sub.id) as [number, number];
  assert.deepEqual(shown, []);
  third.tell({
    type: "push",
    seq: 5,
    changes: [
      { id: one, same: true },
      { id: two, hash: "b5", value: ["5"] },
    ],
  });
  assert.deepEqual(shown, [
    [5, "5"],
    [5, "5"],
  ]);
});

void test("a push with a patch that does not fit shows nothing of it", async (context) => {
  const { connected, first, shown } = await openTwo(context);
  const patch = { kind: "fields", set: { a: 1 } } as const;
  first.tell({
    type: "push",
    seq: 2,
    changes: [
      { id: 1, hash: "a2", value: counted(2) },
      { id: 2, hash: "b2", patch },
    ],
  });
  assert.ok(first.isEnded);
  const second = await connected(2);
  second.open();
  assert.deepEqual(shown, []);
  tellBoth(second, 2);
  assert.deepEqual(shown, [
    [2, "2"],
    [2, "2"],
  ]);
});

void test("first answers that were cut off are told as lost, and shown when all have come", async (context) => {
  const { api, connected } = openScene();
  context.after(() => api.close());
  const count = api.film.count().store();
  const seats = api.cinema.seats({ hall: 1 }).store();
  for (const store of [count, seats]) store.subscribe(() => undefined);
  for (let time = 1; time <= 3; time++) {
    const socket = await connected(time);
    socket.open();
    const id = socket.subs[0]?.id ?? 0;
    // A push counts as life: the third loss in a row is the first after it.
    if (time === 1)
      socket.tell({ type: "push", seq: 1, changes: [{ id, hash: "a", value: counted(1) }] });
    assert.ok(count.getSnapshot().isLoading);
    socket.end();
  }
  (await connected(4)).end();
  assert.equal(count.getSnapshot().error?.code, "CONNECTION_LOST");
  assert.equal(seats.getSnapshot().error?.code, "CONNECTION_LOST");
  const socket = await connected(5);
  socket.open();
  const [one, two] = socket.subs.map((sub) => sub.id) as [number, number];
  assert.equal(socket.subs[0]?.hash, "a");
  socket.tell({ type: "push", seq: 1, changes: [{ id: one, same: true }] });
  assert.equal(count.getSnapshot().error?.code, "CONNECTION_LOST");
  socket.tell({ type: "push", seq: 1, changes: [{ id: two, hash: "b", value: ["1"] }] });
  assert.equal(count.getSnapshot().data, 1);
  assert.equal(seats.getSnapshot().data?.length, 1);
});

void test("an optimistic change is shown at once, also while answers are waited for", async (context) => {
  const { api, connected, first, shown } = await openTwo(context);
  first.end();
  const second = await connected(2);
  second.open();
  const id = second.subs[0]?.id ?? 0;
  second.tell({ type: "push", seq: 5, changes: [{ id, hash: "a5", value: counted(5) }] });
  const created = api.film.create({ title: "x" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  assert.deepEqual(shown.splice(0), [[2, "1"]]);
  await until(() => second.of("ask").length === 1);
  const error = problem("RULE_DENIED", 403);
  second.tell({ type: "error", id: second.of("ask")[0]?.id ?? 0, error });
  await assert.rejects(created);
  assert.deepEqual(shown, [[1, "1"]]);
});

void test("one that is asked for anew to show a commit keeps the others where it is until it is answered", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { api, first, shown } = await openTwo(context);
  const created = api.film.create({ title: "x" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  await until(() => first.of("ask").length === 1);
  first.tell({ type: "result", id: first.of("ask")[0]?.id ?? 0, seq: 2, value: {} });
  await created;
  assert.deepEqual(shown.splice(0), [[2, "1"]]);
  context.mock.timers.tick(1_000);
  assert.deepEqual(first.of("unsubscribe"), [{ type: "unsubscribe", ids: [1] }]);
  // It was on its way.
  first.tell({
    type: "push",
    seq: 3,
    changes: [
      { id: 1, hash: "a3", value: counted(3) },
      { id: 2, hash: "b3", value: ["3"] },
    ],
  });
  assert.deepEqual(shown, []);
  first.tell({ type: "push", seq: 3, changes: [{ id: 3, hash: "a3", value: counted(3) }] });
  assert.deepEqual(shown, [
    [3, "3"],
    [3, "3"],
  ]);
});

void test("one that the server can't bring along now keeps the others for a few attempts, then it is told and they go on", async (context) => {
  const { first, shown } = await openTwo(context);
  const error = problem("OVERLOADED", 503);
  const refuse = (seq: number) => {
    const id = first.subs.length === 2 ? 1 : (first.subs.at(-1)?.id ?? 0);
    first.tell({
      type: "push",
      seq,
      changes: [
        { id, error, ended: true },
        { id: 2, hash: `b${seq}`, value: [String(seq)] },
      ],
    });
  };
  refuse(2);
  await until(() => first.subs.length === 3);
  assert.equal(first.subs[2]?.hash, "a1");
  assert.deepEqual(shown, []);
  const id = first.subs[2]?.id ?? 0;
  first.tell({ type: "push", seq: 2, changes: [{ id, hash: "a2", value: counted(2) }] });
  assert.deepEqual(shown.splice(0), [
    [2, "2"],
    [2, "2"],
  ]);
  for (let time = 1; time <= 3; time++) {
    assert.deepEqual(shown, []);
    refuse(2 + time);
    await until(() => first.subs.length === 3 + time);
  }
  assert.deepEqual(shown, [
    ["OVERLOADED", "5"],
    ["OVERLOADED", "5"],
  ]);
});

void test("one that the server asks to come again much later for is told at once, and nobody waits", async (context) => {
  const { first, shown } = await openTwo(context);
  const error = problem("RATE_LIMITED", 429, { retryAfter: 30 });
  first.tell({
    type: "push",
    seq: 2,
    changes: [
      { id: 1, error, ended: true },
      { id: 2, hash: "b2", value: ["2"] },
    ],
  });
  assert.deepEqual(shown, [
    ["RATE_LIMITED", "2"],
    ["RATE_LIMITED", "2"],
  ]);
});

void test("one whose token is being replaced keeps the others until it is answered, or told", async (context) => {
  let give: (token: string) => void = () => undefined;
  const { first, shown } = await openTwo(context, {
    token: (expired) => (expired === null ? "old" : new Promise((resolve) => (give = resolve))),
  });
  first.tell({
    type: "push",
    seq: 2,
    changes: [{ id: 1, error: problem("TOKEN_EXPIRED", 401), ended: true }],
  });
  await settled();
  first.tell({ type: "push", seq: 2, changes: [{ id: 2, hash: "b2", value: ["2"] }] });
  assert.deepEqual(shown, []);
  give("old");
  await until(() => shown.length === 2);
  assert.deepEqual(shown, [
    ["TOKEN_EXPIRED", "2"],
    ["TOKEN_EXPIRED", "2"],
  ]);
});

void test("who follows what was refused for good is not told of the refusal before it was asked for again", async (context) => {
  const { api, connected } = openScene({ token: "text" });
  context.after(() => api.close());
  const codes: string[] = [];
  const seen: unknown[] = [];
  const follow = (name: string) =>
    api.film.count().live(
      (count) => seen.push([name, count]),
      ({ code }) => codes.push(`${name} ${code}`),
    );
  follow("first");
  const socket = await connected(1);
  socket.open();
  const error = problem("QUERY_INVALID", 422);
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, error, ended: true }] });
  assert.deepEqual(codes.splice(0), ["first QUERY_INVALID"]);
  follow("second");
  await until(() => socket.subs.length === 2);
  assert.deepEqual(codes, []);
  socket.tell({ type: "push", seq: 1, changes: [{ id: 2, hash: "a", value: counted(1) }] });
  assert.deepEqual(seen, [
    ["first", 1],
    ["second", 1],
  ]);
});

void test("the end of the client is told once to each, whenever they came", async () => {
  const { api, connected } = openScene();
  const codes: string[] = [];
  const follow = (name: string) =>
    api.film.count().live(
      () => assert.fail("there is no value"),
      ({ code }) => codes.push(`${name} ${code}`),
    );
  follow("first");
  (await connected(1)).open();
  api.close();
  follow("second");
  await settled();
  follow("third");
  api.film.list().live(
    () => assert.fail("there is no value"),
    ({ code }) => codes.push(`other ${code}`),
  );
  await settled();
  assert.deepEqual(codes.toSorted(), [
    "first CLIENT_CLOSED",
    "other CLIENT_CLOSED",
    "second CLIENT_CLOSED",
    "third CLIENT_CLOSED",
  ]);
});

void test("a token that never comes for one connection keeps nothing waiting on the next", async (context) => {
  const stuck = Promise.withResolvers<string>();
  let isStuck = false;
  const { api, connected, first, shown } = await openTwo(context, {
    token: () => (isStuck ? stuck.promise : "text"),
  });
  isStuck = true;
  const renewed = api.live.renewToken();
  isStuck = false;
  first.end();
  const second = await connected(2);
  second.open();
  assert.equal(second.subs.length, 2);
  tellBoth(second, 2);
  assert.equal(shown.length, 2);
  stuck.resolve("text");
  await renewed;
});

void test("a token that was refused for one connection is no refusal on the next", async (context) => {
  const asked: PromiseWithResolvers<string>[] = [];
  const { connected, first, shown } = await openTwo(context, {
    token: (expired) => {
      if (expired === null) return "text";
      const asking = Promise.withResolvers<string>();
      asked.push(asking);
      return asking.promise;
    },
  });
  const expire = (socket: SceneSocket) => {
    const changes = socket.subs.map(
      ({ id }) => ({ id, error: problem("TOKEN_EXPIRED", 401), ended: true }) as const,
    );
    socket.tell({ type: "push", seq: 1, changes });
  };
  expire(first);
  await until(() => asked.length === 1);
  first.end();
  const second = await connected(2);
  second.open();
  expire(second);
  await until(() => asked.length === 2);
  asked[0]?.reject(new Error("the network was gone"));
  await settled();
  assert.deepEqual(shown, []);
  asked[1]?.resolve("new");
  await until(() => second.subs.length === 4);
  assert.deepEqual(second.of("token").at(-1), { type: "token", token: "new" });
  tellBoth(second, 2);
  assert.equal(shown.length, 2);
});
