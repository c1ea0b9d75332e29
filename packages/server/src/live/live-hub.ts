// The live queries of one thread, put together: sessions subscribe (live-session.ts), queries are shared and filed
// (query-registry.ts), commits and time mark those that they touch (commit-match.ts, live-clock.ts), rounds bring
// the sessions of marked queries to a new snapshot (live-rounds.ts).
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { Revocation } from "../gate/identity.ts";
import type { Watcher } from "../gate/watcher.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import { CommitMatch } from "./commit-match.ts";
import { LiveClock } from "./live-clock.ts";
import type { LiveQuery, LiveQueryPorts, LiveReads } from "./live-query.ts";
import { LiveRounds } from "./live-rounds.ts";
import {
  LiveSession,
  type LiveOrigin,
  type LiveSessionPorts,
  type LiveSink,
} from "./live-session.ts";
import { QueryRegistry } from "./query-registry.ts";
import { TimeWatches } from "./time-watches.ts";

/** What a hub is made of. */
export interface LiveHubParts {
  readonly watcher: Watcher;
  /** Reads of this thread. */
  readonly store: Pick<Store, "read" | "commitsAfter">;
  readonly feed: CommitFeed;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Calls back when the event loop has come round once. */
  readonly nextTurn: (run: () => void) => void;
  /** Told of failures that are nobody's but ours. */
  report(error: unknown): void;
}

/** Live queries. */
export interface LiveHub {
  /** A connection comes. */
  open(sink: LiveSink, origin: LiveOrigin): LiveSession;
  /** Credentials are not to be taken any more: from now on nothing is pushed for them. */
  revoke(what: Revocation): void;
  /** Ends all sessions; nothing is pushed after it. */
  close(): void;
  /** What there is now. */
  readonly gauges: LiveHubGauges;
}

/** How much a hub has to do. */
export interface LiveHubGauges {
  readonly sessions: number;
  readonly subscriptions: number;
  /** Distinct ones, each run once for all who watch it. */
  readonly queries: number;
  readonly dependencies: number;
}

/** Parts of limits.liveCheckMs. */
const checkParts = 20;

/** Opens the hub of one thread, for one version of the app. */
export function openLiveHub(parts: LiveHubParts): LiveHub {
  return new Hub(parts);
}

class Hub implements LiveHub {
  readonly #parts: LiveHubParts;
  readonly #registry: QueryRegistry;
  readonly #commits: CommitMatch;
  readonly #time: LiveClock;
  readonly #rounds: LiveRounds;
  /** With the part of a second in which each is looked at. */
  readonly #sessions = new Map<LiveSession, number>();
  #opened = 0;
  #checks = 0;
  readonly #sessionPorts: LiveSessionPorts;
  #cancelCheck: (() => void) | null = null;

  constructor(parts: LiveHubParts) {
    this.#parts = parts;
    const { watcher, limits, store, clock } = parts;
    const report = (error: unknown) => parts.report(error);
    const times = new TimeWatches(limits);
    const registry = new QueryRegistry(watcher, times);
    this.#registry = registry;
    this.#time = new LiveClock({ clock, store, registry, times, report });
    this.#commits = new CommitMatch({
      ...{ registry, store, limits, feed: parts.feed },
      came: () => this.#rounds.schedule(),
      changed: (change) => this.#time.changed(change),
      matched: () => this.#time.mayCome(),
    });
    this.#rounds = new LiveRounds({
      ...{ store, clock, limits, report, commits: this.#commits },
      nextTurn: (run) => parts.nextTurn(run),
    });
    const queryPorts: LiveQueryPorts = {
      watcher,
      reads: {
        manifest: watcher.app.manifest,
        tables: watcher.app.tables,
        limits,
        narrowest: (table, bounds) => registry.narrowest(table, bounds),
      },
      filed: (query, read, seq) => this.#filed(query, read, seq),
    };
    this.#sessionPorts = {
      watcher,
      limits,
      join: (subscription, asked) => registry.join(subscription, asked, queryPorts),
      leave: (subscription) => registry.leave(subscription),
      due: (session) => this.#rounds.due(session),
      closed: (session) => this.#forget(session),
    };
  }

  get gauges(): LiveHubGauges {
    let subscriptions = 0;
    for (const { size } of this.#sessions.keys()) subscriptions += size;
    return {
      sessions: this.#sessions.size,
      subscriptions,
      queries: this.#registry.size,
      dependencies: this.#registry.dependencies,
    };
  }

  open(sink: LiveSink, origin: LiveOrigin): LiveSession {
    const session = new LiveSession(this.#sessionPorts, sink, origin);
    this.#sessions.set(session, this.#opened++ % checkParts);
    // The log is followed as long as anybody is connected.
    this.#commits.follow();
    this.#cancelCheck ??= this.#checkLater();
    return session;
  }

  revoke(what: Revocation): void {
    this.#parts.watcher.revoke(what);
    for (const session of this.#sessions.keys()) session.revoke(what);
  }

  close(): void {
    this.#rounds.close();
    this.#time.close();
    for (const session of [...this.#sessions.keys()]) session.close();
    this.#cancelCheck?.();
    this.#commits.unfollow();
  }

  #forget(session: LiveSession): void {
    this.#sessions.delete(session);
    this.#rounds.forget(session);
    if (this.#sessions.size > 0) return;
    this.#cancelCheck?.();
    this.#cancelCheck = null;
    this.#commits.unfollow();
  }

  #filed(query: LiveQuery, read: LiveReads, seq: number): number {
    this.#registry.file(query, read);
    this.#time.filed(read.times, read.now);
    const touchedAt = this.#commits.touchedSince(seq, read.dependencies);
    if (touchedAt < Infinity) for (const follower of query.followers) follower.touched();
    return touchedAt;
  }

  /** Tokens expire without any commit. A part of the sessions at a time: thousands at once would hold up a push. */
  #checkLater(): () => void {
    const { clock, limits } = this.#parts;
    return clock.after(limits.liveCheckMs / checkParts, () => {
      this.#cancelCheck = this.#sessions.size > 0 ? this.#checkLater() : null;
      this.#checks = (this.#checks + 1) % checkParts;
      for (const [session, part] of this.#sessions) {
        if (part === this.#checks) session.recheck();
      }
      if (this.#checks === 0) this.#time.checkPeriodic();
    });
  }
}
