// How a real process ends when its host cannot go on.
import { inspect } from "node:util";
import { fatalStatus, type FatalReason } from "../base/fatal.ts";

/** Writes why to stderr and ends the process with the reason's status. */
export function realFatal(reason: FatalReason, cause?: unknown): never {
  process.stderr.write(`fatal: ${reason}\n`);
  if (cause !== undefined) process.stderr.write(`${inspect(cause)}\n`);
  process.exit(fatalStatus[reason]);
}
