// Math.random of one call: sfc32 seeded by cyrb128, both in the public domain. Good numbers, no secrets:
// what must not be guessed comes from `crypto`, which the host answers.
import { imul, unitAt } from "./primordials.ts";

/** Numbers that follow from a seed. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    let a = 1_779_033_703;
    let b = 3_144_134_277;
    let c = 1_013_904_242;
    let d = 2_773_480_762;
    for (let index = 0; index < seed.length; index++) {
      const unit = unitAt(seed, index);
      a = b ^ imul(a ^ unit, 597_399_067);
      b = c ^ imul(b ^ unit, 2_869_860_233);
      c = d ^ imul(c ^ unit, 951_274_213);
      d = a ^ imul(d ^ unit, 2_716_044_179);
    }
    this.#a = imul(c ^ (a >>> 18), 597_399_067);
    this.#b = imul(d ^ (b >>> 22), 2_869_860_233);
    this.#c = imul(a ^ (c >>> 17), 951_274_213);
    this.#d = imul(b ^ (d >>> 19), 2_716_044_179);
    for (let round = 0; round < 12; round++) this.next();
  }

  /** From 0 to below 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  }
}
