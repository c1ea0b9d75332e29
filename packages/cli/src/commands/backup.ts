// `keelson backup`: a consistent, verified copy of the database while everything goes on.
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { copyPrivately } from "../data/private-copy.ts";
import { appFlag, dataFlag } from "../flags/command-spec.ts";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, Failure } from "../flags/failure.ts";
import { counted } from "../terminal/table-text.ts";
import { appPlace, folderText, type AppPlace } from "./app-place.ts";
import type { Command, Io } from "./command.ts";
import { isDatabaseThere, noDatabase, openServedDoor } from "./open-door.ts";

/** Writes a backup. */
export const backup: Command = {
  spec: {
    name: "backup",
    summary: "Writes a verified copy of the database, also while the server runs.",
    about: [
      "Copies the whole database as it is at one moment, while reads and writes go on, then opens the copy and checks it: only a copy that is whole gets its name. The file must not exist yet.",
      "Where no server runs, the file is copied as it is, whatever the app says by now: take a backup before keelson migrate.",
      "The copy holds all data, private fields too, but not the key that signs tokens and seals the secrets of authenticator apps (keys.json in the data folder): keep a copy of that in a safe place of its own. Without it, everybody has to sign in again after a restore, with a recovery code where an authenticator app was set up.",
    ],
    words: [{ name: "file", help: "The file to write." }],
    flags: [appFlag, dataFlag],
    examples: [
      {
        line: 'keelson backup "backups/$(date +%F).db"',
        happens:
          "Writes a copy named by the day. Put it into a nightly job, and now and then try keelson restore.",
      },
    ],
  },
  run: async (flags, io) => {
    const written = flags.needWord("file");
    const file = resolve(io.cwd, written);
    if (existsSync(file)) throw isThere(written);
    const partial = `${file}.partial`;
    clear(partial, written);
    const place = appPlace(flags.text("app"), flags, io);
    const door = await openServedDoor(place);
    try {
      if (door === null) await copyFolder(place, partial, io);
      else await door.backup(partial);
      renameSync(partial, file);
      const kib = Math.ceil(statSync(file).size / 1_024);
      const from = door?.place ?? folderText(place, io);
      io.terminal.note(`Verified copy of ${from}: ${written} (${counted(kib, "KiB", "KiB")}).`);
      return exits.done;
    } catch (error) {
      throw backupFailure(error, written, place);
    } finally {
      sweep(partial);
      await door?.close();
    }
  },
};

/** Copies the database without the app, which may have changed since or be broken. */
async function copyFolder({ dataDir }: AppPlace, target: string, io: Io): Promise<void> {
  const { backupFile, databaseName } = await import("@keelson/server/operator");
  const database = join(dataDir, databaseName);
  if (!isDatabaseThere(database)) throw noDatabase(relative(io.cwd, database));
  await copyPrivately(target, (empty) => backupFile(database, empty));
}

/** A disk that is full is told by what is to be done here: it may be another one than that of the database. */
export function backupFailure(
  error: unknown,
  written: string,
  { dataDir }: Pick<AppPlace, "dataDir">,
): unknown {
  if ((error as { readonly code?: unknown } | null)?.code !== "DISK_FULL") return error;
  const size = statSync(join(dataDir, "data.db"), { throwIfNoEntry: false })?.size ?? 0;
  const mib = counted(Math.ceil(size / 1_048_576), "MiB", "MiB");
  return new Failure(
    exits.diskFull,
    {
      code: "DISK_FULL",
      what: `${written} can't be written: the disk is full.`,
      why: `A backup takes as much room as the database, ${mib}.`,
      fix: "Free some space, or name a file on another disk. Nothing of this one is left.",
    },
    { cause: error },
  );
}

/** Takes away what a backup that was cut off left, and finds out whether a file can be written there. */
function clear(partial: string, written: string): void {
  try {
    writeFileSync(partial, "");
    sweep(partial);
  } catch (cause) {
    throw fileUnwritable(written, cause);
  }
}

/** What a copy that was not finished consists of. */
function sweep(partial: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(partial + suffix, { force: true });
}

function isThere(written: string): Failure {
  return new Failure(exits.refused, {
    code: "FILE_EXISTS",
    what: `${written} is there already.`,
    why: "A backup never writes over another file.",
    fix: "Choose another name.",
  });
}
