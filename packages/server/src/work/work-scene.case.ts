// For tests: an app's work over a real store, a real writer and real isolates, in a time that the test moves.
// The wall clock can be stepped by itself, as a machine's is when somebody sets it.
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import {
  openGateHarness,
  type Asker,
  type GateHarness,
  type Outcome,
} from "../gate/gate-harness.case.ts";
import { openGateApp, type Procedures } from "../gate/gate-app.ts";
import { startWork } from "../gate/work.ts";
import type { Egress } from "../isolate/egress.ts";
import {
  feedingStore,
  openCommitRelay,
  type CommitFeed,
  type CommitRelay,
} from "../store/commit-feed.ts";
import { withGroups } from "../store/group-wrap.ts";
import type { Row, Store } from "../store/store.ts";
import { cronKind } from "./cron-kind.ts";
import type { WorkTold } from "./dispatch-parts.ts";
import { openDispatcher, type Dispatcher } from "./dispatcher.ts";
import type { EventListener } from "./event-write.ts";
import { consumerKind, queueKind, tickKind } from "./function-kind.ts";
import { openWorkActor } from "./work-actor.ts";
import type { WorkKind } from "./work-kind.ts";
import { openWorkProcedures } from "./work-procedures.ts";
import type { Prune } from "./work-prune.ts";
import { workJob, type SubmitWork } from "./work-submit.ts";

/** How a scene is opened. */
export interface WorkSceneOptions {
  /** TypeScript by path: see `openGateHarness`. */
  readonly files: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  /** Beside queues, consumers and crons. */
  readonly kinds?: readonly WorkKind[];
  readonly procedures?: Procedures;
  readonly listeners?: readonly EventListener[];
  readonly prunes?: readonly Prune[];
  /** Default: nothing reaches the network. */
  readonly egress?: Egress;
  readonly wrapStore?: (store: Store) => Store;
  /** Whether the dispatcher is started. Default: yes. */
  readonly start?: boolean;
}

/** An app at work. */
export interface WorkScene {
  readonly harness: GateHarness;
  readonly clock: SceneClock;
  /** Attempts that ended, oldest first. */
  readonly told: readonly WorkTold[];
  /** Groups as they become durable. */
  readonly commits: CommitFeed;
  /** What the machine failed at. */
  readonly reported: readonly unknown[];
  dispatcher(): Dispatcher;
  /** Calls a function. Refusals are outcomes. */
  ask(name: string, args?: Json, who?: Asker): Promise<Outcome>;
  /** Calls a function that answers. @returns its result. */
  call(name: string, args?: Json, who?: Asker): Promise<Json>;
  /** All rows of a table, the platform's too, by id. */
  rows(table: string): Promise<readonly Row[]>;
  /** Runs a transaction of the platform's. */
  procedure(name: string, input: Json): Promise<Json>;
  /** Resolves when nothing that could run now waits. */
  idle(): Promise<void>;
  /** Time goes by: what is due in it runs in its order. */
  advance(ms: number): Promise<void>;
  /** Ends the dispatcher where it stands, and starts another on what is on disk. Does not wait for its work. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A clock with timers, moved by hand. */
export class SceneClock implements Clock {
  readonly #harness: { ms: number };
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  #steadyMs = 1_000_000;

  constructor(harness: { ms: number }) {
    this.#harness = harness;
  }

  nowMs(): number {
    return this.#harness.ms;
  }

  monotonicUs(): number {
    return this.#steadyMs * 1_000;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#steadyMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Somebody sets the machine's clock. */
  step(ms: number): void {
    this.#harness.ms += ms;
  }

  /** Milliseconds until the next timer, at most `ms`. */
  nextMs(ms: number): number {
    const first = Math.min(...[...this.#timers].map(({ atMs }) => atMs - this.#steadyMs));
    return Math.max(0, Math.min(ms, first));
  }

  /** Time goes by, and timers that are due run. */
  pass(ms: number): void {
    this.#steadyMs += ms;
    this.#harness.ms += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#steadyMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

/** Opens a scene. Close it at the end. */
export async function openWorkScene(options: WorkSceneOptions): Promise<WorkScene> {
  const { kinds: more = [], listeners = [], procedures = new Map() } = options;
  const all = [queueKind, consumerKind, tickKind, cronKind, ...more];
  const kinds = new Map(all.map((kind) => [kind.kind, kind]));
  const reported: unknown[] = [];
  const told: WorkTold[] = [];
  const { prunes = [] } = options;
  const own = openWorkProcedures({ kinds, listeners, prunes });
  let relay: CommitRelay | null = null;
  const harness = await openGateHarness({
    files: options.files,
    functions: true,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    procedures: new Map([...own, ...procedures]),
    wrapStore: (store) => {
      relay = openCommitRelay({
        lastSeq: () => store.read(({ seq }) => seq) as number,
        commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
        report: (error) => reported.push(error),
      });
      const feeding = feedingStore(store, (commits) => relay?.publish(commits));
      return options.wrapStore?.(feeding) ?? feeding;
    },
  });
  const commits = relay as unknown as CommitRelay;
  const clock = new SceneClock(harness.clock);
  const { store, writer, parts } = harness;
  const app = openGateApp(parts);
  const submit: SubmitWork = async (job, work = startWork()) =>
    JSON.parse((await writer.submit(job, work)).json) as Json;
  const { egress = { send: () => Promise.reject(new Error("nothing here reaches the network")) } } =
    options;
  const open = (): Dispatcher =>
    openDispatcher({
      app,
      kinds,
      store,
      commits,
      submit,
      follow: (next) => writer.follow(next),
      actor: openWorkActor({ app, kinds, places: { store, writer }, egress, clock }),
      clock,
      report: (error) => reported.push(error),
      told: (each) => void told.push(each),
    });
  let dispatcher = open();
  if (options.start !== false) await dispatcher.start();
  const idle = () => dispatcher.idle();
  // While it is held nothing is idle before time goes by.
  const settled = async (): Promise<void> => {
    const ended = { isIdle: false };
    void idle().then(() => (ended.isIdle = true));
    while (!ended.isIdle && !dispatcher.counts().held) await setImmediate();
  };
  return {
    harness,
    clock,
    told,
    commits,
    reported,
    dispatcher: () => dispatcher,
    idle,
    ask: (name, args = {}, who = null) => harness.ask(who, { kind: "call", name, args }),
    call: (name, args = {}, who = null) => harness.value(who, { kind: "call", name, args }),
    async rows(table) {
      const orderBy = [{ field: "id", descending: false }];
      const page = await store.read((tx) =>
        tx.list({ kind: "list", from: table, orderBy, limit: 100_000 }, null),
      );
      return page.rows;
    },
    procedure: (procedure, input) => submit(workJob(app, { procedure, input, cause: "test" })),
    async advance(ms) {
      await settled();
      for (let left = ms; ;) {
        const next = clock.nextMs(left);
        clock.pass(next);
        left -= next;
        await setImmediate();
        await settled();
        if (left <= 0 && clock.nextMs(1) > 0) return;
      }
    },
    async restart() {
      await dispatcher.stop();
      dispatcher = open();
      await dispatcher.start();
    },
    async close() {
      await dispatcher.stop();
      await harness.close();
    },
  };
}

/** A store whose disk is full while the switch is on: nothing is committed, reads go on. */
export function withFullDisk(store: Store, disk: { readonly isFull: boolean }): Store {
  return withGroups(store, (group) => ({
    mutate: (meta, body) => group.mutate(meta, body),
    commit() {
      if (!disk.isFull) return group.commit();
      group.abort();
      throw new PlatformError("DISK_FULL");
    },
    abort: () => group.abort(),
  }));
}
