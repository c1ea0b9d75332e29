// What a call wrote to the console before it failed. An outcome carries its lines; a failed call has none,
// so they are kept beside its error until whoever catches it asks.
import type { LogLine } from "./app-isolate.ts";

const lines = new WeakMap<object, readonly LogLine[]>();

/** Keeps the lines of a call that failed with this error. */
export function keepFailureLog(error: unknown, log: readonly LogLine[]): void {
  if (log.length > 0 && typeof error === "object" && error !== null) lines.set(error, log);
}

/** Takes the lines of the call that failed with this error; the second time there are none. */
export function takeFailureLog(error: unknown): readonly LogLine[] {
  if (typeof error !== "object" || error === null) return [];
  const log = lines.get(error) ?? [];
  lines.delete(error);
  return log;
}
