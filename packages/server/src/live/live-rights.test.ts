// Rights on every push: whatever ends a right ends the data at that commit, whatever gives one brings it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LiveWatch } from "@keelson/sdk/live-protocol";
import type { Json } from "../base/json.ts";
import type { LiveClient, LiveView } from "./live-client.case.ts";
import { LiveScene } from "./live-scene.case.ts";

let scene: LiveScene;
let ann: string;
let bob: string;

before(async () => {
  scene = await LiveScene.open();
  ann = await scene.add("user", { name: "Ann" });
  bob = await scene.add("user", { name: "Bob" });
});
after(() => scene.close());

/** Texts of the rows of a list. */
function shown(view: LiveView, field: string): Json[] {
  const { rows } = view.value as { readonly rows: readonly { readonly [field: string]: Json }[] };
  return rows.map((row) => row[field] ?? null);
}

async function watchOne(client: LiveClient, watch: LiveWatch): Promise<LiveView> {
  const [view] = await client.watch(watch);
  assert.ok(view !== undefined);
  return view;
}

test("a message of a room comes with membership and goes with it, at that commit", async () => {
  const client = await scene.client({ id: ann });
  const room = await scene.add("room", { name: "kitchen" });
  const message = await scene.add("message", { room, author: bob, text: "CANARY soup" });
  const [list, row, found] = await client.watch(
    { list: "message", query: { where: { room } } },
    { get: "message", id: message },
    { list: "message", query: { search: "soup", aggregate: { n: "count", top: { max: "text" } } } },
  );
  assert.ok(list && row && found);
  assert.deepEqual(shown(list, "text"), []);
  assert.equal(row.error?.code, "NOT_FOUND");
  assert.equal(row.ended, false);
  assert.deepEqual(found.value, { rows: [{ n: 0, top: null }], next: null });

  const member = await scene.add("member", { room, user: ann });
  await client.fence();
  assert.deepEqual(shown(list, "text"), ["CANARY soup"]);
  assert.equal((row.value as { text: string }).text, "CANARY soup");
  assert.deepEqual(found.value, { rows: [{ n: 1, top: "CANARY soup" }], next: null });

  await scene.drop("member", member);
  await client.fence();
  assert.deepEqual(shown(list, "text"), []);
  assert.equal(row.error?.code, "NOT_FOUND");
  assert.deepEqual(found.value, { rows: [{ n: 0, top: null }], next: null });
  const seen = JSON.stringify(client.pushes.at(-1));
  assert.ok(!seen.includes("CANARY"));
  await client.close();
});

test("rows of a room that changes hands follow its owner", async () => {
  const client = await scene.client({ id: ann });
  const room = await scene.add("room", { name: "attic", owner: bob });
  await scene.add("message", { room, author: bob, text: "dust" });
  const list = await watchOne(client, { list: "message", query: { where: { text: "dust" } } });
  assert.deepEqual(shown(list, "text"), []);
  await scene.set("room", room, { owner: ann });
  await client.fence();
  assert.deepEqual(shown(list, "text"), ["dust"]);
  await scene.set("room", room, { owner: null });
  await client.fence();
  assert.deepEqual(shown(list, "text"), []);
  await client.close();
});

test("a row that is moved away disappears, and its later changes are not told", async () => {
  const client = await scene.client({ id: ann });
  const mine = await scene.add("room", { name: "mine", owner: ann });
  const other = await scene.add("room", { name: "other", owner: bob });
  const message = await scene.add("message", { room: mine, author: bob, text: "moving" });
  const list = await watchOne(client, {
    list: "message",
    query: { where: { text: { startsWith: "moving" } } },
  });
  assert.deepEqual(shown(list, "text"), ["moving"]);
  await scene.set("message", message, { room: other });
  await client.fence();
  assert.deepEqual(shown(list, "text"), []);
  const { kinds } = list;
  const before = kinds.length;
  await scene.set("message", message, { text: "moving on" });
  await client.fence();
  assert.equal(kinds.length, before, "no push tells of a row that may not be read");
  await client.close();
});

test("a field opens and closes with the row that its rule looks at", async () => {
  const client = await scene.client({ id: bob });
  const film = await scene.add("film", { title: "Costly", budget: 777 });
  const [row, list] = await client.watch(
    { get: "film", id: film },
    { list: "film", query: { where: { title: "Costly" } } },
  );
  assert.ok(row && list);
  assert.ok(!JSON.stringify(row.value).includes("777"));
  await scene.set("user", bob, { role: "boss" });
  await client.fence();
  assert.equal((row.value as { budget: number }).budget, 777);
  assert.deepEqual(shown(list, "budget"), [777]);
  await scene.set("user", bob, { role: null });
  await client.fence();
  assert.ok(!("budget" in (row.value as object)));
  assert.deepEqual(shown(list, "budget"), [null]);
  await client.close();
});

test("fields by author, by caller and private ones are never in a push", async () => {
  const guest = await scene.client({ id: ann, role: "guest" });
  const room = await scene.add("room", { name: "open house", owner: ann });
  const message = await scene.add("message", {
    room,
    author: bob,
    text: "x",
    secret: "CANARY1",
    score: 41_414,
  });
  const list = await watchOne(guest, { list: "message", query: { where: { room } } });
  await scene.set("message", message, { text: "y", secret: "CANARY2", score: 41_415 });
  await guest.fence();
  assert.deepEqual(shown(list, "text"), ["y"]);
  const all = JSON.stringify(guest.pushes);
  assert.ok(!all.includes("CANARY"));
  assert.ok(!all.includes("4141"));
  const before = list.kinds.length;
  await scene.set("message", message, { secret: "CANARY3", score: 7 });
  await guest.fence();
  assert.equal(list.kinds.length, before, "a change of hidden fields is no event");
  // Neither may a hidden field be used to ask.
  const [sorted, counted, byCode] = await guest.watch(
    { list: "message", query: { orderBy: "score" } },
    { list: "message", query: { aggregate: { n: { sum: "score" } } } },
    { list: "message", query: { where: { code: "x" } } },
  );
  assert.equal(sorted?.error?.code, "FIELD_NOT_READABLE");
  assert.equal(counted?.error?.code, "FIELD_NOT_READABLE");
  assert.equal(byCode?.error?.code, "QUERY_INVALID");
  await guest.close();
});

test("expansions show and hide with the rules of their own table", async () => {
  const client = await scene.client({ id: ann });
  const room = await scene.add("room", { name: "closed", owner: bob });
  await scene.add("member", { room, user: ann });
  const hidden = await scene.add("room", { name: "cellar", open: true });
  const [members, rooms] = await client.watch(
    { list: "member", query: { where: { user: ann, room }, with: "room" } },
    { list: "room", query: { where: { name: "cellar" }, with: { message: { via: "room" } } } },
  );
  assert.ok(members && rooms);
  assert.equal((shown(members, "room")[0] as { name: string }).name, "closed");
  await scene.set("room", room, { name: "closed now" });
  const extra = await scene.add("message", { room: hidden, author: bob, text: "CANARY below" });
  await client.fence();
  assert.equal((shown(members, "room")[0] as { name: string }).name, "closed now");
  assert.deepEqual(shown(rooms, "message"), [[]]);
  await scene.set("room", hidden, { owner: ann });
  await client.fence();
  assert.equal((shown(rooms, "message")[0] as Json[]).length, 1);
  await scene.drop("message", extra);
  await client.fence();
  assert.deepEqual(shown(rooms, "message"), [[]]);
  await client.close();
});

test("functions watch what they read, with the caller's rights and as the system", async () => {
  const client = await scene.client({ id: ann });
  const anybody = await scene.client(null);
  const [board, strict, denied, action] = await client.watch(
    { call: "club.board" },
    { call: "club.strict", args: { title: "Later" } },
    { call: "club.staffOnly" },
    { call: "club.act" },
  );
  const halls = await watchOne(anybody, { call: "club.halls", args: { hall: "H1" } });
  assert.ok(board && strict && denied && action);
  assert.deepEqual(halls.value, []);
  assert.equal(strict.error?.code, "FUNCTION_REFUSED");
  assert.equal(strict.ended, false);
  assert.equal(denied.error?.code, "CALL_DENIED");
  assert.equal(denied.ended, false);
  assert.equal(action.error?.code, "REQUEST_INVALID");
  await scene.add("film", { title: "Later", hall: "H1" });
  const room = await scene.add("room", { name: "zz", owner: ann });
  await scene.add("message", { room, author: ann, text: "hello" });
  await Promise.all([client.fence(), anybody.fence()]);
  assert.equal(strict.value, 1);
  assert.deepEqual(halls.value, [{ title: "Later", long: false }]);
  const { counts } = board.value as { readonly counts: readonly Json[] };
  assert.deepEqual(counts.at(-1), ["zz", 1]);
  await Promise.all([client.close(), anybody.close()]);
});

test("rules that speak of the time turn when it comes", async () => {
  const client = await scene.client({ id: ann });
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  const [notices, count, vault] = await client.watch(
    { list: "notice" },
    { list: "notice", query: { aggregate: { n: "count" } } },
    { list: "vault" },
  );
  assert.ok(notices && count && vault);
  assert.deepEqual(shown(notices, "text"), []);
  await scene.add("vault", { text: "gold" });
  await scene.add("guard", { user: ann, until: inMs(700) });
  await scene.add("notice", { text: "soon", from: inMs(300), until: inMs(800) });
  await client.until(() => shown(vault, "text").length === 1);
  await client.until(() => shown(notices, "text").includes("soon"));
  assert.deepEqual(count.value, { rows: [{ n: 1 }], next: null });
  await client.until(() => shown(vault, "text").length === 0);
  await client.until(() => !shown(notices, "text").includes("soon"));
  await client.close();
});

test("a token that expires ends the subscriptions, and nothing is sent after", async () => {
  const client = await scene.client(null);
  client.send({ type: "token", token: await scene.token({ id: ann }, 1_000) });
  const room = await scene.add("room", { name: "brief", owner: ann });
  const [mine] = await client.watch({
    list: "room",
    query: { where: { name: { startsWith: "brief" } } },
  });
  assert.ok(mine);
  assert.deepEqual(shown(mine, "name"), ["brief"]);
  // 5 s of skew are allowed between clocks.
  await client.until(() => mine.ended);
  assert.equal(mine.error?.code, "TOKEN_EXPIRED");
  const before = client.pushes.length;
  await scene.set("room", room, { name: "brief again" });
  client.send({ type: "token", token: await scene.token({ id: ann }) });
  const again = await watchOne(client, { get: "room", id: room });
  assert.equal((again.value as { name: string }).name, "brief again");
  assert.equal(client.pushes.length, before + 1);
  await client.close();
});

test("what was refused to one caller comes with the next, together with all else, in any order of messages", async () => {
  const staff = await scene.token({ id: ann, role: "staff" });
  const room = await scene.add("room", { name: "of ann 8", owner: ann });
  const watches = [
    { call: "club.staffOnly" },
    { list: "room", query: { where: { name: "of ann 8" } } },
  ];
  for (const order of ["answered", "subscribe first", "token first"] as const) {
    const client = await scene.client(null);
    if (order === "token first") client.send({ type: "token", token: staff });
    const views = client.begin(watches);
    const [denied, rooms] = views;
    assert.ok(denied && rooms);
    if (order === "answered") {
      await client.until(() => rooms.kinds.length > 0);
      assert.equal(denied.error?.code, "SIGN_IN_REQUIRED");
      assert.equal(denied.ended, false);
    }
    const before = client.pushes.length;
    if (order !== "token first") client.send({ type: "token", token: staff });
    await client.until(() => denied.value !== undefined && rooms.value !== undefined);
    assert.deepEqual(shown(rooms, "name"), ["of ann 8"]);
    if (order === "answered") assert.equal(client.pushes.length, before + 1, "in one step");
    client.send({ type: "token", token: null });
    await client.until(() => denied.error?.code === "SIGN_IN_REQUIRED");
    assert.deepEqual(shown(rooms, "name"), []);
    await client.close();
  }
  await scene.drop("room", room);
});

test("another token is another caller, for all living subscriptions at once", async () => {
  const client = await scene.client({ id: ann });
  await scene.add("room", { name: "of ann 7", owner: ann });
  await scene.add("room", { name: "of bob 7", owner: bob });
  const rooms = await watchOne(client, {
    list: "room",
    query: { where: { name: { in: ["of ann 7", "of bob 7"] } } },
  });
  assert.deepEqual(shown(rooms, "name"), ["of ann 7"]);
  client.send({ type: "token", token: await scene.token({ id: bob }) });
  await client.until(() => shown(rooms, "name").includes("of bob 7"));
  assert.deepEqual(shown(rooms, "name"), ["of bob 7"]);
  client.send({ type: "token", token: null });
  await client.until(() => shown(rooms, "name").length === 0);
  client.send({ type: "token", token: "nonsense" });
  await client.until(() => rooms.ended);
  assert.equal(rooms.error?.code, "TOKEN_INVALID");
  await client.close();
});
