// The package's entry for the attack, and where one is put together: a real server on a loopback port, on a data
// folder that is made for it and removed after it. engineer/attack/ gets it as a port.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTokenKeys } from "./auth/token-keys.ts";
import type { AttackTarget } from "./engineer/attack/attack-target.ts";
import type { BuiltApp } from "./host/app-cache.ts";
import { withoutLimits } from "./host/attack-app.ts";
import { AttackServer } from "./host/attack-server.ts";
import { openAttackWorld } from "./host/attack-world.ts";
import { databaseName } from "./host/backend.ts";
import { realDisk } from "./host/real-disk.ts";
import { openRealRandom } from "./host/real-random.ts";
import { startServer } from "./main.ts";
import { backupSqlite } from "./store/sqlite/sqlite-backup.ts";

export { attackApp, type AttackOptions } from "./engineer/attack/attack.ts";
export type { AttackReport, AttackFinding } from "./engineer/attack/attack-report.ts";
export { attackOutside, type OutsideReport } from "./engineer/attack/attack-outside.ts";
export { attackHtml } from "./engineer/attack/report-html.ts";
export { attackSarif } from "./engineer/attack/report-sarif.ts";
export { attackText } from "./engineer/attack/report-text.ts";
export type { AttackTarget, WireAnswer } from "./engineer/attack/attack-target.ts";
export { attackSender } from "./host/attack-sender.ts";

/** How a target is opened. */
export interface TargetOptions {
  /** Holds keelson/app.ts; only read. */
  readonly appDir: string;
  /** A data folder whose database is copied; default: an empty one is made. It is only read. */
  readonly copyOf?: string;
  /** `lifted` (default): declared rate limits do not hold, so that probes are not refused for their number. */
  readonly rateLimits?: "lifted" | "declared";
  /** Changes the app before it is attacked. */
  readonly adapt?: (app: BuiltApp) => BuiltApp;
}

/** A compiled guest that later targets of this process start with. */
let guestCache: string | null = null;

/** Opens an app on a data folder of its own. @throws AppInvalid and what startServer throws. */
export async function openAttackTarget(options: TargetOptions): Promise<AttackTarget> {
  const folder = makeFolder("keelson-attack-");
  try {
    return await openIn(folder, options);
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** A folder that goes with its process, if not before. */
function makeFolder(prefix: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const remove = () => {
    process.off("exit", remove);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", remove);
  return { path, remove };
}

async function openIn(
  { path: dataDir, remove }: ReturnType<typeof makeFolder>,
  options: TargetOptions,
): Promise<AttackTarget> {
  const { appDir, copyOf, rateLimits = "lifted", adapt = (app: BuiltApp) => app } = options;
  const cache = join(dataDir, "cache");
  mkdirSync(cache, { recursive: true });
  if (guestCache !== null && existsSync(guestCache)) cpSync(guestCache, join(cache, "guest.bin"));
  if (copyOf !== undefined) {
    await backupSqlite(join(copyOf, databaseName), join(dataDir, databaseName));
  }
  const world = openAttackWorld();
  const server = await startServer({
    appDir,
    dataDir,
    port: 0,
    mode: "production",
    threads: 0,
    sealed: world,
    limits: {
      anonymousPerMinuteMax: 1_000_000_000,
      callerPerMinuteMax: 1_000_000_000,
      badTokensPerMinuteMax: 1_000_000,
      badHooksPerMinuteMax: 1_000_000,
      traceKeepMax: 16,
    },
    report: () => {},
    adapt: (app) => (rateLimits === "lifted" ? withoutLimits(adapt(app)) : adapt(app)),
  });
  if (guestCache === null) guestCache = keepGuest(join(cache, "guest.bin"));
  const keys = openTokenKeys({
    disk: realDisk,
    path: join(dataDir, "keys.json"),
    random: openRealRandom(),
  });
  return new AttackServer(server, { keys, world, dataDir, remove });
}

function keepGuest(file: string): string | null {
  if (!existsSync(file)) return null;
  const kept = join(makeFolder("keelson-guest-").path, "guest.bin");
  cpSync(file, kept);
  return kept;
}
