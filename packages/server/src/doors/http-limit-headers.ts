// What is left of the tightest limit, as RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10): the
// policy as `"user";q=100;w=60`, its state as `"user";r=50;t=30`. Names and numbers are the gate's.
import type { PlatformError } from "../base/platform-error.ts";
import type { LimitState } from "../gate/gate-request.ts";

/** Adds the headers of an answer to a flat list. */
export function pushLimitHeaders(headers: (string | number)[], limit: LimitState): void {
  const { policy, quota, windowSeconds, remaining, resetSeconds } = limit;
  headers.push(
    "ratelimit-policy",
    `"${policy}";q=${quota};w=${windowSeconds}`,
    "ratelimit",
    `"${policy}";r=${remaining};t=${resetSeconds}`,
  );
}

/** The headers of a refusal with RATE_LIMITED; empty for every other. */
export function refusalLimitHeaders(refusal: PlatformError): (string | number)[] {
  const { policy, quota, windowSeconds, retryAfterSeconds } = refusal.details;
  const headers: (string | number)[] = [];
  if (
    refusal.code === "RATE_LIMITED" &&
    typeof policy === "string" &&
    typeof quota === "number" &&
    typeof windowSeconds === "number" &&
    typeof retryAfterSeconds === "number"
  ) {
    pushLimitHeaders(headers, {
      policy,
      quota,
      windowSeconds,
      remaining: 0,
      resetSeconds: retryAfterSeconds,
    });
  }
  return headers;
}
