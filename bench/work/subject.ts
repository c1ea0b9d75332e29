// What is measured: a queue with one worker that does nothing.

/** A queue. */
export interface Subject {
  readonly name: string;
  /** Resolves when the job is durable. */
  enqueue(): Promise<void>;
  /** Resolves when so many more were processed from now on. */
  processed(count: number): Promise<void>;
  /** Enqueues one and waits until it was processed. */
  one(): Promise<void>;
  close(): Promise<void>;
}

/** Counts what was processed. */
export class Tally {
  #count = 0;
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];

  add(count: number): void {
    this.#count += count;
    const due = this.#waiting.filter(({ at }) => at <= this.#count);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#count);
    for (const { resolve } of due) resolve();
  }

  until(more: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ at: this.#count + more, resolve });
    return promise;
  }
}
