// The embedded engine: one file, one writer, readers on their own connections. Reading and writing are
// separate parts, so that other threads can open readers on the same file.
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import type { Later } from "../../base/later.ts";
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Manifest } from "../../model/manifest.ts";
import { withPlatformTables } from "../../model/platform-tables.ts";
import { commitMarkMemory, openCommitMark, type CommitMark } from "../commit-mark.ts";
import type { Commit, CommitGroup, PlanEvidence, ReadTx, Store } from "../store.ts";
import { layoutOf } from "../table-layout.ts";
import type { LogRoom } from "./log-room.ts";
import { migrateOnOpen } from "./migrate.ts";
import { PlanBook } from "./query-plan.ts";
import { RuleGuards } from "./rule-guard.ts";
import { backupSqlite } from "./sqlite-backup.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteWriter } from "./sqlite-writer.ts";

/** How long a reader keeps a snapshot while nothing is committed: some tens of reads, and the log is held for no longer. */
const calmMs = 2;

/** How a store is opened. */
export interface SqliteStoreOptions {
  /** The database file; its folder exists. Beside it stand `-wal` and `-shm` while it is open. */
  readonly path: string;
  readonly manifest: Pick<Manifest, "tables" | "platform">;
  readonly limits: Limits;
  /**
   * For fields that a migration fills with the time: absent, such rows are in the way of it. And for snapshots that
   * readers share while nothing is committed: absent, they last for a turn.
   */
  readonly clock?: Clock;
  /** Opens readers only; the file must be of this manifest. Default: false. */
  readonly readOnly?: boolean;
  /**
   * `safe` (default): a file of an older schema is brought to this one when no step loses or refuses data.
   * `none`: a file of another schema is refused.
   */
  readonly migrate?: "safe" | "none";
  /** Shared with the connections of other threads; needed as soon as there are any. */
  readonly mark?: CommitMark;
  /**
   * Calls back at the end of the turn. With `mark`: how long a reader in a thread of its own may share a snapshot
   * among its reads. Absent there: every read opens its own.
   */
  readonly nextTurn?: (run: () => void) => void;
  /** Of the writer: makes room in the log's file. Absent: it grows as it is used. */
  readonly room?: LogRoom;
}

/**
 * Opens a file, and makes it when there is none.
 * @throws MIGRATION_REFUSED when the file's schema is another and cannot be brought to this one safely;
 * STORE_FAILED when the file cannot be opened or is damaged.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, limits } = options;
  const manifest = withPlatformTables(options.manifest);
  const readOnly = options.readOnly ?? false;
  const target = { path, manifest, limits, ...(options.clock && { clock: options.clock }) };
  try {
    migrateOnOpen(target, readOnly ? "none" : (options.migrate ?? "safe"), readOnly);
  } catch (error) {
    throw withPath(error, path);
  }
  return new SqliteStore(options, readOnly);
}

/** Which file it was, for the operator: the engine names none. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof PlatformError) || error.code !== "STORE_FAILED") return error;
  const cause = new Error(`${path} can't be opened.`, { cause: error.cause });
  return new PlatformError("STORE_FAILED", error.details, { cause });
}

/** The store on one file. */
export class SqliteStore implements Store {
  readonly engine = "sqlite";
  readonly durability = "full";
  readonly #path: string;
  readonly #plans: PlanBook;
  readonly #writer: SqliteWriter | null;
  readonly #reader: SqliteReader;

  /** @param options of a file whose schema is that of the manifest: see openSqliteStore. */
  constructor(options: SqliteStoreOptions, readOnly: boolean) {
    const { path, limits, clock, mark, nextTurn, room } = options;
    const manifest = withPlatformTables(options.manifest);
    const layout = layoutOf(manifest.tables);
    const guards = new RuleGuards(manifest.tables);
    const plans = new PlanBook(limits.plansKeptMax);
    const shared = { path, layout, guards, plans, limits };
    this.#path = path;
    this.#plans = plans;
    if (!readOnly) {
      // Read and written here: a snapshot lasts from one commit to the next.
      const known = mark ?? openCommitMark(commitMarkMemory());
      const beforeCommit = () => this.#reader.endIdle();
      const ofLog = room === undefined ? {} : { room };
      this.#writer = new SqliteWriter({ ...shared, ...ofLog, mark: known, beforeCommit });
      this.#reader = new SqliteReader({ ...shared, mark: known });
      return;
    }
    this.#writer = null;
    const isShared = mark !== undefined && nextTurn !== undefined;
    const endLater = clock && ((end: () => void) => void clock.after(calmMs, end));
    this.#reader = new SqliteReader({
      ...shared,
      ...(isShared && { mark, endSoon: nextTurn, ...(endLater && { endLater }) }),
    });
  }

  read<T>(body: (tx: ReadTx) => Later<T>): Later<T> {
    return this.#reader.read(body);
  }

  openGroup(): CommitGroup {
    assert(this.#writer !== null, "a store that was opened for reading takes no writes");
    return this.#writer.openGroup();
  }

  commitsAfter(seq: number, limit: number): readonly Commit[] {
    return this.#reader.commitsAfter(seq, limit);
  }

  lastSeq(): Later<number> {
    return this.#reader.read((tx) => tx.seq);
  }

  prune(nowMs: number): number {
    assert(this.#writer !== null, "a store that was opened for reading takes no writes");
    return this.#writer.prune(nowMs);
  }

  plans(): readonly PlanEvidence[] {
    return this.#plans.list();
  }

  backup(target: string): Promise<void> {
    return backupSqlite(this.#path, target);
  }

  close(): void {
    this.#reader.close();
    this.#writer?.close();
  }
}
