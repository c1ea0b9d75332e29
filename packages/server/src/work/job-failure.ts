// What is kept of a failed attempt, and when the next one is due.
import type { RandomSource } from "../base/random.ts";
import { PlatformError } from "../base/platform-error.ts";
import { errorCodes, storeFailures } from "../base/error-codes.ts";
import type { JobFailure } from "./job.ts";
import type { QueuePolicy } from "./work-kind.ts";

const textCharsMax = 1_000;
const causesMax = 4;
/** Failures that another attempt can't mend. */
const lastCodes: ReadonlySet<string> = new Set(["WORK_TOO_DEEP", "WORK_FUEL_SPENT"]);

/** What is kept of what was thrown. Operators read it: causes are told. */
export function failureOf(error: unknown, atMs: number): JobFailure {
  const isCoded = error instanceof PlatformError;
  return {
    code: isCoded ? error.code : "INTERNAL",
    text: textOf(error).slice(0, textCharsMax),
    details: isCoded ? error.details : {},
    atMs,
  };
}

/** Whether another attempt can't help. */
export function isLastFailure({ code }: JobFailure): boolean {
  return lastCodes.has(code);
}

/** Whether it is the machine's failure and none of the work's: it counts as no attempt. */
export function isHostFailure(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return false;
  const { code } = error;
  return code !== "INTERNAL" && errorCodes[code].fault === "host";
}

/** Whether what is kept of a failure says that the data could not be written: no fault of the work's, either. */
export function isStoreFailure({ code }: JobFailure): boolean {
  return storeFailures.has(code);
}

/** How long to wait after so many attempts: doubles, give or take a quarter. */
export function backoffMs(policy: QueuePolicy, attempts: number, random: RandomSource): number {
  const doubled = policy.backoffMs * 2 ** Math.min(30, Math.max(0, attempts - 1));
  const bounded = Math.min(policy.backoffMsMax, doubled);
  const [byte = 0, low = 0] = random.bytes(2);
  const jitter = 0.75 + ((byte * 256 + low) / 65_535) * 0.5;
  return Math.max(1, Math.round(bounded * jitter));
}

function textOf(error: unknown): string {
  const texts: string[] = [];
  let each: unknown = error;
  for (let count = 0; count < causesMax && each instanceof Error; count++) {
    if (!texts.includes(each.message)) texts.push(each.message);
    each = each.cause;
  }
  return texts.length === 0 ? String(error) : texts.join(": ");
}
