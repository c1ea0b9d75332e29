// Drives consumers: each takes what it has not had, a transaction at a time, when a commit brings something for
// it. Events are read in the transaction; changes of tables are read here from the log and handed to it.
import type { ConsumerSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { startWork } from "../gate/work.ts";
import type { Change } from "../store/store.ts";
import { changeItems, type Item } from "./consume-item.ts";
import type { Consumed, ConsumeOrder } from "./consume.ts";
import { consumerQueue } from "./consume.ts";
import type { DispatcherParts } from "./dispatch-parts.ts";
import { failureOf, isHostFailure } from "./job-failure.ts";
import { JobFailed } from "./job-run.ts";
import type { JobFailure } from "./job.ts";
import type { RunnerEvents } from "./job-runner.ts";
import { commitOf, lastIndex, placeOf } from "./place-number.ts";
import { workOf, type Declared } from "./work-app.ts";
import { workJob } from "./work-submit.ts";

const itemsMax = 100;
const forUs = 5_000;
const commitsMax = 200;
/** Commits that say nothing to a trigger, before its position is written all the same. */
const quietMax = 5_000;

interface Pumped {
  readonly declared: Declared<ConsumerSpec>;
  /** As it is on disk. */
  place: number;
  /** Of a trigger: how far the log has been looked through. */
  seen: number;
  isDirty: boolean;
  isBusy: boolean;
  /** At most so many the next time: the one after them failed. */
  countMax: number;
  failure: JobFailure | null;
}

/** Drives consumers. */
export class ConsumerPump {
  readonly #parts: DispatcherParts;
  readonly #events: RunnerEvents;
  readonly #consumers = new Map<string, Pumped>();
  /** With triggers, what each transaction was caused by must be seen in the log: one item each. */
  readonly #itemsMax: number;

  /** @param waiting jobs of a queue that wait in memory: a consumer that is far ahead of its jobs rests. */
  constructor(parts: DispatcherParts, events: RunnerEvents, waiting: (queue: string) => number) {
    this.#parts = parts;
    this.#events = events;
    this.#waiting = waiting;
    this.#itemsMax = workOf(parts.app).triggers.size > 0 ? 1 : itemsMax;
  }

  readonly #waiting: (queue: string) => number;

  /** Whether every consumer has had all there is. */
  get isIdle(): boolean {
    return [...this.#consumers.values()].every(({ isBusy, isDirty }) => !isBusy && !isDirty);
  }

  get busy(): number {
    return [...this.#consumers.values()].filter(({ isBusy }) => isBusy).length;
  }

  /** Begins. @param places where each stands. */
  start(places: Readonly<Record<string, number>>): void {
    for (const declared of workOf(this.#parts.app).consumers.values()) {
      const place = places[declared.name] ?? 0;
      this.#consumers.set(declared.name, {
        declared,
        place,
        seen: place,
        isDirty: true,
        isBusy: false,
        countMax: this.#itemsMax,
        failure: null,
      });
    }
  }

  /** Where each consumer stands. */
  places(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#consumers].map(([name, { place }]) => [name, place]));
  }

  /** A change that was committed. */
  changed({ table, after }: Change): void {
    const work = workOf(this.#parts.app);
    if (table === "workEvent" && after !== null) {
      for (const { name } of work.followers.get(after["name"] as string) ?? []) this.#wake(name);
    }
    if (table === "workPosition" && after !== null) this.#moved(after);
    for (const { name } of work.triggers.get(table) ?? []) this.#wake(name);
  }

  /** All changes of some commits were told. */
  committed(lastSeq: number): void {
    for (const pumped of this.#consumers.values()) {
      const isTrigger = pumped.declared.spec.table !== undefined;
      if (!isTrigger || pumped.isDirty || pumped.isBusy) continue;
      pumped.seen = placeOf(lastSeq, lastIndex);
      if (commitOf(pumped.seen).seq - commitOf(pumped.place).seq > quietMax) pumped.isDirty = true;
    }
  }

  /** Lets every consumer go on that may. */
  turn(): void {
    for (const pumped of this.#consumers.values()) {
      if (!pumped.isDirty || pumped.isBusy) continue;
      if (this.#waiting(consumerQueue(pumped.declared.name)) > 10 * itemsMax) continue;
      void this.#pump(pumped);
    }
  }

  #wake(name: string): void {
    const pumped = this.#consumers.get(name);
    if (pumped !== undefined) pumped.isDirty = true;
  }

  /** Sent back by hand. */
  #moved(row: { readonly [field: string]: Json }): void {
    const pumped = this.#consumers.get(row["consumer"] as string);
    if (pumped === undefined || pumped.isBusy || row["place"] === pumped.place) return;
    pumped.place = row["place"] as number;
    pumped.seen = pumped.place;
    pumped.isDirty = true;
  }

  async #pump(pumped: Pumped): Promise<void> {
    pumped.isBusy = true;
    pumped.isDirty = false;
    try {
      await this.#consume(pumped);
    } catch (error) {
      pumped.isDirty = true;
      if (error instanceof JobFailed && !isHostFailure(error.cause)) {
        if (error.index > 0) pumped.countMax = error.index;
        else {
          // Even putting it off failed: not again and again without a pause.
          if (pumped.failure !== null) this.#events.hold(error);
          pumped.countMax = 1;
          pumped.failure = failureOf(error.cause, this.#parts.clock.nowMs());
        }
      } else this.#events.hold(error);
    } finally {
      pumped.isBusy = false;
      this.#events.turn();
    }
  }

  async #consume(pumped: Pumped): Promise<void> {
    const { app, submit, clock, told } = this.#parts;
    const { declared, failure } = pumped;
    const { name, spec } = declared;
    const startedUs = clock.monotonicUs();
    const order: ConsumeOrder = {
      consumer: name,
      count: pumped.countMax,
      forUs,
      ...(failure === null ? {} : { failure }),
      ...(spec.table === undefined ? {} : await this.#changesFor(pumped)),
    };
    if (order.items?.length === 0 && !this.#isQuietLong(pumped)) {
      pumped.seen = order.upTo ?? pumped.seen;
      return;
    }
    const cause = `consumer ${name}`;
    const [item] = order.items ?? [];
    const mark =
      item === undefined || order.items?.length !== 1
        ? { cause }
        : {
            requestId: item.origin.root,
            cause: [...item.origin.chain, `${item.label} for ${name}`].join(" > "),
          };
    const input = order as unknown as Json;
    const tell = (count: number, failure: JobFailure | null): void => {
      const tookMs = (clock.monotonicUs() - startedUs) / 1_000;
      told?.({
        queue: consumerQueue(name),
        count,
        did: null,
        tookMs,
        failure,
        log: work.log ?? [],
      });
    };
    const work = startWork();
    let answer: Json;
    try {
      answer = await submit(workJob(app, { procedure: "work.consume", input, ...mark }), work);
    } catch (error) {
      // Of several the first: then all that was written to the console is its own.
      const isFirst = error instanceof JobFailed && error.index === 0 && failure === null;
      if (isFirst && !isHostFailure(error.cause)) {
        tell(1, failureOf(error.cause, clock.nowMs()));
      }
      throw error;
    }
    const consumed = answer as unknown as Consumed | null;
    if (consumed === null) return;
    pumped.failure = null;
    pumped.countMax = Math.min(this.#itemsMax, Math.max(2, pumped.countMax * 2));
    pumped.place = consumed.place;
    pumped.seen = Math.max(consumed.place, consumed.more ? 0 : pumped.seen);
    pumped.isDirty ||= consumed.more || spec.table !== undefined;
    if (consumed.count === 0) return;
    // One that failed became a job: that was told when it failed.
    if (failure === null) tell(consumed.count, null);
  }

  #isQuietLong({ seen, place }: Pumped): boolean {
    return commitOf(seen).seq - commitOf(place).seq > quietMax;
  }

  /** What the log has for a trigger after where it looked last. */
  async #changesFor(
    pumped: Pumped,
  ): Promise<Pick<ConsumeOrder, "items" | "after"> & { readonly upTo: number }> {
    const { store } = this.#parts;
    const { spec } = pumped.declared;
    const items: Item[] = [];
    const { seq, index } = commitOf(pumped.seen);
    // The last commit may have been dealt with in part.
    const from = index === lastIndex ? seq : seq - 1;
    const commits = await store.commitsAfter(from, commitsMax);
    let upTo = pumped.seen;
    for (const commit of commits) {
      for (const item of changeItems(commit, spec)) {
        if (item.place <= pumped.seen) continue;
        // Changes past the numbers of a huge commit share one, and go together.
        if (items.length >= pumped.countMax && item.place > upTo) {
          pumped.isDirty = true;
          return { items, after: pumped.place, upTo };
        }
        items.push(item);
        upTo = item.place;
      }
      upTo = placeOf(commit.seq, lastIndex);
    }
    if (commits.length === commitsMax) pumped.isDirty = true;
    return { items, after: pumped.place, upTo };
  }
}
