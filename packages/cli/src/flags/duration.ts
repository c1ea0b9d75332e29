// Lengths of time as people write them: `90s`, `30m`, `12h`, `7d`.
import { usageFailure } from "./failure.ts";

const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a length of time. @param flag the option's name, for the message.
 * @returns milliseconds, at least 1,000 and at most 3,650 days. @throws Failure (exit 1) FLAG_VALUE_INVALID.
 */
export function parseDurationMs(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (units[unit ?? ""] ?? Number.NaN);
  if (ms >= 1_000 && ms <= 3_650 * 86_400_000) return ms;
  throw usageFailure({
    code: "FLAG_VALUE_INVALID",
    what: `--${flag} can't be "${text}".`,
    why: "It is a number and a unit: s, m, h or d; at least 1s, at most 3650d.",
    fix: `For example: --${flag}=12h`,
  });
}
