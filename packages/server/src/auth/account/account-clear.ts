// An account gets into the hands of one person: whoever had it in theirs before, with or without that person's knowledge, is
// out of it. Inside the transaction that gives it.
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { defaultAuth } from "../../model/auth-model.ts";
import type { Row } from "../../store/store.ts";
import { findAll } from "../account-find.ts";
import { dropTickets } from "../auth-ticket.ts";
import { asksSecondFactor } from "../caller-build.ts";
import { endSessionsOf } from "../session-end.ts";

/** More than one user has of anything. */
const rowsMax = 10_000;

/**
 * Takes away all that opens an account but its password: sessions, keys, passkeys, accounts elsewhere, the second factor; what
 * was asked for (another address) and what was allowed to other systems. Where the user's role must have a second factor,
 * that one stays: the app gave the role to a person, and asks them for both.
 * @returns whether there is a second factor now, for the account's row.
 */
export async function clearAccess(
  scope: ProcedureScope,
  account: Row,
): Promise<{ readonly hasSecondFactor: boolean }> {
  const user = account["user"] as string;
  await endSessionsOf(scope, user, null);
  await dropTickets(scope, user, null);
  const hasSecondFactor =
    account["hasSecondFactor"] === true && (await mustHaveFactor(scope, user));
  const factor = hasSecondFactor ? [] : ["authTotp", "authRecovery"];
  for (const table of ["authKey", "authPasskey", "authIdentity", "authConsent", ...factor]) {
    const rows = await findAll(scope, table, "user", user, rowsMax);
    for (const { id } of rows) await scope.tx.delete(table, id as string);
  }
  return { hasSecondFactor };
}

async function mustHaveFactor({ run, tx }: ProcedureScope, user: string): Promise<boolean> {
  const role = (await tx.get("user", user, null))?.["role"];
  return asksSecondFactor(
    run.app.manifest.auth ?? defaultAuth,
    typeof role === "string" ? role : null,
  );
}
