// A refusal or failure that somebody must handle. The table decides status, retry and report level;
// nothing else maps codes. `details` is public, `cause` never leaves the process.
import { errorCodes, type ErrorCode } from "./error-codes.ts";
import type { Json } from "./json.ts";

/** Public facts about a refusal: field names, limits, counts. Never SQL, paths, stacks or rows of others. */
export type ErrorDetails = { readonly [key: string]: Json };

/** A coded refusal or failure. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** @param code a row of the error table. @param details public. @param options.cause kept inside the process. */
  constructor(
    code: ErrorCode,
    details: ErrorDetails = {},
    options: { cause?: unknown; text?: string } = {},
  ) {
    super(
      options.text ?? errorCodes[code].text,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = details;
  }

  /** The HTTP status of this code. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}
