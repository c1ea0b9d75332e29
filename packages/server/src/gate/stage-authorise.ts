// The stage "authorise": whether this caller may call a function, and whether a key is for this at all. Rights on
// data are asked where the data is (guarded-db.ts).
import { PlatformError } from "../base/platform-error.ts";
import { functionOf } from "./call-function.ts";
import { assertInScope } from "./key-scope.ts";
import type { Run } from "./gate-app.ts";
import type { GateOperation } from "./gate-request.ts";
import { atStep } from "./run-operation.ts";

/** @throws SIGN_IN_REQUIRED, CALL_DENIED, SCOPE_DENIED. */
export function authoriseOperation(run: Run, operation: GateOperation): void {
  switch (operation.kind) {
    case "call":
    case "http":
      authoriseCall(run, operation.name);
      assertInScope(run, operation);
      return;
    case "batch":
      for (const [index, step] of operation.steps.entries()) {
        try {
          authoriseOperation(run, step);
        } catch (error) {
          throw atStep(error, index);
        }
      }
      return;
    case "get":
    case "list":
    case "create":
    case "update":
    case "delete":
      assertInScope(run, operation);
      return;
    default:
      operation satisfies never;
  }
}

function authoriseCall(run: Run, name: string): void {
  const { allow } = functionOf(run, name).model;
  const { caller } = run;
  if (allow === "anyone") return;
  if (caller.id === null) throw new PlatformError("SIGN_IN_REQUIRED", { function: name });
  if (allow === "signed-in") return;
  if (allow !== "nobody" && caller.role !== null && allow.role.includes(caller.role)) return;
  throw new PlatformError("CALL_DENIED", { function: name });
}
