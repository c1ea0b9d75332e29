// Commits matched against the live queries of one thread, each once, in order. What the feed has not brought when
// a snapshot is read is read from the log.
// Invariant: when `catchUp(seq)` has ended, every query that a commit up to `seq` touches is marked. A commit that
// is matched while a query runs is remembered until the run has ended, and matched again against what it has read.
import { andThen, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Change, Commit, Store } from "../store/store.ts";
import { touches, type Dependency } from "./dependency.ts";
import type { LiveQuery } from "./live-query.ts";
import type { QueryRegistry } from "./query-registry.ts";

/** Commits read from the log at once. */
const logPage = 1_000;

/** What matching needs. */
export interface CommitMatchParts {
  readonly registry: QueryRegistry;
  readonly store: Pick<Store, "commitsAfter">;
  readonly feed: CommitFeed;
  readonly limits: Limits;
  /** Commits came, and somebody watches. */
  came(): void;
  /** A change was matched. */
  changed(change: Change): void;
  /** A commit was matched. */
  matched(): void;
}

/** Follows the log. */
export class CommitMatch {
  readonly #parts: CommitMatchParts;
  #unfollow: (() => void) | null = null;
  /** Commits that the feed brought and no round has taken yet. */
  #incoming: Commit[] = [];
  #matchedSeq = 0;
  /** Runs that are under way, and the commits that were matched meanwhile. */
  #running = 0;
  #replay: Commit[] = [];
  #isReplayWhole = true;

  constructor(parts: CommitMatchParts) {
    this.#parts = parts;
  }

  /** Begins to follow; does nothing when it does already. */
  follow(): void {
    if (this.#unfollow !== null) return;
    const { feed, registry } = this.#parts;
    this.#unfollow = feed.subscribe((commits) => {
      // Nobody watches anything: who does first reads a snapshot that has them.
      if (registry.size === 0) {
        this.#matchedSeq = Math.max(this.#matchedSeq, commits.at(-1)?.seq ?? 0);
        return;
      }
      for (const commit of commits) this.#incoming.push(commit);
      this.#parts.came();
    });
    this.#matchedSeq = feed.seq;
  }

  unfollow(): void {
    this.#unfollow?.();
    this.#unfollow = null;
    this.#incoming = [];
  }

  /** Matches what the feed has brought. */
  takeIncoming(): void {
    const commits = this.#incoming;
    this.#incoming = [];
    for (const commit of commits) this.#match(commit);
  }

  /** Matches everything up to `seq`. */
  catchUp(seq: number): Later<void> {
    if (seq <= this.#matchedSeq) return undefined;
    const { registry, store } = this.#parts;
    if (registry.size === 0) {
      this.#matchedSeq = seq;
      return undefined;
    }
    const from = this.#matchedSeq;
    return andThen(store.commitsAfter(from, logPage), (commits) => {
      if (commits[0]?.seq !== from + 1) {
        // The log does not reach back so far: anything may have changed.
        this.#matchedSeq = seq;
        for (const query of registry.all()) query.touchedAt(from + 1);
        return undefined;
      }
      for (const commit of commits) if (commit.seq <= seq) this.#match(commit);
      return this.catchUp(seq);
    });
  }

  /** Runs are under way from now on until the returned function is called. */
  running(): () => void {
    this.#running += 1;
    return () => {
      this.#running -= 1;
      if (this.#running > 0) return;
      this.#replay = [];
      this.#isReplayWhole = true;
    };
  }

  /** The first commit after `seq`, of those matched while runs were under way, that touches one of these. */
  touchedSince(seq: number, dependencies: readonly Dependency[]): number {
    if (seq >= this.#matchedSeq) return Infinity;
    if (!this.#isReplayWhole) return seq + 1;
    for (const commit of this.#replay) {
      if (commit.seq <= seq) continue;
      for (const change of commit.changes) {
        if (dependencies.some((dependency) => touches(dependency, change))) return commit.seq;
      }
    }
    return Infinity;
  }

  #match(commit: Commit): void {
    if (commit.seq <= this.#matchedSeq) return;
    this.#matchedSeq = commit.seq;
    const { registry, limits } = this.#parts;
    const touched = new Set<LiveQuery>();
    for (const change of commit.changes) {
      registry.touched(change, touched);
      this.#parts.changed(change);
    }
    for (const query of touched) query.touchedAt(commit.seq);
    this.#parts.matched();
    if (this.#running === 0) return;
    if (this.#replay.length < limits.liveReplayMax) this.#replay.push(commit);
    else this.#isReplayWhole = false;
  }
}
