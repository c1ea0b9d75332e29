// The writer as a door's thread sees it when it is another thread. Jobs of one turn go over in one message;
// an answer settles its promise. Bounded: what is under way counts, by caller and in total.
//
// States: apart (no writer yet, or it ended: jobs wait here) <-> linked. When a writer ends, what it had
// accepted is answered with STORE_FAILED: nobody knows whether it happened, and a retry with the same
// idempotency key finds out. Draining takes no jobs and ends when none is under way.
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { CallerShares } from "./caller-shares.ts";
import type { Caller } from "./identity.ts";
import { fromPortableError } from "./portable-error.ts";
import { addWork, type Work } from "./work.ts";
import { laneOf, type WriteJob, type Writer, type WriteResult } from "./writer.ts";
import {
  answersOf,
  workOf,
  type FromWriter,
  type JobAnswer,
  type NumberedJob,
  type ThreadLink,
  type ToWriter,
} from "./writer-messages.ts";

/** What a thread writer needs. */
export interface ThreadWriterParts {
  readonly limits: Limits;
  /** Calls back at the end of the turn. */
  readonly nextTurn: (run: () => void) => void;
}

interface UnderWay {
  readonly lane: string;
  readonly work: Work;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

const idsMax = Number.MAX_SAFE_INTEGER;

/** A writer in another thread. */
export class ThreadWriter implements Writer {
  readonly #parts: ThreadWriterParts;
  readonly #shares: CallerShares;
  readonly #underWay = new Map<number, UnderWay>();
  #link: ThreadLink<ToWriter> | null = null;
  #outbox: { readonly id: number; readonly job: WriteJob }[] = [];
  /** Numbers of callers that this writer was told of. */
  #callers = new WeakMap<Caller, number>();
  #callersTold = 0;
  #isFlushAsked = false;
  #ids = 0;
  #draining = false;
  #drained: (() => void)[] = [];

  constructor(parts: ThreadWriterParts) {
    this.#parts = parts;
    this.#shares = new CallerShares(parts.limits.writeQueueMax);
  }

  submit(job: WriteJob, work: Work): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      if (this.#draining) throw new PlatformError("SHUTTING_DOWN", { retryAfterSeconds: 1 });
      const lane = laneOf(job);
      if (!this.#shares.take(lane)) throw new PlatformError("OVERLOADED", { retryAfterSeconds: 1 });
      const id = this.#ids === idsMax ? 1 : this.#ids + 1;
      this.#ids = id;
      this.#underWay.set(id, { lane, work, resolve, reject });
      this.#outbox.push({ id, job });
      this.#askForFlush();
    });
  }

  drain(): Promise<void> {
    this.#draining = true;
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** A writer is there: what waits goes to it. */
  linked(link: ThreadLink<ToWriter>): void {
    this.#link = link;
    this.#callers = new WeakMap();
    this.#callersTold = 0;
    if (this.#outbox.length > 0) this.#askForFlush();
  }

  /** Takes no more, and refuses what no writer has got: another version of the app takes over. */
  retire(): void {
    this.#draining = true;
    for (const { id } of this.#outbox.splice(0)) {
      const one = this.#underWay.get(id);
      if (one === undefined) continue;
      this.#end(id, one);
      one.reject(new PlatformError("SHUTTING_DOWN", { retryAfterSeconds: 1 }));
    }
  }

  /** Jobs under way, those that wait for a writer too. */
  waiting(): number {
    return this.#underWay.size;
  }

  /** The writer is gone. What it did not get waits for the next one. */
  lost(): void {
    this.#link = null;
    const waiting = new Set(this.#outbox.map(({ id }) => id));
    for (const [id, one] of [...this.#underWay]) {
      if (waiting.has(id)) continue;
      this.#end(id, one);
      one.reject(writerEnded());
    }
  }

  /** Takes a message of answers. */
  receive({ answers, texts }: Extract<FromWriter, { readonly answers: string }>): void {
    let done = 0;
    for (const answer of answersOf(answers)) {
      const isDone = typeof answer[2] === "number";
      this.#answer(answer, isDone ? (texts[done++] ?? "null") : "null");
    }
  }

  #answer([id, seq, end, ...used]: JobAnswer, json: string): void {
    const one = this.#underWay.get(id);
    // Of a job that was given up when an earlier writer was lost.
    if (one === undefined) return;
    this.#end(id, one);
    addWork(one.work, workOf(used));
    if (typeof end === "number") one.resolve({ json, seq, repeated: end === 1 });
    else one.reject(fromPortableError(end));
  }

  #end(id: number, one: UnderWay): void {
    this.#underWay.delete(id);
    this.#shares.giveBack(one.lane);
    if (this.#underWay.size === 0) for (const drained of this.#drained.splice(0)) drained();
  }

  #askForFlush(): void {
    if (this.#isFlushAsked || this.#link === null) return;
    this.#isFlushAsked = true;
    this.#parts.nextTurn(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushAsked = false;
    if (this.#link === null || this.#outbox.length === 0) return;
    const jobs = this.#outbox;
    this.#outbox = [];
    if (this.#callersTold >= this.#parts.limits.rightsCacheMax) {
      this.#callers = new WeakMap();
      this.#callersTold = 0;
      this.#link.post({ forgetCallers: true });
    }
    const numbered = jobs.map(({ id, job }) => this.#numbered(id, job));
    this.#link.post({ jobs: JSON.stringify(numbered) });
  }

  #numbered(id: number, { caller, ...job }: WriteJob): NumberedJob {
    const known = this.#callers.get(caller);
    if (known !== undefined) return [id, job, known];
    const told = this.#callersTold++;
    this.#callers.set(caller, told);
    return [id, job, told, caller];
  }
}

/** The answer to whoever waited for a writer that ended. */
export function writerEnded(): PlatformError {
  return new PlatformError(
    "STORE_FAILED",
    { retryAfterSeconds: 1, outcome: "unknown" },
    {
      text: "The writer ended before it answered. Send the request again with the same Idempotency-Key.",
    },
  );
}
