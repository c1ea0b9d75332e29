// `keelson users close` and `open`: an account that is nobody's for a while, or for good; nothing of it is lost.
import type { Json } from "@keelson/sdk/spec";
import { exits, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Io } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Closes an account, or opens it again. @throws Failure; the refusals of the server: USER_NOT_FOUND. */
export async function closeUser(flags: Flags, io: Io, isClosed: boolean): Promise<Exit> {
  const named = flags.needWord("file");
  const door = await openDoor(flags, io);
  try {
    const input = { user: named, isClosed };
    const { user } = (await door.procedure("auth.closeAccount", input)) as { [name: string]: Json };
    if (flags.on("json")) io.terminal.out(JSON.stringify({ user, closed: isClosed }));
    else if (isClosed) io.terminal.out(`${named} is closed: signed out everywhere, keys void.`);
    else io.terminal.out(`${named} is open: they may sign in again.`);
    return exits.done;
  } finally {
    await door.close();
  }
}
