// Rate limits of a process with several threads: GCRA buckets (see rate-quota.ts) in memory that all of them
// share, so that a limit of ten a minute is ten, however many threads a caller's connections end up on.
//
// A bucket is a slot with two 64-bit words: whose it is (a keyed hash of limit and caller), and when it is
// full again, in microseconds of the clock that all threads share. Slots are found in sets of eight; one whose
// bucket is full can be another's without losing anything. When all eight are held by callers that are being
// counted, newcomers share overflow buckets, chosen by the same hash: those of limits by the day have some of their own,
// or one count of a day would hold up callers of a limit by the minute for hours. Every step is one compare-and-swap:
// no thread waits for another, and one that ends in the middle of a step leaves nothing locked.
import type { RandomSource } from "../base/random.ts";
import { keyedHash, type HashKey } from "./keyed-hash.ts";
import type { Buckets, Quota } from "./rate-quota.ts";

const setSlots = 8;
const overflowSlots = 4_096;
/** Of those, for windows longer than an hour. */
const overflowSlotsLong = 1_024;
const hourUs = 3_600_000_000;
const noOne = 0n;
const triesMax = 64;

/** Memory and key of buckets that threads share. Structured-cloneable. */
export interface SharedQuotas {
  readonly memory: SharedArrayBuffer;
  readonly key: HashKey;
}

/** Makes memory for buckets. @param keysMax limits.rateLimitKeysMax: callers remembered. */
export function makeSharedQuotas(keysMax: number, random: RandomSource): SharedQuotas {
  // Twice the room, so that a set is rarely full before the table is.
  const sets = Math.ceil((keysMax * 2) / setSlots);
  const words = sets * setSlots * 2 + overflowSlots;
  const bytes = random.bytes(8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return {
    memory: new SharedArrayBuffer(words * BigInt64Array.BYTES_PER_ELEMENT),
    key: [view.getInt32(0), view.getInt32(4)],
  };
}

/** The buckets of one quota in shared memory. */
export class SharedBuckets implements Buckets {
  readonly quota: Quota;
  readonly #name: string;
  readonly #intervalUs: number;
  readonly #key: HashKey;
  readonly #words: BigInt64Array;
  readonly #sets: number;
  readonly #overflow: number;
  /** A request asks twice: may it pass, and it counts. */
  #hashed = { key: "", hash: noOne };

  /** @param name tells this limit from all others, and stays the same in every thread. */
  constructor(quota: Quota, name: string, shared: SharedQuotas) {
    this.quota = quota;
    this.#name = name;
    this.#intervalUs = quota.windowUs / quota.count;
    this.#key = shared.key;
    this.#words = new BigInt64Array(shared.memory);
    this.#overflow = this.#words.length - overflowSlots;
    this.#sets = this.#overflow / (setSlots * 2);
  }

  waitUs(key: string, nowUs: number): number {
    const hash = this.#hashOf(key);
    const slot = this.#find(hash);
    const at = slot === -1 ? this.#overflowOf(hash) : slot + 1;
    const fullAtUs = Math.max(Number(Atomics.load(this.#words, at)), nowUs);
    return Math.max(0, fullAtUs + this.#intervalUs - this.quota.windowUs - nowUs);
  }

  take(key: string, nowUs: number): number | null {
    const hash = this.#hashOf(key);
    for (let tries = 0; tries < triesMax; tries++) {
      const slot = this.#claim(hash, nowUs);
      const at = slot === -1 ? this.#overflowOf(hash) : slot + 1;
      const untilFullUs = this.#add(at, nowUs);
      if (untilFullUs === null) return null;
      if (slot === -1 || Atomics.load(this.#words, slot) === hash) return untilFullUs;
      // Between the two steps the slot became another's: that one is not to pay.
      this.#subtract(at);
    }
    return null;
  }

  giveBack(key: string): void {
    const hash = this.#hashOf(key);
    const slot = this.#find(hash);
    this.#subtract(slot === -1 ? this.#overflowOf(hash) : slot + 1);
  }

  remaining(untilFullUs: number): number {
    return Math.max(0, Math.floor((this.quota.windowUs - untilFullUs) / this.#intervalUs + 1e-6));
  }

  #hashOf(key: string): bigint {
    const hashed = this.#hashed;
    if (hashed.hash !== noOne && hashed.key === key) return hashed.hash;
    const hash = keyedHash(`${this.#name} ${key}`, this.#key);
    this.#hashed = { key, hash: hash === noOne ? 1n : hash };
    return this.#hashed.hash;
  }

  #setOf(hash: bigint): number {
    return (Number(hash & 0xffff_ffffn) % this.#sets) * setSlots * 2;
  }

  #overflowOf(hash: bigint): number {
    const chosen = Number((hash >> 32n) & 0xffff_ffffn);
    if (this.quota.windowUs > hourUs) return this.#overflow + (chosen % overflowSlotsLong);
    return this.#overflow + overflowSlotsLong + (chosen % (overflowSlots - overflowSlotsLong));
  }

  #find(hash: bigint): number {
    const first = this.#setOf(hash);
    for (let slot = first; slot < first + setSlots * 2; slot += 2) {
      if (Atomics.load(this.#words, slot) === hash) return slot;
    }
    return -1;
  }

  /** The slot of a key, found or taken over from somebody whose bucket is full. -1: there is none. */
  #claim(hash: bigint, nowUs: number): number {
    const found = this.#find(hash);
    if (found !== -1) return found;
    const words = this.#words;
    const first = this.#setOf(hash);
    for (let slot = first; slot < first + setSlots * 2; slot += 2) {
      const owner = Atomics.load(words, slot);
      if (Number(Atomics.load(words, slot + 1)) > nowUs) continue;
      if (Atomics.compareExchange(words, slot, owner, hash) !== owner) continue;
      // Two threads may have taken a slot each for the same newcomer: the first one of the set counts.
      const kept = this.#find(hash);
      if (kept !== slot) Atomics.compareExchange(words, slot, hash, noOne);
      return kept;
    }
    return this.#find(hash);
  }

  /** Counts a request when the bucket has room for it. @returns microseconds until it is full again, or null. */
  #add(at: number, nowUs: number): number | null {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, at);
      const fullAtUs = Math.max(Number(seen), nowUs) + this.#intervalUs;
      // A microsecond of slack: the intervals of most quotas are no whole numbers.
      if (fullAtUs - this.quota.windowUs - nowUs > 1) return null;
      const next = BigInt(Math.ceil(fullAtUs));
      if (Atomics.compareExchange(words, at, seen, next) === seen) return fullAtUs - nowUs;
    }
  }

  #subtract(at: number): void {
    Atomics.sub(this.#words, at, BigInt(Math.ceil(this.#intervalUs)));
  }
}
