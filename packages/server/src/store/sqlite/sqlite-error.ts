// What SQLite says, as codes of the error table. The engine's own text stays in `cause`.
import { AssertionFailure } from "../../base/assert.ts";
import { PlatformError } from "../../base/platform-error.ts";

/** Primary result codes that are told apart. @see https://sqlite.org/rescode.html */
const resultFull = 13;
/** The index of the log gets no room: on a disk that is full the first to open a database is told so by this code. */
const ioErrorShmSize = 4874;
const resultConstraint = 19;
const constraintUnique = 2067;
const constraintPrimaryKey = 1555;
const constraintForeignKey = 787;

/** Which constraint an error speaks of, or null. */
export function constraintOf(error: unknown): "unique" | "reference" | "other" | null {
  const code = resultCode(error);
  if (code === null || (code & 0xff) !== resultConstraint) return null;
  if (code === constraintUnique || code === constraintPrimaryKey) return "unique";
  return code === constraintForeignKey ? "reference" : "other";
}

/**
 * An error of the engine as DISK_FULL or STORE_FAILED; refusals and bugs as they are.
 * @param error whatever was thrown.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof PlatformError || error instanceof AssertionFailure) return error;
  const code = resultCode(error);
  if (code === null) return error;
  const isFull = (code & 0xff) === resultFull || code === ioErrorShmSize;
  const failed = isFull ? "DISK_FULL" : "STORE_FAILED";
  return new PlatformError(failed, {}, { cause: error });
}

/** Why the engine ended a transaction, from what its mutation threw: whoever ran the statement may have wrapped it. */
export function brokenBy(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; { cause } = cause) {
    const told = storeError(cause);
    if (!(told instanceof PlatformError)) continue;
    if (told.code === "DISK_FULL" || told.code === "STORE_FAILED") return told;
  }
  return storeError(error);
}

/** Runs what speaks to the engine. @throws DISK_FULL, STORE_FAILED in place of the engine's errors. */
export function withStoreErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw storeError(error);
  }
}

function resultCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return null;
  return errcode;
}
