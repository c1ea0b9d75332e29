// Counts the system calls of a request: one budget for a function and all that it runs.
import { PlatformError } from "../base/platform-error.ts";
import type { Run } from "./gate-app.ts";

/** Counts one. @throws FUNCTION_CALLS_EXCEEDED. */
export function countSystemCall(run: Run): void {
  const { systemCallsMax } = run.app.limits;
  if (++run.work.systemCalls <= systemCallsMax) return;
  throw new PlatformError("FUNCTION_CALLS_EXCEEDED", {
    limit: "systemCallsMax",
    max: systemCallsMax,
  });
}
