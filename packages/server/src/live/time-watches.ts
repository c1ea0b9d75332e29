// Rows whose time comes: for every field that a rule compares with `now`, the next time that stands in it.
// When it is reached, the rows with a time since the last look count as changed, and find their queries
// through the index like any other change. A field without an index that has too many rows for that is looked
// at by its queries once in limits.liveCheckMs.
import { andThen, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { msOfTime, timeOfMs } from "../model/field-time.ts";
import type { ListQuery, Where } from "../model/query-form.ts";
import type { Change, Page, ReadTx } from "../store/store.ts";
import type { Touch } from "./dependency.ts";

interface Watch {
  readonly table: string;
  readonly field: string;
  users: number;
  /** The last time that was looked at. */
  sinceText: string;
  /** The next time in the field; null: none; undefined: not looked up yet. */
  next: string | null | undefined;
}

/** What a look at the clock found. */
export interface TimeFound {
  readonly touched: readonly Touch[];
  /** Fields that could not be told row by row: all of their queries are to run. */
  readonly unclear: readonly string[];
}

/** The fields that rules compare with `now`. */
export class TimeWatches {
  readonly #limits: Limits;
  readonly #watches = new Map<string, Watch>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A query looks at a field. @param nowText the time of its run, or before. */
  use(table: string, field: string, nowText: string): void {
    const key = `${table}.${field}`;
    const watch = this.#watches.get(key);
    if (watch === undefined) {
      this.#watches.set(key, { table, field, users: 1, sinceText: nowText, next: undefined });
      return;
    }
    watch.users += 1;
    if (nowText >= watch.sinceText) return;
    watch.sinceText = nowText;
    watch.next = undefined;
  }

  release(table: string, field: string): void {
    const key = `${table}.${field}`;
    const watch = this.#watches.get(key);
    if (watch === undefined) return;
    watch.users -= 1;
    if (watch.users === 0) this.#watches.delete(key);
  }

  /** A row came or changed: its time may be the next. */
  note({ table, after }: Change): void {
    if (after === null) return;
    for (const watch of this.#watches.values()) {
      if (watch.table !== table || watch.next === undefined) continue;
      const time = after[watch.field];
      if (typeof time !== "string" || time < watch.sinceText) continue;
      if (watch.next === null || time < watch.next) watch.next = time;
    }
  }

  /** Whether some field's next time is not known. */
  get isUnsure(): boolean {
    for (const { next } of this.#watches.values()) if (next === undefined) return true;
    return false;
  }

  /** The next time in any field, RFC 3339; null: none. */
  get next(): string | null {
    let first: string | null = null;
    for (const { next } of this.#watches.values()) {
      if (typeof next === "string" && (first === null || next < first)) first = next;
    }
    return first;
  }

  /** Rows whose time was reached since the last look, and the next time of every field. */
  look(tx: ReadTx, nowText: string): Later<TimeFound> {
    const touched: Touch[] = [];
    const unclear: string[] = [];
    let before: Later<unknown> = undefined;
    for (const [key, watch] of this.#watches) {
      if (watch.next !== undefined && (watch.next === null || watch.next > nowText)) continue;
      before = andThen(before, () =>
        this.#lookAt(tx, watch, nowText, touched, () => unclear.push(key)),
      );
    }
    return andThen(before, () => ({ touched, unclear }));
  }

  #lookAt(
    tx: ReadTx,
    watch: Watch,
    nowText: string,
    touched: Touch[],
    unclear: () => void,
  ): Later<void> {
    const { table, field, sinceText } = watch;
    const max = this.#limits.liveFlipRowsMax;
    const reached: Where = { kind: "field", field, condition: { gte: sinceText, lte: nowText } };
    const coming: Where = { kind: "field", field, condition: { gte: nowText } };
    const found = ({ rows }: Page) => {
      if (rows.length === max) unclear();
      for (const row of rows) {
        touched.push({ table, id: row["id"] as string, before: row, after: row, timeField: field });
      }
      return andThen(tx.list(listOf(watch, coming, 1), null), ({ rows: [first] }) => {
        const next = first?.[field];
        watch.sinceText = nowText;
        watch.next = typeof next === "string" ? next : null;
      });
    };
    try {
      return andThen(tx.list(listOf(watch, reached, max), null), found);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "QUERY_TOO_COSTLY") throw error;
      watch.next = timeOfMs((msOfTime(nowText) ?? 0) + this.#limits.liveCheckMs);
      watch.sinceText = nowText;
      unclear();
      return undefined;
    }
  }
}

function listOf({ table, field }: Watch, where: Where, limit: number): ListQuery {
  const orderBy = [
    { field, descending: false },
    { field: "id", descending: false },
  ];
  return { kind: "list", from: table, where, orderBy, limit };
}
