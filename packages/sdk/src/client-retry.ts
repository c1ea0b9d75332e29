// When a failed attempt is made again, and after how long: exponential backoff with equal jitter
// (AWS, "Exponential Backoff And Jitter", 2015), so that many clients do not come back at once, and none gives up
// while a server restarts: half of each wait is chance, the other half is not.
import type { KeelsonError } from "./client-error.ts";

/** How a client retries. */
export interface RetryPolicy {
  /** Attempts in all, the first included. Default 7, which last for 6.3 s and more; 1 never retries. */
  readonly attempts: number;
  /** The longest wait before the second attempt, in ms; doubles for each. Default 200. */
  readonly baseMs: number;
  /** The longest wait in ms, also when the server asks for more: then the error is thrown. Default 15,000. */
  readonly capMs: number;
}

/** What holds where a client says nothing. */
export const defaultRetry: RetryPolicy = Object.freeze({ attempts: 7, baseMs: 200, capMs: 15_000 });

/** What a failure says of the request. */
export type FailureKind =
  /** It was not begun: it can be sent again as it is. */
  | "notDone"
  /** There was no answer, or none of Keelson's: it may have been done. */
  | "unknown"
  /** It was answered for good. */
  | "final";

const notDoneCodes: ReadonlySet<string> = new Set(
  "RATE_LIMITED OVERLOADED SHUTTING_DOWN REQUEST_TIMEOUT".split(" "),
);

/** Tells failures apart. */
export function failureKind(error: KeelsonError): FailureKind {
  if (notDoneCodes.has(error.code)) return "notDone";
  if (error.code === "CONNECTION_LOST" && !error.isSent) return "notDone";
  if (error.code === "CONNECTION_LOST" || error.code === "TIMED_OUT") return "unknown";
  // A proxy answers for a server that is not there.
  const isProxy =
    error.code === "ANSWER_INVALID" && [408, 429, 502, 503, 504].includes(error.status);
  return isProxy ? "unknown" : "final";
}

/**
 * How long to wait before the next attempt.
 * @param made attempts made so far, from 1. @param random from 0 to 1. @returns ms, or null to give up.
 */
export function retryDelayMs(
  error: KeelsonError,
  made: number,
  policy: RetryPolicy,
  random: () => number,
): number | null {
  if (made >= policy.attempts || failureKind(error) === "final") return null;
  const asked = error.retryAfterMs ?? 0;
  if (asked > policy.capMs) return null;
  const most = Math.min(policy.capMs, policy.baseMs * 2 ** (made - 1));
  return asked + (most + random() * most) / 2;
}
