// One subscription of a client: what is watched, what the server said last, and the views that stand on it.
import { stepForm } from "./client-step.ts";
import type { LiveWatch } from "./live-protocol.ts";
import type { LiveBase, LivePlan, LiveView } from "./live-view.ts";

/** Everything of one live query that the client and its server know of each other. */
export interface LiveSubscription {
  readonly key: string;
  readonly watch: LiveWatch;
  /** By reading. */
  readonly views: Map<string, LiveView>;
  /** On the connection; null: not there (yet, or any more). */
  id: number | null;
  /** For whom it was asked last (LiveSocket.caller); null: for nobody yet. */
  caller: object | null;
  hash: string | null;
  base: LiveBase;
  /** What its views stand on: `base`, once all others stand on the same commit. */
  shown: LiveBase;
  /** The server ended it for good. */
  isOver: boolean;
  /** Until it is tried again. */
  retry: ReturnType<typeof setTimeout> | null;
  failed: number;
}

/** The same text for equal queries. */
export function subscriptionKey(plan: LivePlan): string {
  return JSON.stringify(plan.step);
}

/** One that nobody has asked the server for yet. */
export function newSubscription(plan: LivePlan): LiveSubscription {
  return {
    key: subscriptionKey(plan),
    watch: stepForm(plan.step) as LiveWatch,
    views: new Map(),
    id: null,
    caller: null,
    hash: null,
    base: { kind: "none" },
    shown: { kind: "none" },
    isOver: false,
    retry: null,
    failed: 0,
  };
}

/** What was to be tried again later is not. */
export function forgetRetry(subscription: LiveSubscription): void {
  if (subscription.retry !== null) clearTimeout(subscription.retry);
  subscription.retry = null;
}
