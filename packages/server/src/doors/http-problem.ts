// Errors as RFC 9457 problem details. The error table decides status and title; in production nothing that
// the app or the host did wrong is told in words of its own: no stack, SQL, path or message of user code.
import { inspect } from "node:util";
import { errorCodes, type ErrorCode, type ErrorRow } from "../base/error-codes.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";

/** A problem ready to be written. */
export interface HttpProblem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly json: string;
  /** Seconds for Retry-After, or null. */
  readonly retryAfterSeconds: number | null;
}

/** Who reads the answers: a developer at the desk, or the world. */
export type HttpMode = "development" | "production";

const statusesToRetry: ReadonlySet<number> = new Set([429, 503]);

/**
 * Puts an error into the form in which it leaves the process.
 * @param error what was thrown; anything but a PlatformError is INTERNAL.
 */
export function problemOf(error: unknown, requestId: string, mode: HttpMode): HttpProblem {
  const refusal =
    error instanceof PlatformError ? error : new PlatformError("INTERNAL", {}, { cause: error });
  const row = errorCodes[refusal.code];
  const isOpen = mode === "development" || row.fault === "caller";
  const details: Record<string, Json> = isOpen ? { ...refusal.details } : {};
  if (mode === "development") {
    const inside = developmentDetails(refusal);
    if (inside !== null) details["development"] = inside;
  }
  const retryAfterSeconds = retryAfter(row, refusal);
  const body = {
    type: `urn:keelson:error:${refusal.code}`,
    title: row.text,
    status: row.status,
    detail: isOpen ? refusal.message : row.text,
    code: refusal.code,
    ...(Object.keys(details).length > 0 ? { details } : {}),
    requestId,
  };
  return { status: row.status, code: refusal.code, json: JSON.stringify(body), retryAfterSeconds };
}

function retryAfter(row: ErrorRow, refusal: PlatformError): number | null {
  if (!statusesToRetry.has(row.status)) return null;
  const told = refusal.details["retryAfterSeconds"];
  return typeof told === "number" ? Math.max(1, Math.ceil(told)) : 1;
}

/** The cause's stack, for the developer's own console and page. */
function developmentDetails(refusal: PlatformError): Json {
  const { cause } = refusal;
  if (cause instanceof Error) return { message: cause.message, stack: cause.stack ?? "" };
  return cause === undefined ? null : { message: inspect(cause) };
}
