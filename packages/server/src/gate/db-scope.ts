// What one guarded read or write stands on: the transaction, the caller with its rights, the clock that
// stands still, and what has been used so far. Rules are asked here, so that every part of the guard asks
// them in the same way.
import { andThen, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Manifest } from "../model/manifest.ts";
import type { RuleInput, RuleTest } from "../model/rule-evaluate.ts";
import type { ReadTx, Row, WriteTx } from "../store/store.ts";
import type { Reach } from "./caller-rights.ts";
import type { Caller } from "./identity.ts";
import type { ReadRecorder } from "./read-recorder.ts";
import type { RuledTable } from "./table-rules.ts";
import type { Work } from "./work.ts";

const noItems: RuleInput["items"] = Object.freeze({});

/** What a GuardedDb stands on. */
export interface DbScope {
  readonly manifest: Manifest;
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly limits: Limits;
  readonly tx: ReadTx;
  /** The same transaction when it may write, else null. */
  readonly writeTx: WriteTx | null;
  readonly caller: Caller;
  /** What the caller may read at this moment; the store's guard. */
  readonly reach: Reach;
  /** RFC 3339, UTC, milliseconds. */
  readonly now: string;
  readonly work: Work;
  /** Told of every read, or null. */
  readonly reads: ReadRecorder | null;
  /** Makes the id of a new row. */
  readonly newId: (table: string) => string;
  /** Whether denials are explained in the trace. */
  readonly development: boolean;
}

/** How much of a name that a caller made up goes back in a refusal. */
const echoCharsMax = 64;

/** The refusal for a row that is not there, or that may not be read: nobody can tell which. */
export function notFound(table: string, id: string): PlatformError {
  return new PlatformError("NOT_FOUND", { table, id: id.slice(0, echoCharsMax) });
}

/** The refusal for a table that is not there, or that nobody outside reaches. */
export function tableNotFound(name: string): PlatformError {
  return new PlatformError("TABLE_NOT_FOUND", { table: name.slice(0, echoCharsMax) });
}

/** @throws TABLE_NOT_FOUND. */
export function tableOf(scope: DbScope, name: string): RuledTable {
  const table = scope.tables.get(name);
  if (table === undefined) throw tableNotFound(name);
  return table;
}

/** What a rule is asked with: one small object, because rules of fields are asked of every row. */
export function ruleInput(scope: DbScope, row: Row | null, next: Row | null): RuleInput {
  return new ScopeRuleInput(scope, row, next);
}

class ScopeRuleInput implements RuleInput {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly me: RuleInput["me"];
  readonly now: string;
  readonly items: RuleInput["items"] = noItems;
  readonly #tx: ReadTx;

  constructor(scope: DbScope, row: Row | null, next: Row | null) {
    this.row = row;
    this.next = next;
    this.me = scope.caller.me;
    this.now = scope.now;
    this.#tx = scope.tx;
  }

  lookup(table: string, id: string): Later<Row | null> {
    return this.#tx.get(table, id, null);
  }

  some(...asked: Parameters<RuleInput["some"]>): Later<boolean> {
    return this.#tx.some(...asked);
  }
}

/** Whether a rule is true of a row and the row that it would become. Unknown is no. */
export function allows(
  scope: DbScope,
  test: RuleTest,
  row: Row | null,
  next: Row | null,
): Later<boolean> {
  return andThen(test(ruleInput(scope, row, next)), (truth) => truth === true);
}

/** Counts rows that came from the store. @throws FUNCTION_ROWS_EXCEEDED. */
export function countRead(scope: DbScope, rows: number): void {
  scope.work.rowsRead += rows;
  if (scope.work.rowsRead > scope.limits.rowsReadMax) {
    throw new PlatformError("FUNCTION_ROWS_EXCEEDED", {
      limit: "rowsReadMax",
      max: scope.limits.rowsReadMax,
    });
  }
}

/** Counts a row that is written. @throws FUNCTION_ROWS_EXCEEDED. */
export function countWritten(scope: DbScope): void {
  scope.work.rowsWritten++;
  if (scope.work.rowsWritten > scope.limits.rowsWrittenMax) {
    throw new PlatformError("FUNCTION_ROWS_EXCEEDED", {
      limit: "rowsWrittenMax",
      max: scope.limits.rowsWrittenMax,
    });
  }
}
