// The HTTP door of a real server, in whichever thread it is.
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import type { DevelopmentTokens } from "../doors/development-token.ts";
import { openHttpDoor, type HttpDoor } from "../doors/http-door.ts";
import type { TraceLog } from "../gate/trace-log.ts";
import type { Mailbox } from "../auth/mail/mailbox.ts";
import type { LiveCounts } from "../doors/live-counts.ts";
import type { Gauge, HttpMetrics } from "../doors/http-metrics.ts";
import { withModuleFiles } from "../doors/module-files.ts";
import { openStaticFiles } from "../doors/static-files.ts";
import type { Backend } from "./backend.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";

/** What is served beside the API, and to whom. Structured-cloneable. */
export interface DoorOptions {
  /** A built website, served beside the API. Default: none. */
  readonly staticDir?: string;
  /**
   * JavaScript modules served beside it, by path. Each is the address (`file:`) of a module whose default export makes
   * the text, `() => Promise<string>`, when it is first asked for. Default: none.
   */
  readonly moduleFiles?: Readonly<Record<string, string>>;
  /** Reads /metrics from anywhere as a bearer token. Default: only this machine reads them. */
  readonly metricsToken?: string;
  /** Whether a proxy in front tells the caller's address and scheme. Default: no. */
  readonly trustProxy?: boolean;
  /** Where people reach the server: `https://tickets.example.com`. For links in letters, and cookies. Default: not known. */
  readonly publicUrl?: string;
}

/** What the door leads to. */
export interface DoorSurroundings {
  readonly limits: Limits;
  readonly random: RandomSource;
  readonly mode: "development" | "production";
  readonly metrics: HttpMetrics;
  readonly developmentTokens: DevelopmentTokens | null;
  /** What was sent by e-mail, while an app is being written. Default: there is none. */
  readonly mailbox?: Mailbox | null;
  /** Live connections of addresses and users, over all threads. Default: of this door alone. */
  readonly liveCounts?: LiveCounts;
  readonly backend: Backend;
  readonly trace: TraceLog;
  isReady(): Later<boolean>;
  gauges(): Later<readonly Gauge[]>;
  report(error: unknown, requestId: string | null): void;
}

/** Opens the door. */
export function openServeDoor(options: DoorOptions, around: DoorSurroundings): HttpDoor {
  const { limits, random, mode, metrics, developmentTokens, liveCounts, backend } = around;
  const { mailbox = null } = around;
  const { staticDir, moduleFiles = {}, metricsToken = null, trustProxy = false } = options;
  const folder =
    staticDir === undefined ? null : openStaticFiles({ disk: realDisk, folder: staticDir, limits });
  return openHttpDoor(
    {
      limits,
      clock: realClock,
      random,
      mode,
      metrics,
      metricsToken,
      trustProxy,
      statics: withModuleFiles(makersOf(moduleFiles), folder),
      developmentTokens,
      mailbox,
      openApi: async (manifest) => {
        const { openApiOf } = await import("../doors/openapi.ts");
        return openApiOf(manifest);
      },
      isReady: () => around.isReady(),
      gauges: () => around.gauges(),
      nextTurn: setImmediate,
      ...(liveCounts === undefined ? {} : { liveCounts }),
      record: (finished) => around.trace.record(finished),
      report: (error, requestId) => around.report(error, requestId),
    },
    backend,
  );
}

function makersOf(modules: Readonly<Record<string, string>>): Map<string, () => Promise<string>> {
  return new Map(
    Object.entries(modules).map(([path, address]) => [
      path,
      async () => {
        const { default: make } = (await import(address)) as { default: () => Promise<string> };
        return make();
      },
    ]),
  );
}
