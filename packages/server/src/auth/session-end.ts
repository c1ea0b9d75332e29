// Sessions end: their rows go, and with them, on every thread at once, all that they allowed.
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { Row } from "../store/store.ts";
import { findAll } from "./account-find.ts";

/** Ends all sessions of a user but one. @param kept null: all. @returns how many ended. */
export async function endSessionsOf(
  scope: ProcedureScope,
  user: string,
  kept: string | null,
): Promise<number> {
  let ended = 0;
  for (const session of await sessionsOf(scope, user)) {
    const id = session["id"] as string;
    if (id === kept) continue;
    await scope.tx.delete("authSession", id);
    ended += 1;
  }
  return ended;
}

/** The sessions of a user, oldest first. */
export function sessionsOf(scope: ProcedureScope, user: string): Promise<readonly Row[]> {
  // One more than there can be: openSession ends the oldest.
  return findAll(scope, "authSession", "user", user, scope.run.app.limits.authSessionsMax + 1);
}
