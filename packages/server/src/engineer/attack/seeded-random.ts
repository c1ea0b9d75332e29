// The attack's own randomness: everything that is drawn comes from the printed seed, so a run can be had again.

/** Draws from a seed. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }

  /** 0 to 1, 1 excluded (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** One of `values`, which is not empty. */
  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T;
  }

  /** The values in another order (Fisher and Yates). */
  shuffled<T>(values: readonly T[]): readonly T[] {
    const order = [...values];
    for (let last = order.length - 1; last > 0; last--) {
      const at = this.int(0, last);
      [order[last], order[at]] = [order[at] as T, order[last] as T];
    }
    return order;
  }

  /** `count` characters of a-z and 0-9. */
  letters(count: number): string {
    let text = "";
    for (let made = 0; made < count; made++)
      text += "abcdefghjkmnpqrstvwxyz0123456789"[this.int(0, 31)];
    return text;
  }
}
