// How much of a bounded queue one caller may hold: at most a multiple of the room that is left (the dynamic
// threshold of Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
// IEEE/ACM ToN 1998). One flooding caller gets most of the queue, several share it, and there is always room
// for somebody who has nothing in it.
import { assert } from "../base/assert.ts";

/** A caller may hold this many times the room that is left: one alone 4/5 of the queue. */
const roomFactor = 4;

/** Counts what each caller holds of a queue. */
export class CallerShares {
  readonly #max: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  /** @param max places of the queue, at least 1. */
  constructor(max: number) {
    assert(max >= 1, "a queue has a place");
    this.#max = max;
  }

  /** Takes a place. @returns false when the queue, or the caller's part of it, is full. */
  take(caller: string): boolean {
    const held = this.#held.get(caller) ?? 0;
    if (held >= roomFactor * (this.#max - this.#total)) return false;
    this.#held.set(caller, held + 1);
    this.#total += 1;
    return true;
  }

  /** Gives a place back. */
  giveBack(caller: string): void {
    const held = this.#held.get(caller) ?? 0;
    assert(held > 0, "a place is given back once");
    if (held === 1) this.#held.delete(caller);
    else this.#held.set(caller, held - 1);
    this.#total -= 1;
  }

  /** Places taken. */
  get total(): number {
    return this.#total;
  }
}
