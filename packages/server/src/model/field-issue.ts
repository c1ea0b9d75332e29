// What is wrong with an input: issues, collected so that a caller can mend everything at once, and bounded
// so that a hostile input makes no large answer. Names that are unknown come with the likely one.
import type { Json } from "../base/json.ts";

/** Which code of the error table an issue stands for. */
export type IssueCode = "VALUE_INVALID" | "FIELD_UNKNOWN" | "FIELD_IMMUTABLE";

/** One thing wrong with an input. */
export interface Issue {
  /** `seat`, `address.city`, `tags[3]`; `""` is the whole. */
  readonly path: string;
  /** What is wrong, as the end of a sentence that starts with the path: `must be a whole number`. */
  readonly problem: string;
  readonly code: IssueCode;
}

/**
 * Checks a value and returns it normalised. When it adds issues, what it returns means nothing.
 * @param path where the value stands, for issues.
 */
export type FieldValidator = (value: unknown, path: string, issues: Issue[]) => Json;

/** Issues kept of one input: enough to mend it, too few to make an answer large. */
export const issuesMax = 20;

/** Adds an issue unless there are enough already. */
export function addIssue(
  issues: Issue[],
  path: string,
  problem: string,
  code: IssueCode = "VALUE_INVALID",
): null {
  if (issues.length < issuesMax) issues.push({ path, problem, code });
  return null;
}

/** Whether a value is what JSON calls an object. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a part of an input is there; null is what clients send for "none". */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Own keys with a value; a key that holds undefined counts as absent, as in JSON. */
export function countKeys(value: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const key in value) if (value[key] !== undefined) count++;
  return count;
}

/** Adds an issue for every key that is not among the names, with the likely name when there is one. */
export function refuseUnknown(
  value: Readonly<Record<string, unknown>>,
  names: readonly string[],
  prefix: string,
  issues: Issue[],
): void {
  for (const key of Object.keys(value)) {
    if (names.includes(key) || value[key] === undefined) continue;
    const shown = key.length > 64 ? `${key.slice(0, 64)}...` : key;
    addIssue(issues, prefix + shown, `is not known here${didYouMean(key, names)}`, "FIELD_UNKNOWN");
    if (issues.length >= issuesMax) return;
  }
}

/** ` (did you mean "seat"?)` when a name is close, else `""`. */
export function didYouMean(given: string, names: readonly string[]): string {
  if (given.length > 64) return "";
  let best: string | null = null;
  // A name of one letter is like no other.
  let bestDistance = Math.min(given.length - 1, Math.max(1, Math.floor(given.length / 3))) + 1;
  for (const name of names) {
    if (Math.abs(name.length - given.length) >= bestDistance) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best === null ? "" : ` (did you mean "${best}"?)`;
}

/** Optimal string alignment: letters put in, left out, changed, or swapped with the next. Names are short. */
function editDistance(left: string, right: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change);
      const swapped = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (i > 1 && j > 1 && swapped) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[right.length] ?? 0;
}
