// The data folder, opened by this process for as long as one command runs.
import { openApp } from "@keelson/server";
import { openOperatorDesk } from "@keelson/server/operator";
import { openAppDoor } from "../data/app-door.ts";
import type { DataDoor } from "../data/data-door.ts";
import { folderText, type AppPlace } from "./app-place.ts";
import type { Io } from "./command.ts";

/**
 * Opens the data folder. Changes of the schema that lose nothing are made, as a start of the server makes them;
 * `keelson migrate` makes the others.
 * @throws DATA_LOCKED, MIGRATION_REFUSED, AppInvalid.
 */
export async function openFolderDoor(place: AppPlace, io: Io): Promise<DataDoor> {
  const running = await openApp({ ...place, mode: "development", migrate: "auto-safe" });
  const backend = running.current();
  const desk = openOperatorDesk(backend, { dataDir: place.dataDir, limits: running.limits });
  return openAppDoor({
    desk: () => desk,
    signToken: (subject) => running.signToken(subject),
    nowMs: () => running.nowMs(),
    place: folderText(place, io),
    isServed: false,
    close: () => running.close(),
  });
}
