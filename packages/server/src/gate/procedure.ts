// Transactions of the platform's own: named scripts that the floors above write (identity, queues, workflows...)
// and the writer runs like any mutation, in its savepoint and commit group. They are code of this process, not
// of the app: no door names one, an app reaches those that are marked for it as system calls.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Procedure, Run } from "./gate-app.ts";

/** A procedure to run, as part of a write job. Structured-cloneable. */
export interface ProcedureCall {
  readonly kind: "procedure";
  readonly name: string;
  readonly input: Json;
}

/** A procedure by name. @throws SYSTEM_CALL_DENIED when there is none. */
export function procedureOf(run: Run, name: string): Procedure {
  const found = run.app.procedures?.get(name);
  if (found !== undefined) return found;
  throw new PlatformError("SYSTEM_CALL_DENIED", { operation: name.slice(0, 64) });
}

/** One that functions may call, or null. */
export function procedureForFunctions(run: Run, name: string): Procedure | null {
  const found = run.app.procedures?.get(name);
  return found?.forFunctions === true ? found : null;
}
