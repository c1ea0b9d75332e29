// The one writer of a file. Mutations run one after the other in savepoints of one transaction; the group
// becomes durable with one wait for the disk.
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
import type { Commit, CommitGroup, MutationMeta, MutationOutcome, WriteTx } from "../store.ts";
import type { StoreLayout } from "../table-layout.ts";
import { CommitLog } from "./commit-log.ts";
import type { PlanBook } from "./query-plan.ts";
import { QueryRunner } from "./query-runner.ts";
import type { RuleGuards } from "./rule-guard.ts";
import { SqliteConnection, type Statement } from "./sqlite-connection.ts";
import { storeError, withStoreErrors } from "./sqlite-error.ts";
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
  /** Tells readers of other threads. Default: there are none. */
  readonly mark?: CommitMark;
}

/** Writes groups. */
export class SqliteWriter {
  readonly #options: WriterOptions;
  readonly #connection: SqliteConnection;
  readonly #log: CommitLog;
  readonly #tx: SqliteWriteTx;
  readonly #statements: {
    readonly begin: Statement;
    readonly commit: Statement;
    readonly rollback: Statement;
    readonly save: Statement;
    readonly undo: Statement;
    readonly release: Statement;
    readonly resize: Statement;
  };
  #group: OpenGroup | null = null;
  #commits = 0;

  constructor(options: WriterOptions) {
    const { path, layout, guards, plans, limits } = options;
    const connection = new SqliteConnection({ path, readOnly: false, limits });
    this.#options = options;
    // A writer before this one may have ended in the middle of a commit.
    options.mark?.end();
    this.#connection = connection;
    this.#log = new CommitLog(connection);
    const runner = new QueryRunner({ connection, layout, guards, plans, limits });
    this.#tx = new SqliteWriteTx(runner, () => this.#group?.lastSeq ?? 0, {
      beforeWrite: () => this.#group?.beforeWrite(),
    });
    this.#statements = {
      begin: connection.prepare("BEGIN IMMEDIATE"),
      commit: connection.prepare("COMMIT"),
      rollback: connection.prepare("ROLLBACK"),
      save: connection.prepare("SAVEPOINT _mutation"),
      undo: connection.prepare("ROLLBACK TO _mutation"),
      release: connection.prepare("RELEASE _mutation"),
      resize: connection.prepare(
        `INSERT INTO "_rows" VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`,
      ),
    };
  }

  /** How many groups were committed: tells readers of this process that there is something newer. */
  get version(): number {
    return this.#commits;
  }

  /** Opens the next group. @throws STORE_FAILED when another process holds the write lock. */
  openGroup(): CommitGroup {
    assert(this.#group === null, "one group is open at a time");
    const group = new OpenGroup({
      tx: this.#tx,
      log: this.#log,
      connection: this.#connection,
      limits: this.#options.limits,
      statements: this.#statements,
      commit: () => this.#commit(),
      ended: () => {
        this.#group = null;
      },
    });
    group.begin();
    this.#group = group;
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
  }

  #commit(): void {
    const { beforeCommit, mark } = this.#options;
    beforeCommit();
    mark?.begin();
    try {
      this.#statements.commit.run();
      this.#commits += 1;
    } finally {
      mark?.end();
    }
  }

  #inTransaction<T>(run: () => T): T {
    return withStoreErrors(() => {
      this.#statements.begin.run();
      try {
        const result = run();
        this.#commit();
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
  readonly connection: SqliteConnection;
  readonly limits: Limits;
  readonly statements: {
    readonly begin: Statement;
    readonly rollback: Statement;
    readonly save: Statement;
    readonly undo: Statement;
    readonly release: Statement;
    readonly resize: Statement;
  };
  readonly commit: () => void;
  readonly ended: () => void;
}

class OpenGroup implements CommitGroup {
  lastSeq = 0;
  readonly #parts: GroupParts;
  readonly #commits: Commit[] = [];
  #state: "open" | "mutating" | "ended" = "open";
  #saved = false;
  #broken: unknown = null;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { statements, log, tx } = this.#parts;
    withStoreErrors(() => statements.begin.run());
    tx.beginGroup();
    this.lastSeq = withStoreErrors(() => log.lastSeq());
  }

  /** A mutation that only reads needs no savepoint. */
  beforeWrite(): void {
    if (this.#saved) return;
    withStoreErrors(() => this.#parts.statements.save.run());
    this.#saved = true;
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
    const { connection, statements, tx, commit, ended } = this.#parts;
    try {
      if (this.#broken !== null) throw this.#broken;
      for (const [table, by] of tx.sizeChanges) if (by !== 0) statements.resize.run(table, by);
      commit();
      return this.#commits;
    } catch (error) {
      tx.dropGroup();
      if (connection.inTransaction) statements.rollback.run();
      throw storeError(error);
    } finally {
      ended();
    }
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const { connection, statements, ended } = this.#parts;
    try {
      if (connection.inTransaction) withStoreErrors(() => statements.rollback.run());
    } finally {
      this.#parts.tx.end();
      this.#parts.tx.dropGroup();
      ended();
    }
  }

  /** The first answer of a key that was used before, also within this group. */
  #earlier(meta: MutationMeta): MutationOutcome | null {
    const { idempotency, atMs } = meta;
    if (idempotency === null) return null;
    const { log, limits } = this.#parts;
    const found = withStoreErrors(() => log.answerOf(idempotency.scope, idempotency.key));
    if (found === null) return null;
    if (atMs - found.atMs > limits.idempotencyMs) {
      withStoreErrors(() => log.forgetKey(found.seq));
      return null;
    }
    if (found.requestHash !== idempotency.requestHash) {
      return { kind: "failed", error: new PlatformError("IDEMPOTENCY_KEY_REUSED") };
    }
    return { kind: "repeated", answer: found.answer, seq: found.seq };
  }

  #finish(meta: MutationMeta, changes: ChangeSet, answer: string): MutationOutcome {
    const { tx, log, statements } = this.#parts;
    try {
      const changed = changes.changes();
      let commit: Commit | null = null;
      if (changed.length > 0 || meta.idempotency !== null) {
        const { by, cause, requestId, atMs } = meta;
        commit = { seq: this.lastSeq + 1, atMs, by, cause, requestId, changes: changed };
        log.append(commit, meta.idempotency, answer);
      }
      if (this.#saved) statements.release.run();
      this.#saved = false;
      tx.end();
      if (commit !== null) {
        this.lastSeq = commit.seq;
        this.#commits.push(commit);
      }
      this.#state = "open";
      return { kind: "done", answer, commit };
    } catch (error) {
      return this.#fail(changes, storeError(error));
    }
  }

  #fail(changes: ChangeSet, error: unknown): MutationOutcome {
    const { tx, connection, statements } = this.#parts;
    tx.end();
    try {
      if (!connection.inTransaction) {
        this.#broken = storeError(error);
      } else if (this.#saved) {
        statements.undo.run();
        statements.release.run();
      }
    } catch (undoError) {
      // What can't be undone must not be committed with the rest.
      this.#broken = storeError(undoError);
    }
    this.#saved = false;
    for (const { table, size } of changes.sizes()) tx.resize(table, -size);
    tx.forget(changes);
    this.#state = "open";
    return { kind: "failed", error };
  }
}
