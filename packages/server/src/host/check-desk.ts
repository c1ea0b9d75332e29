// The design review of an app in a folder: loads it as a server would, gathers what the review looks at (sources,
// frontend, the engine's plans, the database where there is one), and asks. Changes nothing in either folder.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { limits } from "../base/limits.ts";
import { checkApp, type CheckReport } from "../engineer/check/check-app.ts";
import { openPlanDesk, type PlanStatistic } from "../engineer/check/plan-desk.ts";
import { openAppLoader, type AppLoader } from "../isolate/app-load.ts";
import { CpuWatchdog } from "../isolate/cpu-watchdog.ts";
import type { Manifest } from "../model/manifest.ts";
import { planMigration, type MigrationStep } from "../store/sqlite/migrate.ts";
import { databaseName } from "./backend.ts";
import { readBrowserFiles } from "./browser-files.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealEgress } from "./real-egress.ts";

/** What is reviewed. Folders are absolute. */
export interface CheckOrder {
  readonly appDir: string;
  /** The data whose rows, statistics, pending migration and last started app are looked at; null: none. */
  readonly dataDir: string | null;
  /** The app as clients know it, in the place of the one started last on the data; null: that one, if any. */
  readonly against: Manifest | null;
}

/** A report with the app that it is about. */
export interface Checked {
  readonly manifest: Manifest;
  readonly report: CheckReport;
}

/** Reviews again and again: `keelson dev` keeps the bundler. */
export interface CheckDesk {
  /** @throws AppInvalid with the app's mistakes. STORE_FAILED when the data can't be read. */
  check(): Promise<Checked>;
  close(): Promise<void>;
}

/** Opens a desk. Nothing is read yet. */
export function openCheckDesk(order: CheckOrder): CheckDesk {
  const ports = {
    clock: realClock,
    limits,
    egress: openRealEgress(),
    watchdog: new CpuWatchdog(),
    development: true,
    disk: realDisk,
  };
  let loader: AppLoader | null = null;
  return {
    check: async () => {
      loader ??= await openAppLoader(order.appDir, ports);
      const { manifest, sources, first } = await loader.load();
      first.dispose();
      return { manifest, report: review(order, manifest, sources) };
    },
    close: async () => {
      ports.watchdog.close();
      await loader?.dispose();
      loader = null;
    },
  };
}

/** Reviews once. @throws as CheckDesk. */
export async function checkAppFolder(order: CheckOrder): Promise<Checked> {
  const desk = openCheckDesk(order);
  try {
    return await desk.check();
  } finally {
    await desk.close();
  }
}

function review(
  { appDir, dataDir, against }: CheckOrder,
  manifest: Manifest,
  sources: ReadonlyMap<string, string>,
): CheckReport {
  const data = dataDir === null ? null : readData(dataDir, manifest);
  const folder = mkdtempSync(join(tmpdir(), "keelson-check-"));
  try {
    const plans = openPlanDesk(manifest, join(folder, "plans.db"), data?.statistics ?? []);
    try {
      return checkApp({
        manifest,
        sources,
        browser: readBrowserFiles(realDisk, appDir),
        plans,
        rows: data?.rows ?? null,
        pending: data?.pending ?? [],
        shipped: against ?? (dataDir === null ? null : lastStarted(dataDir)),
      });
    } finally {
      plans.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface DataFacts {
  readonly rows: ReadonlyMap<string, number>;
  readonly statistics: readonly PlanStatistic[];
  readonly pending: readonly MigrationStep[];
}

/** Row counts and statistics of a database; null when there is none. */
function readData(dataDir: string, manifest: Manifest): DataFacts | null {
  const path = join(dataDir, databaseName);
  if (!realDisk.exists(path)) return null;
  const { steps } = planMigration({ path, manifest, limits, clock: realClock });
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const there = new Set(names.map((row) => String(row["name"])));
    const rows = new Map<string, number>();
    for (const table of Object.keys(manifest.tables)) {
      if (!there.has(table)) continue;
      const count = db.prepare(`SELECT count(*) AS n FROM "${table}"`).get();
      rows.set(table, Number(count?.["n"]));
    }
    return {
      rows,
      statistics: there.has("sqlite_stat1") ? readStatistics(db) : [],
      pending: steps,
    };
  } finally {
    db.close();
  }
}

function readStatistics(db: DatabaseSync): readonly PlanStatistic[] {
  const rows = db.prepare("SELECT tbl, idx, stat FROM sqlite_stat1").all();
  return rows.map((row) => ({
    table: String(row["tbl"]),
    index: row["idx"] === null ? null : String(row["idx"]),
    text: String(row["stat"]),
  }));
}

/** The app that was started last on the data, as its cache keeps it; null when there is none that can be read. */
function lastStarted(dataDir: string): Manifest | null {
  const bytes = realDisk.read(join(dataDir, "cache", "app.json"));
  if (bytes === null) return null;
  try {
    const cached = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly app?: { readonly manifest?: Manifest };
    };
    return cached.app?.manifest ?? null;
  } catch {
    // A cache that can't be read says nothing of what was shipped.
    return null;
  }
}
