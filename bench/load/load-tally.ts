// What a generator process counts: a time to warm up, a time that counts, and then an end at which every
// request under way is waited for, so that what was acknowledged can be held against what is stored.
import { setTimeout as wait } from "node:timers/promises";
import type { Request } from "./requests.ts";

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly warmMs: number;
  readonly runMs: number;
  readonly keyed: boolean;
  /** Of the SDK's client. */
  readonly transport: "http" | "live";
  /** Begins every idempotency key. */
  readonly keyBase: string;
  readonly requests: readonly Request[];
}

export interface LoadReport {
  /** Answers in the time that counts. */
  readonly answered: number;
  /** Answers of the whole run, by status. */
  readonly statuses: Record<string, number>;
  readonly broken: number;
  readonly seconds: number;
  /** CPU time of this process in the time that counts, from 0 to 1 of it (more with threads). */
  readonly busy: number;
  /** `histogram[i]` answers took about 1.02^i us. */
  readonly histogram: readonly number[];
}

const bucketBase = 1.02;
const buckets = 1_200;
const endMsMax = 10_000;

/** Upper bound of histogram bucket `index`, microseconds. */
export function bucketUs(index: number): number {
  return bucketBase ** index;
}

/** Counts one process's answers. */
export class LoadTally {
  readonly #job: LoadJob;
  readonly #statuses: Record<string, number> = {};
  readonly #histogram = new Array<number>(buckets).fill(0);
  #answered = 0;
  #broken = 0;
  #underWay = 0;
  #counting = false;
  #ended = false;
  /** Whether no more is to be sent. */
  stopped = false;

  constructor(job: LoadJob) {
    this.#job = job;
  }

  sent(): void {
    this.#underWay += 1;
  }

  answered(status: string, tookMs: number): void {
    this.#underWay -= 1;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (!this.#counting) return;
    this.#answered += 1;
    const bucket = Math.ceil(Math.log(Math.max(1, tookMs * 1_000)) / Math.log(bucketBase));
    const index = Math.min(bucket, buckets - 1);
    this.#histogram[index] = (this.#histogram[index] ?? 0) + 1;
  }

  /** A connection broke, or a request failed without an answer. */
  broke(): void {
    if (!this.#ended) this.#broken += 1;
  }

  /** Waits for the whole run. */
  async run(): Promise<LoadReport> {
    await wait(this.#job.warmMs);
    const cpu = process.cpuUsage();
    const from = performance.now();
    this.#counting = true;
    await wait(this.#job.runMs);
    this.#counting = false;
    this.stopped = true;
    const seconds = (performance.now() - from) / 1_000;
    const used = process.cpuUsage(cpu);
    const endMs = performance.now() + endMsMax;
    while (this.#underWay > 0 && performance.now() < endMs) await wait(5);
    this.#broken += this.#underWay;
    this.#ended = true;
    return {
      answered: this.#answered,
      statuses: this.#statuses,
      broken: this.#broken,
      seconds,
      busy: (used.user + used.system) / 1_000_000 / seconds,
      histogram: this.#histogram,
    };
  }
}
