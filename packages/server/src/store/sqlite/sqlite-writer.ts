// The one writer of a file. Mutations run one after the other in one transaction; the group becomes durable with
// one wait for the disk. Their entries in the log, and values that no constraint looks at, are written right
// before the commit.
//
// A group: open -> (mutate)* -> commit | abort. A failed mutation is undone alone. When the engine itself
// ends the transaction (disk full, I/O error), the group is broken: every further mutation and the commit
// fail with that error, and nothing of the group happened.
import { assert } from "../../base/assert.ts";
import { isLater, type Later } from "../../base/later.ts";
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { ChangeSet } from "../change-set.ts";
import type { CommitMark } from "../commit-mark.ts";
import { passedIn } from "../passing-rows.ts";
import type {
  Change,
  Commit,
  CommitGroup,
  MutationMeta,
  MutationOutcome,
  WriteTx,
} from "../store.ts";
import type { StoreLayout } from "../table-layout.ts";
import { CommitLog, type LogEntry, type RememberedAnswer } from "./commit-log.ts";
import type { LogRoom } from "./log-room.ts";
import type { PlanBook } from "./query-plan.ts";
import { RecentKeys } from "./recent-keys.ts";
import { QueryRunner } from "./query-runner.ts";
import type { RuleGuards } from "./rule-guard.ts";
import { SqliteConnection, type Statement } from "./sqlite-connection.ts";
import { brokenBy, storeError, withStoreErrors } from "./sqlite-error.ts";
import { SqliteWriteTx } from "./sqlite-write-tx.ts";

/** What a writer is made of. */
export interface WriterOptions {
  readonly path: string;
  readonly layout: StoreLayout;
  readonly guards: RuleGuards;
  readonly plans: PlanBook;
  readonly limits: Limits;
  /** Called right before a group commits: snapshots of this process that nobody uses should end. */
  readonly beforeCommit: () => void;
  /** Tells readers, of other threads too. */
  readonly mark: CommitMark;
  /** Makes room in the log. Absent: it grows as it is used. */
  readonly room?: LogRoom;
}

/** Writes groups. */
export class SqliteWriter {
  readonly #options: WriterOptions;
  readonly #connection: SqliteConnection;
  readonly #log: CommitLog;
  readonly #keys: RecentKeys;
  readonly #tx: SqliteWriteTx;
  readonly #statements: {
    readonly begin: Statement;
    readonly commit: Statement;
    readonly rollback: Statement;
    readonly resize: Statement;
  };
  #group: OpenGroup | null = null;
  /** Newest commit as the last group left it; null: nobody knows. */
  #lastSeq: number | null = null;

  constructor(options: WriterOptions) {
    const { path, layout, guards, plans, limits } = options;
    const connection = new SqliteConnection({ path, readOnly: false, limits });
    this.#options = options;
    // A writer before this one may have ended in the middle of a commit.
    options.mark.end();
    this.#connection = connection;
    this.#log = new CommitLog(connection);
    this.#keys = new RecentKeys(() => this.#log.newestKey());
    const runner = new QueryRunner({ connection, layout, guards, plans, limits });
    this.#tx = new SqliteWriteTx(runner, () => this.#group?.lastSeq ?? 0);
    this.#statements = {
      begin: connection.prepare("BEGIN IMMEDIATE"),
      commit: connection.prepare("COMMIT"),
      rollback: connection.prepare("ROLLBACK"),
      resize: connection.prepare(
        `INSERT INTO "_rows" VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`,
      ),
    };
    // The engine has read the schema, and with that opened its log.
    options.room?.open(`${path}-wal`);
  }

  /**
   * Opens the next group.
   * @throws STORE_FAILED when another process holds the write lock; DATA_REMOVED when there is no file any more.
   */
  openGroup(): CommitGroup {
    assert(this.#group === null, "one group is open at a time");
    const group = new OpenGroup({
      tx: this.#tx,
      log: this.#log,
      keys: this.#keys,
      layout: this.#options.layout,
      connection: this.#connection,
      limits: this.#options.limits,
      statements: this.#statements,
      commit: (commits) => this.#commit(commits),
      ended: (lastSeq) => {
        this.#lastSeq = lastSeq;
        this.#group = null;
      },
    });
    group.begin(this.#lastSeq);
    this.#group = group;
    const { room, path } = this.#options;
    if (room?.look(`${path}-wal`) === false) {
      group.abort();
      throw new PlatformError("DATA_REMOVED");
    }
    return group;
  }

  /** @see CommitLog.prune */
  prune(nowMs: number): number {
    assert(this.#group === null, "pruning is not part of a group");
    return this.#inTransaction(() => this.#log.prune(nowMs, this.#options.limits));
  }

  close(): void {
    this.#group?.abort();
    this.#connection.close();
    this.#options.room?.close();
  }

  /** @param commits every row that changes is in them: readers drop these from what they remember. */
  #commit(commits: readonly Commit[]): void {
    const { beforeCommit, mark } = this.#options;
    beforeCommit();
    mark.begin(commits);
    try {
      this.#statements.commit.run();
    } finally {
      mark.end();
    }
  }

  #inTransaction<T>(run: () => T): T {
    return withStoreErrors(() => {
      this.#statements.begin.run();
      try {
        const result = run();
        this.#commit([]);
        return result;
      } catch (error) {
        if (this.#connection.inTransaction) this.#statements.rollback.run();
        throw error;
      }
    });
  }
}

interface GroupParts {
  readonly tx: SqliteWriteTx;
  readonly log: CommitLog;
  readonly keys: RecentKeys;
  readonly layout: StoreLayout;
  readonly connection: SqliteConnection;
  readonly limits: Limits;
  readonly statements: {
    readonly begin: Statement;
    readonly rollback: Statement;
    readonly resize: Statement;
  };
  readonly commit: (commits: readonly Commit[]) => void;
  /** @param lastSeq newest commit; null when the group was dropped. */
  readonly ended: (lastSeq: number | null) => void;
}

class OpenGroup implements CommitGroup {
  lastSeq = 0;
  readonly #parts: GroupParts;
  readonly #commits: Commit[] = [];
  /** Entries of the log: written with the commit. */
  readonly #entries: LogEntry[] = [];
  /** Those with a key, by it; null: nobody has asked, since most keys are known to be new. */
  #keyed: Map<string, LogEntry> | null = null;
  #state: "open" | "mutating" | "ended" = "open";
  #broken: unknown = null;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** @param knownSeq newest commit, unless another connection has written since; null: nobody knows. */
  begin(knownSeq: number | null): void {
    const { statements, log, keys, tx } = this.#parts;
    withStoreErrors(() => statements.begin.run());
    const isOther = tx.beginGroup();
    if (isOther) keys.forget();
    const known = isOther ? null : knownSeq;
    this.lastSeq = known ?? withStoreErrors(() => log.lastSeq());
  }

  mutate(meta: MutationMeta, body: (tx: WriteTx) => Later<string>): Later<MutationOutcome> {
    assert(this.#state === "open", "mutations of a group run one after the other");
    if (this.#broken !== null) return { kind: "failed", error: this.#broken };
    const { tx } = this.#parts;
    const changes = new ChangeSet();
    this.#state = "mutating";
    try {
      const earlier = this.#earlier(meta);
      if (earlier !== null) {
        this.#state = "open";
        return earlier;
      }
      tx.begin(changes);
      const answer = body(tx);
      if (!isLater(answer)) return this.#finish(meta, changes, answer);
      return answer.then(
        (text) => this.#finish(meta, changes, text),
        (error: unknown) => this.#fail(changes, error),
      );
    } catch (error) {
      return this.#fail(changes, error);
    }
  }

  commit(): readonly Commit[] {
    assert(this.#state === "open", "a group commits once, between mutations");
    this.#state = "ended";
    const { connection, statements, tx, log, commit, ended } = this.#parts;
    try {
      if (this.#broken !== null) throw this.#broken;
      tx.flush();
      const isBrief = (table: string): boolean => this.#parts.layout.get(table)?.brief === true;
      for (const entry of withoutPassing(this.#entries, isBrief)) log.append(entry);
      for (const [table, by] of tx.sizeChanges) if (by !== 0) statements.resize.run(table, by);
      commit(this.#commits);
    } catch (error) {
      tx.dropGroup();
      ended(null);
      if (connection.inTransaction) statements.rollback.run();
      throw storeError(error);
    }
    ended(this.lastSeq);
    return this.#commits;
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const { connection, statements, ended } = this.#parts;
    try {
      if (connection.inTransaction) withStoreErrors(() => statements.rollback.run());
    } finally {
      this.#parts.tx.dropGroup();
      ended(null);
    }
  }

  /** The first answer of a key that was used before, also within this group. */
  #earlier(meta: MutationMeta): MutationOutcome | null {
    const { idempotency, atMs } = meta;
    if (idempotency === null) return null;
    const { log, keys, limits } = this.#parts;
    const { scope, key } = idempotency;
    const found = withStoreErrors(() =>
      keys.isNew(key) ? null : (this.#answerInGroup(scope, key) ?? log.answerOf(scope, key)),
    );
    if (found === null) return null;
    if (atMs - found.atMs > limits.idempotencyMs) {
      this.#forgetKey(found.seq, answerKey(scope, key));
      return null;
    }
    if (found.requestHash !== idempotency.requestHash) {
      return { kind: "failed", error: new PlatformError("IDEMPOTENCY_KEY_REUSED") };
    }
    return { kind: "repeated", answer: found.answer, seq: found.seq };
  }

  #answerInGroup(scope: string, key: string): RememberedAnswer | null {
    this.#keyed ??= keyedEntries(this.#entries);
    const entry = this.#keyed.get(answerKey(scope, key));
    if (entry === undefined || entry.idempotency === null) return null;
    const { seq, atMs } = entry.commit;
    return { seq, atMs, requestHash: entry.idempotency.requestHash, answer: entry.answer };
  }

  /** Lets a key be used again. Its entry may be one of this group. */
  #forgetKey(seq: number, answerKey: string): void {
    withStoreErrors(() => this.#parts.log.forgetKey(seq));
    const at = this.#entries.findIndex(({ commit }) => commit.seq === seq);
    const entry = this.#entries[at];
    if (entry === undefined) return;
    this.#entries[at] = { ...entry, idempotency: null };
    this.#keyed?.delete(answerKey);
  }

  #finish(meta: MutationMeta, changes: ChangeSet, answer: string): MutationOutcome {
    const { tx } = this.#parts;
    try {
      const changed = changes.changes();
      tx.end();
      const commit =
        changed.length > 0 || meta.idempotency !== null ? this.#note(meta, changed, answer) : null;
      this.#state = "open";
      return { kind: "done", answer, commit };
    } catch (error) {
      return this.#fail(changes, storeError(error));
    }
  }

  #note(meta: MutationMeta, changes: readonly Change[], answer: string): Commit {
    const { by, cause, requestId, atMs, idempotency } = meta;
    const commit: Commit = { seq: this.lastSeq + 1, atMs, by, cause, requestId, changes };
    this.lastSeq = commit.seq;
    this.#commits.push(commit);
    const entry = { commit, idempotency, answer };
    this.#entries.push(entry);
    if (idempotency !== null) {
      const { scope, key } = idempotency;
      this.#parts.keys.add(key);
      this.#keyed?.set(answerKey(scope, key), entry);
    }
    return commit;
  }

  #fail(changes: ChangeSet, error: unknown): MutationOutcome {
    const { tx, connection } = this.#parts;
    try {
      if (!connection.inTransaction) this.#broken = brokenBy(error);
      else tx.undo(changes);
    } catch (undoError) {
      // What can't be undone must not be committed with the rest.
      this.#broken = storeError(undoError);
    }
    if (this.#broken !== null) tx.dropGroup();
    this.#state = "open";
    return { kind: "failed", error };
  }
}

function keyedEntries(entries: readonly LogEntry[]): Map<string, LogEntry> {
  const keyed = new Map<string, LogEntry>();
  for (const entry of entries) {
    const { idempotency } = entry;
    if (idempotency !== null) keyed.set(answerKey(idempotency.scope, idempotency.key), entry);
  }
  return keyed;
}

/** Keys are printable: none has a line's end. */
function answerKey(scope: string, key: string): string {
  return `${scope}\n${key}`;
}

/**
 * Entries as they are kept: rows of brief tables that came and went within the group are in none. Whoever follows commits
 * is told of them; a log that is read later shows what is, and they never were.
 */
function withoutPassing(
  entries: readonly LogEntry[],
  isBrief: (table: string) => boolean,
): readonly LogEntry[] {
  const commits = entries.map(({ commit }) => commit);
  const passed = passedIn(commits, isBrief);
  if (passed.size === 0) return entries;
  return entries.map((entry) => {
    const { commit } = entry;
    const changes = commit.changes.filter(({ id }) => !passed.has(id));
    return changes.length === commit.changes.length
      ? entry
      : { ...entry, commit: { ...commit, changes } };
  });
}
