// The `_commit` table: one row per mutation, with the rows it changed and the answer to its key. Sequence
// numbers are continuous; the newest row is never dropped, so that they never start again.
import type { Json } from "../../base/json.ts";
import type { Limits } from "../../base/limits.ts";
import { sameValue } from "../change-set.ts";
import type { Change, Commit, MutationMeta, Row } from "../store.ts";
import type { SqlCell } from "./row-codec.ts";
import type { SqliteConnection, Statement } from "./sqlite-connection.ts";

/** Rows looked at by one prune: a writer that prunes between groups is held up for milliseconds only. */
const pruneRowsMax = 10_000;

/** A mutation with the answer to its key. */
export interface LogEntry {
  readonly commit: Commit;
  readonly idempotency: MutationMeta["idempotency"];
  readonly answer: string;
}

/** An answer that was given before. */
export interface RememberedAnswer {
  readonly seq: number;
  readonly atMs: number;
  readonly requestHash: string;
  readonly answer: string;
}

/**
 * A change as it is stored: table, before, after. Of a row that was there before and is after, only the
 * fields that changed stand in `after`: most rows change little, and the log is much of what is written.
 */
type StoredChange = readonly [table: string, before: Row | null, after: Row | null];
/** As it was stored once. */
type EarlierChange = readonly [table: string, id: string, before: Row | null, after: Row | null];

/** Writes and reads the log on one connection. */
export class CommitLog {
  readonly #connection: SqliteConnection;
  readonly #insert: () => Statement;
  readonly #byKey: () => Statement;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    const prepared = (sql: string) => {
      let statement: Statement | null = null;
      return () => (statement ??= connection.prepare(sql));
    };
    this.#insert = prepared(`INSERT INTO "_commit" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#byKey = prepared(
      `SELECT seq, at, hash, answer, changes FROM "_commit" WHERE scope = ? AND key = ?`,
    );
  }

  /** Newest sequence number; 0 when there is none. */
  lastSeq(): number {
    const cells = this.#connection.prepare(`SELECT max(seq) FROM "_commit"`).get();
    return Number(cells?.[0] ?? 0);
  }

  append({ commit, idempotency, answer }: LogEntry): void {
    const stored = commit.changes.map(({ table, before, after }): StoredChange => [
      table,
      before,
      patchOf(before, after),
    ]);
    const changes = JSON.stringify(stored);
    this.#insert().run(
      commit.seq,
      commit.atMs,
      commit.by,
      commit.cause,
      commit.requestId,
      idempotency === null ? null : idempotency.scope,
      idempotency === null ? null : idempotency.key,
      idempotency === null ? null : idempotency.requestHash,
      idempotency === null || isRowCreated(commit, changes, answer) ? null : answer,
      changes,
    );
  }

  /** The answer that a key brought before, if it is remembered. */
  answerOf(scope: string, key: string): RememberedAnswer | null {
    const cells = this.#byKey().get(scope, key);
    if (cells === undefined) return null;
    const [seq, atMs, requestHash, answer, changes] = cells;
    return {
      seq: Number(seq),
      atMs: Number(atMs),
      requestHash: String(requestHash),
      answer: answer === null ? JSON.stringify(changesOf(changes)[0]?.after) : String(answer),
    };
  }

  /** The greatest key, as text; "" when there is none. */
  newestKey(): string {
    const cells = this.#connection
      .prepare(`SELECT key FROM "_commit" WHERE key IS NOT NULL ORDER BY key DESC LIMIT 1`)
      .get();
    return String(cells?.[0] ?? "");
  }

  /** Forgets one key, so that it can be used again. */
  forgetKey(seq: number): void {
    this.#connection
      .prepare(
        `UPDATE "_commit" SET scope = NULL, key = NULL, hash = NULL, answer = NULL WHERE seq = ?`,
      )
      .run(seq);
  }

  /** Commits after `seq`, oldest first. */
  after(seq: number, limit: number): readonly Commit[] {
    return this.#connection
      .prepare(
        `SELECT seq, at, by, cause, request, changes FROM "_commit" WHERE seq > ? ORDER BY seq LIMIT +?`,
      )
      .all([seq, limit])
      .map(commitOf);
  }

  /**
   * Drops what the limits no longer keep, oldest first, a bounded number at a time.
   * @returns how many answers and entries were dropped.
   */
  prune(nowMs: number, limits: Limits): number {
    return (
      this.#dropEntries(nowMs - Math.max(limits.commitLogMs, limits.idempotencyMs)) +
      this.#dropKeys(nowMs - limits.idempotencyMs)
    );
  }

  #dropEntries(beforeMs: number): number {
    const rows = this.#connection
      .prepare(
        `SELECT seq, at FROM "_commit" WHERE seq < (SELECT max(seq) FROM "_commit") ORDER BY seq LIMIT +?`,
      )
      .all([pruneRowsMax]);
    const end = lastBefore(rows, beforeMs);
    if (end === null) return 0;
    this.#connection.prepare(`DELETE FROM "_commit" WHERE seq <= ?`).run(end.seq);
    return end.count;
  }

  /** Entries stay longer than their keys: a mark remembers up to where keys were dropped. */
  #dropKeys(beforeMs: number): number {
    const mark = Number(
      this.#connection.prepare(`SELECT value FROM "_meta" WHERE name = 'keysPruned'`).get()?.[0] ??
        0,
    );
    const rows = this.#connection
      .prepare(`SELECT seq, at, key IS NOT NULL FROM "_commit" WHERE seq > ? ORDER BY seq LIMIT +?`)
      .all([mark, pruneRowsMax]);
    const end = lastBefore(rows, beforeMs);
    if (end === null) return 0;
    this.#connection
      .prepare(
        `UPDATE "_commit" SET scope = NULL, key = NULL, hash = NULL, answer = NULL
          WHERE seq > ? AND seq <= ? AND key IS NOT NULL`,
      )
      .run(mark, end.seq);
    this.#connection
      .prepare(`INSERT OR REPLACE INTO "_meta" VALUES ('keysPruned', ?)`)
      .run(String(end.seq));
    return rows.slice(0, end.count).filter((cells) => cells[2] === 1).length;
  }
}

/** The last of the leading rows that are older; times grow with the sequence, but for clocks set back. */
function lastBefore(
  rows: readonly (readonly SqlCell[])[],
  beforeMs: number,
): { readonly seq: number; readonly count: number } | null {
  let count = 0;
  while (count < rows.length && Number(rows[count]?.[1]) < beforeMs) count++;
  return count === 0 ? null : { seq: Number(rows[count - 1]?.[0]), count };
}

function commitOf(cells: readonly SqlCell[]): Commit {
  const [seq, atMs, by, cause, requestId, changes] = cells;
  return Object.freeze({
    seq: Number(seq),
    atMs: Number(atMs),
    by: by === null ? null : String(by),
    cause: String(cause),
    requestId: String(requestId),
    changes: changesOf(changes),
  });
}

function changesOf(cell: SqlCell | undefined): readonly Change[] {
  const stored = JSON.parse(String(cell)) as Json as unknown as readonly (
    | StoredChange
    | EarlierChange
  )[];
  return stored.map((change): Change => {
    const [table] = change;
    const [before, after] = change.length === 3 ? [change[1], change[2]] : [change[2], change[3]];
    const id = String((before ?? after)?.["id"]);
    if (before === null || after === null) return { table, id, before, after };
    return { table, id, before, after: { ...before, ...after } };
  });
}

/**
 * Whether the answer is the one row that was created, as it stands in the changes already: then it is stored once.
 * That is so for most rows that clients create. @param changes as they are stored.
 */
function isRowCreated(commit: Commit, changes: string, answer: string): boolean {
  const [first] = commit.changes;
  return first?.before === null && changes === `[["${first.table}",null,${answer}]]`;
}

function patchOf(before: Row | null, after: Row | null): Row | null {
  if (before === null || after === null) return after;
  const patch: { [field: string]: Json } = {};
  for (const field in after) {
    if (!sameValue(before[field], after[field])) patch[field] = after[field] as Json;
  }
  return patch;
}
