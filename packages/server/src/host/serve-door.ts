// The HTTP door of a real server, in whichever thread it is.
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import type { DevelopmentTokens } from "../doors/development-token.ts";
import { openHttpDoor, type HttpDoor } from "../doors/http-door.ts";
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
  /** JavaScript modules served beside it, by path: `{ "/_keelson/client.js": "export ..." }`. Default: none. */
  readonly moduleFiles?: Readonly<Record<string, string>>;
  /** Reads /metrics from anywhere as a bearer token. Default: only this machine reads them. */
  readonly metricsToken?: string;
  /** Whether a proxy in front tells the caller's address and scheme. Default: no. */
  readonly trustProxy?: boolean;
}

/** What the door leads to. */
export interface DoorSurroundings {
  readonly limits: Limits;
  readonly random: RandomSource;
  readonly mode: "development" | "production";
  readonly metrics: HttpMetrics;
  readonly developmentTokens: DevelopmentTokens | null;
  readonly backend: Backend;
  isReady(): Later<boolean>;
  gauges(): Later<readonly Gauge[]>;
  report(error: unknown, requestId: string | null): void;
}

/** Opens the door. */
export function openServeDoor(options: DoorOptions, around: DoorSurroundings): HttpDoor {
  const { limits, random, mode, metrics, developmentTokens, backend } = around;
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
      statics: withModuleFiles(moduleFiles, folder),
      developmentTokens,
      openApi: async (manifest) => {
        const { openApiOf } = await import("../doors/openapi.ts");
        return openApiOf(manifest);
      },
      isReady: () => around.isReady(),
      gauges: () => around.gauges(),
      nextTurn: setImmediate,
      report: (error, requestId) => around.report(error, requestId),
    },
    backend,
  );
}
