// A queue of several callers' items. What one caller put in comes out in its order; callers take turns, so
// that one with thousands waiting holds up nobody who has one. Every operation is O(1).
import { assert } from "../base/assert.ts";

interface Lane<T> {
  readonly caller: string;
  readonly items: T[];
  /** Index of the first item that is still waiting: arrays are not shifted. */
  first: number;
}

/** Items of many callers. */
export class FairQueue<T> {
  readonly #lanes = new Map<string, Lane<T>>();
  /** Lanes with something in them, in the order of their turns; before `#turn` they have had theirs. */
  #round: Lane<T>[] = [];
  #turn = 0;
  #size = 0;

  /** Items waiting. */
  get size(): number {
    return this.#size;
  }

  push(caller: string, item: T): void {
    this.#size += 1;
    const lane = this.#lanes.get(caller);
    if (lane !== undefined) {
      lane.items.push(item);
      return;
    }
    const added: Lane<T> = { caller, items: [item], first: 0 };
    this.#lanes.set(caller, added);
    this.#round.push(added);
  }

  /** Takes the item of the caller whose turn it is. There must be one. */
  next(): T {
    assert(this.#size > 0, "somebody waits");
    const lane = this.#round[this.#turn] as Lane<T>;
    this.#turn += 1;
    const item = lane.items[lane.first] as T;
    lane.first += 1;
    this.#size -= 1;
    if (lane.first === lane.items.length) this.#lanes.delete(lane.caller);
    if (this.#turn === this.#round.length) this.#newRound();
    return item;
  }

  #newRound(): void {
    this.#round = this.#round.filter((lane) => lane.first < lane.items.length);
    this.#turn = 0;
    for (const lane of this.#round) {
      if (lane.first < 1_024) continue;
      lane.items.splice(0, lane.first);
      lane.first = 0;
    }
    assert(this.#round.length === this.#lanes.size, "whoever waits has a turn");
  }
}
