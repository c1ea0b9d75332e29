// A declared rate ("10/minute") as numbers, and the buckets that hold callers to it.
//
// The buckets are GCRA (ITU-T I.371): one number a key, the time at which its bucket is full again. A key
// whose bucket is full is forgotten without losing anything. When the room for keys is used up, keys that
// are new share a fixed number of overflow buckets, chosen by a keyed hash: an attacker with many addresses
// slows newcomers down, and never makes the limiter forget whom it is holding back.
import { assert } from "../base/assert.ts";

/** `count` requests a window; a burst of `count` at once is allowed, then one every windowUs / count. */
export interface Quota {
  readonly count: number;
  readonly windowUs: number;
}

const windowsUs: Readonly<Record<string, number>> = {
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
  day: 86_400_000_000,
};

/** Reads `"10/minute"`. @param text count, slash, second | minute | hour | day; checked when the manifest was built. */
export function parseQuota(text: string): Quota {
  const [count, unit] = text.split("/");
  const windowUs = windowsUs[unit ?? ""];
  assert(windowUs !== undefined, `a rate is count/unit: ${text}`);
  const value = Number(count);
  assert(Number.isSafeInteger(value), `a rate counts in whole numbers: ${text}`);
  assert(value > 0, `a rate lets something through: ${text}`);
  return Object.freeze({ count: value, windowUs });
}

/** How many keys all buckets together may still remember. */
export interface KeyRoom {
  left: number;
  /** Secret of the overflow hash. */
  readonly secret: number;
}

const overflowBuckets = 1_024;
const sweptPerInsert = 4;

/** The buckets of one quota, one for each key. */
export interface Buckets {
  readonly quota: Quota;
  /** Microseconds until a request of `key` would pass; 0 when it would now. */
  waitUs(key: string, nowUs: number): number;
  /** Counts a request that passes. @returns microseconds until the bucket is full again; null: it does not pass. */
  take(key: string, nowUs: number): number | null;
  /** Takes back what was counted last. */
  giveBack(key: string): void;
  /** Requests that still pass at once, from what `take` answered. */
  remaining(untilFullUs: number): number;
}

/** The buckets of one quota in the memory of one thread. */
export class QuotaBuckets implements Buckets {
  readonly quota: Quota;
  readonly #intervalUs: number;
  readonly #room: KeyRoom;
  readonly #fullAtUs = new Map<string, number>();
  #overflow: Float64Array | null = null;
  #sweep: MapIterator<[string, number]> | null = null;

  constructor(quota: Quota, room: KeyRoom) {
    this.quota = quota;
    this.#intervalUs = quota.windowUs / quota.count;
    this.#room = room;
  }

  /** Microseconds until a request of `key` would pass; 0 when it would now. */
  waitUs(key: string, nowUs: number): number {
    const fullAtUs = Math.max(this.#read(key), nowUs);
    return Math.max(0, fullAtUs + this.#intervalUs - this.quota.windowUs - nowUs);
  }

  /** Counts whatever comes: in one thread nothing happens between asking and counting. */
  take(key: string, nowUs: number): number {
    const fullAtUs = Math.max(this.#read(key), nowUs) + this.#intervalUs;
    this.#write(key, fullAtUs, nowUs);
    return fullAtUs - nowUs;
  }

  giveBack(key: string): void {
    const fullAtUs = this.#fullAtUs.get(key);
    if (fullAtUs !== undefined) this.#fullAtUs.set(key, fullAtUs - this.#intervalUs);
  }

  remaining(untilFullUs: number): number {
    return Math.max(0, Math.floor((this.quota.windowUs - untilFullUs) / this.#intervalUs + 1e-6));
  }

  /** Keys remembered, for metrics and tests. */
  get keys(): number {
    return this.#fullAtUs.size;
  }

  #read(key: string): number {
    const known = this.#fullAtUs.get(key);
    if (known !== undefined) return known;
    if (this.#overflow === null) return 0;
    // A key that came while there was no room was counted in its shared bucket.
    return this.#overflow[this.#slot(key)] as number;
  }

  #write(key: string, fullAtUs: number, nowUs: number): void {
    if (this.#fullAtUs.has(key)) {
      this.#fullAtUs.set(key, fullAtUs);
      return;
    }
    this.#forgetFull(nowUs);
    if (this.#room.left > 0) {
      this.#room.left--;
      this.#fullAtUs.set(key, fullAtUs);
      return;
    }
    this.#overflow ??= new Float64Array(overflowBuckets);
    this.#overflow[this.#slot(key)] = fullAtUs;
  }

  /** Looks at a few keys, one after the other over all of them, and drops those whose bucket is full. */
  #forgetFull(nowUs: number): void {
    for (let looked = 0; looked < sweptPerInsert; looked++) {
      this.#sweep ??= this.#fullAtUs.entries();
      const entry = this.#sweep.next();
      if (entry.done === true) {
        this.#sweep = null;
        return;
      }
      const [key, fullAtUs] = entry.value;
      if (fullAtUs > nowUs) continue;
      this.#fullAtUs.delete(key);
      this.#room.left++;
    }
  }

  #slot(key: string): number {
    // FNV-1a, started from a secret so that nobody can aim at the slot of somebody else.
    let hash = this.#room.secret;
    for (let at = 0; at < key.length; at++) {
      hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    }
    hash ^= hash >>> 15;
    return (hash >>> 0) % overflowBuckets;
  }
}
