// Assertions stay on in production: a failed one is a bug of ours, never a caller's mistake.

/** A bug. Whatever holds it (isolate, request, process) ends. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/** Ends the work at hand when `condition` is false. @param message what should have been true. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks a place that no value reaches. @param value `never` when every variant was handled. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${JSON.stringify(value)}`);
}
