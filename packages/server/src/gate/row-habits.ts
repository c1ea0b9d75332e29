// Which rows a function reads first, as its last calls did: most begin with a `get` of an id that they were given.
// These rows are read before it starts and sent along, which saves it the way out of the isolate for each. Rights are those
// of the call, and what it did not ask for counts nowhere: neither in its limits, nor in traces or live queries.
//
// A habit learns from eight calls, is used for some thousands, and learns again: earlier when it was wrong too often.
import type { Json } from "../base/json.ts";
import type { RowAhead, RowsAhead } from "../isolate/app-isolate.ts";
import type { RowTarget } from "../isolate/system-calls.ts";
import { rowText } from "../store/row-text.ts";
import type { Row } from "../store/store.ts";
import type { GuardedDb } from "./guarded-db.ts";
import type { Authority } from "./table-rules.ts";

const callsToLearn = 8;
const timesSeenMin = 4;
const callsOfHabit = 4_096;
const callsToJudge = 128;
const rowsMax = 16;
/** Longer rows cost more to send in vain than their way out saves. */
const textCharsMax = 4_096;

/** A read by id that a call made. */
export interface RowRead {
  readonly target: RowTarget;
  readonly id: string;
}

/** An argument (or each of a list) that is the id of a row to read. */
interface Entry extends Tally {
  readonly target: RowTarget;
  readonly argument: string;
}

interface Tally {
  seen: number;
  isRefuted: boolean;
}

/** One of the rows that were read before a call. */
interface PeekedRow extends RowAhead {
  readonly id: string;
  readonly row: Row;
}

/** Rows that were read before a call. */
export interface ReadAhead extends RowsAhead {
  readonly rows: readonly PeekedRow[];
}

/** The habits of one app's functions. */
export class RowHabits {
  readonly #habits = new Map<string, RowHabit>();

  of(fn: string): RowHabit {
    const known = this.#habits.get(fn);
    if (known !== undefined) return known;
    const habit = new RowHabit();
    this.#habits.set(fn, habit);
    return habit;
  }
}

/** The habit of one function. */
export class RowHabit {
  /** While it learns: what may become one. */
  #candidates = new Map<string, Entry>();
  #entries: readonly Entry[] | null = null;
  #calls = 0;
  #unused = 0;

  /** Whether the next call is watched: it is sent nothing, and `learn` is told what it read. */
  get isLearning(): boolean {
    return this.#entries === null;
  }

  /** @param reads what a call that went well read by id before its first write, at most the first few. */
  learn(args: Json, reads: readonly RowRead[]): void {
    const given = argumentsOf(args);
    for (const { target } of reads) {
      for (const [argument] of given) {
        const key = `${target.table}\n${target.reason}\n${argument}`;
        if (this.#candidates.has(key)) continue;
        this.#candidates.set(key, { target, argument, seen: 0, isRefuted: false });
      }
    }
    const asked = new Set(reads.map(({ target, id }) => keyOf(target, id)));
    for (const entry of this.#candidates.values()) {
      const ids = given.find(([argument]) => argument === entry.argument)?.[1] ?? [];
      if (ids.length === 0) continue;
      if (ids.every((id) => asked.has(keyOf(entry.target, id)))) entry.seen++;
      else entry.isRefuted = true;
    }
    if (++this.#calls < callsToLearn) return;
    const found = [...this.#candidates.values()];
    this.#entries = found.filter(({ seen, isRefuted }) => !isRefuted && seen >= timesSeenMin);
    this.#candidates = new Map();
    this.#calls = 0;
    this.#unused = 0;
  }

  /** The rows that a call will likely read; null: none, or not at once. */
  read(db: GuardedDb, args: Json, authority: Authority): ReadAhead | null {
    const entries = this.#entries;
    if (entries === null || ++this.#calls > callsOfHabit) {
      this.#relearn();
      return null;
    }
    if (entries.length === 0) return null;
    const rows: PeekedRow[] = [];
    for (const { target, argument } of entries) {
      const value = (args as { readonly [name: string]: Json })[argument];
      if (typeof value === "string") take(db, rows, target, value, authority);
      else if (Array.isArray(value)) {
        for (const id of value) if (typeof id === "string") take(db, rows, target, id, authority);
      }
    }
    return rows.length === 0 ? null : { rows, used: 0 };
  }

  /** What came of it. @param unused rows that were sent in vain. */
  judge(unused: number): void {
    this.#unused += unused;
    if (this.#calls < callsToJudge || this.#unused * 4 <= this.#calls) return;
    if (this.#entries !== null) this.#entries = [];
  }

  #relearn(): void {
    this.#entries = null;
    this.#calls = 0;
  }
}

function take(
  db: GuardedDb,
  rows: PeekedRow[],
  target: RowTarget,
  id: string,
  authority: Authority,
): void {
  if (rows.length === rowsMax) return;
  const row = db.peek(target.table, id, target.reason === "" ? authority : "system");
  if (row === null) return;
  const text = rowText(row);
  if (text.length <= textCharsMax) rows.push({ target, id, text, row });
}

/** Texts among the arguments, and lists of texts, by name. */
function argumentsOf(args: Json): readonly (readonly [string, readonly string[]])[] {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return [];
  return Object.entries(args).map(([name, value]) => {
    const all: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]) : [value];
    return [name, all.filter((one) => typeof one === "string").slice(0, rowsMax)] as const;
  });
}

function keyOf({ table, reason }: RowTarget, id: string): string {
  return `${table}\n${reason}\n${id}`;
}
