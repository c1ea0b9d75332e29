// Commands whose first word says what to do with the data: `keelson work list`, `keelson workflow show`.
import type { Json } from "@keelson/sdk/spec";
import type { DataDoor } from "../data/data-door.ts";
import { usageFailure, type FailureText } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Io } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** What a word does, through a door that is open for as long. @returns what the command makes its exit status of. */
export type WordAct<T> = (door: DataDoor, flags: Flags, io: Io) => Promise<T>;

/** Does what the word `what` says. @param acts by word. @throws Failure WORD_UNKNOWN when there is none of that name. */
export async function runWordAct<T>(
  command: string,
  acts: Readonly<Record<string, WordAct<T>>>,
  flags: Flags,
  io: Io,
): Promise<T> {
  const what = flags.needWord("what");
  const act = Object.hasOwn(acts, what) ? acts[what] : undefined;
  if (act === undefined) {
    throw usageFailure({
      code: "WORD_UNKNOWN",
      what: `keelson ${command} can't ${what}.`,
      why: `It can ${Object.keys(acts).join(", ")}.`,
      fix: `See: keelson help ${command}`,
    });
  }
  const door = await openDoor(flags, io);
  try {
    return await act(door, flags, io);
  } finally {
    await door.close();
  }
}

/** Reads JSON that somebody typed. @param otherwise what they are told when it is none. @throws Failure of that code. */
export function typedJson(text: string, otherwise: Omit<FailureText, "why">): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw usageFailure({ ...otherwise, why: text.slice(0, 100) });
  }
}
