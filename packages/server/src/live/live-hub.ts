// The live queries of one thread: it follows the log of commits, finds the queries that a commit touches, and
// moves the sessions that watch them, in rounds. A round takes what the feed brought, reads one snapshot, and
// brings due sessions to it, for a slice of time; the rest comes first in the next slice.
//
// Invariant: before a session is moved to a snapshot, every commit up to it was matched against the index, so
// a query that is not marked stands at that snapshot too. A commit that is matched while a query runs is
// remembered until the run has ended, and matched again against what that run has read.
import { andThen, isLater, type Later } from "../base/later.ts";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Watcher, WatchRun } from "../gate/watcher.ts";
import { msOfTime } from "../model/field-time.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Commit, ReadTx, Store } from "../store/store.ts";
import { touches, type Touch } from "./dependency.ts";
import { DependencyIndex, type Indexed } from "./dependency-index.ts";
import { LiveQuery, type LiveQueryPorts, type LiveReads } from "./live-query.ts";
import {
  LiveSession,
  type LiveOrigin,
  type LiveSessionPorts,
  type LiveSink,
  type LiveSubscription,
} from "./live-session.ts";
import { queryKey } from "./query-key.ts";
import type { ReadTimes } from "./read-set.ts";
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
  /** Ends all sessions; nothing is pushed after it. */
  close(): void;
  readonly gauges: {
    readonly sessions: number;
    readonly queries: number;
    readonly dependencies: number;
  };
}

/** Rounds that wait for slow queries at the same time: each holds a database connection. */
const waitingMax = 4;
const logPage = 1_000;
/** Timers of some hosts end at 2^31 ms. */
const timerMsMax = 3_600_000;

/** Opens the hub of one thread, for one version of the app. */
export function openLiveHub(parts: LiveHubParts): LiveHub {
  return new Hub(parts);
}

/** What is filed for a query. */
interface Filed {
  readonly indexed: Indexed<LiveQuery>;
  readonly times: ReadTimes;
}

class Hub implements LiveHub {
  readonly #parts: LiveHubParts;
  readonly #index: DependencyIndex<LiveQuery>;
  readonly #times: TimeWatches;
  readonly #queries = new Map<string, LiveQuery>();
  readonly #filed = new Map<LiveQuery, Filed>();
  readonly #sessions = new Set<LiveSession>();
  readonly #due = new Set<LiveSession>();
  readonly #queryPorts: LiveQueryPorts;
  readonly #sessionPorts: LiveSessionPorts;
  #unfollow: (() => void) | null = null;
  /** Commits that the feed brought and no round has taken yet. */
  #incoming: Commit[] = [];
  #matchedSeq = 0;
  /** Rounds that wait for a query, and the commits that were matched meanwhile. */
  #waiting = 0;
  #replay: Commit[] = [];
  #replayIsWhole = true;
  #isScheduled = false;
  /** When the last round ended, and how long it took. */
  #roundEndUs = -Infinity;
  #roundMs = 0;
  #isClosed = false;
  #cancelCheck: (() => void) | null = null;
  #cancelTime: (() => void) | null = null;
  #timeSetFor: string | null = null;

  constructor(parts: LiveHubParts) {
    this.#parts = parts;
    const { watcher, limits } = parts;
    const { manifest, tables } = watcher.app;
    this.#index = new DependencyIndex(manifest);
    this.#times = new TimeWatches(limits);
    this.#queryPorts = {
      watcher,
      reads: {
        manifest,
        tables,
        limits,
        narrowest: (table, bounds) => this.#index.narrowest(table, bounds),
      },
      filed: (query, read, seq) => this.#file(query, read, seq),
    };
    this.#sessionPorts = {
      watcher,
      limits,
      join: (subscription, asked) => this.#join(subscription, asked),
      leave: (subscription) => this.#leave(subscription),
      due: (session) => this.#makeDue(session),
      closed: (session) => this.#forget(session),
    };
  }

  /** Follows the log as long as anybody is connected. */
  #follow(): void {
    const { feed } = this.#parts;
    this.#unfollow = feed.subscribe((commits) => {
      // Nobody watches anything: who does first reads a snapshot that has them.
      if (this.#queries.size === 0) {
        this.#matchedSeq = Math.max(this.#matchedSeq, commits.at(-1)?.seq ?? 0);
        return;
      }
      for (const commit of commits) this.#incoming.push(commit);
      this.#schedule();
    });
    this.#matchedSeq = feed.seq;
  }

  get gauges() {
    return {
      sessions: this.#sessions.size,
      queries: this.#queries.size,
      dependencies: this.#index.size,
    };
  }

  open(sink: LiveSink, origin: LiveOrigin): LiveSession {
    const session = new LiveSession(this.#sessionPorts, sink, origin);
    this.#sessions.add(session);
    if (this.#unfollow === null) this.#follow();
    this.#cancelCheck ??= this.#checkLater();
    return session;
  }

  close(): void {
    this.#isClosed = true;
    this.#unfollow?.();
    this.#cancelCheck?.();
    this.#cancelTime?.();
    for (const session of [...this.#sessions]) session.close();
  }

  #makeDue(session: LiveSession): void {
    this.#due.add(session);
    this.#schedule();
  }

  #forget(session: LiveSession): void {
    this.#sessions.delete(session);
    this.#due.delete(session);
    if (this.#sessions.size > 0) return;
    this.#cancelCheck?.();
    this.#cancelCheck = null;
    this.#unfollow?.();
    this.#unfollow = null;
    this.#incoming = [];
  }

  // Queries

  #join(subscription: LiveSubscription, asked: WatchRun): LiveQuery {
    const key = queryKey(asked.operation, asked.caller, this.#parts.watcher);
    let query = this.#queries.get(key);
    if (query === undefined) {
      query = new LiveQuery(key, asked, this.#queryPorts);
      this.#queries.set(key, query);
    }
    query.followers.add(subscription);
    return query;
  }

  #leave(subscription: LiveSubscription): void {
    const { query } = subscription;
    if (query === null) return;
    query.followers.delete(subscription);
    if (query.followers.size > 0) return;
    query.isClosed = true;
    this.#queries.delete(query.key);
    this.#unfile(query);
  }

  #file(query: LiveQuery, { dependencies, times, now }: LiveReads, seq: number): number {
    const before = this.#filed.get(query);
    const indexed = this.#index.add(query, dependencies);
    for (const { table, field } of times.fields.values()) this.#times.use(table, field, now);
    if (before !== undefined) this.#drop(before);
    this.#filed.set(query, { indexed, times });
    // What turned while it ran is looked for from when it began.
    if (times.moments.size > 0 && now < this.#lookedAt) this.#lookedAt = now;
    for (const moment of times.moments) if (moment >= now) this.#setTimer(moment);
    if (this.#times.isUnsure) this.#lookAtTimeSoon();
    const touchedAt = this.#replayed(dependencies, seq);
    if (touchedAt < Infinity) for (const follower of query.followers) follower.touched();
    return touchedAt;
  }

  /** The first commit after `seq`, of those matched while queries run, that touches one of these. */
  #replayed(dependencies: LiveReads["dependencies"], seq: number): number {
    if (seq >= this.#matchedSeq) return Infinity;
    if (!this.#replayIsWhole) return seq + 1;
    for (const commit of this.#replay) {
      if (commit.seq <= seq) continue;
      for (const change of commit.changes) {
        if (dependencies.some((dependency) => touches(dependency, change))) return commit.seq;
      }
    }
    return Infinity;
  }

  #unfile(query: LiveQuery): void {
    const filed = this.#filed.get(query);
    if (filed === undefined) return;
    this.#filed.delete(query);
    this.#drop(filed);
  }

  #drop({ indexed, times }: Filed): void {
    this.#index.remove(indexed);
    for (const { table, field } of times.fields.values()) this.#times.release(table, field);
  }

  // Rounds

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    const { clock, limits, nextTurn } = this.#parts;
    // Rounds take half of the thread at most: what comes meanwhile is joined in the next.
    const sinceMs = (clock.monotonicUs() - this.#roundEndUs) / 1_000;
    const restMs = Math.min(limits.liveTickMs, this.#roundMs) - sinceMs;
    if (restMs < 0.5) nextTurn(() => this.#round());
    else clock.after(restMs, () => this.#round());
  }

  #round(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    const { clock } = this.#parts;
    const startUs = clock.monotonicUs();
    try {
      this.#takeIncoming();
      this.#slice();
    } catch (error) {
      this.#failed(error);
    }
    this.#roundEndUs = clock.monotonicUs();
    this.#roundMs = (this.#roundEndUs - startUs) / 1_000;
  }

  /** Moves due sessions for a slice of time. */
  #slice(): void {
    if (this.#due.size === 0 || this.#waiting >= waitingMax || this.#isClosed) return;
    const ready = this.#takeReady();
    if (ready.length === 0) return;
    const { store } = this.#parts;
    let moving: Later<unknown>;
    try {
      moving = store.read((tx) => andThen(this.#catchUp(tx.seq), () => this.#moveAll(ready, tx)));
    } catch (error) {
      for (const session of ready) this.#due.add(session);
      throw error;
    }
    if (isLater(moving)) this.#wait(moving, ready);
    if (this.#due.size > 0) this.#again();
  }

  /** The sessions of one slice, in the order in which they became due. */
  #takeReady(): LiveSession[] {
    const { clock, limits } = this.#parts;
    const endUs = clock.monotonicUs() + limits.liveSliceMs * 1_000;
    const ready: LiveSession[] = [];
    let isPaused = false;
    for (const session of [...this.#due]) {
      if (ready.length > 0 && clock.monotonicUs() > endUs) break;
      if (session.unreadBytes() > limits.livePauseBytes) {
        // It reads slowly: it gets the newest state when it has caught up.
        isPaused = true;
        continue;
      }
      this.#due.delete(session);
      // One that is moving becomes due again by itself when it has arrived, if anything is left to do.
      if (session.isFree && session.prepare()) ready.push(session);
    }
    if (isPaused) clock.after(Math.max(20, limits.liveTickMs), () => this.#schedule());
    return ready;
  }

  #moveAll(ready: LiveSession[], tx: ReadTx): Later<unknown> {
    const { clock, limits } = this.#parts;
    const endUs = clock.monotonicUs() + limits.liveSliceMs * 1_000;
    const moving: Promise<void>[] = [];
    for (const [index, session] of ready.entries()) {
      if (index > 0 && clock.monotonicUs() > endUs) {
        for (const rest of ready.slice(index)) this.#due.add(rest);
        break;
      }
      try {
        const moved = session.isFree ? session.move(tx) : undefined;
        if (moved !== undefined) moving.push(moved);
      } catch (error) {
        this.#parts.report(error);
      }
    }
    return moving.length > 0 ? Promise.all(moving) : undefined;
  }

  #wait(moving: Promise<unknown>, ready: readonly LiveSession[]): void {
    this.#waiting += 1;
    moving
      .catch((error: unknown) => {
        this.#parts.report(error);
        for (const session of ready) this.#due.add(session);
      })
      .finally(() => {
        this.#waiting -= 1;
        if (this.#waiting === 0) {
          this.#replay = [];
          this.#replayIsWhole = true;
        }
        if (this.#due.size > 0) this.#schedule();
      })
      .catch((error: unknown) => this.#parts.report(error));
  }

  /** More is due: other work has its turn first. */
  #again(): void {
    if (this.#isScheduled || this.#waiting >= waitingMax) return;
    const { limits } = this.#parts;
    const isPaused = [...this.#due].every((s) => s.unreadBytes() > limits.livePauseBytes);
    if (isPaused) return;
    this.#isScheduled = true;
    this.#parts.nextTurn(() => this.#round());
  }

  /** Never stops for good: what is due stays due. */
  #failed(error: unknown): void {
    const { report, clock, limits } = this.#parts;
    report(error);
    if (this.#isClosed || this.#isScheduled) return;
    this.#isScheduled = true;
    clock.after(Math.max(100, limits.liveTickMs), () => this.#round());
  }

  // Commits

  #takeIncoming(): void {
    const commits = this.#incoming;
    this.#incoming = [];
    for (const commit of commits) this.#match(commit);
  }

  /** Matches what the snapshot has and the feed has not brought yet. */
  #catchUp(seq: number): Later<void> {
    if (seq <= this.#matchedSeq) return undefined;
    if (this.#queries.size === 0) {
      this.#matchedSeq = seq;
      return undefined;
    }
    const from = this.#matchedSeq;
    return andThen(this.#parts.store.commitsAfter(from, logPage), (commits) => {
      if (commits[0]?.seq !== from + 1) {
        // The log does not reach back so far: anything may have changed.
        this.#matchedSeq = seq;
        for (const query of this.#queries.values()) query.touchedAt(from + 1);
        return undefined;
      }
      for (const commit of commits) if (commit.seq <= seq) this.#match(commit);
      return this.#catchUp(seq);
    });
  }

  #match(commit: Commit): void {
    if (commit.seq <= this.#matchedSeq) return;
    this.#matchedSeq = commit.seq;
    const touched = new Set<LiveQuery>();
    for (const change of commit.changes) {
      this.#index.touched(change, touched);
      this.#times.note(change);
    }
    for (const query of touched) query.touchedAt(commit.seq);
    this.#timeMayCome();
    if (this.#waiting === 0) return;
    if (this.#replay.length < this.#parts.limits.liveReplayMax) this.#replay.push(commit);
    else this.#replayIsWhole = false;
  }

  // Time

  #checkLater(): () => void {
    const { clock, limits } = this.#parts;
    return clock.after(limits.liveCheckMs, () => {
      this.#cancelCheck = this.#sessions.size > 0 ? this.#checkLater() : null;
      for (const session of this.#sessions) session.recheck();
      for (const [query, { times }] of this.#filed) if (times.isPeriodic) query.timeCame();
    });
  }

  #lookAtTimeSoon(): void {
    this.#setTimer(timeText(this.#parts.clock.nowMs()));
  }

  #timeMayCome(): void {
    const { next } = this.#times;
    if (next !== null) this.#setTimer(next);
  }

  /** Looks at the clock at `time`, or before. */
  #setTimer(time: string): void {
    if (this.#isClosed || (this.#timeSetFor !== null && this.#timeSetFor <= time)) return;
    const at = msOfTime(time);
    this.#cancelTime?.();
    this.#timeSetFor = time;
    const { clock } = this.#parts;
    // A rule may say "until" or "before": one turns at the time, the other a millisecond later. What is looked
    // at in its very millisecond is looked at once more.
    const delayMs = Math.min(timerMsMax, Math.max(1, at - clock.nowMs()));
    this.#cancelTime = clock.after(delayMs, () => this.#timeCame());
  }

  #timeCame(): void {
    this.#timeSetFor = null;
    this.#cancelTime = null;
    const { clock, store } = this.#parts;
    const now = timeText(clock.nowMs());
    try {
      const found = store.read((tx) => this.#times.look(tx, now));
      const after = andThen(found, ({ touched, unclear }) =>
        this.#timeFound(touched, unclear, now),
      );
      if (isLater(after)) after.catch((error: unknown) => this.#parts.report(error));
    } catch (error) {
      this.#parts.report(error);
    }
  }

  #timeFound(rows: readonly Touch[], unclear: readonly string[], now: string): void {
    const touched = new Set<LiveQuery>();
    for (const row of rows) this.#index.touched(row, touched);
    let nextMoment: string | null = null;
    for (const [query, { times }] of this.#filed) {
      if (unclear.some((field) => times.fields.has(field))) touched.add(query);
      for (const moment of times.moments) {
        if (moment >= now && (nextMoment === null || moment < nextMoment)) nextMoment = moment;
        if (moment >= this.#lookedAt && moment <= now) touched.add(query);
      }
    }
    this.#lookedAt = now;
    for (const query of touched) query.timeCame();
    if (nextMoment !== null) this.#setTimer(nextMoment);
    if (this.#times.isUnsure) this.#lookAtTimeSoon();
    else this.#timeMayCome();
  }

  #lookedAt = "";
}
