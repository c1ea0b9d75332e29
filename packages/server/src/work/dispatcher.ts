// The dispatcher: brings work that waits and what runs it together, in the thread that writes. It learns of work
// from the commits of its own writer, never by asking again and again; holds what is next in memory, bounded
// (queue-book.ts); and leases by memory alone, since one process owns the data. What it forgets with the process
// is on disk: a start reads where everything stands. Before a group of writes is committed it is asked what of
// the new work runs with it: quick jobs that go before no others come and go within one commit.
//
// States: new -> running -> stopped. While it is held (the machine failed), nothing is begun for a moment.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { DirectJob } from "../gate/inline-writer.ts";
import { passedIn } from "../store/passing-rows.ts";
import type { Change, Commit, ReadTx } from "../store/store.ts";
import { ConsumerPump } from "./consumer-pump.ts";
import type { DispatcherParts } from "./dispatch-parts.ts";
import { firstJob, jobsOfLane } from "./job-read.ts";
import { kindOf, policyOf } from "./job-run.ts";
import { JobRunner } from "./job-runner.ts";
import { jobOfRow, type Job } from "./job.ts";
import { afterLanes, readyLanes } from "./lane.ts";
import { QueueBook, type BookLimits, type BookTime, type Entry } from "./queue-book.ts";
import { workJob } from "./work-submit.ts";

const bookLimits: BookLimits = { lanesMax: 2_000, entriesMax: 20_000, lanePageMax: 256 };
/** Jobs given to the writer and not answered: what keeps its groups full, and no more. */
const inWriterMax = 1_024;
const holdMs = 1_000;
/** Timers count on a clock that never steps; the one on the wall is looked at again after so long. */
const lookMs = 1_000;
const pruneMs = 60_000;
/** Jobs whose time has come, moved to their lanes in one transaction. */
const wakeMax = 256;
/** Lanes looked for in one turn: other work has its turn between. */
const scansMax = 64;

/** Brings work to what runs it. */
export interface Dispatcher {
  /** Reads where everything stands, and begins. When it throws, it may be called again. */
  start(): Promise<void>;
  /** Begins nothing more. Resolves when nothing of it runs in the writer. */
  stop(): Promise<void>;
  /** Resolves when nothing waits that could run now, and nothing runs. */
  idle(): Promise<void>;
  /** How much there is, for operations. */
  counts(): { readonly waiting: number; readonly running: number; readonly held: boolean };
}

/** Opens a dispatcher. There is one for a store. */
export function openDispatcher(parts: DispatcherParts): Dispatcher {
  return new WorkDispatcher(parts);
}

class WorkDispatcher implements Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #books = new Map<string, QueueBook>();
  readonly #runner: JobRunner;
  readonly #pump: ConsumerPump;
  #state: "new" | "running" | "stopped" = "new";
  #unsubscribe: (() => void) | null = null;
  #cancelTimer: (() => void) | null = null;
  #heldUntilUs = 0;
  /** Whether the start has seen every queue on disk: until then one that a commit names may hold more there. */
  #isFound = false;
  #isTurnAsked = false;
  #isTurning = false;
  #isSubmitting = 0;
  readonly #waking = new Set<QueueBook>();
  #prunedUs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #waiters: (() => void)[] = [];

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const events = {
      turn: () => this.#ask(),
      hold: (error: unknown) => this.#hold(error),
    };
    this.#runner = new JobRunner(parts, events);
    const waiting = (queue: string) => this.#books.get(queue)?.waitingCount ?? 0;
    this.#pump = new ConsumerPump(parts, events, waiting);
  }

  async start(): Promise<void> {
    const { app, commits, submit, follow, clock, store } = this.#parts;
    this.#state = "running";
    this.#prunedUs = clock.monotonicUs();
    const unsubscribe = commits.subscribe((commits) => this.#committed(commits));
    follow?.((commits) => this.#follow(commits));
    this.#unsubscribe = unsubscribe;
    try {
      const cause = "work";
      const places = await submit(workJob(app, { procedure: "work.sync", input: null, cause }));
      this.#pump.start(places as Readonly<Record<string, number>>);
      await store.read((tx) => this.#findQueues(tx));
      this.#isFound = true;
    } catch (error) {
      unsubscribe();
      throw error;
    }
    this.#ask();
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#parts.follow?.(null);
    this.#unsubscribe?.();
    this.#cancelTimer?.();
    while (this.#runner.inWriter > 0 || this.#pump.busy > 0) await this.#next();
  }

  async idle(): Promise<void> {
    while (!this.#isIdle()) await this.#next();
  }

  counts(): { readonly waiting: number; readonly running: number; readonly held: boolean } {
    let waiting = 0;
    for (const book of this.#books.values()) waiting += book.waitingCount;
    const running = this.#runner.inWriter + this.#runner.inWorld;
    return { waiting, running, held: this.#isHeld() };
  }

  #isIdle(): boolean {
    if (this.#state !== "running") return true;
    if (this.#isTurnAsked || this.#isTurning || this.#isHeld() || this.#isSubmitting > 0)
      return false;
    if (this.#waking.size > 0) return false;
    return this.#runner.inWriter === 0 && this.#runner.inWorld === 0 && this.#pump.isIdle;
  }

  /** Resolves when something has ended. */
  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #isHeld(): boolean {
    return this.#parts.clock.monotonicUs() < this.#heldUntilUs;
  }

  #hold(error: unknown): void {
    const { clock, report } = this.#parts;
    // What ends after the stop is refused, and the next dispatcher does it again.
    if (!this.#isHeld() && this.#state !== "stopped") report(error);
    this.#heldUntilUs = clock.monotonicUs() + holdMs * 1_000;
  }

  /** Once for all that happens in this turn of the event loop, after answers were sent. */
  #ask(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    queueMicrotask(() => {
      this.#isTurnAsked = false;
      void this.#turn();
    });
  }

  async #turn(): Promise<void> {
    if (this.#isTurning) {
      this.#isTurnAsked = true;
      return;
    }
    this.#isTurning = true;
    let waitMs = lookMs;
    try {
      if (this.#state === "running" && !this.#isHeld()) waitMs = await this.#dispatch();
    } catch (error) {
      this.#hold(error);
    } finally {
      this.#isTurning = false;
    }
    for (const resolve of this.#waiters.splice(0)) resolve();
    if (this.#isTurnAsked) {
      this.#isTurnAsked = false;
      this.#ask();
    }
    this.#cancelTimer?.();
    if (this.#state !== "running") return;
    this.#cancelTimer = this.#parts.clock.after(Math.min(lookMs, waitMs), () => this.#ask());
  }

  /** @returns when there may be more to do for another reason than that something ends: ms from now. */
  async #dispatch(): Promise<number> {
    const { clock } = this.#parts;
    const steadyMs = clock.monotonicUs() / 1_000;
    const time = { nowMs: clock.nowMs(), steadyMs };
    let waitMs = Number.POSITIVE_INFINITY;
    for (const [name, book] of this.#books) {
      await this.#feed(book);
      for (;;) {
        if (this.#runner.inWriter >= inWriterMax) break;
        const { entries, waitMs: bookMs } = book.take(time, book.batchMax);
        waitMs = Math.min(waitMs, bookMs);
        if (entries.length === 0) break;
        void this.#runner.run(book, entries);
        await this.#feed(book);
      }
      waitMs = Math.min(waitMs, book.rateWaitMs(time), this.#wake(book, time.nowMs));
      if (book.isEmpty(time)) this.#books.delete(name);
      else if (this.#runner.inWriter >= inWriterMax) {
        // The others have their turn first the next time.
        this.#books.delete(name);
        this.#books.set(name, book);
        break;
      }
    }
    this.#pump.turn();
    await this.#lookAtClock(time);
    await this.#prune();
    return waitMs;
  }

  /** @returns milliseconds until the next job's time. */
  #wake(book: QueueBook, nowMs: number): number {
    const { ids, waitMs } = book.overdue(nowMs);
    if (ids.length === 0 || this.#waking.has(book)) return waitMs;
    this.#waking.add(book);
    this.#submit("work.wake", {
      ids: ids.slice(0, Math.min(wakeMax, this.#parts.app.limits.workStartsMax)),
    })
      .catch((error: unknown) => this.#hold(error))
      .finally(() => {
        this.#waking.delete(book);
        this.#ask();
      });
    return waitMs;
  }

  /** Once in a while: whether somebody set the clock back under jobs that wait for a length of time. */
  async #lookAtClock({ nowMs, steadyMs }: BookTime): Promise<void> {
    if (steadyMs < this.#lookedMs + lookMs) return;
    this.#lookedMs = steadyMs;
    const { app } = this.#parts;
    for (const book of this.#books.values()) {
      const ids = book.behindClock(nowMs).slice(0, Math.min(wakeMax, app.limits.workStartsMax));
      if (ids.length === 0) continue;
      await this.#submit("work.putOff", { ids });
      // There may be more behind them.
      this.#lookedMs = Number.NEGATIVE_INFINITY;
      this.#ask();
    }
  }

  async #prune(): Promise<void> {
    const { clock } = this.#parts;
    if (clock.monotonicUs() - this.#prunedUs < pruneMs * 1_000) return;
    this.#prunedUs = clock.monotonicUs();
    if ((await this.#submit("work.prune", null)) === true) this.#prunedUs = 0;
  }

  async #submit(procedure: string, input: Json): Promise<Json> {
    const { app, submit } = this.#parts;
    this.#isSubmitting += 1;
    try {
      return await submit(workJob(app, { procedure, input, cause: "work" }));
    } finally {
      this.#isSubmitting -= 1;
    }
  }

  /** Reads what a queue has room for. */
  async #feed(book: QueueBook): Promise<void> {
    const { store } = this.#parts;
    for (let count = 0; count < scansMax && book.wantsScan; count++) {
      const { from, to } = readyLanes(book.name);
      const after = book.scanFrom === "" || book.scanFrom === null ? from : book.scanFrom;
      const job = await store.read((tx) => firstJob(tx, { gt: after, lt: to }));
      if (job === null) book.scanned();
      else book.found(job.lane, job.key);
    }
    if (book.wantsScan) this.#ask();
    for (;;) {
      const lane = book.hungryLane();
      if (lane === null) return;
      const limit = bookLimits.lanePageMax;
      const jobs = await store.read((tx) =>
        jobsOfLane(tx, lane.name, { after: lane.after, limit }),
      );
      book.fed(
        lane.name,
        jobs.map((job) => this.#entryOf(job)),
        jobs.length < limit,
      );
    }
  }

  async #findQueues(tx: ReadTx): Promise<void> {
    let from = "";
    for (;;) {
      const job = await firstJob(tx, { gte: from });
      if (job === null) return;
      if (!this.#books.has(job.queue)) this.#open(job.queue, true);
      from = afterLanes(job.queue);
    }
  }

  #open(queue: string, isFound: boolean): QueueBook {
    const { app, kinds } = this.#parts;
    const policy = policyOf(kinds, app, queue);
    if (policy === null) this.#parts.report(stranded(queue));
    const book = new QueueBook(queue, policy, bookLimits, isFound);
    this.#books.set(queue, book);
    return book;
  }

  #entryOf(job: Job): Entry {
    const { app, kinds } = this.#parts;
    const world = kindOf(kinds, job.queue)?.place(app, job) === "world";
    const { id, queue, lane, place, key, dueMs, sinceMs, origin } = job;
    return { id, queue, lane, place, key, dueMs, sinceMs, origin, world, alone: false };
  }

  /** @returns jobs of the writer that a group added, and that go before no others, to be run in it. */
  *#follow(commits: readonly Commit[]): Iterable<DirectJob> {
    if (this.#state !== "running" || !this.#isFound || this.#isHeld()) return;
    const added = new Map<string, Job>();
    for (const { changes } of commits) {
      for (const { table, id, before, after } of changes) {
        if (table !== "workJob") continue;
        // One that was there before, or is changed again, takes the usual way.
        if (before === null && after !== null) added.set(id, jobOfRow(after));
        else added.delete(id);
      }
    }
    for (const [queue, jobs] of Map.groupBy(added.values(), ({ queue }) => queue)) {
      const isFree = this.#books.get(queue)?.isFree ?? true;
      if (!isFree || !this.#mayFollow(queue, jobs)) continue;
      yield* this.#runner.follow(queue, jobs);
    }
  }

  #mayFollow(queue: string, jobs: readonly Job[]): boolean {
    const { app, kinds } = this.#parts;
    const kind = kindOf(kinds, queue);
    const policy = kind?.policy(app, queue) ?? null;
    if (kind === null || policy === null) return false;
    if (policy.rate !== null || policy.ratePerKey !== null) return false;
    return jobs.every((job) => job.dueMs === null && kind.place(app, job) === "writer");
  }

  #committed(commits: readonly Commit[]): void {
    // Jobs that came and went within these commits: nobody has to hear of them.
    const passed = passedIn(commits, (table) => table === "workJob");
    let seq = 0;
    for (const commit of commits) {
      seq = commit.seq;
      for (const change of commit.changes) {
        if (change.table !== "workJob") this.#pump.changed(change);
        else if (!passed.has(change.id)) this.#jobChanged(change);
      }
    }
    this.#pump.committed(seq);
    this.#ask();
  }

  #jobChanged({ id, before, after }: Change): void {
    const queue = (after ?? before)?.["queue"] as string;
    const known = this.#books.get(queue);
    if (after === null) {
      if (known?.runsInWorld(id) === true) this.#parts.actor.cancel(id);
      known?.remove(id);
      return;
    }
    const job = jobOfRow(after);
    // Begun, or getting on: it stays where it is.
    if (job.startedMs !== null) return;
    (known ?? this.#open(queue, !this.#isFound)).add(this.#entryOf(job));
  }
}

function stranded(queue: string): PlatformError {
  const text = `Jobs of ${queue} wait: the app has no such queue or function any more. Bring it back, or take them away: keelson work cancel --all --queue=${queue}`;
  return new PlatformError("WORK_STRANDED", { queue }, { text });
}
