// The writer in this thread. Jobs wait in one queue; when the event loop comes round, what is there becomes
// a group: run one after the other, made durable by one commit, then answered. So a lone job waits for one
// sync of the disk, and under load one sync serves all that arrived during the one before. Callers
// take turns, also when slow jobs close a group before all that wait have run. What a group causes may follow in it (`follow`): it runs after the group's
// own jobs and is durable with them.
//
// Nothing of a group is answered before its commit, refusals neither: a refusal may rest on rows that an
// earlier job of the same group wrote. States: idle -> waiting (a turn is asked for) -> running -> idle or
// waiting. Draining takes no jobs and ends when it is idle.
import type { Clock } from "../base/clock.ts";
import { storeFailures } from "../base/error-codes.ts";
import { isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Commit, CommitGroup, MutationOutcome, Store } from "../store/store.ts";
import { CallerShares } from "./caller-shares.ts";
import type { ExecuteWrite } from "./execute-write.ts";
import { FairQueue } from "./fair-queue.ts";
import type { Work } from "./work.ts";
import { laneOf, type WriteJob, type Writer, type WriteResult } from "./writer.ts";

/** Told how a job ended, within the turn of its group. Must not throw. */
export interface JobEnd {
  resolve(result: WriteResult): void;
  reject(error: unknown): void;
}

/** A job, and who is told how it ended. */
export interface DirectJob {
  readonly job: WriteJob;
  readonly work: Work;
  readonly end: JobEnd;
}

/**
 * Asked when the jobs of a group have run, before its commit. Must not throw.
 * @param commits of the group: nobody was told of them, and they may never be. @returns jobs to run in the same
 * group: each is asked for when the one before has run.
 */
export type FollowGroup = (commits: readonly Commit[]) => Iterable<DirectJob>;

/** A writer whose answers can be had without a promise for each. */
export interface DirectWriter extends Writer {
  /** As `submit`. @throws OVERLOADED, SHUTTING_DOWN. */
  enqueue(job: WriteJob, work: Work, end: JobEnd): void;
  /** Says who is asked what follows; null: nobody. There is one at a time. */
  follow(next: FollowGroup | null): void;
}

/** A job that ran, and where its snapshot stood. */
interface Ran {
  readonly waiting: DirectJob;
  readonly outcome: MutationOutcome;
  readonly seqSeen: number;
}

/** What the writer is made of. */
export interface InlineWriterParts {
  readonly store: Store;
  readonly execute: ExecuteWrite;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Calls back when the event loop has come round once (`setImmediate` on a real host). */
  readonly nextTurn: (run: () => void) => void;
  /** Called when all jobs of a group were told how they ended. */
  readonly groupEnded?: () => void;
}

/** Opens the writer of this thread. There is one for a store. */
export function openInlineWriter(parts: InlineWriterParts): DirectWriter {
  return new InlineWriter(parts);
}

class InlineWriter implements DirectWriter {
  readonly #parts: InlineWriterParts;
  readonly #queue = new FairQueue<DirectJob>();
  readonly #shares: CallerShares;
  #state: "idle" | "waiting" | "running" = "idle";
  #follow: FollowGroup | null = null;
  #draining = false;
  #drained: (() => void)[] = [];

  constructor(parts: InlineWriterParts) {
    this.#parts = parts;
    this.#shares = new CallerShares(parts.limits.writeQueueMax);
  }

  submit(job: WriteJob, work: Work): Promise<WriteResult> {
    return new Promise((resolve, reject) => this.enqueue(job, work, { resolve, reject }));
  }

  enqueue(job: WriteJob, work: Work, end: JobEnd): void {
    if (this.#draining) throw new PlatformError("SHUTTING_DOWN", { retryAfterSeconds: 1 });
    const lane = laneOf(job);
    if (!this.#shares.take(lane)) throw new PlatformError("OVERLOADED", { retryAfterSeconds: 1 });
    this.#queue.push(lane, { job, work, end });
    if (this.#state === "idle") this.#askForTurn();
  }

  follow(next: FollowGroup | null): void {
    this.#follow = next;
  }

  drain(): Promise<void> {
    this.#draining = true;
    if (this.#state === "idle") return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #askForTurn(): void {
    this.#state = "waiting";
    this.#parts.nextTurn(() => void this.#turn());
  }

  /** Never rejects: every error belongs to the jobs of its group. */
  async #turn(): Promise<void> {
    this.#state = "running";
    const taken: DirectJob[] = [];
    try {
      await this.#runGroup(taken);
    } catch (error) {
      // Nothing of the group happened, whatever its jobs would have answered.
      const failure = storeFailure(error);
      for (const { end } of taken) end.reject(failure);
    }
    this.#parts.groupEnded?.();
    if (this.#queue.size > 0) {
      this.#askForTurn();
      return;
    }
    this.#state = "idle";
    for (const done of this.#drained.splice(0)) done();
  }

  async #runGroup(taken: DirectJob[]): Promise<void> {
    const { store, clock, limits } = this.#parts;
    const isThere = Math.min(limits.groupMax, this.#queue.size);
    let group: CommitGroup;
    try {
      const opened = store.openGroup();
      group = isLater(opened) ? await opened : opened;
    } catch (error) {
      while (taken.length < isThere) this.#take(taken);
      throw error;
    }
    const ran: Ran[] = [];
    try {
      const closesUs = clock.monotonicUs() + limits.groupMsMax * 1_000;
      let isInTime = true;
      while (isInTime && taken.length < isThere) {
        const running = this.#run(group, this.#take(taken));
        ran.push(isLater(running) ? await running : running);
        // Slow jobs close the group early: who waits takes turns again in the next one.
        isInTime = clock.monotonicUs() < closesUs;
      }
      if (taken.length === isThere && this.#follow !== null) {
        for (const waiting of this.#follow(commitsOf(ran))) {
          taken.push(waiting);
          const running = this.#run(group, waiting);
          ran.push(isLater(running) ? await running : running);
        }
      }
    } catch (error) {
      group.abort();
      throw error;
    }
    const committing = group.commit();
    if (isLater(committing)) await committing;
    for (const one of ran) answer(one);
  }

  /** Takes the job of the caller whose turn it is. */
  #take(taken: DirectJob[]): DirectJob {
    const waiting = this.#queue.next();
    this.#shares.giveBack(laneOf(waiting.job));
    taken.push(waiting);
    return waiting;
  }

  #run(group: CommitGroup, waiting: DirectJob): Later<Ran> {
    const { job, work } = waiting;
    let seqSeen = 0;
    const meta = {
      by: job.caller.id,
      cause: job.cause,
      requestId: job.requestId,
      atMs: job.atMs,
      idempotency: job.idempotency,
    };
    const outcome = group.mutate(meta, (tx) => {
      seqSeen = tx.seq;
      return this.#parts.execute(job, tx, work);
    });
    if (isLater(outcome)) return outcome.then((outcome) => ({ waiting, outcome, seqSeen }));
    return { waiting, outcome, seqSeen };
  }
}

function commitsOf(ran: readonly Ran[]): readonly Commit[] {
  const commits: Commit[] = [];
  for (const { outcome } of ran) {
    if (outcome.kind === "done" && outcome.commit !== null) commits.push(outcome.commit);
  }
  return commits;
}

function answer({ waiting, outcome, seqSeen }: Ran): void {
  switch (outcome.kind) {
    case "done":
      waiting.end.resolve({
        json: outcome.answer,
        seq: outcome.commit?.seq ?? seqSeen,
        repeated: false,
      });
      return;
    case "repeated":
      waiting.end.resolve({ json: outcome.answer, seq: outcome.seq, repeated: true });
      return;
    case "failed":
      waiting.end.reject(outcome.error);
      return;
    default:
      outcome satisfies never;
  }
}

function storeFailure(error: unknown): PlatformError {
  if (error instanceof PlatformError && storeFailures.has(error.code)) return error;
  return new PlatformError("STORE_FAILED", {}, { cause: error });
}
