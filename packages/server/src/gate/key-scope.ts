// What a key may do: less than its user, never more. `read` stands for queries and reads of tables, `write` for
// mutations, actions, http functions and writes to tables; `call:cinema.book`, `call:cinema.*`, `table:film:read` and
// `table:film:write` name one thing each. What a function does inside is its own business, as for any caller.
import { PlatformError } from "../base/platform-error.ts";
import { functionOf } from "./call-function.ts";
import type { Run } from "./gate-app.ts";
import type { GateOperation } from "./gate-request.ts";

const pattern =
  /^(?:read|write|call:[a-z][A-Za-z0-9]{0,63}\.(?:\*|[a-z][A-Za-z0-9]{0,63})|table:[a-z][A-Za-z0-9]{0,63}:(?:read|write))$/;

/** Whether a text is a scope. */
export function isKeyScope(text: string): boolean {
  return pattern.test(text);
}

/** @throws SCOPE_DENIED when the caller came with a key that was not made for this. */
export function assertInScope(
  run: Run,
  operation: Exclude<GateOperation, { kind: "batch" }>,
): void {
  const { scopes } = run.caller;
  if (scopes === undefined) return;
  for (const scope of scopesFor(run, operation)) if (scopes.includes(scope)) return;
  throw new PlatformError("SCOPE_DENIED");
}

/** The scopes of which one is enough. */
function scopesFor(
  run: Run,
  operation: Exclude<GateOperation, { kind: "batch" }>,
): readonly string[] {
  switch (operation.kind) {
    case "get":
    case "list":
      return ["read", `table:${operation.table}:read`];
    case "create":
    case "update":
    case "delete":
      return ["write", `table:${operation.table}:write`];
    case "call":
    case "http": {
      const { name } = operation;
      const { kind } = functionOf(run, name).model;
      const module = name.slice(0, name.indexOf("."));
      return [kind === "query" ? "read" : "write", `call:${name}`, `call:${module}.*`];
    }
    default:
      return operation satisfies never;
  }
}
