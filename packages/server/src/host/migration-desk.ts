// Migrations by hand: what would change is shown while a server runs; it is changed only when none does.
import { join } from "node:path";
import { withPlatformTables } from "../model/platform-tables.ts";
import { limits } from "../base/limits.ts";
import {
  applyMigration,
  planMigration,
  type MigrationPlan,
  type MigrationStep,
} from "../store/sqlite/migrate.ts";
import { openAppSource } from "./app-source.ts";
import { databaseName } from "./backend.ts";
import { lockDataFolder, makeDataFolder } from "./data-lock.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";

/** What a migration is about. Folders are absolute. */
export interface MigrationOrder {
  readonly appDir: string;
  readonly dataDir: string;
  /** Old columns by what they are now: `{ "film.rating": "score" }`. */
  readonly renamed: Readonly<Record<string, string>>;
}

/** The difference between an app and its data. @throws AppInvalid, STORE_FAILED, ARGUMENT_INVALID for a wrong rename. */
export async function planAppMigration(order: MigrationOrder): Promise<MigrationPlan> {
  const { appDir, dataDir, renamed } = order;
  makeDataFolder(realDisk, dataDir);
  const source = openAppSource({
    appDir,
    dataDir,
    disk: realDisk,
    clock: realClock,
    limits,
    mode: "production",
  });
  try {
    const manifest = withPlatformTables((await source.build()).manifest);
    const path = join(dataDir, databaseName);
    return planMigration({ path, manifest, limits, clock: realClock, renamed });
  } finally {
    await source.close();
  }
}

/**
 * Does what a plan says. @param allow names of destructive steps that may be done.
 * @throws DATA_LOCKED; MIGRATION_REFUSED, MIGRATION_FAILED: then nothing has changed.
 */
export function applyAppMigration(
  order: MigrationOrder,
  plan: MigrationPlan,
  allow: readonly string[],
): readonly MigrationStep[] {
  const lock = lockDataFolder(realDisk, order.dataDir);
  try {
    return applyMigration(plan, { allow });
  } finally {
    lock.release();
  }
}
