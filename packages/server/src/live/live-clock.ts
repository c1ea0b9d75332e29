// What time does to live queries: rules that speak of `now` turn without any commit. One timer stands for the next
// moment at which one may; queries that use `now` in another way are looked at again and again.
import { andThen, isLater } from "../base/later.ts";
import type { Clock } from "../base/clock.ts";
import { timeText } from "../gate/gate-app.ts";
import { msOfTime } from "../model/field-time.ts";
import type { Change, Store } from "../store/store.ts";
import type { Touch } from "./dependency.ts";
import type { LiveQuery } from "./live-query.ts";
import type { QueryRegistry } from "./query-registry.ts";
import type { ReadTimes } from "./read-set.ts";
import type { TimeWatches } from "./time-watches.ts";

/** Timers of some hosts end at 2^31 ms. */
const timerMsMax = 3_600_000;

/** What it needs. */
export interface LiveClockParts {
  readonly clock: Clock;
  readonly store: Pick<Store, "read">;
  readonly registry: QueryRegistry;
  readonly times: TimeWatches;
  /** Told of failures that are nobody's but ours. */
  report(error: unknown): void;
}

/** Marks queries whose time has come. */
export class LiveClock {
  readonly #parts: LiveClockParts;
  #isClosed = false;
  #cancel: (() => void) | null = null;
  /** RFC 3339; null: no timer is set. */
  #setFor: string | null = null;
  /** Up to then every moment was looked at. */
  #lookedAt = "";

  constructor(parts: LiveClockParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  /** A run has ended. @param now the time of the run, or a little before. */
  filed(times: ReadTimes, now: string): void {
    // What turned while it ran is looked for from when it began.
    if (times.moments.size > 0 && now < this.#lookedAt) this.#lookedAt = now;
    for (const moment of times.moments) if (moment >= now) this.#setTimer(moment);
    if (this.#parts.times.isUnsure) this.#lookSoon();
  }

  /** A change was matched. */
  changed(change: Change): void {
    this.#parts.times.note(change);
  }

  /** A commit was matched: a time in it may be the next. */
  mayCome(): void {
    const { next } = this.#parts.times;
    if (next !== null) this.#setTimer(next);
  }

  /** Has queries run again that can't be told when. */
  checkPeriodic(): void {
    for (const [query, { isPeriodic }] of this.#parts.registry.timed()) {
      if (isPeriodic) query.timeCame();
    }
  }

  #lookSoon(): void {
    this.#setTimer(timeText(this.#parts.clock.nowMs()));
  }

  /** Looks at the clock at `time`, or before. */
  #setTimer(time: string): void {
    if (this.#isClosed || (this.#setFor !== null && this.#setFor <= time)) return;
    const at = msOfTime(time);
    this.#cancel?.();
    this.#setFor = time;
    const { clock } = this.#parts;
    // A rule may say "until" or "before": one turns at the time, the other a millisecond later. What is looked
    // at in its very millisecond is looked at once more.
    const delayMs = Math.min(timerMsMax, Math.max(1, at - clock.nowMs()));
    this.#cancel = clock.after(delayMs, () => this.#came());
  }

  #came(): void {
    this.#setFor = null;
    this.#cancel = null;
    const { clock, store, times, report } = this.#parts;
    const now = timeText(clock.nowMs());
    try {
      const found = store.read((tx) => times.look(tx, now));
      const after = andThen(found, ({ touched, unclear }) => this.#found(touched, unclear, now));
      if (isLater(after)) after.catch((error: unknown) => report(error));
    } catch (error) {
      report(error);
    }
  }

  #found(rows: readonly Touch[], unclear: readonly string[], now: string): void {
    const { registry, times: watches } = this.#parts;
    const touched = new Set<LiveQuery>();
    for (const row of rows) registry.touched(row, touched);
    let nextMoment: string | null = null;
    for (const [query, times] of registry.timed()) {
      if (unclear.some((field) => times.fields.has(field))) touched.add(query);
      for (const moment of times.moments) {
        if (moment >= now && (nextMoment === null || moment < nextMoment)) nextMoment = moment;
        if (moment >= this.#lookedAt && moment <= now) touched.add(query);
      }
    }
    this.#lookedAt = now;
    for (const query of touched) query.timeCame();
    if (nextMoment !== null) this.#setTimer(nextMoment);
    if (watches.isUnsure) this.#lookSoon();
    else this.mayCome();
  }
}
