// Calls over the live connection of the client, against a scripted server: what is sent and sent again, and what an
// optimistic change shows until the server's push.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeelsonError } from "./client.ts";
import { openScene, page, problem, settled, until } from "./live-scene.case.ts";

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
  assert.match(String(asks[0]?.key), /^[0-9a-z]{8,9}-[0-9a-f-]{36}$/);
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

void test("a commit whose answer was lost is not shown twice: it is asked for with the next connection", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  // The connection comes again at once; by itself the call would wait for a minute.
  const rolls = [0, 1];
  const { api, connected, sockets } = openScene({
    random: () => rolls.shift() ?? 0,
    retry: { attempts: 4, baseMs: 60_000, capMs: 60_000 },
  });
  const seen: number[] = [];
  api.film.count().live((count) => seen.push(count));
  const first = await connected(1);
  first.open();
  const counted = (count: number) => ({ rows: [{ count }], next: null });
  first.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: counted(1) }] });
  const created = api.film.create({ title: "x" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  await until(() => first.of("ask").length === 1);
  first.end();
  await settled();
  context.mock.timers.tick(1);
  await settled();
  assert.equal(sockets.length, 2);
  const second = await connected(2);
  second.open();
  const id = second.subs[0]?.id ?? 0;
  second.tell({ type: "push", seq: 2, changes: [{ id, hash: "b", value: counted(2) }] });
  await settled();
  const [again] = second.of("ask");
  assert.deepEqual([again?.repeat, again?.key], [true, first.of("ask")[0]?.key]);
  context.mock.timers.tick(500);
  assert.deepEqual(seen, [1, 2]);
  second.tell({ type: "result", id: again?.id ?? 0, seq: 2, value: {} });
  await created;
  assert.deepEqual(seen, [1, 2]);
  // What has no answer does not keep others waiting for long.
  const other = api.film.create({ title: "y" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  await until(() => second.of("ask").length === 2);
  second.tell({ type: "push", seq: 3, changes: [{ id, hash: "c", value: counted(7) }] });
  context.mock.timers.tick(100);
  assert.deepEqual(seen, [1, 2, 3, 8]);
  api.close();
  await assert.rejects(other, KeelsonError);
});

void test("an optimistic change is shown to whoever comes while it has no answer, also when nobody watched in between", async () => {
  const { api, connected } = openScene();
  const seen: number[] = [];
  const follow = () => api.film.count().live((count) => seen.push(count));
  const stop = follow();
  const socket = await connected(1);
  socket.open();
  const counted = (count: number) => ({ rows: [{ count }], next: null });
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: counted(1) }] });
  const created = api.film.create({ title: "x" }).optimistic((show) => {
    show(api.film.count(), (count) => count + 1);
  });
  await until(() => socket.of("ask").length === 1);
  stop();
  await until(() => socket.of("unsubscribe").length === 1);
  const again = follow();
  await until(() => socket.subs.length === 2);
  const id = socket.subs[1]?.id ?? 0;
  socket.tell({ type: "push", seq: 1, changes: [{ id, hash: "a", value: counted(1) }] });
  await until(() => seen.length === 3);
  assert.deepEqual(seen, [1, 2, 2]);
  socket.tell({ type: "result", id: socket.of("ask")[0]?.id ?? 0, seq: 2, value: {} });
  await created;
  socket.tell({ type: "push", seq: 2, changes: [{ id, hash: "b", value: counted(2) }] });
  assert.deepEqual(seen, [1, 2, 2]);
  again();
  // What the server has shown is on top of nothing any more.
  await until(() => socket.of("unsubscribe").length === 2);
  follow();
  await until(() => socket.subs.length === 3);
  const last = socket.subs[2]?.id ?? 0;
  socket.tell({ type: "push", seq: 2, changes: [{ id: last, hash: "b", value: counted(2) }] });
  assert.deepEqual(seen, [1, 2, 2, 2]);
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

void test("a call that is given up while its token is fetched is not sent", async () => {
  const giving = new AbortController();
  const { api, sockets } = openScene({
    transport: "live",
    token: () => {
      giving.abort(new Error("enough"));
      return Promise.resolve("late");
    },
  });
  await assert.rejects(api.cinema.book({ seat: "F7" }, { signal: giving.signal }), /enough/v);
  await settled();
  assert.equal(sockets.length, 0);
  api.close();
});

void test("an optimistic change that throws is the call's refusal: nothing is sent, and nothing is shown", async () => {
  const { api, connected } = openScene();
  const list = api.film.list().store();
  list.subscribe(() => undefined);
  const socket = await connected(1);
  socket.open();
  socket.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a") }] });
  const before = list.getSnapshot();
  const call = api.film.delete("film_a");
  const thrown = new Error("a mistake of the app");
  const shown = call.optimistic((show) => {
    show(api.film.list(), () => []);
    throw thrown;
  });
  assert.equal(shown, call);
  await assert.rejects(call, (error) => error === thrown);
  assert.equal(list.getSnapshot(), before);
  await settled();
  assert.deepEqual(socket.of("ask"), []);
  // A push does not wait for the call that was not made.
  socket.tell({ type: "push", seq: 2, changes: [{ id: 1, hash: "b", value: page("a", "b") }] });
  assert.equal(list.getSnapshot().data?.length, 2);
  api.close();
});
