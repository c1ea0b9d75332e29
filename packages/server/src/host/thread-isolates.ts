// Isolates of a thread that got the app and the guest from another one.
import type { Limits } from "../base/limits.ts";
import { CpuWatchdog } from "../isolate/cpu-watchdog.ts";
import { restoreGuestCode } from "../isolate/guest-code.ts";
import { IsolateImage } from "../isolate/isolate-image.ts";
import { IsolatePool } from "../isolate/isolate-pool.ts";
import type { IsolatePorts } from "../isolate/isolated-app.ts";
import type { BuiltApp } from "./app-cache.ts";
import type { AppIsolates } from "./backend.ts";
import { environmentSecret } from "./environment-secret.ts";
import { realClock } from "./real-clock.ts";

/** @returns what opens isolates of a version of the app in this thread. Called once in a thread. */
export function threadIsolates(
  snapshot: ArrayBuffer,
  limits: Limits,
): (app: BuiltApp) => Promise<AppIsolates> {
  restoreGuestCode(snapshot);
  const ports: IsolatePorts = {
    clock: realClock,
    limits,
    // Loads Node's HTTP client, which a thread that runs no action never needs.
    egress: {
      async send(request) {
        const { openRealEgress } = await import("./real-egress.ts");
        return openRealEgress().send(request);
      },
    },
    secret: environmentSecret,
    watchdog: new CpuWatchdog(),
    development: false,
  };
  return async (app) => new IsolatePool(await IsolateImage.of(app.bundle), ports);
}
