// One connection to the file: pragmas, and prepared statements kept by their text in a bounded cache that
// drops the one used longest ago. Connections share nothing, so each may live in a thread of its own.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { assert } from "../../base/assert.ts";
import type { Limits } from "../../base/limits.ts";
import type { SqlCell } from "./row-codec.ts";
import type { SqlValue } from "./sql-text.ts";
import { withStoreErrors } from "./sqlite-error.ts";

/** The bytes of a page cache, and of the file that is mapped into memory: reads of warm pages copy nothing. */
const cacheKib = 32_768;
const mapBytes = 1_073_741_824;
/** Another process (an import, a copy of `keelson`) may hold the write lock for a moment. */
const busyMs = 5_000;
/** Pages of the log after which a commit copies it back into the file; 32 MiB: fewer copies of the same page. */
const checkpointPages = 8_000;
/** What the log file is cut to after a copy. */
const logBytes = 67_108_864;

/** SQLite's own default; larger pages write more for every row that changes. */
const pageBytes = 4_096;

/** How a connection is opened. */
export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly limits: Limits;
}

/** A prepared statement that answers arrays. */
export class Statement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    statement.setReturnArrays(true);
    this.#statement = statement;
  }

  /** The first row's cells, or undefined. */
  get(...values: readonly SqlValue[]): readonly SqlCell[] | undefined {
    return this.#statement.get(...values) as readonly SqlCell[] | undefined;
  }

  all(values: readonly SqlValue[]): readonly (readonly SqlCell[])[] {
    return this.#statement.all(...values) as unknown as readonly (readonly SqlCell[])[];
  }

  /**
   * Runs a statement without an answer. Not the engine's own `run`, which fails once the full-text index has
   * inserted rows under numbers beyond the safe integers.
   */
  run(...values: readonly SqlValue[]): void {
    this.#statement.get(...values);
  }

  /** Runs an INSERT into a table of ours. @returns the number of the new row. */
  insert(values: readonly SqlValue[]): number {
    return Number(this.#statement.run(...values).lastInsertRowid);
  }
}

/** One connection. */
export class SqliteConnection {
  readonly db: DatabaseSync;
  readonly #statementsMax: number;
  readonly #statements = new Map<string, Statement>();
  #visitsLeft = 0;

  constructor({ path, readOnly, limits }: ConnectionOptions) {
    this.#statementsMax = limits.statementsMax;
    this.db = withStoreErrors(() => openDatabase(path, readOnly, limits));
    // Called for every row that a costly plan visits, so that it ends at a bound instead of running on.
    this.db.function("_visit", { deterministic: false, directOnly: true }, (_row) => {
      if (this.#visitsLeft <= 0) throw new VisitsExceeded();
      this.#visitsLeft -= 1;
      return 1;
    });
  }

  /** The statement of a text, prepared once while it stays in the cache. */
  prepare(sql: string): Statement {
    const found = this.#statements.get(sql);
    if (found !== undefined) {
      // Reordering costs more than the look-up, so it starts when the cache begins to fill.
      if (this.#statements.size * 2 > this.#statementsMax) {
        this.#statements.delete(sql);
        this.#statements.set(sql, found);
      }
      return found;
    }
    const statement = new Statement(this.db.prepare(sql));
    if (this.#statements.size >= this.#statementsMax) {
      const oldest = this.#statements.keys().next();
      assert(oldest.done === false, "a full cache has an oldest entry");
      this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Allows the next statement this many calls of `_visit`. */
  allowVisits(count: number): void {
    this.#visitsLeft = count;
  }

  /** Whether a transaction is open. An I/O error or a full disk may have ended it. */
  get inTransaction(): boolean {
    return this.db.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    if (this.db.isOpen) this.db.close();
  }
}

/** Ends a statement that visits more rows than it may. */
export class VisitsExceeded extends Error {
  override readonly name = "VisitsExceeded";
}

function openDatabase(path: string, readOnly: boolean, limits: Limits): DatabaseSync {
  const db = new DatabaseSync(path, {
    readOnly,
    timeout: busyMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  });
  try {
    // The journal mode is kept in the file. FULL makes every commit wait for the disk; on macOS a plain
    // fsync leaves the data in the drive's cache, which `fullfsync` empties; elsewhere it does nothing.
    if (!readOnly) db.exec("PRAGMA journal_mode = WAL");
    db.exec(`PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA cache_size = -${cacheKib};
      PRAGMA mmap_size = ${mapBytes};
      PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON;
      PRAGMA journal_size_limit = ${logBytes};
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA max_page_count = ${Math.ceil(limits.databaseBytesMax / pageBytes)}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
