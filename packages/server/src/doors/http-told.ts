// What the log says of a request that does not pass the gate, which tells its own: one of identity, or a webhook. Never
// what may be a secret: no address as it was asked, no query, no body, no words of an error.
import type { Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous, type Caller } from "../gate/identity.ts";
import type { Trace } from "../gate/trace-log.ts";
import { startWork } from "../gate/work.ts";

/** What is known of such a request so far. */
export interface ToldRequest {
  /** Method and path as they are declared: `DELETE /auth/sessions/:id`. */
  readonly operation: string;
  caller: Caller;
  /** Null: it was answered, so far. */
  code: ErrorCode | null;
}

/** Begins with nobody and no refusal. */
export function toldRequest(operation: string): ToldRequest {
  return { operation, caller: anonymous, code: null };
}

/** Notes why a request was refused. */
export function tellRefusal(told: ToldRequest | null, error: unknown): void {
  if (told !== null) told.code = error instanceof PlatformError ? error.code : "INTERNAL";
}

/** @param exchange.startedUs of the monotonic clock. @param bytesOut of the answer's body. */
export function traceOfTold(
  { operation, caller, code }: ToldRequest,
  exchange: { readonly requestId: string; readonly startedUs: number },
  clock: Clock,
  bytesOut: number,
): Trace {
  const wallUs = clock.monotonicUs() - exchange.startedUs;
  return {
    requestId: exchange.requestId,
    cause: operation,
    operation,
    caller: caller.id,
    role: caller.role,
    startedAtMs: clock.nowMs() - wallUs / 1_000,
    wallUs,
    code,
    error: null,
    seq: -1,
    repeated: false,
    bytesOut,
    work: startWork(),
  };
}
