// Somebody leaves for good: their user row goes, with what identity keeps of them, in one transaction. What becomes of the
// app's rows that refer to it is what each reference's `onDelete` says; one that refuses keeps everything as it was.
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { accountOfUser, findAll } from "../account-find.ts";
import { bodyOf } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { dropInvitations } from "../org/invitation-drop.ts";
import { assertKeepsFirst } from "../org/org-procedures.ts";
import { userOf } from "../protocol-caller.ts";
import { endSessionsOf } from "../session-end.ts";
import { sessionCookieName } from "../session-cookie.ts";

type DeleteInput = {
  readonly user: string;
  /** The roles of organisations, most powerful first. */
  readonly roles: readonly string[];
  readonly place: AuthPlace;
};

/**
 * Deletes a user. @returns the address that they signed in with. @throws NOT_FOUND; REF_IN_USE when rows of the app
 * refuse; CONFLICT when an organisation of others would be without its first role.
 */
const deleteUser: AuthProcedure<DeleteInput, { readonly email: string | null }> = {
  name: "auth.deleteUser",
  async run(scope, { user, roles, place }) {
    const account = await accountOfUser(scope, user);
    await leaveOrgs(scope, user, roles);
    await endSessionsOf(scope, user, null);
    await scope.db.delete("user", user, "system");
    // The user's own record goes with them: this line is the operator's, and names nobody but an id.
    await audit(scope, { kind: "userDeleted", user: null, details: { user }, ...place });
    return { email: (account?.["email"] ?? null) as string | null };
  },
};

/** An organisation of nobody else goes; one of others keeps somebody of its first role. */
async function leaveOrgs(
  scope: ProcedureScope,
  user: string,
  roles: readonly string[],
): Promise<void> {
  const { authOrgsMax } = scope.run.app.limits;
  for (const member of await findAll(scope, "orgMember", "user", user, authOrgsMax)) {
    const org = member["org"] as string;
    const members = await findAll(scope, "orgMember", "org", org, 2);
    if (members.length === 1) await scope.tx.delete("org", org);
    else {
      await assertKeepsFirst(scope, roles, member);
      await dropInvitations(scope, { org, user });
    }
  }
}

/** Deletes a user and tells them. */
export async function removeUser(
  desk: AuthDesk,
  gone: { readonly user: string; readonly place: AuthPlace },
  ask: Parameters<AuthDesk["run"]>[2],
): Promise<void> {
  const roles = desk.settings.organisations?.roles ?? [];
  const { email } = await desk.run(deleteUser, { ...gone, roles }, ask);
  if (email === null) return;
  desk.mail.send({ to: email, template: "account-deleted", data: { app: desk.settings.name } });
}

async function handle(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  bodyOf(ask, []);
  await removeUser(desk, { user: userOf(ask), place: placeOf(ask) }, ask);
  return { cookies: [{ name: sessionCookieName, value: null, maxAgeSeconds: null }] };
}

/** Its procedures. */
export const deleteProcedures = [deleteUser] as const;

/** Its addresses. */
export const deleteRoutes: readonly AuthRoute[] = [
  { method: "DELETE", path: "/auth/account", access: "fresh", handle },
];
