// `keelson users export`: every user with all that identity knows of them, one JSON object a line.
import { resolve } from "node:path";
import { exits, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { makeProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/table-text.ts";
import { openFileTarget } from "../data/row-export.ts";
import type { Io } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Writes all users into a file that only its owner may read. @throws Failure FILE_EXISTS, FILE_UNWRITABLE. */
export async function exportUsers(flags: Flags, io: Io): Promise<Exit> {
  const written = flags.needWord("file");
  const door = await openDoor(flags, io);
  const progress = makeProgress(io.terminal, "export users", io.nowMs);
  try {
    const target = await openFileTarget(resolve(io.cwd, written), flags.on("overwrite"));
    let after: string | null = null;
    let count = 0;
    try {
      for (;;) {
        const page = await door.exportUsers(after);
        if (page.length === 0) break;
        await target.write(page.map((user) => `${JSON.stringify(user)}\n`).join(""));
        after = page.at(-1)?.["id"] as string;
        count += page.length;
        progress.show(null, counted(count, "user"));
      }
    } catch (error) {
      await target.drop();
      throw error;
    }
    await target.done();
    if (flags.on("json")) io.terminal.out(JSON.stringify({ users: count, file: written }));
    else io.terminal.out(`${counted(count, "user")} written to ${written}.`);
    return exits.done;
  } finally {
    progress.end();
    await door.close();
  }
}
