// A refusal or failure that somebody must handle. The table decides status, retry and report level;
// nothing else maps codes. `details` is public, `cause` never leaves the process.
import { errorCodes, type ErrorCode } from "./error-codes.ts";
import type { Json } from "./json.ts";

/** Public facts about a refusal: field names, limits, counts. Never SQL, paths, stacks or rows of others. */
export type ErrorDetails = { readonly [key: string]: Json };

/**
 * A coded refusal or failure. Only failures of the host that have a cause know where they were made: V8 keeps, with the frames
 * of a stack, what their functions can see, so a refusal that is remembered would keep the request that it refused.
 */
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
    const { text, fault } = errorCodes[code];
    const { stackTraceLimit } = Error;
    const isFailure = fault === "host" && options.cause !== undefined;
    if (!isFailure) Error.stackTraceLimit = 0;
    super(options.text ?? text, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = details;
  }

  /** The HTTP status of this code. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}
