// `keelson restore`: puts a backup in the place of the database. The one that was there is kept aside.
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { appFlag, dataFlag } from "../flags/command-spec.ts";
import { exits, Failure } from "../flags/failure.ts";
import { appPlace } from "./app-place.ts";
import type { Command } from "./command.ts";

/** Files that SQLite keeps beside a database; they belong to one state of it. */
const companions = ["-wal", "-shm"];

/** Restores a backup. */
export const restore: Command = {
  spec: {
    name: "restore",
    summary: "Puts a backup in the place of the database.",
    about: [
      "Checks the backup first: a damaged one changes nothing. No server may hold the data folder. A database that is there is not replaced without --replace; then it is kept beside the new one under a name with the time.",
      "When the app has changed since the backup, run keelson migrate --plan afterwards.",
    ],
    words: [{ name: "file", help: "A file that keelson backup wrote." }],
    flags: [
      {
        name: "replace",
        kind: "switch",
        help: "Replaces a database that is there; it is kept aside.",
      },
      appFlag,
      dataFlag,
    ],
    examples: [
      {
        line: "keelson restore backups/2026-01-31.db --replace",
        happens:
          "The data is as it was then; what was there stands beside it as data.db.before-<time>.",
      },
    ],
  },
  run: async (flags, io) => {
    const written = flags.needWord("file");
    const file = resolve(io.cwd, written);
    const { dataDir } = appPlace(flags.text("app"), flags, io);
    if (!existsSync(file)) throw missing(written);
    const { checkBackup, databaseName, lockData, syncFolder } =
      await import("@keelson/server/operator");
    checkFile(written, () => checkBackup(file));
    const lock = lockData(dataDir);
    try {
      const database = join(dataDir, databaseName);
      const isThere = existsSync(database);
      if (isThere && !flags.on("replace")) throw isFilled(relative(io.cwd, database));
      const beside = `${database}.restoring`;
      rmSync(beside, { force: true });
      cpSync(file, beside);
      chmodSync(beside, 0o600);
      checkBackup(beside);
      sync(beside);
      const kept = `${database}.before-${new Date(io.nowMs()).toISOString().replaceAll(":", "")}`;
      if (isThere) keepAside(database, kept);
      renameSync(beside, database);
      syncFolder(dataDir);
      const where = relative(io.cwd, database);
      io.terminal.note(`Restored ${written} to ${where}.`);
      if (isThere) io.terminal.note(`What was there is kept: ${relative(io.cwd, kept)}`);
      return exits.done;
    } finally {
      lock.release();
    }
  },
};

/** @throws Failure (exit 12) FILE_INVALID when `check` finds that the file is no whole backup. */
function checkFile(written: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    const { details, cause: deeper } = cause as {
      details?: { problem?: unknown };
      cause?: unknown;
    };
    const why = deeper instanceof Error ? deeper.message : details?.problem;
    throw new Failure(
      exits.fileFailed,
      {
        code: "FILE_INVALID",
        what: `${written} is no backup, or not whole.`,
        why: String(why ?? (cause as Error).message),
        fix: "Name a file that keelson backup wrote. Nothing was changed.",
      },
      { cause },
    );
  }
}

/** What was restored is there after a power failure too. */
function sync(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Moves a database with its companions: without them, commits that are not copied back yet would be lost. */
function keepAside(database: string, kept: string): void {
  renameSync(database, kept);
  for (const suffix of companions) {
    if (existsSync(database + suffix)) renameSync(database + suffix, kept + suffix);
  }
}

function missing(file: string): Failure {
  return new Failure(exits.fileFailed, {
    code: "FILE_UNREADABLE",
    what: `${file} can't be read.`,
    why: "There is no such file.",
    fix: "Name a file that keelson backup wrote.",
  });
}

function isFilled(database: string): Failure {
  return new Failure(exits.refused, {
    code: "DATABASE_EXISTS",
    what: `There is a database already: ${database}.`,
    why: "Restoring puts the backup in its place.",
    fix: "Add --replace (it is kept aside), or restore elsewhere with --data=<folder>.",
  });
}
