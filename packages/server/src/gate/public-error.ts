// What of a failure may leave the process. A caller's mistake is told in full: it is the caller's own. A
// failure of the app or the host is told in full while developing; in production only its code and when to
// come again, because messages and places of code are the app's business.
import { errorCodes } from "../base/error-codes.ts";
import { PlatformError } from "../base/platform-error.ts";

/** Turns whatever was thrown into what a door may tell. The original is its `cause`, or it itself. */
export function publicError(error: unknown, development: boolean): PlatformError {
  if (!(error instanceof PlatformError)) return new PlatformError("INTERNAL", {}, { cause: error });
  const { code, details } = error;
  if (development || errorCodes[code].fault === "caller") return error;
  const after = details["retryAfterSeconds"];
  const kept = after === undefined ? {} : { retryAfterSeconds: after };
  return new PlatformError(code, kept, { cause: error });
}
