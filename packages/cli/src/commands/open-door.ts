// Which way a command takes to the data: a server elsewhere (--url), the server that holds the data folder,
// or the folder itself, opened for as long as the command runs.
import type { DataDoor } from "../data/data-door.ts";
import { connectDoor } from "../data/door-client.ts";
import { readDoorFile } from "../data/door-file.ts";
import { openUrlDoor } from "../data/door-url.ts";
import { exits, Failure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { appPlace, type AppPlace } from "./app-place.ts";
import type { Io } from "./command.ts";

/** The environment variable that stands for `--token`. */
export const tokenVariable = "KEELSON_TOKEN";

/** Opens the way that the flags name. The caller closes it. @throws Failure, PlatformError. */
export async function openDoor(flags: Flags, io: Io): Promise<DataDoor> {
  const url = flags.text("url");
  if (url !== null)
    return openUrlDoor(checkedUrl(url), flags.text("token") ?? io.env[tokenVariable] ?? null);
  const place = appPlace(flags.text("app"), flags, io);
  const door = await openServedDoor(place);
  if (door !== null) return door;
  // Loading the server takes longer than all else that a short command does: only when it is needed.
  const { openFolderDoor } = await import("./folder-door.ts");
  return openFolderDoor(place, io);
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
