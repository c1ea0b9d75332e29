// The live queries of the client against a scripted server: what goes over the connection, what callers are
// shown and when, and what happens when the connection is lost. Against a real server: test/live/.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeelsonError } from "./client.ts";
import { openScene, page, problem, settled, until } from "./live-scene.case.ts";

void test("nothing is opened before something is live, and then one connection", async () => {
  const { api, sockets, connected } = openScene();
  assert.equal(api.live.state, "idle");
  await settled();
  assert.equal(sockets.length, 0);
  api.film.list().live(() => undefined);
  api.cinema.seats.live({ hall: 1 }, () => undefined);
  const socket = await connected(1);
  assert.equal(socket.url, "ws://scene.example/base/api/live");
  assert.equal(socket.protocol, "keelson.live.1");
  socket.open();
  assert.deepEqual(socket.heard, [
    {
      type: "subscribe",
      subs: [
        { id: 1, watch: { list: "film", query: {} } },
        { id: 2, watch: { call: "cinema.seats", args: { hall: 1 } } },
      ],
    },
  ]);
  assert.equal(sockets.length, 1);
  api.close();
  assert.equal(socket.isEnded, true);
});

void test("equal queries are one subscription, however they are read", async () => {
  const { api, connected } = openScene();
  const seen: unknown[] = [];
  api.film.list({ limit: 1 }).live((films) => seen.push(films));
  api.film.page({ limit: 1 }).live((films) => seen.push(films));
  api.film.first().live((film) => seen.push(film));
  const socket = await connected(1);
  socket.open();
  assert.equal(socket.subs.length, 1);
  const value = page("a");
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "h", value }] });
  assert.deepEqual(seen, [value.rows, value, value.rows[0]]);
  api.close();
});

void test("counts, aggregates and rows are live too; a row that is not there is null until it is", async () => {
  const { api, connected } = openScene();
  const seen: unknown[] = [];
  const see = (value: unknown) => seen.push(value);
  api.film.count().live(see);
  api.film.aggregate({ values: { best: { max: "rating" } } }).live(see);
  api.film.get("film_a").live(see);
  const socket = await connected(1);
  socket.open();
  assert.deepEqual(
    socket.subs.map(({ watch }) => watch),
    [
      { list: "film", query: { aggregate: { count: "count" } } },
      { list: "film", query: { aggregate: { best: { max: "rating" } } } },
      { get: "film", id: "film_a", query: {} },
    ],
  );
  socket.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: { rows: [{ count: 7 }], next: null } },
      { id: 2, hash: "b", value: { rows: [{ best: 9 }], next: null } },
      { id: 3, error: problem("NOT_FOUND", 404) },
    ],
  });
  assert.deepEqual(seen, [7, { best: 9 }, null]);
  socket.tell({ type: "push", seq: 2, changes: [{ id: 3, hash: "c", value: { id: "film_a" } }] });
  assert.deepEqual(seen.slice(3), [{ id: "film_a" }]);
  api.close();
});

void test("every value of a push is in place before the first callback, and unchanged rows are the same objects", async () => {
  const { api, connected } = openScene();
  const list = api.film.list().store();
  const first = api.film.first().store();
  const agree: boolean[] = [];
  const see = () =>
    agree.push(
      list.getSnapshot().data?.[0] === undefined ||
        list.getSnapshot().data?.[0]?.title === first.getSnapshot().data?.title,
    );
  list.subscribe(see);
  first.subscribe(see);
  const socket = await connected(1);
  socket.open();
  socket.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: page("a", "b") },
      { id: 2, hash: "b", value: page("a") },
    ],
  });
  const before = list.getSnapshot().data;
  const row = { id: "film_a", title: "A" };
  const patch = { kind: "rows", at: "rows", upsert: [row] } as const;
  socket.tell({
    type: "push",
    seq: 2,
    changes: [
      { id: 1, hash: "c", patch },
      { id: 2, hash: "d", patch },
    ],
  });
  assert.deepEqual(agree, [true, true, true, true]);
  assert.equal(list.getSnapshot().data?.[1], before?.[1]);
  assert.equal(list.getSnapshot().data?.[0]?.title, "A");
  api.close();
});

void test("a callback is not called for what it does not see, nor after its stop, and one that throws stops no other", async (context) => {
  const { api, connected } = openScene();
  const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
  // node:test listens too and would fail the test.
  const listeners = process.listeners("uncaughtException").slice(0, -1);
  for (const listener of listeners) process.off("uncaughtException", listener);
  context.after(() => listeners.forEach((listener) => process.on("uncaughtException", listener)));
  const seen: string[] = [];
  let stopSecond = () => undefined as void;
  api.film.list().live(() => {
    stopSecond();
    throw new Error("of the callback");
  });
  stopSecond = api.film.list().live(() => seen.push("second"));
  api.film.list().live(() => seen.push("third"));
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a") }] });
  assert.deepEqual(seen, ["third"]);
  assert.match(String(await thrown), /of the callback/);
  socket.tell({ type: "push", seq: 2, changes: [{ id: 1, hash: "a", value: page("a") }] });
  assert.deepEqual(seen, ["third"]);
  api.close();
});

void test("who comes later gets the value that is there, not at once but in the same turn", async () => {
  const { api, connected } = openScene();
  api.film.list().live(() => undefined);
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a") }] });
  const seen: unknown[] = [];
  api.film.list().live((films) => seen.push(films.length));
  assert.deepEqual(seen, []);
  await settled();
  assert.deepEqual(seen, [1]);
  assert.equal(socket.subs.length, 1);
  api.close();
});

void test("the last stop ends the subscription; one that is followed again at once is kept", async () => {
  const { api, connected } = openScene();
  const stop = api.film.list().live(() => undefined);
  api.film.count().live(() => undefined);
  const socket = await connected(1);
  socket.open();
  stop();
  const again = api.film.list().live(() => undefined);
  await settled();
  assert.deepEqual(socket.of("unsubscribe"), []);
  again();
  again();
  await settled();
  assert.deepEqual(socket.of("unsubscribe"), [{ type: "unsubscribe", ids: [1] }]);
  api.close();
});

void test("a connection that nobody needs is closed, and the next query opens another", async () => {
  const { api, connected } = openScene();
  const stop = api.film.list().live(() => undefined);
  const socket = await connected(1);
  socket.open();
  stop();
  await until(() => socket.isEnded);
  assert.equal(api.live.state, "idle");
  api.film.list().live(() => undefined);
  (await connected(2)).open();
  api.close();
});

void test("after a lost connection all is asked for again with its hash, and shown when all of it has come", async () => {
  const scene = openScene();
  const { api, connected } = scene;
  const seen: unknown[] = [];
  api.film.list().live((films) => seen.push(films.map(({ title }) => title)));
  api.cinema.seats({ hall: 1 }).live((seats) => seen.push(seats));
  const first = await connected(1);
  first.open();
  first.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: page("a") },
      { id: 2, hash: "b", value: ["F7"] },
    ],
  });
  seen.length = 0;
  first.end();
  assert.equal(api.live.state, "waiting");
  const second = await connected(2);
  second.open();
  assert.deepEqual(
    second.subs.map(({ hash }) => hash),
    ["a", "b"],
  );
  const [films, seats] = second.subs.map(({ id }) => id) as [number, number];
  second.tell({ type: "push", seq: 5, changes: [{ id: films, hash: "c", value: page("b") }] });
  assert.deepEqual(seen, []);
  second.tell({ type: "push", seq: 6, changes: [{ id: seats, same: true }] });
  assert.deepEqual(seen, [["b"]]);
  // Of a connection that is over: ignored.
  first.tell({ type: "push", seq: 9, changes: [{ id: films, hash: "x", value: page("x") }] });
  assert.deepEqual(seen, [["b"]]);
  api.close();
});

void test("what came after a lost connection is shown when the last that is waited for is ended", async () => {
  const { api, connected } = openScene();
  const seen: unknown[] = [];
  api.film.list().live((films) => seen.push(films.length));
  const stop = api.cinema.seats({ hall: 1 }).live(() => undefined);
  const first = await connected(1);
  first.open();
  first.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: page("a") },
      { id: 2, hash: "b", value: ["F7"] },
    ],
  });
  first.end();
  const second = await connected(2);
  second.open();
  const id = second.subs[0]?.id ?? 0;
  second.tell({ type: "push", seq: 5, changes: [{ id, hash: "c", value: page("a", "b") }] });
  assert.deepEqual(seen, [1]);
  stop();
  await settled();
  assert.deepEqual(seen, [1, 2]);
  api.close();
});

void test("a patch that does not fit costs a connection, and whole values are asked for", async () => {
  const { api, connected } = openScene();
  const seen: unknown[] = [];
  api.cinema.seats({ hall: 1 }).live((seats) => seen.push(seats));
  const first = await connected(1);
  first.open();
  first.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: ["F7"] }] });
  const patch = { kind: "fields", set: { a: 1 } } as const;
  first.tell({ type: "push", seq: 2, changes: [{ id: 1, hash: "b", patch }] });
  assert.equal(first.isEnded, true);
  const second = await connected(2);
  second.open();
  assert.equal(second.subs[0]?.hash, undefined);
  assert.deepEqual(seen, [["F7"]]);
  api.close();
});

void test("waits between connections are jittered, grow to the cap, and begin anew after a welcome", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const rolls = [0.5, 1, 1, 1, 0.5];
  let rolled = 0;
  const scene = openScene({
    random: () => rolls[rolled++] ?? 0,
    retry: { baseMs: 100, capMs: 300 },
  });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const stop = scene.api.film.list().live(
    () => undefined,
    () => undefined,
  );
  await turn();
  // Half of 100, then 200, then 300 and no more.
  for (const [index, ms] of [50, 200, 300, 300].entries()) {
    scene.socket.end();
    context.mock.timers.tick(ms - 1);
    await turn();
    assert.equal(scene.sockets.length, index + 1);
    context.mock.timers.tick(1);
    await turn();
    assert.equal(scene.sockets.length, index + 2);
  }
  scene.socket.open();
  scene.socket.end(1012);
  context.mock.timers.tick(50);
  await turn();
  assert.equal(scene.sockets.length, 6);
  stop();
  scene.api.close();
});

void test("a silent connection is asked, then taken for dead; an answer keeps it", async () => {
  const { api, connected } = openScene();
  api.film.list().live(() => undefined);
  const first = await connected(1);
  first.open({ silentMsMax: 40 });
  await until(() => first.of("ping").length === 1);
  first.tell({ type: "pong" });
  await until(() => first.of("ping").length === 2);
  assert.equal(first.isEnded, false);
  await until(() => first.isEnded);
  const second = await connected(2);
  second.open();
  assert.equal(second.subs.length, 1);
  api.close();
});

void test("one call may be followed and shown again and again, and is never sent", async () => {
  const { api, connected } = openScene({ fetch: () => assert.fail("it was sent") });
  const list = api.film.list();
  const store = list.store();
  store.subscribe(() => undefined);
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a", "b") }] });
  const again = list.store();
  assert.equal(again.key, store.key);
  assert.equal(again.getSnapshot(), store.getSnapshot());
  let told = 0;
  list.live((films) => (told = films.length));
  await until(() => told === 2);
  api.film
    .delete("film_a")
    .optimistic((show) => show(list, (films) => films.slice(1)))
    .catch(() => undefined);
  assert.equal(store.getSnapshot().data?.length, 1);
  await assert.rejects(api.batch([list]), /used already/v);
  assert.equal(socket.subs.length, 1);
  api.close();
});

void test("rights that are lost take the data away; a server that is busy is asked again", async () => {
  const { api, connected } = openScene();
  const store = api.film.list().store();
  store.subscribe(() => undefined);
  const socket = await connected(1);
  socket.open();
  assert.deepEqual(
    { ...store.getSnapshot() },
    { data: undefined, error: null, isLoading: true, isPreviousData: false },
  );
  socket.tell({
    type: "push",
    seq: 1,
    changes: [{ id: 1, error: problem("OVERLOADED", 503), ended: true }],
  });
  await until(() => socket.subs.length === 2);
  const id = socket.subs[1]?.id ?? 0;
  socket.tell({ type: "push", seq: 1, changes: [{ id, hash: "a", value: page("a") }] });
  assert.equal(store.getSnapshot().data?.length, 1);
  socket.tell({ type: "push", seq: 2, changes: [{ id, error: problem("RULE_DENIED", 403) }] });
  assert.equal(store.getSnapshot().data, undefined);
  assert.equal(store.getSnapshot().error?.code, "RULE_DENIED");
  socket.tell({ type: "push", seq: 3, changes: [{ id, hash: "b", value: page("b") }] });
  assert.equal(store.getSnapshot().data?.length, 1);
  assert.equal(store.getSnapshot().error, null);
  api.close();
});

void test("a query that never got a value is told when no connection comes about, and goes on trying", async () => {
  const { api, connected, sockets } = openScene();
  const codes: string[] = [];
  const seen: unknown[] = [];
  api.film.list().live(
    (films) => seen.push(films),
    ({ code }) => codes.push(code),
  );
  for (let count = 1; count <= 3; count++) (await connected(count)).end();
  assert.deepEqual(codes, ["CONNECTION_LOST"]);
  const socket = await connected(4);
  socket.open();
  const value = page("a");
  socket.tell({
    type: "push",
    seq: 1,
    changes: [{ id: socket.subs[0]?.id ?? 0, hash: "a", value }],
  });
  assert.deepEqual(seen, [value.rows]);
  assert.equal(sockets.length, 4);
  api.close();
});

void test("an iterable gives the newest value to who is slow, and its end ends the subscription", async () => {
  const { api, connected } = openScene();
  const seen: unknown[] = [];
  const done = (async () => {
    for await (const seats of api.cinema.seats({ hall: 1 }).watch()) {
      seen.push(seats);
      if (seats.length === 3) break;
    }
  })();
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: ["A"] }] });
  await settled();
  socket.tell({ type: "push", seq: 2, changes: [{ id: 1, hash: "b", value: ["A", "B"] }] });
  socket.tell({ type: "push", seq: 3, changes: [{ id: 1, hash: "c", value: ["A", "B", "C"] }] });
  await done;
  assert.equal(seen.length <= 3, true);
  assert.deepEqual(seen.at(-1), ["A", "B", "C"]);
  await until(() => socket.of("unsubscribe").length === 1);
  const failing = api.film.list().watch()[Symbol.asyncIterator]();
  const next = failing.next();
  await until(() => socket.subs.length === 2);
  const id = socket.subs[1]?.id ?? 0;
  socket.tell({
    type: "push",
    seq: 3,
    changes: [{ id, error: problem("RULE_DENIED", 403), ended: true }],
  });
  await assert.rejects(next, KeelsonError);
  assert.deepEqual(await failing.next(), { done: true, value: undefined });
  api.close();
});

void test("close ends everything for good", async () => {
  const { api, connected, sockets } = openScene({ transport: "live" });
  const states: string[] = [];
  api.live.onState((state) => states.push(state));
  const codes: string[] = [];
  api.film.list().live(
    () => undefined,
    ({ code }) => codes.push(code),
  );
  const call = api.cinema.seats({ hall: 1 });
  const socket = await connected(1);
  socket.open();
  await until(() => socket.of("ask").length === 1);
  api.close();
  await assert.rejects(call, KeelsonError);
  await assert.rejects(api.cinema.seats({ hall: 2 }), KeelsonError);
  assert.deepEqual(codes, ["CLIENT_CLOSED"]);
  assert.deepEqual(states, ["connecting", "open", "closed"]);
  assert.equal(sockets.length, 1);
});

void test("whoever begins to follow after close is told, and an iterable ends", async () => {
  const { api, sockets } = openScene();
  api.close();
  const errors: string[] = [];
  api.film.list().live(
    () => undefined,
    ({ code }) => errors.push(code),
  );
  for await (const _ of api.film.count().watch()) assert.fail("there is no value");
  assert.deepEqual(errors, ["CLIENT_CLOSED"]);
  assert.equal(sockets.length, 0);
});

void test("a query that the server has no room for again and again is told why, once, and goes on trying", async () => {
  const { api, connected } = openScene();
  const errors: string[] = [];
  const seen: number[] = [];
  api.film.list().live(
    (films) => seen.push(films.length),
    ({ code }) => errors.push(code),
  );
  const socket = await connected(1);
  socket.open();
  const told: number[] = [];
  for (let time = 1; time <= 4; time++) {
    await until(() => socket.subs.length === time);
    const { id } = socket.subs.at(-1) ?? assert.fail("nothing was asked");
    const error = problem("OVERLOADED", 503);
    socket.tell({ type: "push", seq: 1, changes: [{ id, error, ended: true }] });
    told.push(errors.length);
  }
  assert.deepEqual(told, [0, 0, 1, 1]);
  await until(() => socket.subs.length === 5);
  const { id } = socket.subs.at(-1) ?? assert.fail("nothing was asked");
  socket.tell({ type: "push", seq: 2, changes: [{ id, hash: "a", value: page("a") }] });
  assert.deepEqual([errors, seen], [["OVERLOADED"], [1]]);
  api.close();
});
