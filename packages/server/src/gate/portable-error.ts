// An error as plain data, so that it can cross to another thread: a refusal keeps its code, details and text,
// and anything keeps the texts of its causes, for traces and logs of the process.
import type { ErrorCode } from "../base/error-codes.ts";
import { PlatformError, type ErrorDetails } from "../base/platform-error.ts";

/** An error without its class. */
export interface PortableError {
  /** Null: no PlatformError. */
  readonly code: ErrorCode | null;
  readonly details: ErrorDetails | null;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause: PortableError | null;
}

const causesMax = 4;

/** Turns whatever was thrown into data. */
export function toPortableError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return {
      code: null,
      details: null,
      name: "Error",
      message: String(error),
      stack: "",
      cause: null,
    };
  }
  const { name, message, cause } = error;
  const isCoded = error instanceof PlatformError;
  return {
    code: isCoded ? error.code : null,
    details: isCoded ? error.details : null,
    name,
    message,
    // A refusal is an everyday answer: where it was thrown is nobody's question.
    stack: isCoded && cause === undefined ? "" : (error.stack ?? ""),
    cause: cause === undefined || depth >= causesMax ? null : toPortableError(cause, depth + 1),
  };
}

/** The error again; of a PlatformError's own class when it was one. */
export function fromPortableError(portable: PortableError): Error {
  const { code, details, name, message, stack, cause } = portable;
  const options = cause === null ? {} : { cause: fromPortableError(cause) };
  if (code !== null) {
    return new PlatformError(code, details ?? {}, { ...options, text: message });
  }
  const error = new Error(message, options);
  error.name = name;
  if (stack !== "") error.stack = stack;
  return error;
}
