// Wrong passwords take the same time whatever they are compared with. A hash that was imported costs more or less than one
// of ours, and than the decoy of an address that nobody has: time would tell who was brought from elsewhere. Once such a
// hash was met, a wrong answer waits until the slowest kind would have answered. That is time, not CPU, and right passwords
// don't wait. The first check of such a hash in a thread is not evened out: nothing is known of it then.
import type { Clock } from "../base/clock.ts";

/** What a password is compared with: a hash as we make them now (or the decoy), or any other. */
export type HashKind = "own" | "foreign";

/** What the slowest of a kind is remembered with: it gives way by and by, so that a pause of the machine is forgotten. */
const fading = 0.98;
/** Above the slowest: a check that takes a little longer than those before is not told apart. */
const margin = 1.15;
/** No pause of the machine makes anybody wait longer. */
const paceUsMax = 1_000_000;

/** The pace of one thread. */
export class PasswordPace {
  readonly #clock: Clock;
  readonly #slowestUs = { own: 0, foreign: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Now, for `even`. */
  startUs(): number {
    return this.#clock.monotonicUs();
  }

  /** Takes note of a check that has ended. @returns when a wrong answer may be given; null: at once. */
  ended(kind: HashKind, startedUs: number): number | null {
    const tookUs = this.#clock.monotonicUs() - startedUs;
    const slowest = this.#slowestUs;
    slowest[kind] = Math.min(paceUsMax, Math.max(tookUs, slowest[kind] * fading));
    if (slowest.foreign === 0) return null;
    return startedUs + Math.max(slowest.own, slowest.foreign) * margin;
  }

  /** Waits until then. */
  async until(atUs: number): Promise<void> {
    const waitMs = (atUs - this.#clock.monotonicUs()) / 1_000;
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
  }
}
