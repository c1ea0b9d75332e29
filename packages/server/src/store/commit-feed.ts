// Who is told of commits, in this thread (law 5: whatever reacts to data reads the one log). One thread and
// many are the same relay: where the writer is this thread, `feedingStore` publishes each group; where it is
// another one, whoever receives its messages publishes them.
//
// Invariant: a listener sees every commit after its subscription began, once, in the order of their numbers.
// What a message lost (the writer's thread ended between a commit and its message) is read from the log.
import { andThen, isLater, type Later } from "../base/later.ts";
import { withGroups } from "./group-wrap.ts";
import type { Commit, Store } from "./store.ts";

/** Told of one group of commits, oldest first, at least one. Must not throw and must not wait. */
export type CommitListener = (commits: readonly Commit[]) => void;

/** Commits as they become durable. */
export interface CommitFeed {
  /**
   * Newest commit that listeners were told of, or that was there before the feed began. A read in this thread
   * may stand on a newer one when the writer is another thread: its commits come a moment later.
   */
  readonly seq: number;
  /** @param listener called after the group is durable. @returns a function that ends it. */
  subscribe(listener: CommitListener): () => void;
}

/** A feed and its source's side. */
export interface CommitRelay extends CommitFeed {
  /**
   * Tells a group that is durable. Commits that were told before are left out; missing ones are read from the log.
   * @param seq newest commit there is, when it is not the group's last.
   */
  publish(commits: readonly Commit[], seq?: number): void;
}

/** What a relay needs. */
export interface CommitRelayParts {
  /** Newest commit of the store: asked when the feed begins, and when the first listener comes. */
  lastSeq(): number;
  /** Reads the log, for commits whose message was lost: Store.commitsAfter. */
  commitsAfter(seq: number, limit: number): Later<readonly Commit[]>;
  /**
   * Told whether there is any listener: a source in another thread sends nothing while there is none, and publishes
   * its newest number when there is one. Absent: the source publishes always.
   */
  readonly wanted?: (isWanted: boolean) => void;
  /** Told of a listener or a log that failed. */
  report(error: unknown): void;
}

/** Commits read from the log at once when a message was lost. */
const fillMax = 1_000;

/** Opens a feed without a source: call `publish`. */
export function openCommitRelay(parts: CommitRelayParts): CommitRelay {
  return new Relay(parts);
}

/** A store whose groups are published once they are durable, before anybody is answered. */
export function feedingStore(store: Store, publish: CommitListener): Store {
  return withGroups(store, (group) => ({
    mutate: (meta, body) => group.mutate(meta, body),
    commit: () =>
      andThen(group.commit(), (commits) => {
        if (commits.length > 0) publish(commits);
        return commits;
      }),
    abort: () => group.abort(),
  }));
}

class Relay implements CommitRelay {
  readonly #parts: CommitRelayParts;
  readonly #listeners = new Set<CommitListener>();
  #seq: number;
  /** Groups that came while missing commits are read; null: none are. */
  #held: (readonly Commit[])[] | null = null;

  constructor(parts: CommitRelayParts) {
    this.#parts = parts;
    this.#seq = parts.lastSeq();
  }

  get seq(): number {
    return this.#seq;
  }

  subscribe(listener: CommitListener): () => void {
    // A function of its own each time: the same listener may subscribe twice.
    const own: CommitListener = (commits) => listener(commits);
    const { wanted, lastSeq } = this.#parts;
    if (wanted !== undefined && this.#listeners.size === 0) {
      this.#seq = Math.max(this.#seq, lastSeq());
      wanted(true);
    }
    this.#listeners.add(own);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) wanted?.(false);
    };
  }

  publish(commits: readonly Commit[], seq?: number): void {
    if (this.#held !== null) {
      this.#held.push(commits);
      return;
    }
    const first = commits[0]?.seq ?? (seq === undefined ? 0 : seq + 1);
    if (first > this.#seq + 1) this.#fill(commits);
    else this.#tell(commits);
  }

  #fill(commits: readonly Commit[]): void {
    this.#held = [commits];
    try {
      const missing = this.#parts.commitsAfter(this.#seq, fillMax);
      if (!isLater(missing)) {
        this.#filled(missing);
        return;
      }
      missing.then(
        (missing) => this.#filled(missing),
        (error: unknown) => this.#unfilled(error),
      );
    } catch (error) {
      this.#unfilled(error);
    }
  }

  #filled(missing: readonly Commit[]): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#tell(missing);
    // As many as were asked for: there may be more.
    if (missing.length === fillMax) this.publish([], Number.MAX_SAFE_INTEGER - 1);
    // What the log no longer has can't be told; what is known is told all the same.
    for (const group of held) this.#tellOrHold(group);
  }

  #tellOrHold(commits: readonly Commit[]): void {
    if (this.#held === null) this.#tell(commits);
    else this.#held.push(commits);
  }

  #unfilled(error: unknown): void {
    this.#parts.report(error);
    this.#filled([]);
  }

  #tell(commits: readonly Commit[]): void {
    const fresh = commits.filter(({ seq }) => seq > this.#seq);
    const last = fresh[fresh.length - 1];
    if (last === undefined) return;
    this.#seq = last.seq;
    for (const listener of this.#listeners) {
      try {
        listener(fresh);
      } catch (error) {
        this.#parts.report(error);
      }
    }
  }
}
