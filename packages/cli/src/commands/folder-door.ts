// The data folder, opened by this process for as long as one command runs.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { openApp } from "@keelson/server";
import { databaseName, openOperatorDesk } from "@keelson/server/operator";
import { openAppDoor } from "../data/app-door.ts";
import type { DataDoor } from "../data/data-door.ts";
import type { AppPlace } from "./app-place.ts";
import type { Io } from "./command.ts";

/**
 * Opens the data folder. The schema must be the app's: `keelson migrate` changes it.
 * @throws DATA_LOCKED, MIGRATION_REFUSED, AppInvalid.
 */
export async function openFolderDoor(place: AppPlace, io: Io): Promise<DataDoor> {
  const isNew = !existsSync(join(place.dataDir, databaseName));
  const running = await openApp({
    ...place,
    mode: "development",
    migrate: isNew ? "auto-safe" : "refuse",
  });
  const backend = running.current();
  const desk = openOperatorDesk(backend, { dataDir: place.dataDir, limits: running.limits });
  return openAppDoor({
    desk: () => desk,
    signToken: (subject) => running.signToken(subject),
    nowMs: () => running.nowMs(),
    place: `the folder ${relative(io.cwd, place.dataDir) || "."}`,
    isServed: false,
    close: () => running.close(),
  });
}
