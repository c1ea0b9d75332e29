// A password changes: what goes with it, inside the transaction.
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { findAll } from "../account-find.ts";

const ticketsMax = 1_000;

/** Puts another hash in the place of an account's. */
export async function storePassword(
  { run, tx }: ProcedureScope,
  account: Row,
  passwordHash: string,
): Promise<void> {
  const passwordChangedAt = timeText(run.nowMs);
  await tx.update("authAccount", account["id"] as string, { passwordHash, passwordChangedAt });
}

/** Makes a user's other tickets of a purpose void: letters that were sent before. */
export async function dropTickets(
  scope: ProcedureScope,
  user: string,
  purpose: string,
): Promise<void> {
  for (const ticket of await findAll(scope, "authTicket", "user", user, ticketsMax)) {
    if (ticket["purpose"] === purpose) await scope.tx.delete("authTicket", ticket["id"] as string);
  }
}
