// For tests: a hub on a real gate and a real store, without sockets, in a time that the test moves.
import assert from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { openGateHarness, type Asker, type GateHarness } from "../gate/gate-harness.case.ts";
import type { Watcher } from "../gate/watcher.ts";
import {
  feedingStore,
  openCommitRelay,
  type CommitFeed,
  type CommitRelay,
} from "../store/commit-feed.ts";
import { openLiveHub, type LiveHub } from "./live-hub.ts";
import { clubFiles } from "./live-scene.case.ts";

/** The harness's time, with timers that fire when it is moved. */
class MovedClock implements Clock {
  readonly #harness: GateHarness;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  constructor(harness: GateHarness) {
    this.#harness = harness;
  }
  nowMs(): number {
    return this.#harness.clock.nowMs();
  }
  monotonicUs(): number {
    return this.#harness.clock.monotonicUs();
  }
  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs() + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }
  /** Fires what is due up to then, in order. */
  move(ms: number): void {
    const end = this.nowMs() + ms;
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > end) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#harness.clock.ms = Math.max(this.nowMs(), next.atMs);
      next.run();
    }
    this.#harness.clock.ms = end;
  }
}

/** Of a hub that nobody uses any more: nothing is left behind. */
export const noGauges = { sessions: 0, subscriptions: 0, queries: 0, dependencies: 0 };

/** A hub and what it is on. */
export interface World {
  readonly harness: GateHarness;
  readonly clock: MovedClock;
  readonly hub: LiveHub;
  readonly users: readonly string[];
}

/** Opens one, on the club. @param seen what the hub is told of commits. @param slowed what it asks the gate. */
export async function openWorld(
  seen: (feed: CommitFeed) => CommitFeed,
  slowed: (watcher: Watcher) => Watcher = (watcher) => watcher,
): Promise<World> {
  const opened: { relay: CommitRelay | null } = { relay: null };
  const harness = await openGateHarness({
    files: clubFiles,
    limits: {
      liveTickMs: 0,
      callerPerMinuteMax: 1_000_000_000,
      anonymousPerMinuteMax: 1_000_000_000,
    },
    wrapStore(store) {
      const relay = openCommitRelay({
        lastSeq: () => store.lastSeq() as number,
        commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
        report: (error) => assert.fail(String(error)),
      });
      opened.relay = relay;
      return feedingStore(store, (commits) => relay.publish(commits));
    },
  });
  const clock = new MovedClock(harness);
  assert.ok(opened.relay !== null);
  const hub = openLiveHub({
    watcher: slowed(harness.gate.watcher),
    store: harness.store,
    feed: seen(opened.relay),
    clock,
    limits: harness.limits,
    nextTurn: setImmediate,
    report: (error) => {
      throw error;
    },
  });
  const users: string[] = [];
  for (const name of ["ann", "bob", "cy"]) users.push(await created(harness, "user", { name }));
  return { harness, clock, hub, users };
}

/** May write everything. */
export const staff: Asker = { id: "staff", role: "staff" };

/** A new row. @returns its id. */
export async function created(harness: GateHarness, table: string, value: Json): Promise<string> {
  const row = (await harness.value(staff, { kind: "create", table, value })) as { id: string };
  return row.id;
}
