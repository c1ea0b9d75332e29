// What the dispatcher knows of one queue: the first jobs of each lane, bounded, and what runs. Everything else
// of it is on disk, and read when there is room. Lanes take turns, so that a key with a million jobs and one with
// ten get the same share; higher priorities come first.
//
// Invariant: a job that waits on disk is in memory, or in a lane with `more`, or in a lane that the scan has
// still to find; so nothing that waits is forgotten.
import type { Job } from "./job.ts";
import type { LaneMark } from "./job-read.ts";
import { isBehindClock } from "./job-write.ts";
import { rankOfLane, ranks, timedLane } from "./lane.ts";
import type { QueuePolicy } from "./work-kind.ts";
import { RateWindow } from "./work-rate.ts";

/** A job as it is kept in memory. */
export interface Entry {
  readonly id: string;
  readonly queue: string;
  readonly lane: string;
  readonly place: number;
  readonly key: string | null;
  readonly dueMs: number | null;
  readonly sinceMs: number | null;
  readonly origin: Job["origin"];
  /** Whether it runs in the world. */
  readonly world: boolean;
  /** One with others failed: it runs alone now. */
  alone: boolean;
  /** Its last attempt in the world ended, and the machine could not write that down: the next one is no further one. */
  uncounted?: boolean;
}

/** A lane: its first entries in order, and whether there are more behind them on disk. */
interface Lane {
  readonly name: string;
  readonly rank: number;
  readonly key: string | null;
  entries: Entry[];
  last: LaneMark | null;
  more: boolean;
  running: number;
}

/** Time as the book needs it. */
export interface BookTime {
  /** Of the wall clock, for jobs that wait for a time. */
  readonly nowMs: number;
  /** Of a clock that never steps, for rates. */
  readonly steadyMs: number;
}

/** Bounds of what is kept in memory of one queue. */
export interface BookLimits {
  readonly lanesMax: number;
  readonly entriesMax: number;
  readonly lanePageMax: number;
}

/** One queue. */
export class QueueBook {
  readonly name: string;
  readonly policy: QueuePolicy | null;
  /** Jobs that may share a transaction: fewer after one has failed. */
  batchMax = 1;
  /** Where the search for lanes on disk goes on; null: all are known. */
  scanFrom: string | null;
  readonly #limits: BookLimits;
  readonly #lanes = new Map<string, Lane>();
  readonly #turns: readonly Map<string, Lane>[] = Array.from({ length: ranks }, () => new Map());
  readonly #timed: Lane;
  readonly #waiting = new Map<string, Lane>();
  readonly #running = new Map<string, Entry>();
  readonly #runningByKey = new Map<string, number>();
  readonly #rate: RateWindow | null;
  readonly #rateByKey = new Map<string, RateWindow>();
  /** Lanes with little left in memory and more on disk. */
  readonly #hungry = new Set<Lane>();
  #runningInWorld = 0;
  /** A lane came that there was no room for. */
  #isDirty = false;

  /** @param found whether it has jobs on disk already. */
  constructor(name: string, policy: QueuePolicy | null, limits: BookLimits, found: boolean) {
    this.name = name;
    this.policy = policy;
    this.#limits = limits;
    this.scanFrom = found ? "" : null;
    this.#timed = newLane(timedLane(name), -1, null, found);
    const rate = policy?.rate ?? null;
    this.#rate = rate === null ? null : new RateWindow(rate);
  }

  /** Whether there is nothing left to know of it, starts that count for its rates included. */
  isEmpty({ steadyMs }: BookTime): boolean {
    return (
      this.#waiting.size === 0 &&
      this.#running.size === 0 &&
      this.#lanes.size === 0 &&
      !this.#timed.more &&
      this.scanFrom === null &&
      (this.#rate?.isIdle(steadyMs) ?? true) &&
      [...this.#rateByKey.values()].every((window) => window.isIdle(steadyMs))
    );
  }

  /** Whether a new job that may run at once goes before no other, and waits for none. */
  get isFree(): boolean {
    const hasReady = this.#turns.some((lanes) => lanes.size > 0) || this.#hungry.size > 0;
    if (hasReady || this.scanFrom !== null) return false;
    return this.policy?.ordered !== true || this.#running.size === 0;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Whether it runs, and in the world. */
  runsInWorld(id: string): boolean {
    return this.#running.get(id)?.world === true;
  }

  /** Whether what was taken has neither ended nor been taken away. */
  runs(entry: Entry): boolean {
    return this.#running.get(entry.id) === entry;
  }

  has(id: string): boolean {
    return this.#waiting.has(id) || this.#running.has(id);
  }

  /** A job that waits now, or waits otherwise than before. */
  add(entry: Entry): void {
    this.remove(entry.id);
    const isTimed = entry.lane === this.#timed.name;
    const lane = isTimed ? this.#timed : this.#laneFor(entry);
    if (lane === null) return;
    const mark = { place: entry.place, id: entry.id };
    const isBehind = lane.last === null || compare(mark, lane.last) > 0;
    if (isBehind && lane.more) return;
    const isFull =
      lane.entries.length >= this.#limits.lanePageMax ||
      this.#waiting.size >= this.#limits.entriesMax;
    if (isBehind && isFull) {
      lane.more = true;
      return;
    }
    insertSorted(lane.entries, entry);
    if (isBehind) lane.last = mark;
    this.#waiting.set(entry.id, lane);
    this.#wakeLane(lane);
    if (lane.entries.length > 2 * this.#limits.lanePageMax) this.#trim(lane);
  }

  /** A job that waits no more, or runs no more. */
  remove(id: string): void {
    const lane = this.#waiting.get(id);
    if (lane !== undefined) {
      this.#waiting.delete(id);
      const at = lane.entries.findIndex((entry) => entry.id === id);
      if (at >= 0) lane.entries.splice(at, 1);
      this.#dropIfEmpty(lane);
    }
    this.#release(id);
  }

  /** What ran has ended. One that runs again by now is another entry, and goes on. */
  ended(entry: Entry): void {
    if (this.runs(entry)) this.#release(entry.id);
  }

  #release(id: string): void {
    const entry = this.#running.get(id);
    if (entry === undefined) return;
    this.#running.delete(id);
    if (entry.world) this.#runningInWorld -= 1;
    if (entry.key !== null) {
      const count = (this.#runningByKey.get(entry.key) ?? 1) - 1;
      if (count === 0) this.#runningByKey.delete(entry.key);
      else this.#runningByKey.set(entry.key, count);
    }
    const lane = this.#lanes.get(entry.lane);
    if (lane === undefined) return;
    lane.running -= 1;
    this.#wakeLane(lane);
    this.#dropIfEmpty(lane);
  }

  /** What did not run after all: back where it was. */
  putBack(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!this.runs(entry)) continue;
      this.#release(entry.id);
      const isTimed = entry.lane === this.#timed.name;
      const lane = isTimed ? this.#timed : this.#laneFor(entry);
      if (lane === null) continue;
      insertSorted(lane.entries, entry);
      const mark = { place: entry.place, id: entry.id };
      if (lane.last === null || compare(mark, lane.last) > 0) lane.last = mark;
      this.#waiting.set(entry.id, lane);
      this.#wakeLane(lane);
    }
  }

  /**
   * Takes jobs that may run now, all in the writer or all in the world.
   * @returns them, and when there may be more for another reason than that one ends: milliseconds from now.
   */
  take(
    time: BookTime,
    max: number,
  ): { readonly entries: readonly Entry[]; readonly waitMs: number } {
    const taken: Entry[] = [];
    const taking = { time, taken, max, waitMs: Number.POSITIVE_INFINITY };
    if (this.policy === null) return { entries: taken, waitMs: taking.waitMs };
    const hasReady = this.#turns.some((lanes) => lanes.size > 0);
    // Beside others that wait, one whose time has come goes to the lane of its key first: see `overdue`.
    if (!hasReady && !this.policy.ordered) this.#takeTimed(taking);
    for (const lanes of this.#turns) this.#takeReady(taking, lanes);
    return { entries: taken, waitMs: taking.waitMs };
  }

  /**
   * Jobs whose time has come and that could not run at once: they are to be moved to the lanes of their keys,
   * where they take turns with the others.
   * @returns their ids, and how long it is until the next one's time.
   */
  overdue(nowMs: number): { readonly ids: readonly string[]; readonly waitMs: number } {
    const { entries } = this.#timed;
    if (this.policy === null) return { ids: [], waitMs: Number.POSITIVE_INFINITY };
    const next = entries.findIndex(({ place }) => place > nowMs);
    const due = next === -1 ? entries : entries.slice(0, next);
    const waitMs = next === -1 ? Number.POSITIVE_INFINITY : (entries[next]?.place ?? 0) - nowMs;
    return { ids: due.map(({ id }) => id), waitMs };
  }

  /** Jobs put off for a length of time before the clock was set back: they would wait too long. */
  behindClock(nowMs: number): readonly string[] {
    const first = [...this.#lanes.values()].flatMap(({ entries }) => entries.slice(0, 1));
    return [...this.#timed.entries, ...first]
      .filter(({ sinceMs, dueMs }) => dueMs !== null && isBehindClock(sinceMs, nowMs))
      .map(({ id }) => id);
  }

  /** A lane that has nothing in memory and more on disk. */
  hungryLane(): { readonly name: string; readonly after: LaneMark | null } | null {
    const page = this.#limits.lanePageMax;
    if (this.#waiting.size >= this.#limits.entriesMax) return null;
    const timed = this.#timed;
    if (timed.more && timed.entries.length * 4 <= page)
      return { name: timed.name, after: timed.last };
    for (const lane of this.#hungry) return { name: lane.name, after: lane.last };
    return null;
  }

  /** What was read of a lane. @param isAll whether there is nothing behind. */
  fed(name: string, entries: readonly Entry[], isAll: boolean): void {
    const lane = name === this.#timed.name ? this.#timed : this.#lanes.get(name);
    if (lane === undefined) return;
    for (const entry of entries) {
      const mark = { place: entry.place, id: entry.id };
      if (lane.last === null || compare(mark, lane.last) > 0) lane.last = mark;
      if (this.has(entry.id)) continue;
      insertSorted(lane.entries, entry);
      this.#waiting.set(entry.id, lane);
    }
    lane.more = !isAll;
    this.#hungry.delete(lane);
    this.#wakeLane(lane);
    this.#dropIfEmpty(lane);
  }

  /** Whether the scan for lanes on disk has room to go on. */
  get wantsScan(): boolean {
    return this.scanFrom !== null && this.#lanes.size * 2 < this.#limits.lanesMax;
  }

  /** The scan found a lane. */
  found(name: string, key: string | null): void {
    this.scanFrom = name;
    if (this.#lanes.has(name)) return;
    this.#lanes.set(name, newLane(name, rankOfLane(this.name, name), key, true));
    this.#hungry.add(this.#lanes.get(name) as Lane);
  }

  /** The scan came to its end. */
  scanned(): void {
    this.scanFrom = this.#isDirty ? "" : null;
    this.#isDirty = false;
  }

  #laneFor(entry: Entry): Lane | null {
    const known = this.#lanes.get(entry.lane);
    if (known !== undefined) return known;
    // Of a lane that was not found yet, earlier jobs may be on disk: the scan will find it.
    if (this.scanFrom !== null || this.#lanes.size >= this.#limits.lanesMax) {
      this.#isDirty = true;
      this.scanFrom ??= "";
      return null;
    }
    const lane = newLane(entry.lane, rankOfLane(this.name, entry.lane), entry.key, false);
    this.#lanes.set(lane.name, lane);
    return lane;
  }

  #wakeLane(lane: Lane): void {
    if (lane.rank < 0) return;
    if (lane.more && lane.entries.length * 4 <= this.#limits.lanePageMax) this.#hungry.add(lane);
    if (lane.entries.length > 0) this.#turns[lane.rank]?.set(lane.name, lane);
  }

  #dropIfEmpty(lane: Lane): void {
    if (lane.entries.length > 0) return;
    if (lane.rank < 0) return;
    this.#turns[lane.rank]?.delete(lane.name);
    if (lane.more || lane.running > 0) return;
    this.#lanes.delete(lane.name);
    this.#hungry.delete(lane);
  }

  #trim(lane: Lane): void {
    const dropped = lane.entries.splice(this.#limits.lanePageMax);
    for (const { id } of dropped) this.#waiting.delete(id);
    const last = lane.entries[lane.entries.length - 1] as Entry;
    lane.last = { place: last.place, id: last.id };
    lane.more = true;
    this.#wakeLane(lane);
  }

  #takeTimed(taking: Taking): void {
    const { entries } = this.#timed;
    for (let at = 0; at < entries.length && taking.taken.length < taking.max;) {
      const entry = entries[at] as Entry;
      if (entry.place > taking.time.nowMs) return;
      const may = this.#mayRun(taking, entry);
      if (may === "none") return;
      if (may === "not this") {
        at += 1;
        continue;
      }
      entries.splice(at, 1);
      this.#start(taking, entry);
    }
  }

  #takeReady(taking: Taking, lanes: Map<string, Lane>): void {
    const stuck = new Set<Lane>();
    while (taking.taken.length < taking.max && lanes.size > stuck.size) {
      for (const lane of lanes.values()) {
        if (taking.taken.length >= taking.max) return;
        if (stuck.has(lane)) continue;
        // A lane that is alone gives all; others take turns.
        const share = lanes.size - stuck.size === 1 ? taking.max : 1;
        const outcome = this.#takeFrom(taking, lane, share);
        if (outcome === "none") return;
        if (outcome === "stuck") stuck.add(lane);
        else if (lanes.delete(lane.name)) lanes.set(lane.name, lane);
      }
    }
  }

  #takeFrom(taking: Taking, lane: Lane, share: number): "went" | "stuck" | "none" {
    for (let count = 0; count < share; count++) {
      const [entry] = lane.entries;
      if (entry === undefined) {
        this.#dropIfEmpty(lane);
        return "stuck";
      }
      if (taking.taken.length >= taking.max) return "went";
      if (entry.dueMs !== null && entry.dueMs > taking.time.nowMs) {
        wait(taking, entry.dueMs - taking.time.nowMs);
        return "stuck";
      }
      // In order: several may share a transaction; in the world each waits for the one before.
      const isOurs =
        lane.running === 0 ||
        (!entry.world && taking.taken.some((other) => other.lane === lane.name));
      if (this.policy?.ordered === true && !isOurs) return "stuck";
      const may = this.#mayRun(taking, entry);
      if (may === "none") return "none";
      if (may === "not this") return "stuck";
      lane.entries.shift();
      lane.running += 1;
      this.#start(taking, entry);
      this.#wakeLane(lane);
      if (lane.entries.length === 0) {
        this.#dropIfEmpty(lane);
        return "stuck";
      }
    }
    return "went";
  }

  #mayRun({ time, taken }: Taking, entry: Entry): "yes" | "not this" | "none" {
    const [first] = taken;
    if (first !== undefined && (first.world !== entry.world || first.alone || entry.alone))
      return "none";
    const { concurrency = 0, perKey = null, ratePerKey = null } = this.policy ?? {};
    if (entry.world && this.#runningInWorld >= concurrency) return "none";
    if (this.#rate !== null && this.#rate.room(time.steadyMs) <= 0) return "none";
    const { key } = entry;
    if (key === null) return "yes";
    const running = this.#runningByKey.get(key) ?? 0;
    if (perKey !== null && entry.world && running >= perKey) return "not this";
    if (ratePerKey === null) return "yes";
    return (this.#rateByKey.get(key)?.room(time.steadyMs) ?? 1) > 0 ? "yes" : "not this";
  }

  #start({ time, taken }: Taking, entry: Entry): void {
    taken.push(entry);
    this.#waiting.delete(entry.id);
    this.#running.set(entry.id, entry);
    if (entry.world) this.#runningInWorld += 1;
    this.#rate?.take(time.steadyMs);
    const { key } = entry;
    if (key === null) return;
    this.#runningByKey.set(key, (this.#runningByKey.get(key) ?? 0) + 1);
    const rate = this.policy?.ratePerKey ?? null;
    if (rate === null) return;
    let window = this.#rateByKey.get(key);
    if (window === undefined) {
      this.#forgetIdleRates(time);
      window = new RateWindow(rate);
      this.#rateByKey.set(key, window);
    }
    window.take(time.steadyMs);
  }

  /** When rates let more through: milliseconds from now. */
  rateWaitMs({ steadyMs }: BookTime): number {
    const { rate = null, ratePerKey = null } = this.policy ?? {};
    if (this.#waiting.size === 0 || (rate === null && ratePerKey === null)) {
      return Number.POSITIVE_INFINITY;
    }
    const waits = [rate, ratePerKey].map((each) =>
      each === null ? Number.POSITIVE_INFINITY : new RateWindow(each).waitMs(steadyMs),
    );
    return Math.min(...waits);
  }

  #forgetIdleRates({ steadyMs }: BookTime): void {
    if (this.#rateByKey.size < this.#limits.lanesMax) return;
    for (const [key, window] of this.#rateByKey) {
      if (window.isIdle(steadyMs)) this.#rateByKey.delete(key);
    }
  }
}

interface Taking {
  readonly time: BookTime;
  readonly taken: Entry[];
  readonly max: number;
  waitMs: number;
}

function wait(taking: Taking, ms: number): void {
  taking.waitMs = Math.min(taking.waitMs, ms);
}

function newLane(name: string, rank: number, key: string | null, more: boolean): Lane {
  return { name, rank, key, entries: [], last: null, more, running: 0 };
}

function compare(left: LaneMark, right: LaneMark): number {
  if (left.place !== right.place) return left.place - right.place;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

function insertSorted(entries: Entry[], entry: Entry): void {
  let at = entries.length;
  while (at > 0 && compare(entries[at - 1] as Entry, entry) > 0) at -= 1;
  if (at === entries.length) entries.push(entry);
  else entries.splice(at, 0, entry);
}
