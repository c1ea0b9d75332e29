// A writer that can be stopped between two jobs: for a reload, which changes what the jobs run on, and for
// chores of the store that are not part of a group. Jobs that come while it is stopped wait; none is lost.
// States: open -> pausing (accepted jobs end) -> paused -> open.
import { PlatformError } from "../base/platform-error.ts";
import type { Work } from "../gate/work.ts";
import type { WriteJob, Writer, WriteResult } from "../gate/writer.ts";

/** A writer with a stop. */
export interface PausableWriter extends Writer {
  /** Resolves when no job runs and none will until the returned function is called. A second pause begins after the first. */
  pause(): Promise<() => void>;
  /** Jobs that were accepted and are not answered. */
  waiting(): number;
  /** Jobs answered since the start. */
  answered(): number;
}

/** Wraps a writer. @param jobsMax limits.writeQueueMax: how many may wait while it is paused. */
export function openPausableWriter(inner: Writer, jobsMax: number): PausableWriter {
  return new Pausable(inner, jobsMax);
}

class Pausable implements PausableWriter {
  readonly #inner: Writer;
  readonly #jobsMax: number;
  #waiting = 0;
  #answered = 0;
  #held: (() => void)[] | null = null;
  #paused: (() => void) | null = null;
  #resume: (() => void) | null = null;
  readonly #pauses: (() => void)[] = [];

  constructor(inner: Writer, jobsMax: number) {
    this.#inner = inner;
    this.#jobsMax = jobsMax;
  }

  submit(job: WriteJob, work: Work): Promise<WriteResult> {
    if (this.#held === null) return this.#pass(job, work);
    const held = this.#held;
    if (held.length >= this.#jobsMax) {
      return Promise.reject(new PlatformError("OVERLOADED", { retryAfterSeconds: 1 }));
    }
    return new Promise((resolve, reject) => {
      held.push(() => {
        this.#pass(job, work).then(resolve, reject);
      });
    });
  }

  /** Jobs that wait in a pause were not accepted yet: each is refused with SHUTTING_DOWN. */
  async drain(): Promise<void> {
    const draining = this.#inner.drain();
    this.#resume?.();
    await draining;
  }

  pause(): Promise<() => void> {
    if (this.#held === null) return this.#begin();
    return new Promise((resolve) => {
      this.#pauses.push(() => resolve(this.#begin()));
    });
  }

  #begin(): Promise<() => void> {
    const held: (() => void)[] = [];
    this.#held = held;
    const resume = () => {
      if (this.#held !== held) return;
      this.#held = null;
      this.#resume = null;
      for (const pass of held) pass();
      this.#pauses.shift()?.();
    };
    this.#resume = resume;
    if (this.#waiting === 0) return Promise.resolve(resume);
    return new Promise((resolve) => {
      this.#paused = () => resolve(resume);
    });
  }

  waiting(): number {
    return this.#waiting + (this.#held?.length ?? 0);
  }

  answered(): number {
    return this.#answered;
  }

  #pass(job: WriteJob, work: Work): Promise<WriteResult> {
    this.#waiting += 1;
    const answer = this.#inner.submit(job, work);
    answer.then(this.#ended, this.#ended);
    return answer;
  }

  readonly #ended = (): void => {
    this.#waiting -= 1;
    this.#answered += 1;
    if (this.#waiting > 0 || this.#paused === null) return;
    const paused = this.#paused;
    this.#paused = null;
    paused();
  };
}
