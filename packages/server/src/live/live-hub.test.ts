// What a hub promises beside the values: sharing of runs, the order of answers and pushes, the end of credentials.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import type { Asker } from "../gate/gate-harness.case.ts";
import { anonymous, type Caller, type Revocation } from "../gate/identity.ts";
import type { Watcher, WatchOperation } from "../gate/watcher.ts";
import { applied } from "./live-client.case.ts";
import type { LiveOutcome } from "./live-outcome.ts";
import type { LiveSession } from "./live-session.ts";

import type { LivePatch } from "@keelson/sdk/live-protocol";
import { created, openWorld, staff, type World } from "./live-world.case.ts";

/** A connection that keeps what it is told. */
class Connection {
  readonly pushes: { readonly seq: number; readonly outcomes: readonly LiveOutcome[] }[] = [];
  readonly session: LiveSession;
  /** Bytes that its client has not read. */
  unreadBytes = 0;
  #ids = 0;

  constructor(world: World, who: Asker, cookie: string | null = null) {
    this.session = world.hub.open(
      {
        push: (seq, outcomes) => this.pushes.push({ seq, outcomes }),
        unreadBytes: () => this.unreadBytes,
      },
      { address: "127.0.0.1", cookie },
    );
    if (cookie === null) this.session.authenticate(who === null ? null : JSON.stringify(who));
  }

  watch(...operations: readonly WatchOperation[]): void {
    this.session.subscribe(
      operations.map((operation) => ({
        id: ++this.#ids,
        operation,
        hash: null,
        bytes: 1,
        requestId: "r",
        cause: "test",
      })),
    );
  }

  get last(): readonly LiveOutcome[] {
    return this.pushes.at(-1)?.outcomes ?? [];
  }

  get codes(): readonly (string | null)[] {
    return this.last.map((outcome) => (outcome.kind === "error" ? outcome.error.code : null));
  }
}

async function turns(count = 12): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function withWorld(
  run: (world: World) => Promise<void>,
  slowed?: (watcher: Watcher) => Watcher,
): Promise<void> {
  const world = await openWorld((feed) => feed, slowed);
  try {
    await run(world);
  } finally {
    world.hub.close();
    await world.harness.close();
  }
}

const films: WatchOperation = { kind: "list", table: "film", query: { where: { hall: "A" } } };
const rooms: WatchOperation = { kind: "list", table: "room", query: {} };

test("equal queries of callers with equal rights are one run, others are not", () => {
  let runs = 0;
  return withWorld(
    async (world) => {
      const [ann = "", bob = ""] = world.users;
      const connections = Array.from(
        { length: 50 },
        (_, index) => new Connection(world, index % 2 === 0 ? { id: ann } : { id: bob }),
      );
      for (const connection of connections) connection.watch(films, rooms);
      await turns();
      for (const { pushes } of connections) assert.equal(pushes.length, 1);
      // Rooms are each caller's own, and a field of films is shown by who asks: two runs of each.
      assert.equal(world.hub.gauges.queries, 4);
      assert.equal(world.hub.gauges.subscriptions, 100);
      assert.equal(runs, 4);
      await created(world.harness, "film", { title: "x", hall: "A" });
      await turns();
      assert.equal(runs, 6);
      for (const { pushes } of connections) assert.equal(pushes.length, 2);
    },
    (watcher) => ({
      ...watcher,
      run(tx, asked, reads) {
        runs += 1;
        return watcher.run(tx, asked, reads);
      },
    }),
  );
});

test("callers of any kind share what says nothing of them", () =>
  withWorld(async (world) => {
    const open: WatchOperation = { kind: "list", table: "nothing", query: {} };
    const [ann = "", bob = ""] = world.users;
    const callers: Asker[] = [{ id: ann }, { id: bob, role: "guest" }, null, staff];
    for (const who of callers) new Connection(world, who).watch(open);
    await turns();
    assert.equal(world.hub.gauges.subscriptions, 4);
    assert.equal(world.hub.gauges.queries, 1);
  }));

test("a push that may show a write waits for the answer of that write, and for no later one", () =>
  withWorld(async (world) => {
    const connection = new Connection(world, staff);
    connection.watch(films);
    await turns();
    assert.equal(connection.pushes.length, 1);
    const answered = connection.session.writing();
    await created(world.harness, "film", { title: "mine", hall: "A" });
    await turns();
    assert.equal(connection.pushes.length, 1, "the answer was not sent yet");
    const later = connection.session.writing();
    await created(world.harness, "film", { title: "more", hall: "A" });
    await turns();
    const seq = await world.harness.store.lastSeq();
    answered(seq - 1);
    assert.equal(connection.pushes.length, 2);
    assert.equal(connection.pushes[1]?.seq, seq - 1);
    await turns();
    assert.equal(
      connection.pushes.length,
      2,
      "what came meanwhile waits for the write that was begun then",
    );
    later(seq);
    await turns();
    assert.equal(connection.pushes.length, 3);
    assert.equal(connection.pushes[2]?.seq, seq);
  }));

test("what is begun while a write is under way shows that write, and what was watched before goes on with patches", () =>
  withWorld(async (world) => {
    const { harness } = world;
    for (const title of ["one", "two", "three"])
      await created(harness, "film", { title, hall: "A" });
    const connection = new Connection(world, staff);
    connection.watch(films);
    await turns();
    const answered = connection.session.writing();
    await created(harness, "film", { title: "of another", hall: "A" });
    connection.watch({ kind: "list", table: "film", query: {} });
    await turns();
    assert.equal(connection.pushes.length, 1);
    await created(harness, "film", { title: "mine", hall: "A" });
    const seq = await harness.store.lastSeq();
    answered(seq);
    await turns();
    assert.equal(connection.pushes.length, 2);
    assert.equal(connection.pushes[1]?.seq, seq);
    assert.deepEqual(
      new Map(connection.last.map(({ id, kind }) => [id, kind])),
      new Map([
        [1, "patch"],
        [2, "value"],
      ]),
    );
    for (const outcome of connection.last) {
      const json = outcome.kind === "patch" || outcome.kind === "value" ? outcome.json : "";
      assert.ok(json.includes("mine") && json.includes("of another"));
    }
  }));

test("a connection that always has a write under way waits for two of them at most", () =>
  withWorld(async (world) => {
    const { harness } = world;
    const connection = new Connection(world, staff);
    connection.watch(films);
    await turns();
    let answered = connection.session.writing();
    const waited: number[] = [];
    for (let count = 0; count < 6; count++) {
      await created(harness, "film", { title: `t${count}`, hall: "A" });
      await turns();
      const next = connection.session.writing();
      await created(harness, "film", { title: `u${count}`, hall: "A" });
      answered(await harness.store.lastSeq());
      await turns();
      waited.push(connection.pushes.length);
      answered = next;
    }
    assert.deepEqual(waited, [1, 2, 2, 3, 3, 4]);
  }));

test("a push that waits is not sent to another caller, who gets whole values", () =>
  withWorld(async (world) => {
    const [ann = "", bob = ""] = world.users;
    await created(world.harness, "room", { name: "of ann", owner: ann });
    const connection = new Connection(world, { id: ann });
    connection.watch(rooms);
    await turns();
    const answered = connection.session.writing();
    await created(world.harness, "room", { name: "CANARY", owner: ann });
    await turns();
    connection.session.authenticate(JSON.stringify({ id: bob }));
    answered(await world.harness.store.lastSeq());
    await turns();
    assert.ok(!JSON.stringify(connection.pushes).includes("CANARY"));
    const [outcome] = connection.last;
    assert.equal(outcome?.kind, "value");
    assert.equal(outcome?.kind === "value" && outcome.json, '{"rows":[],"next":null}');
  }));

/** A gate whose callers have sessions, and which refuses nobody by itself. */
function withSessions(told: Revocation[]): (watcher: Watcher) => Watcher {
  return (watcher) => ({
    ...watcher,
    async identify(credentials) {
      const caller = await watcher.identify(credentials);
      const session = caller.me["session"];
      return typeof session === "string" ? { ...caller, session } : caller;
    },
    revoke: (what) => told.push(what),
  });
}

test("credentials that are taken back end what stands on them, at once and nothing else", () => {
  const told: Revocation[] = [];
  return withWorld(async (world) => {
    const [ann = "", bob = ""] = world.users;
    await created(world.harness, "room", { name: "of ann", owner: ann });
    const first = new Connection(world, { id: ann, session: "s1" });
    const second = new Connection(world, { id: ann, session: "s2" });
    const other = new Connection(world, { id: bob, session: "s3" });
    const all = [first, second, other];
    for (const connection of all) connection.watch(rooms, films);
    await turns();
    assert.deepEqual(
      all.map(({ pushes }) => pushes.length),
      [1, 1, 1],
    );

    world.hub.revoke({ session: "s1" });
    await created(world.harness, "room", { name: "CANARY", owner: ann });
    await turns();
    assert.deepEqual(first.codes, ["TOKEN_INVALID", "TOKEN_INVALID"]);
    assert.ok(!JSON.stringify(first.pushes).includes("CANARY"));
    assert.throws(() => first.session.credentials, { code: "TOKEN_INVALID" });
    assert.ok(JSON.stringify(second.pushes).includes("CANARY"));

    // Subscribing again with what was taken back is refused; a new token begins anew.
    first.watch(films);
    await turns();
    assert.deepEqual(first.codes, ["TOKEN_INVALID"]);
    first.session.authenticate(JSON.stringify({ id: ann, session: "s4" }));
    first.watch(rooms);
    await turns();
    assert.ok(JSON.stringify(first.last).includes("CANARY"));

    world.hub.revoke({ user: ann });
    await turns();
    assert.deepEqual(first.codes, ["TOKEN_INVALID"]);
    assert.deepEqual(second.codes, ["TOKEN_INVALID", "TOKEN_INVALID"]);
    assert.equal(other.codes.includes("TOKEN_INVALID"), false);
    assert.deepEqual(told, [{ session: "s1" }, { user: ann }]);
    assert.equal(world.hub.gauges.subscriptions, 2);
  }, withSessions(told));
});

test("a cookie whose session ends ends what stands on it, within a second and before anything else", () => {
  const sessions = new Map<string, Caller>();
  return withWorld(
    async (world) => {
      const [ann = ""] = world.users;
      sessions.set("a", Object.freeze({ id: ann, role: null, me: { id: ann, role: null } }));
      await created(world.harness, "room", { name: "of ann", owner: ann });
      const signedIn = new Connection(world, null, "a");
      const nobody = new Connection(world, null, "b");
      for (const connection of [signedIn, nobody]) connection.watch(rooms, films);
      await turns();
      assert.ok(JSON.stringify(signedIn.last).includes("of ann"));

      sessions.delete("a");
      world.clock.move(world.harness.limits.liveCheckMs);
      await turns();
      assert.deepEqual(signedIn.codes, ["TOKEN_INVALID", "TOKEN_INVALID"]);
      assert.ok(signedIn.last.every((outcome) => outcome.kind === "error" && outcome.isEnded));
      assert.equal(nobody.pushes.length, 1, "a cookie that was nobody's all along stays so");

      // Whoever asks again on the same connection is nobody, as over HTTP.
      signedIn.watch(rooms, films);
      await turns();
      assert.deepEqual(signedIn.codes, [null, null]);
      assert.ok(!JSON.stringify(signedIn.last).includes("of ann"));
    },
    (watcher) => ({
      ...watcher,
      identify: (credentials) => sessions.get(credentials.cookie ?? "") ?? anonymous,
    }),
  );
});

test("a push that waits for an answer is not sent when its credentials are taken back", () =>
  withWorld(async (world) => {
    const [ann = ""] = world.users;
    const connection = new Connection(world, { id: ann });
    connection.watch(rooms);
    await turns();
    const answered = connection.session.writing();
    await created(world.harness, "room", { name: "CANARY", owner: ann });
    await turns();
    world.hub.revoke({ user: ann });
    answered(await world.harness.store.lastSeq());
    await turns();
    assert.deepEqual(connection.codes, ["TOKEN_INVALID"]);
    assert.ok(!JSON.stringify(connection.pushes).includes("CANARY"));
  }));

test("a client that does not read is sent nothing more, and the newest state once it has read", () =>
  withWorld(async (world) => {
    const { harness, clock } = world;
    const slow = new Connection(world, staff);
    const quick = new Connection(world, staff);
    for (const connection of [slow, quick]) connection.watch(films);
    await turns();
    slow.unreadBytes = harness.limits.livePauseBytes + 1;
    for (let count = 0; count < 40; count++) {
      await created(harness, "film", { title: `t${count}`, hall: "A" });
      clock.move(50);
      await turns(4);
    }
    assert.equal(slow.pushes.length, 1);
    assert.ok(quick.pushes.length > 20);
    slow.unreadBytes = 0;
    clock.move(50);
    await turns();
    assert.equal(slow.pushes.length, 2);
    const [outcome] = slow.last;
    assert.ok(outcome !== undefined && outcome.kind === "value");
    assert.equal((JSON.parse(outcome.json) as { rows: unknown[] }).rows.length, 40);
  }));

test("what does not fit beside other answers is let go as soon as it is there, not once all have come", () => {
  const runs: (() => void)[] = [];
  // Seven of a million bytes are within liveAnswerBytesMax, eight are not.
  const long = JSON.stringify("x".repeat(1_000_000));
  return withWorld(
    async (world) => {
      const connection = new Connection(world, staff);
      const one = (rating: number): WatchOperation => ({
        kind: "list",
        table: "film",
        query: { where: { rating } },
      });
      connection.watch(...Array.from({ length: 20 }, (_, rating) => one(rating)));
      await turns();
      assert.equal(runs.length, 20);
      assert.equal(world.hub.gauges.queries, 20);
      for (const end of runs.slice(0, 19)) end();
      await turns();
      assert.equal(world.hub.gauges.queries, 8, "seven, and the one that still runs");
      assert.equal(connection.pushes.length, 0);
      runs[19]?.();
      await turns();
      assert.equal(connection.pushes.length, 1);
      const codes = connection.codes.map((code) => code ?? "shown");
      assert.deepEqual(codes, [
        ...Array.from({ length: 7 }, () => "shown"),
        ...Array.from({ length: 13 }, () => "OVERLOADED"),
      ]);
      assert.equal(connection.session.size, 7);
      assert.equal(world.hub.gauges.queries, 7);
      connection.session.unsubscribe([1]);
      connection.watch(one(100), one(101));
      await turns();
      for (const end of runs.slice(20)) end();
      await turns();
      assert.deepEqual(connection.codes, [null, "OVERLOADED"]);
    },
    (watcher) => ({
      ...watcher,
      run: () => new Promise<string>((resolve) => runs.push(() => resolve(long))),
    }),
  );
});

/** Films of a search, staff's: relevance is for who may read every row. */
function searched(more: Json): WatchOperation {
  return { kind: "list", table: "message", query: { search: "ant bee", ...(more as object) } };
}

/** What the connection was told last, and what asking would answer. */
async function liveAndFresh(
  world: World,
  connection: Connection,
  operation: WatchOperation,
): Promise<readonly [Json, Json]> {
  await turns();
  let live: Json = null;
  for (const { outcomes } of connection.pushes) {
    for (const outcome of outcomes) {
      if (outcome.kind === "value") live = JSON.parse(outcome.json) as Json;
      if (outcome.kind === "patch") live = applied(live, JSON.parse(outcome.json) as LivePatch);
    }
  }
  return [live, await world.harness.value(staff, operation)];
}

test("a search by relevance follows rows that it does not show: they change the weight of words", () =>
  withWorld(async (world) => {
    const { harness } = world;
    const [author = ""] = world.users;
    const room = await created(harness, "room", { name: "R" });
    const say = (text: string, score: number) =>
      created(harness, "message", { room, author, text, score });
    await say("ant ant bee", 1);
    await say("ant bee bee", 1);
    const operation = searched({ where: { score: 1 } });
    const connection = new Connection(world, staff);
    connection.watch(operation);
    const before = await liveAndFresh(world, connection, operation);
    for (let count = 0; count < 40; count++) await say("ant", 2);
    const after = await liveAndFresh(world, connection, operation);
    assert.deepEqual(after[0], after[1]);
    assert.notDeepEqual(after[0], before[0], "forty ants make a bee worth more");
  }));

test("a row behind a page that ceases to match a search is the end of `next`", () =>
  withWorld(async (world) => {
    const { harness } = world;
    const [author = ""] = world.users;
    const room = await created(harness, "room", { name: "R" });
    const say = (text: string, score: number) =>
      created(harness, "message", { room, author, text, score });
    await say("ant bee one", 1);
    const second = await say("ant bee two", 2);
    const operation = searched({ where: { room }, orderBy: "score", limit: 1 });
    const connection = new Connection(world, staff);
    connection.watch(operation);
    const [before] = await liveAndFresh(world, connection, operation);
    assert.notEqual((before as { next: unknown }).next, null);
    const value = { text: "neither" };
    await harness.value(staff, { kind: "update", table: "message", id: second, value });
    const [live, fresh] = await liveAndFresh(world, connection, operation);
    assert.deepEqual(live, fresh);
    assert.equal((live as { next: unknown }).next, null);
  }));
