// What goes wrong with a call, as the caller sees it.
import type { Json } from "./spec.ts";

/** What is known of a failed call. */
export interface KeelsonErrorParts {
  readonly code: string;
  readonly message: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly details?: { readonly [key: string]: Json };
  readonly requestId?: string | null;
  /** How long the server asks to wait, in ms. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
  /** Default: true. */
  readonly isSent?: boolean;
}

/** What is wrong with one field of what was sent. */
export interface KeelsonIssue {
  /** `title`, `homes[1].zip`. */
  readonly path: string;
  readonly problem: string;
}

/**
 * A call that was refused or failed. `code` is stable: one of the server's (RULE_DENIED, UNIQUE_TAKEN,
 * FUNCTION_REFUSED ...), or of the client: CONNECTION_LOST (no answer), TIMED_OUT, TOKEN_TIMED_OUT,
 * ANSWER_INVALID, CLIENT_CLOSED (live, after `close()`).
 */
export class KeelsonError extends Error {
  override readonly name = "KeelsonError";
  readonly code: string;
  /** The app's own code when a function refused: `"SEAT_TAKEN"` of `new Refusal("SEAT_TAKEN", ...)`; else null. */
  readonly refusal: string | null;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Public facts: fields, limits, counts; a refusal's own details. */
  readonly details: { readonly [key: string]: Json };
  /** What is wrong with single fields of what was sent, as for a form; else empty. */
  readonly issues: readonly KeelsonIssue[];
  /** As the server's log has it; null when there was no answer. */
  readonly requestId: string | null;
  /** How long the server asked to wait, in ms; null when it did not. */
  readonly retryAfterMs: number | null;
  /** False when it is certain that the request never left: nothing of it was done. */
  readonly isSent: boolean;

  constructor(parts: KeelsonErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = parts.code;
    this.status = parts.status;
    this.details = parts.details ?? {};
    const own = this.details["code"];
    this.refusal = this.code === "FUNCTION_REFUSED" && typeof own === "string" ? own : null;
    this.issues = issuesOf(this.details["issues"]);
    this.requestId = parts.requestId ?? null;
    this.retryAfterMs = parts.retryAfterMs ?? null;
    this.isSent = parts.isSent ?? true;
  }
}

function issuesOf(told: Json | undefined): readonly KeelsonIssue[] {
  if (!Array.isArray(told)) return [];
  return told.flatMap((one: Json) => {
    const { path, problem } = (one ?? {}) as { readonly path?: Json; readonly problem?: Json };
    return typeof path === "string" && typeof problem === "string" ? [{ path, problem }] : [];
  });
}
