// So many starts in any period: a window that slides in tenths. Never more than the count in a period, at most a
// tenth of the period late.
import type { WorkRate } from "./work-kind.ts";

const slots = 10;

/** Counts starts of one queue, or of one key. */
export class RateWindow {
  readonly #rate: WorkRate;
  readonly #counts: number[] = Array.from({ length: slots + 1 }, () => 0);
  #slot = 0;
  #sum = 0;

  constructor(rate: WorkRate) {
    this.#rate = rate;
  }

  /** How many may start now. @param nowMs of a clock that never steps. */
  room(nowMs: number): number {
    this.#slide(nowMs);
    return this.#rate.count - this.#sum;
  }

  /** One started. */
  take(nowMs: number): void {
    this.#slide(nowMs);
    this.#counts[this.#slot % (slots + 1)] = (this.#counts[this.#slot % (slots + 1)] ?? 0) + 1;
    this.#sum += 1;
  }

  /** Milliseconds until there may be more room. */
  waitMs(nowMs: number): number {
    const slotMs = this.#rate.perMs / slots;
    return Math.max(1, Math.ceil((Math.floor(nowMs / slotMs) + 1) * slotMs - nowMs));
  }

  /** Whether nothing is counted: it may be forgotten. */
  isIdle(nowMs: number): boolean {
    this.#slide(nowMs);
    return this.#sum === 0;
  }

  #slide(nowMs: number): void {
    const slot = Math.floor(nowMs / (this.#rate.perMs / slots));
    const steps = Math.min(slots + 1, slot - this.#slot);
    for (let step = 1; step <= steps; step++) {
      const at = (this.#slot + step) % (slots + 1);
      this.#sum -= this.#counts[at] ?? 0;
      this.#counts[at] = 0;
    }
    this.#slot = Math.max(this.#slot, slot);
  }
}
