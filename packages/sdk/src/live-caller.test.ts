// Who asks over the live connection of the client, against a scripted server: tokens, and what becomes of live queries
// when somebody else goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientOptions } from "./client.ts";
import { openScene, page, problem, settled, until, type SceneSocket } from "./live-scene.case.ts";

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
    ["subscribe", "token", "unsubscribe", "subscribe"],
    "what nobody was told yet is asked for anew, together with the rest",
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
  assert.equal(new Set(socket.subs.map(({ watch }) => JSON.stringify(watch))).size, 3);
  api.close();
});

void test("an answer that is on its way to another caller is not shown to this one", async () => {
  let token: string | null = "ada";
  const { api, connected } = openScene({ token: () => token });
  const counted = (count: number) => ({ rows: [{ count }], next: null });
  const shown: unknown[] = [];
  api.film.count().live((count) => shown.push(count));
  const socket = await connected(1);
  socket.open();
  const adas = socket.subs.at(-1)?.id ?? assert.fail("nothing was asked");
  token = null;
  const renewed = api.live.renewToken();
  // Before the server hears of it, and when it has.
  socket.tell({ type: "push", seq: 1, changes: [{ id: adas, hash: "a", value: counted(7) }] });
  await renewed;
  socket.tell({ type: "push", seq: 2, changes: [{ id: adas, hash: "a", value: counted(7) }] });
  await settled();
  assert.deepEqual(shown, []);
  const own = socket.subs.at(-1)?.id ?? assert.fail("nothing was asked anew");
  assert.notEqual(own, adas);
  socket.tell({ type: "push", seq: 3, changes: [{ id: own, hash: "b", value: counted(0) }] });
  await settled();
  assert.deepEqual(shown, [0]);
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
    [
      ...["ada", "subscribe", "ask", "bob", "unsubscribe", "subscribe"],
      // It looked once more who calls.
      ...["unsubscribe", "subscribe", "ask"],
    ],
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
  const refusal = { error: problem("QUERY_INVALID", 422), ended: true } as const;
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

void test("a page whose session ended elsewhere goes on as whoever its cookie says, and is told who that is", async () => {
  let me: object | null = { id: "user_ada" };
  const { api, sockets, connected } = openScene({
    fetch: () => Promise.resolve(Response.json({ me })),
    retry: { attempts: 1, baseMs: 100_000, capMs: 100_000 },
  });
  const list = api.film.list().store();
  list.subscribe(() => undefined);
  api.auth.store.subscribe(() => undefined);
  const first = await connected(1);
  first.open();
  first.tell({ type: "push", seq: 1, changes: [{ id: 1, hash: "a", value: page("a") }] });
  await until(() => api.auth.store.getSnapshot().me !== undefined);
  me = null;
  const refusal = { error: problem("TOKEN_INVALID", 401), ended: true } as const;
  first.tell({ type: "push", seq: 2, changes: [{ id: 1, ...refusal }] });
  const second = await connected(2);
  assert.ok(first.isEnded);
  assert.equal(list.getSnapshot().error, null, "nothing is told before the cookie was read");
  second.open();
  assert.deepEqual(
    second.subs.map(({ hash }) => hash),
    ["a"],
  );
  await until(() => api.auth.store.getSnapshot().me === null);
  // A cookie that is refused at once is no reason for a third connection.
  const { id } = second.subs[0] ?? assert.fail("nothing was asked");
  second.tell({ type: "push", seq: 2, changes: [{ id, ...refusal }] });
  assert.equal(list.getSnapshot().error?.code, "TOKEN_INVALID");
  await settled();
  assert.equal(sockets.length, 2);
  api.close();
});

void test("a call of a cookie whose session ended is refused, and the next one asks as who the cookie says", async () => {
  const { api, connected } = openScene({ transport: "live" });
  const refused = api.cinema.book({ seat: "A1" }).catch((error: unknown) => error);
  const first = await connected(1);
  first.open();
  await until(() => first.of("ask").length === 1);
  const answer = { type: "error", error: problem("TOKEN_INVALID", 401) } as const;
  first.tell({ ...answer, id: first.of("ask")[0]?.id ?? 0 });
  assert.equal(((await refused) as { code: string }).code, "TOKEN_INVALID");
  assert.ok(first.isEnded);
  const next = api.cinema.book({ seat: "A2" });
  const second = await connected(2);
  second.open();
  await until(() => second.of("ask").length === 1);
  second.tell({ type: "result", id: second.of("ask")[0]?.id ?? 0, seq: 1, value: "booked" });
  assert.equal(await next, "booked");
  api.close();
});

/** Two pages of one browser, each with a live query, and what the server says of who is there. */
async function openTwoPages(options: ClientOptions = {}) {
  const server: { me: object | null } = { me: null };
  const all: ClientOptions = {
    fetch: () => Promise.resolve(Response.json({ me: server.me })),
    retry: { attempts: 1, baseMs: 100_000, capMs: 100_000 },
    ...options,
  };
  const open = async () => {
    const scene = openScene(all);
    scene.api.film
      .list()
      .store()
      .subscribe(() => undefined);
    (await scene.connected(1)).open();
    return scene;
  };
  return { server, one: await open(), two: await open() };
}

void test("who signs in or out by a cookie in one page is told to the others: they connect as whoever is there now", async () => {
  const { server, one, two } = await openTwoPages();
  const said: unknown[] = [];
  const listener = new BroadcastChannel("keelson http://scene.example/base/auth");
  listener.addEventListener("message", ({ data }: { readonly data: unknown }) => said.push(data));
  // Not answered yet: it is asked again, and does not wait for ever.
  two.api.auth.store.subscribe(() => undefined);
  await until(() => two.api.auth.store.getSnapshot().me === null);
  server.me = { id: "user_ada" };
  await one.api.auth.signIn({ email: "ada@example.com", password: "a long password" });
  (await two.connected(2)).open();
  assert.ok(two.sockets[0]?.isEnded);
  assert.equal(two.socket.subs.length, 1);
  await until(() => two.api.auth.store.getSnapshot().me?.id === "user_ada");
  server.me = null;
  await one.api.auth.signOut();
  await two.connected(3);
  await until(() => two.api.auth.store.getSnapshot().me === null);
  await until(() => said.length === 2);
  await settled();
  assert.deepEqual(said, ["changed", "changed"]);
  assert.equal(one.sockets.length, 3, "who tells is not told, and who was told does not tell");
  assert.equal(two.sockets.length, 3);
  two.api.close();
  await one.api.auth.signOut();
  await until(() => said.length === 3);
  await settled();
  assert.equal(two.sockets.length, 3, "a client that was closed hears nothing");
  one.api.close();
  listener.close();
});

void test("a page that has not heard yet who is there is told it when that changes meanwhile", async () => {
  const waiting: (() => void)[] = [];
  let isSlow = true;
  const { one, two } = await openTwoPages({
    fetch: () =>
      new Promise((resolve) => {
        const answer = () => resolve(Response.json({ me: null }));
        if (isSlow) waiting.push(answer);
        else answer();
      }),
  });
  two.api.auth.store.subscribe(() => undefined);
  await until(() => waiting.length === 1);
  isSlow = false;
  await one.api.auth.signOut();
  await two.connected(2);
  for (const answer of waiting) answer();
  await until(() => !two.api.auth.store.getSnapshot().isLoading);
  one.api.close();
  two.api.close();
});

void test("clients with tokens of their own neither tell others nor are told", async () => {
  const { one, two } = await openTwoPages({ token: "text" });
  const cookies = openScene({ fetch: () => Promise.resolve(Response.json({ me: null })) });
  await one.api.auth.signOut();
  await cookies.api.auth.signOut();
  await settled();
  assert.equal(two.sockets.length, 1);
  for (const { api } of [one, two, cookies]) api.close();
});

void test("for whom a query was answered is told apart from who calls now", async () => {
  const { api, connected } = openScene({
    fetch: () => Promise.resolve(Response.json({ me: null })),
  });
  const films = api.film.list().store();
  const count = api.film.count().store();
  const isSame = () => films.getCaller() === count.getCaller();
  films.subscribe(() => undefined);
  const first = await connected(1);
  first.open();
  const tell = (socket: SceneSocket, change: object) => {
    const { id } = socket.subs[0] ?? assert.fail("nothing was asked for");
    socket.tell({ type: "push", seq: 1, changes: [{ id, ...change } as never] });
  };
  tell(first, { hash: "a", value: page("A") });
  assert.ok(isSame(), "what loads and what was answered are of one caller");
  let told = 0;
  count.subscribe(() => told++);
  await settled();
  const loading = count.getSnapshot();

  const signedOut = api.auth.signOut();
  const second = await connected(2);
  assert.ok(!isSame());
  assert.equal(films.getSnapshot().data?.length, 1);
  assert.equal(told, 1, "who loads hears that somebody else calls");
  assert.notEqual(count.getSnapshot(), loading);
  second.open();
  assert.ok(!isSame(), "nothing was answered yet");
  await signedOut;
  const [films2, count2] = second.subs.map(({ id }) => id) as [number, number];
  const changes = [
    { id: films2, same: true },
    { id: count2, hash: "c", value: { rows: [{ count: 1 }], next: null } },
  ] as const;
  second.tell({ type: "push", seq: 1, changes });
  assert.ok(isSame());
  assert.notEqual(films.getCaller(), null);
  api.close();
});
