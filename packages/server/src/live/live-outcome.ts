// What a connection is told of its live queries.
import { errorCodes } from "../base/error-codes.ts";
import { PlatformError } from "../base/platform-error.ts";

/** What happened to a subscription. JSON as text. */
export type LiveOutcome =
  | { readonly id: number; readonly kind: "value"; readonly hash: string; readonly json: string }
  | { readonly id: number; readonly kind: "patch"; readonly hash: string; readonly json: string }
  | { readonly id: number; readonly kind: "same" }
  | {
      readonly id: number;
      readonly kind: "error";
      readonly error: PlatformError;
      readonly requestId: string;
      readonly isEnded: boolean;
    };

/** What came too often, or could not be done now, is to be asked for again, later. Anything else is an answer. */
export function isForLater(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return true;
  const { fault, retry } = errorCodes[error.code];
  return fault === "host" || (fault === "caller" && retry === "later");
}
