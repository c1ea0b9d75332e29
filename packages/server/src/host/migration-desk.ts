// Migrations by hand: what would change is shown while a server runs; it is changed only when none does.
import { join } from "node:path";
import { limits } from "../base/limits.ts";
import { loadApp } from "../isolate/app-load.ts";
import { CpuWatchdog } from "../isolate/cpu-watchdog.ts";
import type { Manifest } from "../model/manifest.ts";
import { withPlatformTables } from "../model/platform-tables.ts";
import {
  applyMigration,
  planMigration,
  type MigrationPlan,
  type MigrationStep,
} from "../store/sqlite/migrate.ts";
import { databaseName } from "./backend.ts";
import { lockDataFolder } from "./data-lock.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealEgress } from "./real-egress.ts";

/** What a migration is about. Folders are absolute. */
export interface MigrationOrder {
  readonly appDir: string;
  readonly dataDir: string;
  /** Old columns by what they are now: `{ "film.rating": "score" }`. */
  readonly renamed: Readonly<Record<string, string>>;
}

/**
 * The difference between an app and its data. Writes nothing: neither a data folder that is not there yet, nor what is
 * kept in one for the next start.
 * @throws AppInvalid, STORE_FAILED, ARGUMENT_INVALID for a wrong rename.
 */
export async function planAppMigration(order: MigrationOrder): Promise<MigrationPlan> {
  const { appDir, dataDir, renamed } = order;
  const manifest = withPlatformTables(await readManifest(appDir));
  const path = join(dataDir, databaseName);
  const target = { path, manifest, limits, clock: realClock, renamed };
  const plan = planMigration({ ...target, path: realDisk.exists(path) ? path : ":memory:" });
  return { ...plan, target };
}

async function readManifest(appDir: string): Promise<Manifest> {
  const watchdog = new CpuWatchdog();
  const egress = openRealEgress();
  const ports = { clock: realClock, limits, egress, watchdog, development: true, disk: realDisk };
  try {
    const { manifest, first } = await loadApp(appDir, ports);
    first.dispose();
    return manifest;
  } finally {
    watchdog.close();
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
