// Ids that are none: nothing is sent, and whoever awaits, follows or shows the call is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeelsonError } from "./client-error.ts";
import type { Id } from "./id.ts";
import { openScene, settled } from "./live-scene.case.ts";

const none = undefined as unknown as Id<"film">;
const isRefused = ({ code, status, isSent, issues }: KeelsonError) =>
  code === "ARGUMENT_INVALID" && status === 422 && !isSent && issues[0]?.path === "id";

function openCounted() {
  const sent: string[] = [];
  const fetch = (url: string) => {
    sent.push(url);
    return Promise.resolve(Response.json({ id: "film_1" }));
  };
  const { api, sockets } = openScene({ fetch });
  return { api, sockets, sent };
}

void test("a row is not asked for, changed or removed without its id", async () => {
  const { api, sent } = openCounted();
  for (const bad of [undefined, null, "", 5, {}, ["film_1"]]) {
    const id = bad as Id<"film">;
    await assert.rejects(api.film.get(id), isRefused);
    await assert.rejects(api.film.update(id, { title: "A" }), isRefused);
    await assert.rejects(api.film.delete(id), isRefused);
  }
  await assert.rejects(api.film.get(none), /film\.get was called without an id/v);
  await assert.rejects(
    api.batch([api.film.create({ title: "A" }), api.film.delete(none)]),
    isRefused,
  );
  assert.deepEqual(sent, []);
  await api.film.get("film_1");
  assert.equal(sent.length, 1);
});

void test("who follows a row without its id is told, and no connection is made for it", async () => {
  const { api, sockets } = openCounted();
  const told: unknown[] = [];
  const stop = api.film.get(none).live(
    () => assert.fail("there is no value"),
    (error) => told.push(isRefused(error)),
  );
  assert.deepEqual(told, []);
  const store = api.film.get(none).store();
  const { data, error, isLoading } = store.getSnapshot();
  assert.deepEqual([data, error?.code, isLoading], [undefined, "ARGUMENT_INVALID", false]);
  assert.equal(store.getSnapshot(), store.getSnapshot());
  assert.notEqual(store.key, api.film.get("undefined" as Id<"film">).store().key);
  await settled();
  assert.deepEqual(told, [true]);
  stop();
  assert.equal(sockets.length, 0);
});

void test("an optimistic change without an id shows nothing and sends nothing", async () => {
  const { api, sockets, sent } = openCounted();
  const call = api.film.delete(none).optimistic(() => assert.fail("nothing is shown"));
  await assert.rejects(call, isRefused);
  assert.deepEqual([sockets.length, sent], [0, []]);
});
