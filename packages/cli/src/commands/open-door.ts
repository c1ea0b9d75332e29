// Which way a command takes to the data: a server elsewhere (--url), the server that holds the data folder,
// or the folder itself, opened for as long as the command runs.
import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { DataDoor } from "../data/data-door.ts";
import { connectDoor } from "../data/door-client.ts";
import { readDoorFile } from "../data/door-file.ts";
import { openUrlDoor } from "../data/door-url.ts";
import { exits, Failure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { appPlace, type AppPlace } from "./app-place.ts";
import type { Io } from "./command.ts";

const startingTries = 20;
const startingMs = 100;

/** The environment variable that stands for `--token`. */
export const tokenVariable = "KEELSON_TOKEN";

/**
 * Opens the way that the flags name. The caller closes it.
 * @param ground `new`: a database is made where there is none, by commands that bring data or users.
 * @throws Failure, PlatformError.
 */
export async function openDoor(
  flags: Flags,
  io: Io,
  ground: "there" | "new" = "there",
): Promise<DataDoor> {
  const url = flags.text("url");
  if (url !== null)
    return openUrlDoor(checkedUrl(url), flags.text("token") ?? io.env[tokenVariable] ?? null);
  const place = appPlace(flags.text("app"), flags, io);
  const door = await openServedDoor(place);
  if (door !== null) return door;
  // Loading the server takes longer than all else that a short command does: only when it is needed.
  const { openFolderDoor } = await import("./folder-door.ts");
  const { databaseName } = await import("@keelson/server/operator");
  const database = join(place.dataDir, databaseName);
  if (ground === "there" && !isDatabaseThere(database))
    throw noDatabase(relative(io.cwd, database));
  try {
    return await openFolderDoor(place, io);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "DATA_LOCKED") throw error;
    const served = await openStartingDoor(place);
    if (served === null) throw error;
    return served;
  }
}

/** Whoever holds the folder may be a server that has just begun: its door opens last. Null: it does not. */
async function openStartingDoor(place: AppPlace): Promise<DataDoor | null> {
  for (let tries = 0; tries < startingTries; tries++) {
    await wait(startingMs);
    const door = await openServedDoor(place);
    if (door !== null) return door;
  }
  return null;
}

/** Whether there is one. What may not be looked at is there: opening it says why it can't be used. */
export function isDatabaseThere(database: string): boolean {
  try {
    statSync(database);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}

/** A command that reads has nothing to read: a folder that was mistyped must not look like an empty one. */
export function noDatabase(database: string): Failure {
  return new Failure(exits.usage, {
    code: "DATABASE_NOT_FOUND",
    what: `There is no database at ${database}.`,
    why: "This command works on one that is there: keelson dev, start and import make one.",
    fix: "Name the folder that holds it: --data=<folder>",
  });
}

/** The server that holds the data folder; null: none does, or none that can be asked. */
export async function openServedDoor({ dataDir }: AppPlace): Promise<DataDoor | null> {
  const file = readDoorFile(dataDir);
  return file === null ? null : connectDoor(file);
}

function checkedUrl(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Failure(exits.usage, {
    code: "FLAG_VALUE_INVALID",
    what: `--url can't be "${url}".`,
    why: "It is the address of a server, with http:// or https://.",
    fix: "For example: --url=http://localhost:4000",
  });
}
