// The operator's door over a server of this process.
import type { RunningServer } from "@keelson/server";
import { openOperatorDesk } from "@keelson/server/operator";
import { openAppDoor } from "../data/app-door.ts";
import type { DataDoor } from "../data/data-door.ts";

/** Opens the door to the version that is served now. @param dataDir of the server. */
export function serverDoor(server: RunningServer, dataDir: string): DataDoor {
  return openAppDoor({
    desk: () => openOperatorDesk(server.current(), { dataDir, limits: server.limits }),
    signToken: (subject) => server.signToken(subject),
    nowMs: () => server.nowMs(),
    place: `the server at ${server.url}`,
    isServed: true,
    close: async () => {},
  });
}
