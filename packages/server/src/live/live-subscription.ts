// One live query of one connection: what its client asked, has, and is owed.
import type { PlatformError } from "../base/platform-error.ts";
import type { WatchOperation } from "../gate/watcher.ts";
import type { LiveFollower, LiveQuery, LiveVersion } from "./live-query.ts";
import type { LiveHolder } from "./live-room.ts";

/** What a client asks to watch. */
export interface LiveRequest {
  readonly id: number;
  /** A mistake in it is its answer. */
  readonly operation: WatchOperation | PlatformError;
  /** Of the value that it has; null: none. */
  readonly hash: string | null;
  /** What it takes to keep it. */
  readonly bytes: number;
  readonly requestId: string;
  readonly cause: string;
}

/** The session of a subscription. */
export interface SubscriptionOwner {
  /** It may have another answer now. */
  touched(subscription: LiveSubscription): void;
}

/** One subscription. There are many: each is one object. */
export class LiveSubscription implements LiveFollower, LiveHolder {
  readonly request: LiveRequest;
  query: LiveQuery | null = null;
  /** What the client has; null: nothing was sent yet. */
  sent: LiveVersion | null = null;
  /** Of the value that the client brought, until its first answer; null: none. */
  brought: string | null;
  keptBytes = 0;
  /** Whether its answer is owed, changed or not. */
  isNew = true;
  isAlive = true;
  readonly #session: SubscriptionOwner;

  constructor(request: LiveRequest, session: SubscriptionOwner) {
    this.request = request;
    this.brought = request.hash;
    this.#session = session;
  }

  touched(): void {
    this.#session.touched(this);
  }
}
