// Runs what a queue gave: jobs of the writer together in one transaction, jobs of the world one by one outside.
// When one of several fails, nothing of them happened: it runs again alone, and the others without it. Jobs of the
// writer that are known to be quick may follow in the group of writes that adds them: see `follow`.
import type { Json } from "../base/json.ts";
import type { DirectJob } from "../gate/inline-writer.ts";
import { startWork, type Work } from "../gate/work.ts";
import type { WriteJob } from "../gate/writer.ts";
import { failureOf, isHostFailure } from "./job-failure.ts";
import { JobFailed, labelOf, type JobsRun } from "./job-run.ts";
import type { Job, JobFailure } from "./job.ts";
import { originWithin } from "./lineage.ts";
import type { Entry, QueueBook } from "./queue-book.ts";
import type { DispatcherParts, WorkTold } from "./dispatch-parts.ts";
import type { ActReport } from "./work-actor.ts";
import type { JobDid } from "./work-kind.ts";
import { workOf } from "./work-app.ts";
import { markOf, workJob, type WorkMark } from "./work-submit.ts";

/** Jobs of the writer that share a transaction: what they write is bounded by limits of one mutation each. */
const batchMax = 128;
/** After so long a transaction of several jobs takes no further one: other writes wait for it. */
const batchUs = 5_000;

/** Jobs that take longer than this in the isolate do not follow in the group that adds them: who added them waits. */
const quickUs = 500;

/** What a runner tells the dispatcher. */
export interface RunnerEvents {
  /** Something ended: look again. */
  turn(): void;
  /** The machine failed: begin nothing for a while. */
  hold(error: unknown): void;
}

/** Runs jobs. */
export class JobRunner {
  readonly #parts: DispatcherParts;
  readonly #events: RunnerEvents;
  /** Jobs sent to the writer and not answered. */
  #inWriter = 0;
  #inWorld = 0;
  /** CPU of a job in the isolate, by queue, as it was the last time; nothing is known after a failure. */
  readonly #costUs = new Map<string, number>();
  /** With triggers, what each transaction was caused by must be seen in the log: one job each. */
  readonly #batchMax: number;

  constructor(parts: DispatcherParts, events: RunnerEvents) {
    this.#batchMax = workOf(parts.app).triggers.size > 0 ? 1 : batchMax;
    this.#parts = parts;
    this.#events = events;
  }

  get inWriter(): number {
    return this.#inWriter;
  }

  get inWorld(): number {
    return this.#inWorld;
  }

  /** Runs what `book.take` gave. Never rejects. */
  async run(book: QueueBook, entries: readonly Entry[]): Promise<void> {
    const { length } = entries;
    const isWorld = entries[0]?.world === true;
    this.#inWriter += length;
    try {
      if (isWorld) await this.#begin(book, entries);
      else await this.#runInWriter(book, entries);
    } catch (error) {
      book.putBack(entries);
      this.#events.hold(error);
    } finally {
      this.#inWriter -= length;
      this.#events.turn();
    }
  }

  /**
   * Jobs to run in the group that adds them, of a queue of which nothing else could run. When one fails, nothing of
   * them happened, and they come as others do, with the commits of the group.
   * @param jobs of the writer, in order. @returns some after the others, for as long as a transaction of jobs may
   * take; none of jobs that are not known to be quick.
   */
  *follow(queue: string, jobs: readonly Job[]): Iterable<DirectJob> {
    const costUs = this.#costUs.get(queue) ?? Number.POSITIVE_INFINITY;
    if (costUs > quickUs) return;
    const { clock } = this.#parts;
    const untilUs = clock.monotonicUs() + batchUs;
    const end = Math.min(jobs.length, Math.ceil(batchUs / Math.max(1, costUs)));
    for (let at = 0; at < end; at += this.#batchMax) {
      const leftUs = untilUs - clock.monotonicUs();
      if (leftUs <= 0) return;
      const some = jobs.slice(at, Math.min(end, at + this.#batchMax));
      yield this.#following(queue, some, leftUs);
    }
  }

  #following(queue: string, jobs: readonly Job[], forUs: number): DirectJob {
    const { clock, told } = this.#parts;
    const startedUs = clock.monotonicUs();
    const work = startWork();
    const { length } = jobs;
    this.#inWriter += length;
    const ended = (): void => {
      this.#inWriter -= length;
      this.#events.turn();
    };
    const end: DirectJob["end"] = {
      resolve: ({ json }) => {
        const ran = JSON.parse(json) as JobsRun;
        const tookMs = (clock.monotonicUs() - startedUs) / 1_000;
        this.#costs(queue, work, ran);
        if (told !== undefined) tellRun(told, ran, { queue, tookMs, log: work.log ?? [] });
        ended();
      },
      reject: () => {
        this.#costUs.delete(queue);
        ended();
      },
    };
    return { job: this.#jobFor(queue, jobs, forUs), work, end };
  }

  /** @param jobs at least one. */
  #jobFor(queue: string, jobs: readonly Pick<Entry, "id" | "origin">[], forUs: number): WriteJob {
    const [first] = jobs as readonly [Pick<Entry, "origin">];
    const label = labelOf(queue);
    const mark =
      jobs.length === 1 ? markOf(originWithin(first.origin, label)) : { cause: `work ${label}` };
    const input = { ids: jobs.map(({ id }) => id), forUs };
    return workJob(this.#parts.app, { procedure: "work.run", input, ...mark });
  }

  #costs(queue: string, work: Work, { count }: JobsRun): void {
    if (count > 0) this.#costUs.set(queue, work.cpuUs / count);
  }

  async #runInWriter(book: QueueBook, entries: readonly Entry[]): Promise<void> {
    const { clock, submit, told } = this.#parts;
    const startedUs = clock.monotonicUs();
    const [first] = entries as readonly [Entry];
    const origin = originWithin(first.origin, labelOf(book.name));
    const work = startWork();
    try {
      const ran = (await submit(
        this.#jobFor(book.name, entries, batchUs),
        work,
      )) as unknown as JobsRun;
      const { count } = ran;
      this.#costs(book.name, work, ran);
      for (const entry of entries.slice(0, count)) book.ended(entry);
      book.putBack(entries.slice(count));
      book.batchMax = Math.min(this.#batchMax, book.batchMax * 2);
      const tookMs = (clock.monotonicUs() - startedUs) / 1_000;
      if (told !== undefined) tellRun(told, ran, { queue: book.name, tookMs, log: work.log ?? [] });
    } catch (error) {
      if (!(error instanceof JobFailed) || isHostFailure(error.cause)) throw error;
      this.#costUs.delete(book.name);
      const failed = entries[error.index] ?? first;
      book.batchMax = Math.max(1, book.batchMax >> 2);
      if (entries.length > 1) {
        failed.alone = true;
        book.putBack(entries);
        return;
      }
      const failure = failureOf(error.cause, clock.nowMs());
      const tookMs = (clock.monotonicUs() - startedUs) / 1_000;
      const log = work.log ?? [];
      told?.({ queue: book.name, count: 1, did: null, tookMs, failure, log });
      await this.#fail({ id: failed.id, failure }, markOf(origin));
      book.ended(failed);
    }
  }

  /** Records it. When what is told of a dead letter fails, nobody is told: one job must not hold up others. */
  async #fail(
    failed: { readonly id: string; readonly failure: JobFailure },
    mark: WorkMark,
  ): Promise<void> {
    const { app, submit, report } = this.#parts;
    const input = failed as unknown as Json;
    try {
      await submit(workJob(app, { procedure: "work.fail", input, ...mark }));
    } catch (error) {
      if (isHostFailure(error)) throw error;
      report(error);
      const quiet = { ...failed, quiet: true } as unknown as Json;
      await submit(workJob(app, { procedure: "work.fail", input: quiet, ...mark }));
    }
  }

  async #begin(book: QueueBook, entries: readonly Entry[]): Promise<void> {
    const { app, submit } = this.#parts;
    const again = entries.filter(({ uncounted }) => uncounted === true).map(({ id }) => id);
    const input = { ids: entries.map(({ id }) => id), again };
    const cause = `begin ${labelOf(book.name)}`;
    const begun = (await submit(
      workJob(app, { procedure: "work.begin", input, cause }),
    )) as unknown as readonly Job[];
    const jobs = new Map(begun.map((job) => [job.id, job]));
    for (const entry of entries) {
      entry.uncounted = false;
      const job = jobs.get(entry.id);
      // Gone meanwhile, or a dead letter now; or cancelled since it began, of which its actor would have heard too early.
      if (job === undefined || !book.runs(entry)) book.ended(entry);
      else void this.#act(book, entry, job);
    }
  }

  async #act(book: QueueBook, entry: Entry, job: Job): Promise<void> {
    const { actor, clock, told } = this.#parts;
    const startedUs = clock.monotonicUs();
    this.#inWorld += 1;
    let failed: unknown = null;
    let report: ActReport | null = null;
    try {
      report = await actor.act(job);
    } catch (error) {
      failed = error;
    }
    this.#inWorld -= 1;
    const tookMs = (clock.monotonicUs() - startedUs) / 1_000;
    const { failure, log } = report ?? { failure: failureOf(failed, clock.nowMs()), log: [] };
    told?.({ queue: book.name, count: 1, did: null, tookMs, failure, log });
    if (failed === null) book.ended(entry);
    else {
      // Nobody knows what came of it: its start is recorded, so it is tried again while it may be.
      entry.uncounted = isHostFailure(failed);
      book.putBack([entry]);
      this.#events.hold(failed);
    }
    this.#events.turn();
  }
}

/** Tells of jobs that shared a transaction: those that did the same together. */
function tellRun(
  told: (told: WorkTold) => void,
  { count, told: dids = [] }: JobsRun,
  shared: Pick<WorkTold, "queue" | "tookMs" | "log">,
): void {
  let { log } = shared;
  const tell = (count: number, did: string | null, failure: WorkTold["failure"]): void => {
    told({ ...shared, count, did, failure, log });
    log = [];
  };
  const groups = Map.groupBy(dids, ({ did, failure }) => `${failure?.code ?? ""} ${did}`);
  for (const group of groups.values()) {
    const [{ did, failure }] = group as [JobDid];
    tell(group.length, did, failure);
  }
  if (dids.length < count) tell(count - dids.length, null, null);
}
