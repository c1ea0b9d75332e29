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

/** Isolates of one thread. */
export interface ThreadIsolates {
  /** Opens isolates of a version of the app. */
  open(app: BuiltApp): Promise<AppIsolates>;
  /** When none of them is needed any more: their CPU limit ends with it, and the thread may come to its end. */
  close(): void;
}

/** Isolates of this thread. Called once in it. */
export function threadIsolates(snapshot: ArrayBuffer, limits: Limits): ThreadIsolates {
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
  return {
    open: async (app) => new IsolatePool(await IsolateImage.of(app.bundle), ports),
    close: () => ports.watchdog.close(),
  };
}
