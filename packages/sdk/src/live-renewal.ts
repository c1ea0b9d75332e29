// Live queries that the server ended, and that may go on: those whose token is over, with another token; those that
// it could not run now, later.
import type { KeelsonError } from "./client-error.ts";
import { failureKind } from "./client-retry.ts";
import type { LiveSubscription } from "./live-subscription.ts";

/** Whoever waits for a value is told why after so many refusals. It is tried on. */
const failedTold = 3;
/** A server that names a longer wait is not waited for by all others: what had a value is told at once. */
const heldMsMax = 1_000;

/** What renewal needs. */
export interface LiveRenewalParts {
  readonly baseMs: number;
  readonly capMs: number;
  readonly random: () => number;
  /** Whether a refused token can be replaced: there is a function to ask. */
  readonly isTokenRenewable: boolean;
  /** @returns whether there is another token now. */
  renewToken(): Promise<boolean>;
  /** The subscription is to be asked for again. */
  again(subscription: LiveSubscription): void;
  /** An error stands where its value stood. */
  fail(subscription: LiveSubscription, error: KeelsonError): void;
  /** Shows what was changed. */
  show(): void;
}

/** Subscriptions that wait for another token, or for later. */
export class LiveRenewal {
  readonly #parts: LiveRenewalParts;
  #renewing = new Set<LiveSubscription>();

  constructor(parts: LiveRenewalParts) {
    this.#parts = parts;
  }

  /** Nothing is waited for any more: a new connection asks for everything. */
  clear(): void {
    this.#renewing = new Set();
  }

  forget(subscription: LiveSubscription): void {
    this.#renewing.delete(subscription);
  }

  /** The server ended a subscription. @returns whether it may go on. */
  ended(subscription: LiveSubscription, error: KeelsonError): boolean {
    const isToken = error.code === "TOKEN_EXPIRED" || error.code === "TOKEN_INVALID";
    if (isToken && this.#parts.isTokenRenewable) this.#renew(subscription, error);
    else if (failureKind(error) === "notDone") this.#later(subscription, error);
    else return false;
    return true;
  }

  #later(subscription: LiveSubscription, error: KeelsonError): void {
    const { baseMs, capMs, random, again, fail } = this.#parts;
    const growing = Math.min(capMs, baseMs * 2 ** Math.min(subscription.failed++, 30));
    const askedMs = error.retryAfterMs ?? 0;
    const delayMs = askedMs + random() * growing;
    const { kind } = subscription.base;
    const isLong = subscription.failed >= failedTold || (kind === "value" && askedMs > heldMsMax);
    if (kind !== "error" && isLong) fail(subscription, error);
    if (subscription.retry !== null) clearTimeout(subscription.retry);
    subscription.retry = setTimeout(() => {
      subscription.retry = null;
      again(subscription);
    }, delayMs);
  }

  /** One renewal for all that the token took along. While it lasts they show what they had. */
  #renew(subscription: LiveSubscription, error: KeelsonError): void {
    this.#renewing.add(subscription);
    if (this.#renewing.size > 1) return;
    const { renewToken, again, fail, show } = this.#parts;
    const waiting = this.#renewing;
    const done = (isOther: boolean) => {
      // What another connection waits for is not answered by this one's token.
      if (waiting !== this.#renewing) return;
      this.clear();
      for (const one of waiting) {
        if (isOther) {
          again(one);
          continue;
        }
        fail(one, error);
        this.#later(one, error);
      }
      show();
    };
    queueMicrotask(() => {
      renewToken().then(done, () => done(false));
    });
  }
}
