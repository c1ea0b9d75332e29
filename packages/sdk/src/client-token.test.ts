// A `token` function that never answers: whoever waits is told, and nothing waits for ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, type KeelsonError } from "./client.ts";
import { openScene, page, problem, until } from "./live-scene.case.ts";

const never = () => new Promise<string>(() => undefined);
const isLate = ({ code, isSent }: KeelsonError) => code === "TOKEN_TIMED_OUT" && !isSent;

void test("a call whose token never comes fails, once, and was not sent", async () => {
  let asked = 0;
  const { api } = openScene({
    timeoutMs: 5,
    token: () => (asked++, never()),
    fetch: () => assert.fail("something was sent"),
  });
  await assert.rejects(api.film.list(), isLate);
  assert.equal(asked, 1);
  await assert.rejects(api.auth.me(), isLate);
});

void test("whoever gives a call up does not wait for its token", async () => {
  const { api } = openScene({ token: never, fetch: () => assert.fail("something was sent") });
  const ending = new AbortController();
  const call = api.film.list({}, { signal: ending.signal });
  setImmediate(() => ending.abort(new Error("left the page")));
  await assert.rejects(call, /left the page/v);
});

void test("a live query whose token never comes is told at once, and begins when one does", async () => {
  const shown: unknown[] = [];
  let isStuck = true;
  const { api, connected } = openScene({
    timeoutMs: 5,
    token: () => (isStuck ? never() : "text"),
  });
  api.film.list().live(
    (films) => shown.push(films.length),
    (error) => {
      shown.push(error.code);
      isStuck = false;
    },
  );
  const socket = await connected(1);
  assert.deepEqual(shown, ["TOKEN_TIMED_OUT"]);
  socket.open();
  await until(() => socket.subs.length === 1);
  const { id } = socket.subs[0] ?? assert.fail("nothing was asked for");
  socket.tell({ type: "push", seq: 1, changes: [{ id, hash: "a", value: page("A") }] });
  assert.deepEqual(shown, ["TOKEN_TIMED_OUT", 1]);
  api.close();
});

void test("a renewed token that never comes ends the wait of those who need it", async () => {
  let asked = 0;
  const codes: string[] = [];
  const { api, connected } = openScene({
    timeoutMs: 5,
    token: () => (asked++ === 0 ? "old" : never()),
  });
  api.film.list().live(
    () => undefined,
    ({ code }) => codes.push(code),
  );
  const socket = await connected(1);
  socket.open();
  const { id } = socket.subs[0] ?? assert.fail("nothing was asked for");
  const error = problem("TOKEN_EXPIRED", 401);
  socket.tell({ type: "push", seq: 1, changes: [{ id, error, ended: true }] });
  await until(() => codes.length > 0);
  assert.deepEqual(codes, ["TOKEN_EXPIRED"]);
  await assert.rejects(api.live.renewToken(), isLate);
  // It may be another one's by now: what comes next is asked for without waiting.
  api.film.count().live(() => undefined);
  await until(() => socket.subs.some(({ watch }) => JSON.stringify(watch).includes("count")));
  api.close();
});

void test("tokens that storage never gives are told in the same way", async () => {
  const api = createClient("http://scene.example", {
    auth: "tokens",
    timeoutMs: 5,
    tokenStorage: { load: never, save: () => undefined },
    fetch: () => assert.fail("something was sent"),
  });
  await assert.rejects(api.auth.me(), isLate);
});
