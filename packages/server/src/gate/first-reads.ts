// The rows that one call reads first: sent along with its start by the habit of its function, or watched, so that the
// function's habit can be learned. What was sent and read is counted as if it had been asked for.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { lastReadCall, numberedCalls, type RowTarget } from "../isolate/system-calls.ts";
import { authorityOf } from "./answer-data-call.ts";
import type { Run } from "./gate-app.ts";
import type { GuardedDb } from "./guarded-db.ts";
import type { ReadAhead, RowHabit, RowRead } from "./row-habits.ts";
import { countSystemCall } from "./system-call-count.ts";

const readsMax = 32;
const reading: ReadonlySet<string> = new Set(
  numberedCalls.slice(0, lastReadCall + 1).filter((name) => name !== null),
);

/** First reads of one call. */
export class FirstReads {
  readonly ahead: ReadAhead | null;
  readonly #run: Run;
  readonly #db: GuardedDb;
  readonly #args: Json;
  readonly #habit: RowHabit;
  readonly #watched: RowRead[] | null;
  #isFirst = true;

  /** @param name the function's. @param args validated. */
  constructor(run: Run, db: GuardedDb, name: string, args: Json) {
    this.#run = run;
    this.#db = db;
    this.#args = args;
    this.#habit = run.app.habits.of(name);
    this.#watched = this.#habit.isLearning ? [] : null;
    this.ahead = this.#watched === null ? this.#habit.read(db, args, run.authority) : null;
  }

  /** A system call that the function makes. */
  watch(operation: string, payload: string, target: RowTarget | undefined): void {
    if (this.#watched === null || !this.#isFirst) return;
    if (target !== undefined) {
      if (this.#watched.length < readsMax) this.#watched.push({ target, id: payload });
    } else if (!reading.has(operation)) this.#isFirst = false;
  }

  /** The call went well. @throws FUNCTION_ROWS_EXCEEDED, FUNCTION_CALLS_EXCEEDED. */
  done(): void {
    if (this.#watched !== null) this.#habit.learn(this.#args, this.#watched);
    if (this.ahead !== null) this.#count(this.ahead);
  }

  /** The call failed, whatever it has used. */
  failed(): void {
    try {
      if (this.ahead !== null) this.#count(this.ahead);
    } catch (error) {
      // A limit that the reads would break: the call has failed already.
      if (!(error instanceof PlatformError)) throw error;
    }
  }

  #count({ rows, used }: ReadAhead): void {
    const { authority } = this.#run;
    let unused = 0;
    for (const [index, { target, id, row }] of rows.entries()) {
      if ((used & (1 << index)) === 0) {
        unused++;
        continue;
      }
      const { table, reason } = target;
      countSystemCall(this.#run);
      const as = reason === "" ? authority : authorityOf(this.#run, "db.get", table, reason);
      this.#db.notePeeked(table, id, as, row);
    }
    if (unused > 0) this.#habit.judge(unused);
  }
}
