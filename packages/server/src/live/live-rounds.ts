// Moves the sessions that are due, in rounds. A round takes what the feed brought, reads one snapshot, and brings
// sessions to it, for a slice of time; those left over come first in the next slice.
// Invariant: before a session is moved to a snapshot, every commit up to it was matched, so a query that is not
// marked stands at that snapshot too.
import { andThen, isLater, type Later } from "../base/later.ts";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { ReadTx, Store } from "../store/store.ts";
import type { CommitMatch } from "./commit-match.ts";
import type { LiveSession } from "./live-session.ts";

/** Rounds that wait for slow queries at the same time: each holds a database connection. */
const waitingMax = 4;
const failedMsMin = 100;
const pausedMsMin = 20;

/** What rounds need. */
export interface LiveRoundsParts {
  readonly store: Pick<Store, "read">;
  readonly commits: CommitMatch;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Calls back when the event loop has come round once. */
  readonly nextTurn: (run: () => void) => void;
  /** Told of failures that are nobody's but ours. */
  report(error: unknown): void;
}

/** The sessions that are due, and their moves. */
export class LiveRounds {
  readonly #parts: LiveRoundsParts;
  readonly #due = new Set<LiveSession>();
  /** Rounds that wait for a query. */
  #waiting = 0;
  #isScheduled = false;
  /** Whether sessions that do not read are looked at again soon. */
  #isLookingAgain = false;
  /** When the last round ended, and how long it took. */
  #endUs = -Infinity;
  #tookMs = 0;
  #isClosed = false;

  constructor(parts: LiveRoundsParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#isClosed = true;
    this.#due.clear();
  }

  /** A session is to be moved soon. */
  due(session: LiveSession): void {
    this.#due.add(session);
    this.schedule();
  }

  /** A session has gone. */
  forget(session: LiveSession): void {
    this.#due.delete(session);
  }

  /** There is something to do. */
  schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    const { clock, limits, nextTurn } = this.#parts;
    // Rounds take half of the thread at most: what comes meanwhile is joined in the next.
    const sinceMs = (clock.monotonicUs() - this.#endUs) / 1_000;
    const restMs = Math.min(limits.liveTickMs, this.#tookMs) - sinceMs;
    if (restMs < 0.5) nextTurn(() => this.#round());
    else clock.after(restMs, () => this.#round());
  }

  #round(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    const { clock, commits } = this.#parts;
    const startUs = clock.monotonicUs();
    try {
      commits.takeIncoming();
      this.#slice();
    } catch (error) {
      this.#failed(error);
    }
    this.#endUs = clock.monotonicUs();
    this.#tookMs = (this.#endUs - startUs) / 1_000;
  }

  /** Moves due sessions for a slice of time. */
  #slice(): void {
    if (this.#due.size === 0 || this.#waiting >= waitingMax || this.#isClosed) return;
    const ready = this.#takeReady();
    if (ready.length === 0) return;
    const { store, commits } = this.#parts;
    let moving: Later<unknown>;
    try {
      moving = store.read((tx) => andThen(commits.catchUp(tx.seq), () => this.#moveAll(ready, tx)));
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
    if (isPaused) this.#lookAgain();
    return ready;
  }

  #lookAgain(): void {
    if (this.#isLookingAgain) return;
    this.#isLookingAgain = true;
    const { clock, limits } = this.#parts;
    clock.after(Math.max(pausedMsMin, limits.liveTickMs), () => {
      this.#isLookingAgain = false;
      this.schedule();
    });
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
    const { commits, report } = this.#parts;
    this.#waiting += 1;
    const ended = commits.running();
    moving
      .catch((error: unknown) => {
        report(error);
        for (const session of ready) this.#due.add(session);
      })
      .finally(() => {
        this.#waiting -= 1;
        ended();
        if (this.#due.size > 0) this.schedule();
      })
      .catch((error: unknown) => report(error));
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
    clock.after(Math.max(failedMsMin, limits.liveTickMs), () => this.#round());
  }
}
