// Rate limits as people write them: "10/minute".
import { DefinitionError } from "./definition-error.ts";
import type { LimitSpec } from "./spec.ts";

const limitPattern = /^[1-9]\d{0,8}\/(second|minute|hour|day)$/;
const keys: ReadonlySet<string> = new Set(["perUser", "perAddress", "total"]);

/** @returns the same limits, frozen. @throws DefinitionError when a limit is malformed or of an unknown kind. */
export function checkLimit(limit: LimitSpec, at: Function): LimitSpec {
  for (const [key, text] of Object.entries(limit)) {
    if (!keys.has(key)) {
      throw new DefinitionError(
        `There is no limit "${key}".`,
        "Use perUser, perAddress or total.",
        at,
      );
    }
    if (typeof text === "string" && limitPattern.test(text)) continue;
    throw new DefinitionError(
      `The limit ${key} is ${JSON.stringify(text)}.`,
      'Write a count, a slash, and second, minute, hour or day: "10/minute".',
      at,
    );
  }
  return Object.freeze({ ...limit });
}
