// Reads of one thread: snapshots on read connections of their own. A snapshot stays open between reads
// while nothing was committed, because opening one costs more than a point read; the writer asks for idle
// ones to end before it commits, so that the write-ahead log can be copied back and start again.
import type { Later } from "../../base/later.ts";
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { CommitMark } from "../commit-mark.ts";
import type { Commit, ReadTx, Row } from "../store.ts";
import type { StoreLayout } from "../table-layout.ts";
import { CommitLog } from "./commit-log.ts";
import type { PlanBook } from "./query-plan.ts";
import { QueryRunner } from "./query-runner.ts";
import { RowCache, SnapshotRows } from "./row-cache.ts";
import type { RuleGuards } from "./rule-guard.ts";
import { SqliteConnection, type Statement } from "./sqlite-connection.ts";
import { withStoreErrors } from "./sqlite-error.ts";
import { SqliteReadTx } from "./sqlite-read-tx.ts";

/** What a reader is made of. */
export interface ReaderOptions {
  readonly path: string;
  readonly layout: StoreLayout;
  readonly guards: RuleGuards;
  readonly plans: PlanBook;
  readonly limits: Limits;
  /**
   * Names the newest state: a snapshot is used again while it stays, and rows are remembered from one to the next.
   * Absent: neither.
   */
  readonly mark?: CommitMark;
  /**
   * Called when a snapshot began that a later read may share: the function ends it when nobody does. Absent: the
   * writer is of this thread and asks before each commit. Without either an idle reader would hold the log.
   */
  readonly endSoon?: (end: () => void) => void;
  /** The same where nothing was committed for a while: later. Default: as soon. */
  readonly endLater?: (end: () => void) => void;
}

/**
 * Snapshots of one mark after which it is calm. A snapshot that outlives its turn keeps the log from beginning anew,
 * which a writer at work needs.
 */
const calmSnapshots = 16;

/** Reads of one thread. */
export class SqliteReader {
  readonly #options: ReaderOptions;
  readonly #connections: ReadConnection[] = [];
  readonly #rows: RowCache | null;
  #closed = false;
  #isEndAsked = false;
  #newestBegun: number | null = null;
  /** Snapshots that began since the mark moved. */
  #sameBegun = 0;

  constructor(options: ReaderOptions) {
    const { mark, limits } = options;
    this.#options = options;
    this.#rows = mark === undefined ? null : new RowCache(mark, limits.rowCacheBytesMax);
    this.#connections.push(new ReadConnection(options, this.#rows));
  }

  /** Runs `body` on one snapshot, which holds every commit that this thread knows of. */
  read<T>(body: (tx: ReadTx) => Later<T>): Later<T> {
    const connection = this.#lease();
    let result: Later<T>;
    try {
      result = body(connection.tx);
    } catch (error) {
      this.#release(connection);
      throw error;
    }
    if (!(result instanceof Promise)) {
      this.#release(connection);
      return result;
    }
    return result.finally(() => this.#release(connection));
  }

  commitsAfter(seq: number, limit: number): readonly Commit[] {
    const connection = this.#lease();
    try {
      return withStoreErrors(() => connection.log.after(seq, limit));
    } finally {
      this.#release(connection);
    }
  }

  /** Ends snapshots that no read is using. */
  endIdle(): void {
    for (const connection of this.#connections) {
      if (connection.leases === 0) connection.end();
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  #lease(): ReadConnection {
    if (this.#closed) throw new PlatformError("SHUTTING_DOWN");
    const version = this.#options.mark?.current() ?? null;
    let idle: ReadConnection | null = null;
    for (const connection of this.#connections) {
      if (version !== null && connection.version === version) {
        connection.leases += 1;
        return connection;
      }
      if (connection.leases === 0) idle ??= connection;
    }
    if (idle === null) {
      if (this.#connections.length >= this.#options.limits.readConnectionsMax) {
        throw new PlatformError("OVERLOADED", { limit: "readConnectionsMax" });
      }
      idle = new ReadConnection(this.#options, this.#rows);
      this.#connections.push(idle);
    }
    idle.begin(version);
    idle.leases += 1;
    if (idle.version !== null) this.#askForEnd(idle.version);
    return idle;
  }

  #askForEnd(version: number): void {
    const { endSoon, endLater } = this.#options;
    this.#sameBegun = version === this.#newestBegun ? this.#sameBegun + 1 : 0;
    this.#newestBegun = version;
    if (endSoon === undefined || this.#isEndAsked) return;
    this.#isEndAsked = true;
    const askForEnd = this.#sameBegun >= calmSnapshots ? (endLater ?? endSoon) : endSoon;
    askForEnd(() => {
      this.#isEndAsked = false;
      this.endIdle();
    });
  }

  #release(connection: ReadConnection): void {
    connection.leases -= 1;
    if (connection.leases > 0) return;
    // One that nobody may share, or that outlived its turn: nobody else would end it.
    const isOld = this.#options.endSoon !== undefined && !this.#isEndAsked;
    if (connection.version === null || isOld) connection.end();
  }
}

/** A read connection with at most one snapshot. */
class ReadConnection {
  leases = 0;
  /** The mark that the snapshot was proved to stand on; null: there is no snapshot that may be shared. */
  version: number | null = null;
  readonly tx: SqliteReadTx;
  readonly log: CommitLog;
  readonly #connection: SqliteConnection;
  readonly #runner: QueryRunner;
  readonly #rows: RowCache | null;
  readonly #mark: CommitMark | null;
  readonly #begin: Statement;
  readonly #commit: Statement;
  #open = false;
  #seq = 0;

  constructor({ path, layout, guards, plans, limits, mark }: ReaderOptions, rows: RowCache | null) {
    const connection = new SqliteConnection({ path, readOnly: true, limits });
    this.#connection = connection;
    const known = rows === null ? null : new SnapshotRows(rows, () => this.version);
    this.#runner = new QueryRunner({ connection, layout, guards, plans, limits, known });
    this.#rows = rows;
    this.#mark = mark ?? null;
    this.log = new CommitLog(connection);
    this.tx = new CachedReadTx(this.#runner, () => this.#seq);
    this.#begin = connection.prepare("BEGIN");
    this.#commit = connection.prepare("COMMIT");
  }

  /** @param version the mark right now, or null when it tells nothing. */
  begin(version: number | null): void {
    this.end();
    withStoreErrors(() => {
      this.#begin.run();
      this.#open = true;
      // The snapshot is taken by the first read, not by BEGIN.
      this.#seq = this.log.lastSeq();
    });
    // The mark did not move while it was taken: it holds what the mark names, and nothing newer.
    const isProved = version !== null && this.#mark?.current() === version;
    this.version = isProved ? version : null;
    if (isProved) this.#rows?.begin(version);
    this.#runner.forgetSizes();
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.version = null;
    withStoreErrors(() => {
      if (this.#connection.inTransaction) this.#commit.run();
    });
  }

  close(): void {
    this.end();
    this.#connection.close();
  }
}

/** A reader's transaction: rows by id that were read before, and are the same in this snapshot, are not read again. */
class CachedReadTx extends SqliteReadTx {
  protected override row(table: string, id: string): Row | null {
    const { known } = this.runner;
    if (known === null) return super.row(table, id);
    const before = known.row(table, id);
    if (before !== null) return before;
    const row = super.row(table, id);
    if (row !== null) known.putRow(table, id, row);
    return row;
  }
}
