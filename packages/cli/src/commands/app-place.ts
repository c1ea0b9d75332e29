// Where the app and its data are: from the command's words and options, never guessed beyond the current
// folder.
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { exits, Failure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Io } from "./command.ts";

/** Absolute folders. */
export interface AppPlace {
  /** Holds keelson/app.ts. */
  readonly appDir: string;
  readonly dataDir: string;
}

/** The data folder as a command names it. */
export function folderText({ dataDir }: AppPlace, io: Io): string {
  return `the folder ${relative(io.cwd, dataDir) || "."}`;
}

/** The environment variable that stands for `--data`. */
export const dataVariable = "KEELSON_DATA";

/**
 * Finds both. @param folder the app's folder as written, or null for the current one.
 * @throws Failure (exit 1) APP_NOT_FOUND.
 */
export function appPlace(folder: string | null, flags: Flags, io: Io): AppPlace {
  const appDir = resolve(io.cwd, folder ?? ".");
  if (!existsSync(join(appDir, "keelson", "app.ts"))) {
    throw new Failure(exits.usage, {
      code: "APP_NOT_FOUND",
      what: `There is no app in ${appDir}.`,
      why: "An app is a folder with the file keelson/app.ts in it.",
      fix: "Go to the app's folder, or name it. To make a new one: keelson init my-app",
    });
  }
  const told = flags.text("data") ?? io.env[dataVariable];
  const dataDir =
    told === undefined || told === "" ? join(appDir, ".keelson") : resolve(io.cwd, told);
  return { appDir, dataDir };
}
