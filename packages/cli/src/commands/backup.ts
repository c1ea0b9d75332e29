// `keelson backup`: a consistent, verified copy of the database while everything goes on.
import { chmodSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { appFlag, dataFlag } from "../flags/command-spec.ts";
import { exits } from "../flags/failure.ts";
import { counted } from "../terminal/table-text.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Writes a backup. */
export const backup: Command = {
  spec: {
    name: "backup",
    summary: "Writes a verified copy of the database, also while the server runs.",
    about: [
      "Copies the whole database as it is at one moment, while reads and writes go on, then opens the copy and checks it: only a copy that is whole gets its name. The file must not exist yet.",
      "The copy holds all data, private fields too, but not the key that signs tokens (keys.json in the data folder): keep a copy of that in a safe place of its own. Without it, everybody has to sign in again after a restore.",
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
    const door = await openDoor(flags, io);
    try {
      await door.backup(file);
      // It holds what the database holds.
      chmodSync(file, 0o600);
      const kib = Math.ceil(statSync(file).size / 1_024);
      io.terminal.note(
        `Verified copy of ${door.place}: ${written} (${counted(kib, "KiB", "KiB")}).`,
      );
      return exits.done;
    } finally {
      await door.close();
    }
  },
};
