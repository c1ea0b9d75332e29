// Idempotency keys (https://docs.stripe.com/api/idempotent_requests): the first answer is kept and given again, also
// when it was a refusal of the card; the same key for another request is refused. What was refused before anything
// was tried (wrong parameters) is not kept.
import type { SimulatorAnswer } from "../http/simulator-server.ts";
import { StripeError } from "./stripe-error.ts";

/** An answer, and the request that it is of. */
export interface Kept {
  readonly hash: string;
  readonly answer: SimulatorAnswer;
}

/** Answers by key. */
export class IdempotentAnswers {
  readonly #kept: Map<string, Kept>;

  /** @param kept of an earlier process, as `entries` gave them. */
  constructor(kept: readonly (readonly [string, Kept])[] = []) {
    this.#kept = new Map(kept);
  }

  /** All of them. */
  entries(): readonly (readonly [string, Kept])[] {
    return [...this.#kept];
  }

  /** @throws StripeError when the key was used for another request. */
  once(
    key: string,
    hash: string,
    run: () => SimulatorAnswer,
  ): { readonly answer: SimulatorAnswer; readonly isRepeat: boolean } {
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      const answer = run();
      this.#kept.set(key, { hash, answer });
      return { answer, isRepeat: false };
    }
    if (kept.hash === hash) return { answer: kept.answer, isRepeat: true };
    throw new StripeError(400, {
      type: "idempotency_error",
      message:
        "Keys for idempotent requests can only be used with the same parameters they were first used with.",
    });
  }
}
