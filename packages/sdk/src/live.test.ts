// The live side of the client against a scripted server: what goes over the connection, what callers are
// shown and when, and what happens when the connection is lost. Against a real server: test/live/.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeelsonError } from "./client.ts";
import type { LiveProblem } from "./live-protocol.ts";
import { openScene, settled, until } from "./live-scene.case.ts";

const problem = (code: string, status = 400, more: Partial<LiveProblem> = {}): LiveProblem => ({
  code,
  status,
  title: "Title",
  detail: "Detail",
  requestId: "req_1",
  ...more,
});

const page = (...titles: string[]) => ({
  rows: titles.map((title) => ({ id: `film_${title}`, title })),
  next: null,
});

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

void test("the token goes first, and is asked for at each connection", async () => {
  let asked = 0;
  const { api, connected } = openScene({ token: () => Promise.resolve(`t${++asked}`) });
  api.film.list().live(() => undefined);
  const first = await connected(1);
  first.open();
  assert.deepEqual(first.heard[0], { type: "token", token: "t1" });
  first.end();
  const second = await connected(2);
  second.open();
  assert.deepEqual(second.heard[0], { type: "token", token: "t2" });
  api.close();
});

void test("an expired token is replaced once for all subscriptions, and they go on with what they had", async () => {
  const given: (string | null)[] = [];
  const { api, connected } = openScene({
    token: (expired) => {
      given.push(expired);
      return expired === null ? "old" : "new";
    },
  });
  const errors: unknown[] = [];
  const seen: unknown[] = [];
  api.film.list().live(
    (films) => seen.push(films),
    (error) => errors.push(error),
  );
  api.film.count().live(
    (count) => seen.push(count),
    (error) => errors.push(error),
  );
  const socket = await connected(1);
  socket.open();
  const value = page("a");
  socket.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value },
      { id: 2, hash: "b", value: { rows: [{ count: 1 }], next: null } },
    ],
  });
  const error = problem("TOKEN_EXPIRED", 401);
  socket.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, error, ended: true },
      { id: 2, error, ended: true },
    ],
  });
  await until(() => socket.subs.length === 4);
  assert.deepEqual(given, [null, "old"]);
  assert.deepEqual(
    socket.of("token").map(({ token }) => token),
    ["old", "new"],
  );
  assert.deepEqual(
    socket.subs.slice(2).map(({ hash }) => hash),
    ["a", "b"],
  );
  assert.deepEqual(errors, []);
  assert.equal(seen.length, 2);
  api.close();
});

void test("a token that is a text can't be replaced: the error is told and the query is over", async () => {
  const { api, connected } = openScene({ token: "old" });
  const codes: string[] = [];
  api.film.list().live(
    () => undefined,
    ({ code }) => codes.push(code),
  );
  const socket = await connected(1);
  socket.open();
  socket.tell({
    type: "push",
    seq: 1,
    changes: [{ id: 1, error: problem("TOKEN_EXPIRED", 401), ended: true }],
  });
  await settled();
  assert.deepEqual(codes, ["TOKEN_EXPIRED"]);
  assert.equal(socket.subs.length, 1);
  api.close();
});

void test("rights that are lost take the data away; a server that is busy is asked again", async () => {
  const { api, connected } = openScene();
  const store = api.film.list().store();
  store.subscribe(() => undefined);
  const socket = await connected(1);
  socket.open();
  assert.deepEqual({ ...store.getSnapshot() }, { data: undefined, error: null, isLoading: true });
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

void test("calls are pipelined, answered in any order, and refused with the codes of HTTP", async () => {
  const { api, connected } = openScene({ transport: "live" });
  const both = api.batch([api.film.count(), api.film.delete("film_a")]);
  const booked = api.cinema.book({ seat: "F7" });
  const films = api.film.list({ limit: 2 });
  const taken = api.cinema
    .book({ seat: "F8" }, { idempotencyKey: "mine" })
    .catch((error: unknown) => error);
  const socket = await connected(1);
  socket.open();
  await until(() => socket.of("ask").length === 4);
  const asks = socket.of("ask");
  assert.deepEqual(
    asks.map(({ ask }) => ask),
    [
      {
        steps: [
          { list: "film", query: { aggregate: { count: "count" } } },
          { delete: "film", id: "film_a" },
        ],
      },
      { call: "cinema.book", args: { seat: "F7" } },
      { list: "film", query: { limit: 2 } },
      { call: "cinema.book", args: { seat: "F8" } },
    ],
  );
  assert.match(String(asks[0]?.key), /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    asks.map(({ key, repeat }) => [key === undefined, repeat]),
    [
      [false, undefined],
      [false, undefined],
      [true, undefined],
      [false, undefined],
    ],
  );
  assert.equal(asks[3]?.key, "mine");
  const [d, a, b, c] = asks.map(({ id }) => id) as [number, number, number, number];
  socket.tell({
    type: "result",
    id: d,
    seq: 3,
    value: [{ rows: [{ count: 3 }], next: null }, null],
  });
  const details = { code: "SEAT_TAKEN" };
  socket.tell({ type: "error", id: c, error: problem("FUNCTION_REFUSED", 400, { details }) });
  socket.tell({ type: "result", id: b, seq: 3, value: page("a") });
  socket.tell({ type: "result", id: a, seq: 4, value: "booking_1" });
  assert.deepEqual(await both, [3, undefined]);
  assert.equal(await booked, "booking_1");
  assert.equal((await films).length, 1);
  const error = await taken;
  assert.ok(error instanceof KeelsonError);
  assert.equal(error.refusal, "SEAT_TAKEN");
  assert.equal(error.requestId, "req_1");
  api.close();
});

void test("what was sent and not answered is sent again with its key as a repeat; what was not sent is sent as it was", async () => {
  const { api, connected } = openScene({ transport: "live" });
  const first = api.cinema.book({ seat: "F7" });
  const early = await connected(1);
  // No handshake: the call never left.
  early.end();
  const lost = await connected(2);
  lost.open();
  await until(() => lost.of("ask").length === 1);
  assert.equal(lost.of("ask")[0]?.repeat, undefined);
  lost.end();
  const socket = await connected(3);
  socket.open();
  await until(() => socket.of("ask").length === 1);
  const ask = socket.of("ask")[0];
  assert.equal(ask?.repeat, true);
  assert.equal(ask?.key, lost.of("ask")[0]?.key);
  socket.tell({ type: "result", id: ask?.id ?? 0, seq: 1, value: "booking_1" });
  assert.equal(await first, "booking_1");
  api.close();
});

void test("an action that may have run is not run again, also over a live connection", async () => {
  const { api, connected } = openScene({ transport: "live" });
  const paid = api.cinema.pay().catch((error: unknown) => error);
  const first = await connected(1);
  first.open();
  await until(() => first.of("ask").length === 1);
  first.end();
  const second = await connected(2);
  second.open();
  await until(() => second.of("ask").length === 1);
  const id = second.of("ask")[0]?.id ?? 0;
  second.tell({ type: "error", id, error: problem("ACTION_MAYBE_DONE", 409) });
  const error = await paid;
  assert.ok(error instanceof KeelsonError);
  assert.equal(error.code, "CONNECTION_LOST");
  api.close();
});

void test("no more asks are under way than the server takes, and none is longer", async () => {
  const { api, connected } = openScene({ transport: "live" });
  const calls = Array.from({ length: 50 }, (_, hall) => api.cinema.seats({ hall }));
  const socket = await connected(1);
  socket.open({ asksMax: 20, messageBytesMax: 1_000 });
  await until(() => socket.of("ask").length === 20);
  await settled();
  assert.equal(socket.of("ask").length, 20);
  for (let index = 0; index < 50; index++) {
    const id = socket.of("ask")[index]?.id ?? 0;
    socket.tell({ type: "result", id, seq: 1, value: [String(index)] });
  }
  assert.equal((await Promise.all(calls)).length, 50);
  const tooLong = api.cinema.book({ seat: "ä".repeat(600) }).catch((error: unknown) => error);
  const error = await tooLong;
  assert.ok(error instanceof KeelsonError);
  assert.equal(error.code, "BODY_TOO_LARGE");
  api.close();
});

void test("an expired token is replaced for a call, once", async () => {
  const { api, connected } = openScene({
    transport: "live",
    token: (expired) => (expired === null ? "old" : "new"),
  });
  const call = api.cinema.book({ seat: "F7" });
  const socket = await connected(1);
  socket.open();
  await until(() => socket.of("ask").length === 1);
  const [first] = socket.of("ask");
  socket.tell({ type: "error", id: first?.id ?? 0, error: problem("TOKEN_EXPIRED", 401) });
  await until(() => socket.of("ask").length === 2);
  assert.deepEqual(
    socket.heard.map((message) => (message.type === "token" ? message.token : message.type)),
    ["old", "ask", "new", "ask"],
  );
  assert.equal(socket.of("ask")[1]?.repeat, undefined);
  socket.tell({
    type: "error",
    id: socket.of("ask")[1]?.id ?? 0,
    error: problem("TOKEN_EXPIRED", 401),
  });
  await assert.rejects(call, KeelsonError);
  assert.equal(socket.of("ask").length, 2);
  api.close();
});

void test("an optimistic change is shown at once and until the push of its commit", async () => {
  const { api, connected } = openScene();
  const seen: string[][] = [];
  api.film.list().live((films) => seen.push(films.map(({ title }) => title)));
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a", "b") }] });
  const deleted = api.film.delete("film_a").optimistic((show) => {
    show(api.film.list(), (films) => films.filter(({ id }) => id !== "film_a"));
  });
  assert.deepEqual(seen.at(-1), ["b"]);
  await until(() => socket.of("ask").length === 1);
  // A push while the answer is on its way may be of this commit: it is shown a moment later. It is of another
  // commit: the change stays on top of it.
  socket.tell({
    type: "push",
    seq: 2,
    changes: [{ id: 1, hash: "b", value: page("a", "b", "c") }],
  });
  await until(() => seen.at(-1)?.length === 2);
  assert.deepEqual(seen.at(-1), ["b", "c"]);
  socket.tell({ type: "result", id: socket.of("ask")[0]?.id ?? 0, seq: 3, value: null });
  await deleted;
  assert.deepEqual(seen.at(-1), ["b", "c"]);
  socket.tell({ type: "push", seq: 3, changes: [{ id: 1, hash: "c", value: page("b", "c") }] });
  assert.deepEqual(seen, [["a", "b"], ["b"], ["b", "c"], ["b", "c"]]);
  api.close();
});

void test("a commit that comes before the answer to its optimistic change is not shown twice", async () => {
  const { api, connected } = openScene();
  const seen: number[] = [];
  api.film.count().live((count) => seen.push(count));
  const socket = await connected(1);
  socket.open();
  const counted = (count: number) => ({ rows: [{ count }], next: null });
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: counted(1) }] });
  const created = api.film.create({ title: "x" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  await until(() => socket.of("ask").length === 1);
  socket.tell({ type: "push", seq: 2, changes: [{ id: 1, hash: "b", value: counted(2) }] });
  socket.tell({ type: "result", id: socket.of("ask")[0]?.id ?? 0, seq: 2, value: {} });
  await created;
  await settled();
  assert.deepEqual(seen, [1, 2]);
  api.close();
});

void test("a refused optimistic change is taken back; one that the server shows otherwise gives way", async () => {
  const { api, connected } = openScene();
  const seen: string[][] = [];
  api.film.list().live((films) => seen.push(films.map(({ title }) => title)));
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a") }] });
  const add = (title: string) =>
    api.film.create({ title }).optimistic((show) => {
      show(api.film.list(), (films) => [
        ...films,
        { id: "film_new" as const, title, rating: null },
      ]);
    });
  const refused = add("x");
  const kept = add("y");
  assert.deepEqual(seen.at(-1), ["a", "x", "y"]);
  await until(() => socket.of("ask").length === 2);
  const [one, two] = socket.of("ask").map(({ id }) => id) as [number, number];
  socket.tell({ type: "error", id: one, error: problem("RULE_DENIED", 403) });
  await assert.rejects(refused, KeelsonError);
  assert.deepEqual(seen.at(-1), ["a", "y"]);
  socket.tell({ type: "result", id: two, seq: 7, value: { id: "film_y" } });
  await kept;
  // The commit changed nothing that is watched: an empty push says so.
  socket.tell({ type: "push", seq: 7, changes: [] });
  assert.deepEqual(seen.at(-1), ["a"]);
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

void test("whoever signs in goes on as somebody else, also while the connection is being made", async () => {
  let token: string | null = null;
  const { api, connected } = openScene({ token: () => token });
  await api.live.renewToken();
  api.film.list().live(() => undefined);
  const socket = await connected(1);
  token = "ada";
  await api.live.renewToken();
  socket.open();
  await until(() => socket.of("token").length === 1);
  token = null;
  await api.live.renewToken();
  await api.live.renewToken();
  assert.deepEqual(
    socket.of("token").map((message) => message.token),
    ["ada", null],
  );
  api.close();
});

void test("who signs in is known before anything is asked for them, also while the token is on its way", async () => {
  let token: string | null = null;
  let give: () => void = () => undefined;
  const { api, connected } = openScene({
    token: () => (token === null ? null : new Promise((resolve) => (give = () => resolve(token)))),
  });
  api.film.list().live(() => undefined);
  const socket = await connected(1);
  socket.open();
  token = "ada";
  // As a page does that renders for somebody: it follows what is theirs, and tells that somebody is there.
  api.film.count().live(() => undefined);
  const renewed = api.live.renewToken();
  await settled();
  assert.equal(socket.subs.length, 1, "nobody would be refused it");
  give();
  await renewed;
  assert.deepEqual(
    socket.heard.map(({ type }) => type),
    ["subscribe", "token", "subscribe"],
  );
  // A token that can't be had keeps nothing waiting.
  token = "bob";
  api.film.page().live(() => undefined);
  api.film.first({ orderBy: "title" }).live(() => undefined);
  const failed = api.live.renewToken();
  await settled();
  token = null;
  await api.live.renewToken();
  give();
  await failed;
  assert.equal(socket.of("token").at(-1)?.token, null, "a token that comes late is not who calls");
  assert.equal(socket.subs.length, 3);
  api.close();
});

void test("what another caller was refused for good is asked for again, and shown with all else", async () => {
  let token: string | null = null;
  const { api, connected } = openScene({ token: () => token });
  const list = api.film.list().store();
  const count = api.film.count().store();
  const shown: unknown[] = [];
  const show = () =>
    shown.push([list.getSnapshot().data?.length, count.getSnapshot().error?.code ?? "no error"]);
  list.subscribe(show);
  count.subscribe(show);
  const socket = await connected(1);
  socket.open();
  const refusal = { error: problem("SIGN_IN_REQUIRED", 401), ended: true } as const;
  socket.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: page("a") },
      { id: 2, ...refusal },
    ],
  });
  assert.deepEqual(shown.splice(0), [
    [1, "SIGN_IN_REQUIRED"],
    [1, "SIGN_IN_REQUIRED"],
  ]);
  token = "ada";
  await api.live.renewToken();
  assert.deepEqual(
    socket.heard.slice(1).map(({ type }) => type),
    ["token", "subscribe"],
  );
  assert.deepEqual(
    socket.subs.slice(2).map(({ id, watch }) => [id, "list" in watch && watch.query]),
    [[3, { aggregate: { count: "count" } }]],
  );
  // The server had not heard of it yet when it told the others.
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "b", value: page("a", "b") }] });
  assert.deepEqual(shown, []);
  const value = { rows: [{ count: 2 }], next: null };
  socket.tell({ type: "push", seq: 1, changes: [{ id: 3, hash: "c", value }] });
  assert.deepEqual(shown.splice(0), [
    [2, "no error"],
    [2, "no error"],
  ]);
  api.close();
});

void test("a refusal of another caller that was on its way is no answer", async () => {
  let token: string | null = "old";
  const asked: (string | null)[] = [];
  const { api, connected } = openScene({
    token: (expired) => {
      asked.push(expired);
      return token;
    },
  });
  const errors: string[] = [];
  api.film.list().live(
    () => undefined,
    ({ code }) => errors.push(code),
  );
  const socket = await connected(1);
  socket.open();
  token = "new";
  await api.live.renewToken();
  socket.tell({
    type: "push",
    seq: 1,
    changes: [{ id: 1, error: problem("TOKEN_EXPIRED", 401), ended: true }],
  });
  await until(() => socket.subs.length === 2);
  assert.deepEqual(asked, [null, null], "the new token was not refused");
  assert.deepEqual(errors, []);
  api.close();
});

void test("a call whose token was replaced while it waited does not make anybody else call", async () => {
  let token: string | null = "ada";
  const { api, connected } = openScene({ transport: "live", token: () => token });
  api.film.list().live(() => undefined);
  const socket = await connected(1);
  socket.open({ asksMax: 1 });
  const first = api.cinema.book({ seat: "A1" });
  const second = api.cinema.book({ seat: "A2" });
  await until(() => socket.of("ask").length === 1);
  token = "bob";
  await api.live.renewToken();
  await settled();
  const answer = () => {
    const { id } = socket.of("ask").at(-1) ?? assert.fail("nothing was asked");
    socket.tell({ type: "result", id, seq: 1, value: "" });
  };
  answer();
  await until(() => socket.of("ask").length === 2);
  answer();
  await Promise.all([first, second]);
  assert.deepEqual(
    socket.heard.map((message) => (message.type === "token" ? message.token : message.type)),
    ["ada", "subscribe", "ask", "bob", "ask"],
  );
  api.close();
});

void test("another connection asks again for what was refused for good on the one before", async () => {
  const { api, connected } = openScene({ token: "text" });
  const errors: string[] = [];
  api.film.list().live(
    () => undefined,
    ({ code }) => errors.push(code),
  );
  const first = await connected(1);
  first.open();
  const refusal = { error: problem("TOKEN_INVALID", 401), ended: true } as const;
  first.tell({ type: "push", seq: 1, changes: [{ id: 1, ...refusal }] });
  await until(() => errors.length === 1);
  first.end();
  const second = await connected(2);
  second.open();
  assert.equal(second.subs.length, 1);
  api.close();
});

void test("who signs out by a cookie is somebody else at once: another connection, which asks for everything", async () => {
  const { api, sockets, connected } = openScene({
    fetch: () => Promise.resolve(Response.json({})),
    retry: { attempts: 1, baseMs: 100_000, capMs: 100_000 },
  });
  const list = api.film.list().store();
  const count = api.film.count().store();
  list.subscribe(() => undefined);
  count.subscribe(() => undefined);
  const first = await connected(1);
  first.open();
  const refusal = { error: problem("TOKEN_INVALID", 401), ended: true } as const;
  first.tell({
    type: "push",
    seq: 1,
    changes: [
      { id: 1, hash: "a", value: page("a") },
      { id: 2, ...refusal },
    ],
  });
  await api.auth.signOut();
  const second = await connected(2);
  assert.ok(first.isEnded);
  assert.equal(list.getSnapshot().data?.length, 1, "what is shown stays");
  second.open();
  assert.deepEqual(
    second.subs.map(({ hash }) => hash),
    ["a", undefined],
  );
  assert.equal(sockets.length, 2);
  api.close();
});
