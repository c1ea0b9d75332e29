// What isolated-vm's own time limit throws: slower than the watchdog's, but it knows the line where the time went.

/** Whether isolated-vm ended the slice. A rejection that says so too only ends its own isolate. */
export function isTimeout(thrown: unknown): boolean {
  const { message } = (thrown ?? {}) as { readonly message?: unknown };
  return message === "Script execution timed out.";
}

/** The stack of whatever was thrown; empty when it has none. */
export function stackOf(thrown: unknown): string {
  const { stack } = (thrown ?? {}) as { readonly stack?: unknown };
  return typeof stack === "string" ? stack : "";
}
