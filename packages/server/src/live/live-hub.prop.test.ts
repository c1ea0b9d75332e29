// Random rows, rights, callers and live queries. After every commit each client's view is what a fresh read
// with the same rights gives; pushes walk the log of commits; connections that break and come again lose and
// repeat nothing. The same property must find a hub that is told only what rows became.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LivePatch } from "@keelson/sdk/live-protocol";
import type { Json } from "../base/json.ts";
import type { Asker } from "../gate/gate-harness.case.ts";
import type { GateOperation } from "../gate/gate-request.ts";
import type { WatchOperation } from "../gate/watcher.ts";
import type { QueryForm } from "../model/query-form.ts";
import { applied } from "./live-client.case.ts";
import type { LiveOutcome } from "./live-outcome.ts";
import type { LiveSession } from "./live-session.ts";
import { noGauges, openWorld, staff, type World } from "./live-world.case.ts";

/** One client's view of its live queries. */
class View {
  readonly who: Asker;
  readonly operations: readonly WatchOperation[];
  readonly values: (Json | undefined)[] = [];
  readonly hashes: (string | null)[] = [];
  readonly errors: (string | null)[] = [];
  readonly seqs: number[] = [];
  readonly #world: World;
  #session: LiveSession;

  constructor(world: World, who: Asker, operations: readonly WatchOperation[]) {
    this.#world = world;
    this.who = who;
    this.operations = operations;
    this.#session = this.#connect();
  }

  #connect(): LiveSession {
    this.seqs.length = 0;
    const session = this.#world.hub.open(
      {
        push: (seq, outcomes) => {
          this.seqs.push(seq);
          for (const outcome of outcomes) this.#take(outcome);
        },
        unreadBytes: () => 0,
      },
      { address: "127.0.0.1", cookie: null },
    );
    session.authenticate(this.who === null ? null : JSON.stringify(this.who));
    session.subscribe(
      this.operations.map((operation, index) => ({
        id: index + 1,
        operation,
        hash: this.hashes[index] ?? null,
        bytes: 1,
        requestId: "r",
        cause: "test",
      })),
    );
    return session;
  }

  /** The connection breaks and comes again. */
  reconnect(): void {
    this.#session.close();
    this.#session = this.#connect();
  }

  #take(outcome: LiveOutcome): void {
    const at = outcome.id - 1;
    switch (outcome.kind) {
      case "error":
        this.errors[at] = outcome.error.code;
        this.values[at] = undefined;
        this.hashes[at] = null;
        return;
      case "same":
        assert.notEqual(this.values[at], undefined);
        return;
      case "value":
      case "patch": {
        const json = JSON.parse(outcome.json) as Json;
        const before = this.values[at];
        if (outcome.kind === "patch") assert.notEqual(before, undefined);
        const value =
          outcome.kind === "value" ? json : applied(before as Json, json as unknown as LivePatch);
        assert.notDeepEqual(value, before, "what did not change is not sent");
        this.values[at] = value;
        this.hashes[at] = outcome.hash;
        this.errors[at] = null;
        return;
      }
      default:
        outcome satisfies never;
    }
  }

  /** Until it stands on `seq`. */
  async arrive(seq: number): Promise<void> {
    this.#session.wrote(seq);
    // One whose queries were all refused watches nothing and goes nowhere.
    const isThere = () =>
      (this.seqs.at(-1) ?? 0) >= seq || (this.#session.size === 0 && this.seqs.length > 0);
    for (let turn = 0; turn < 100 && !isThere(); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(isThere(), "a session arrives at every commit");
  }

  /** Whether every view is what a fresh read gives. */
  async check(): Promise<void> {
    for (const [index, operation] of this.operations.entries()) {
      const fresh = await this.#world.harness.ask(this.who, operation);
      const told = JSON.stringify({ who: this.who, operation });
      assert.equal(this.errors[index] ?? null, fresh.code, told);
      if (fresh.answer === null) continue;
      assert.deepEqual(this.values[index], JSON.parse(fresh.answer.json), told);
    }
    const grown = this.seqs.every(
      (seq, index) => index === 0 || seq >= (this.seqs[index - 1] ?? 0),
    );
    assert.ok(grown, "pushes walk the log in its order");
  }

  close(): void {
    this.#session.close();
  }
}

const pick = fc.nat({ max: 9 });
const text = fc.constantFrom("ant", "bee", "cat", "dog");
/** A step of the world; numbers choose among what is there. */
const stepArbitrary = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("room" as const),
      owner: pick,
      open: fc.boolean(),
      opensInMs: fc.option(fc.nat(50)),
      name: text,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("member" as const), room: pick, user: pick }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("message" as const),
      room: pick,
      user: pick,
      text,
      score: pick,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("film" as const),
      title: text,
      rating: pick,
      hall: text,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("set" as const), row: fc.nat(99), to: pick, text }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("drop" as const), row: fc.nat(99) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("boss" as const), user: pick, is: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const), who: pick }) },
);
type Value<T> = T extends fc.Arbitrary<infer V> ? V : never;
type Step = Value<typeof stepArbitrary>;

const queryArbitrary = fc.record(
  {
    orderBy: fc.constantFrom("id", "-id", "name,id", "text", "-title", "rating", "-rating,title"),
    limit: fc.constantFrom(1, 2, 3, 50),
    with: fc.constantFrom<Json>(
      "room",
      { message: { via: "room" } },
      { member: { via: "room" } },
      { room: { with: { member: { via: "room" } } } },
    ),
    select: fc.constantFrom(["name"], ["text"], ["title"], ["room"]),
    where: fc.oneof(
      fc.record({ name: text }),
      fc.record({ text }),
      fc.record({ hall: text }),
      fc.record({ rating: fc.record({ gte: pick }) }),
      fc.record({ rating: fc.record({ gt: pick, lte: pick }) }),
      fc.record({ title: fc.record({ lt: text }), rating: fc.record({ lt: pick }) }),
      fc.record({ title: fc.record({ startsWith: fc.constantFrom("a", "be", "cat", "x") }) }),
      fc.record({ text: fc.record({ gte: text, lt: text }) }),
      fc.record({
        and: fc.tuple(
          fc.record({ score: fc.record({ gt: pick }) }),
          fc.record({ score: fc.record({ lt: pick }) }),
        ),
      }),
      fc.record({ or: fc.tuple(fc.record({ title: text }), fc.record({ rating: pick })) }),
      fc.record({ open: fc.boolean() }),
      fc.record({ not: fc.record({ text }) }),
    ),
    search: text,
    aggregate: fc.constantFrom<Json>(
      { n: "count" },
      { n: "count", top: { max: "rating" } },
      { first: { min: "text" } },
    ),
    groupBy: fc.constantFrom(["hall"], ["room"], ["open"]),
  },
  { requiredKeys: [] },
);
const watchArbitrary = fc.record({
  table: fc.constantFrom("room", "member", "message", "film", "user"),
  query: queryArbitrary,
  row: fc.option(fc.nat(99), { freq: 3 }),
});
const planArbitrary = fc.record({
  before: fc.array(stepArbitrary, { minLength: 4, maxLength: 8 }),
  clients: fc.array(
    fc.record({
      who: fc.nat(4),
      watches: fc.array(watchArbitrary, { minLength: 2, maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  steps: fc.array(fc.tuple(stepArbitrary, fc.boolean()), { minLength: 4, maxLength: 14 }),
});

type Plan = Value<typeof planArbitrary>;

/** Rows that a run made, for later steps to choose from. */
class Rows {
  readonly all: { readonly table: string; readonly id: string }[] = [];
  of(table: string, pick: number): string | null {
    const rows = this.all.filter((row) => row.table === table);
    return rows[pick % Math.max(1, rows.length)]?.id ?? null;
  }
}

async function act(world: World, rows: Rows, step: Step, views: readonly View[]): Promise<void> {
  const { harness, clock, users } = world;
  const user = (at: number) => users[at % users.length] as string;
  const add = async (table: string, value: Json) => {
    // What it refers to may have been deleted in the meantime.
    const { answer } = await harness.ask(staff, { kind: "create", table, value });
    if (answer === null) return;
    rows.all.push({ table, id: (JSON.parse(answer.json) as { id: string }).id });
  };
  const write = (operation: GateOperation) => harness.ask(staff, operation);
  switch (step.do) {
    case "room": {
      const owner = step.owner > 5 ? null : user(step.owner);
      const opensAt =
        step.opensInMs === null ? null : new Date(clock.nowMs() + step.opensInMs).toISOString();
      await add("room", { name: step.name, owner, open: step.open, opensAt });
      return;
    }
    case "member": {
      const room = rows.of("room", step.room);
      if (room !== null) await add("member", { room, user: user(step.user) });
      return;
    }
    case "message": {
      const room = rows.of("room", step.room);
      const { text, score } = step;
      const author = user(step.user);
      if (room !== null) await add("message", { room, author, text, score, secret: `s${score}` });
      return;
    }
    case "film":
      await add("film", {
        title: step.title,
        rating: step.rating,
        hall: step.hall,
        budget: step.rating,
      });
      return;
    case "set": {
      const row = rows.all[step.row % Math.max(1, rows.all.length)];
      if (row === undefined) return;
      await write({ kind: "update", ...row, value: changeOf(row.table, step, { user, rows }) });
      return;
    }
    case "drop": {
      const row = rows.all[step.row % Math.max(1, rows.all.length)];
      if (row !== undefined) await write({ kind: "delete", ...row });
      return;
    }
    case "boss":
      await write({
        kind: "update",
        table: "user",
        id: user(step.user),
        value: { role: step.is ? "boss" : null },
      });
      return;
    case "wait":
      clock.move(step.ms);
      // Long enough for a slow hub to look at the time and run again.
      for (let turns = 0; turns < 60; turns++) await turn();
      return;
    case "reconnect":
      views[step.who % Math.max(1, views.length)]?.reconnect();
      return;
    default:
      step satisfies never;
  }
}

function changeOf(
  table: string,
  { to, text }: { readonly to: number; readonly text: string },
  { user, rows }: { readonly user: (at: number) => string; readonly rows: Rows },
): Json {
  switch (table) {
    case "room":
      if (to > 6) return { open: to > 7 };
      return to > 3 ? { owner: user(to) } : { name: text };
    case "member":
      return to > 5 ? { user: user(to) } : { room: rows.of("room", to) };
    case "message":
      if (to > 6) return { room: rows.of("room", to) };
      return to > 3 ? { text } : { score: to, secret: text };
    default:
      if (to > 6) return { title: text };
      return to > 4 ? { hall: text } : { rating: to };
  }
}

function watchOf(
  { table, query, row }: { table: string; query: QueryForm; row: number | null },
  rows: Rows,
): WatchOperation {
  const known = row === null ? undefined : rows.all[row % Math.max(1, rows.all.length)];
  if (known === undefined) return { kind: "list", table, query };
  const shape = "with" in query && known.table !== "film" ? { with: query.with } : {};
  return { kind: "get", ...known, query: shape };
}

async function holds(world: World, plan: Plan): Promise<void> {
  const { harness, users } = world;
  const rows = new Rows();
  const views: View[] = [];
  const [ann = "", bob = "", cy = ""] = users;
  const askers: Asker[] = [{ id: ann }, { id: bob }, { id: cy, role: "guest" }, null, staff];
  try {
    for (const step of plan.before) await act(world, rows, step, views);
    for (const { who, watches } of plan.clients) {
      const asker = askers[who] ?? null;
      views.push(
        new View(
          world,
          asker,
          watches.map((watch) => watchOf(watch, rows)),
        ),
      );
    }
    for (const [step, isChecked] of plan.steps) {
      await act(world, rows, step, views);
      if (!isChecked) continue;
      const seq = await harness.store.lastSeq();
      for (const view of views) await view.arrive(seq);
      for (const view of views) await view.check();
    }
  } finally {
    for (const view of views) view.close();
    for (const row of rows.all.toReversed()) {
      await harness.ask(staff, { kind: "delete", ...row });
    }
  }
}

test("every view is what a fresh read gives, after every commit", async () => {
  const world = await openWorld((feed) => feed);
  try {
    await fc.assert(
      fc.asyncProperty(planArbitrary, (plan) => holds(world, plan)),
      { numRuns: 150 },
    );
    assert.deepEqual(world.hub.gauges, noGauges);
  } finally {
    world.hub.close();
    await world.harness.close();
  }
});

test("a hub that is not told what rows were is found out", async () => {
  const world = await openWorld((feed) => ({
    get seq() {
      return feed.seq;
    },
    subscribe: (listener) =>
      feed.subscribe((commits) =>
        listener(
          commits.map((commit) => ({
            ...commit,
            changes: commit.changes.map((change) => ({ ...change, before: null })),
          })),
        ),
      ),
  }));
  try {
    const details = await fc.check(
      fc.asyncProperty(planArbitrary, (plan) => holds(world, plan)),
      // It ends at the first that shows it, mostly within a few.
      { numRuns: 1_000, endOnFailure: true },
    );
    assert.equal(details.failed, true);
    assert.match((details.errorInstance as Error).message, /"operation"/, "by a wrong view");
  } finally {
    world.hub.close();
    await world.harness.close();
  }
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("slow queries, slow identities and a feed that lags lose nothing either", async () => {
  const world = await openWorld(
    (feed) => ({
      get seq() {
        return feed.seq;
      },
      subscribe(listener) {
        // Told in order, some turns late.
        let last = Promise.resolve();
        return feed.subscribe((commits) => {
          last = last
            .then(turn)
            .then(turn)
            .then(() => listener(commits));
        });
      },
    }),
    (watcher) => ({
      ...watcher,
      identify: async (credentials) => watcher.identify(credentials),
      async run(tx, asked, reads) {
        for (let turns = asked.operation.kind.length % 3; turns >= 0; turns--) await turn();
        return watcher.run(tx, asked, reads);
      },
    }),
  );
  try {
    await fc.assert(
      fc.asyncProperty(planArbitrary, (plan) => holds(world, plan)),
      { numRuns: 100 },
    );
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.deepEqual(world.hub.gauges, noGauges);
  } finally {
    world.hub.close();
    await world.harness.close();
  }
});
