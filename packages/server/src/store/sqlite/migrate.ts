// Migration of a file to a manifest: the plan is shown, and done when safe. Everything in one transaction:
// a migration that is refused or fails leaves the old schema and all data.
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeOfMs } from "../../model/field-time.ts";
import type { StoredTables } from "../table-layout.ts";
import { applyDifference, type StepHook } from "./migrate-apply.ts";
import type { Renamed } from "./migrate-map.ts";
import { compareSchema, type SchemaDifference } from "./migrate-plan.ts";
import type { MigrationStep } from "./migrate-step.ts";
import { findDrift, renewEngine, storedTables, writeSchema } from "./schema-state.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { storeError } from "./sqlite-error.ts";

export type { MigrationStep } from "./migrate-step.ts";

/** What a migration is planned for. */
export interface MigrationTarget {
  readonly path: string;
  readonly manifest: { readonly tables: StoredTables };
  readonly limits: Limits;
  /** For new required fields whose default is the time; absent: rows without a value are in the way. */
  readonly clock?: Clock;
  /** Old names by what they are now: `{ "film.rating": "score" }`. Default: nothing was renamed. */
  readonly renamed?: Renamed;
}

/** What would be done. */
export interface MigrationPlan {
  readonly target: MigrationTarget;
  /** The file is empty. */
  readonly fresh: boolean;
  /** In the order in which they are told; `[]` when the file is of this schema. */
  readonly steps: readonly MigrationStep[];
  /** Where the file is not what it says it is; nothing can be migrated until that is put right. */
  readonly drift: readonly string[];
}

/**
 * Works out what a migration would do; changes nothing.
 * @throws STORE_FAILED; ARGUMENT_INVALID for a rename that fits neither side; what layoutOf throws.
 */
export function planMigration(target: MigrationTarget): MigrationPlan {
  return withConnection(target, (db) => {
    db.exec("BEGIN");
    try {
      const { from, steps, drift } = compare(db, target);
      return { target, fresh: from === null, steps, drift };
    } finally {
      db.exec("ROLLBACK");
    }
  });
}

/**
 * Does a migration. The rows are looked at again inside its transaction, so a plan may be old.
 * @param options.allow names of the destructive steps that may be done. Default: none.
 * @param options.onStep called before each physical step.
 * @throws MIGRATION_REFUSED with every step that is in the way; MIGRATION_FAILED when it could not be done.
 */
export function applyMigration(
  plan: MigrationPlan,
  options: { readonly allow?: readonly string[]; readonly onStep?: StepHook } = {},
): readonly MigrationStep[] {
  const { target } = plan;
  return withConnection(target, (db) => {
    // Inside a transaction this has no effect; references are checked as a whole before the commit.
    db.exec("PRAGMA foreign_keys = OFF");
    db.exec("BEGIN IMMEDIATE");
    try {
      const difference = compare(db, target);
      refuseUnlessAllowed(difference, options.allow ?? []);
      carryOut(db, target, difference, options.onStep ?? (() => {}));
      db.exec("COMMIT");
      return difference.steps;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      if (error instanceof PlatformError) throw error;
      throw new PlatformError("MIGRATION_FAILED", {}, { cause: error });
    }
  });
}

/**
 * What opening a store does about its schema.
 * @param readOnly whether the file may not even be opened for writing.
 * @param mode `safe`: bring the file to the manifest when no row is lost or in the way; `none`: only look.
 * @throws MIGRATION_REFUSED; STORE_FAILED when the file is to be written to, and may only be read.
 */
export function migrateOnOpen(
  target: MigrationTarget,
  mode: "safe" | "none",
  readOnly: boolean,
): void {
  const isCurrent = withConnection({ ...target, readOnly }, (db) => {
    const difference = readDifference(db, target);
    if (difference === "none") {
      if (!readOnly) {
        assertWritable(db);
        renewEngine(db);
      }
      return true;
    }
    if (mode === "safe") return false;
    throw refused(difference);
  });
  if (isCurrent) return;
  applyMigration({ target, fresh: false, steps: [], drift: [] });
  withConnection(target, renewEngine);
}

/** The engine opens what may only be read all the same, and would say so with the first row that somebody writes. */
function assertWritable(db: DatabaseSync): void {
  db.exec("BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK");
}

/** Compares texts first: the usual start finds nothing to do and reads no row. */
function readDifference(db: DatabaseSync, target: MigrationTarget): "none" | SchemaDifference {
  const difference = compare(db, target);
  const wanted = JSON.stringify(storedTables(target.manifest.tables));
  const same = difference.from !== null && JSON.stringify(difference.from) === wanted;
  return same && difference.drift.length === 0 ? "none" : difference;
}

function carryOut(
  db: DatabaseSync,
  target: MigrationTarget,
  difference: SchemaDifference,
  hook: StepHook,
): void {
  applyDifference(db, difference, hook);
  hook("write schema");
  writeSchema(db, target.manifest.tables);
  hook("check");
  const dangling = db.prepare("PRAGMA foreign_key_check").all();
  const drift = findDrift(db, target.manifest.tables);
  if (dangling.length > 0 || drift.length > 0) {
    throw new Error(`after the migration: ${JSON.stringify({ dangling: dangling.length, drift })}`);
  }
  hook("commit");
}

function refuseUnlessAllowed(difference: SchemaDifference, allow: readonly string[]): void {
  const inTheWay = difference.steps.filter(
    ({ kind, name }) => kind === "needs-data" || (kind === "destructive" && !allow.includes(name)),
  );
  if (inTheWay.length > 0 || difference.drift.length > 0) throw refused(difference, inTheWay);
}

function refused(
  { steps, drift }: SchemaDifference,
  inTheWay: readonly MigrationStep[] = steps,
): PlatformError {
  return new PlatformError("MIGRATION_REFUSED", {
    steps: inTheWay.map((step): Json => ({ ...step })),
    drift: [...drift],
  });
}

function compare(
  db: DatabaseSync,
  { manifest, renamed, clock }: MigrationTarget,
): SchemaDifference {
  const now = clock === undefined ? null : timeOfMs(clock.nowMs());
  return compareSchema(db, manifest.tables, { renamed: renamed ?? {}, now });
}

function withConnection<T>(
  { path, limits, readOnly }: Pick<MigrationTarget, "path" | "limits"> & { readOnly?: boolean },
  run: (db: DatabaseSync) => T,
): T {
  const connection = new SqliteConnection({ path, limits, readOnly: readOnly ?? false });
  try {
    return run(connection.db);
  } catch (error) {
    throw storeError(error);
  } finally {
    connection.close();
  }
}
