// Who is taken out of an organisation, or made less in it, leaves no way in behind them: what they invited is void, or an
// address of theirs would come back by it, with the role that they had.
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { findAll } from "../account-find.ts";

/** Takes back the invitations of a member to one organisation. */
export async function dropInvitations(
  scope: ProcedureScope,
  { org, user }: { readonly org: string; readonly user: string },
): Promise<void> {
  const { authInvitationsMax } = scope.run.app.limits;
  for (const row of await findAll(scope, "orgInvitation", "org", org, authInvitationsMax)) {
    if (row["invitedBy"] === user) await scope.tx.delete("orgInvitation", row["id"] as string);
  }
}

/** The same in all of theirs: of an account that is closed. */
export async function dropAllInvitations(scope: ProcedureScope, user: string): Promise<void> {
  const { authOrgsMax } = scope.run.app.limits;
  for (const member of await findAll(scope, "orgMember", "user", user, authOrgsMax)) {
    await dropInvitations(scope, { org: member["org"] as string, user });
  }
}
