// A password changes: what goes with it, inside the transaction. What was asked for before opens nothing any more.
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { dropTickets } from "../auth-ticket.ts";

/** Puts another hash in the place of an account's, and makes all tickets of its user void. */
export async function storePassword(
  scope: ProcedureScope,
  account: Row,
  passwordHash: string,
): Promise<void> {
  const { run, tx } = scope;
  const passwordChangedAt = timeText(run.nowMs);
  await tx.update("authAccount", account["id"] as string, { passwordHash, passwordChangedAt });
  await dropTickets(scope, account["user"] as string, null);
}
