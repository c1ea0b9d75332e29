// Lengths of time as people write them in code: "90s", "10m", "3d", or a number of milliseconds.
import { DefinitionError } from "./definition-error.ts";

/** `"500ms"`, `"90s"`, `"10m"`, `"12h"`, `"3d"`, or milliseconds. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const daysMax = 3_650;

/** @returns whole milliseconds, or null when this is no length of time of at most ten years. */
export function durationMs(given: unknown): number | null {
  let ms = Number.NaN;
  if (typeof given === "number") ms = given;
  if (typeof given === "string") {
    const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(given) ?? [];
    ms = Math.round(Number(count) * (units[unit ?? ""] ?? Number.NaN));
  }
  const isDuration = Number.isSafeInteger(ms) && ms >= 0 && ms <= daysMax * 86_400_000;
  return isDuration ? ms : null;
}

/** @throws DefinitionError when it is none, or shorter than `minMs`. @param what for the sentence: `backoff`. */
export function checkDuration(what: string, given: unknown, minMs: number, at: Function): number {
  const ms = durationMs(given);
  if (ms !== null && ms >= minMs) return ms;
  throw new DefinitionError(
    `${what} is ${JSON.stringify(given)}.`,
    `Write a number and ms, s, m, h or d: "90s"; at least ${minMs}ms, at most 3650d.`,
    at,
  );
}
