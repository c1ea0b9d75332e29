// An invitation and its letter, whoever asks for it: an address, or a function of the app.
import type { AuthCause, AuthDesk } from "../auth-desk.ts";
import type { AuthRate } from "../auth-rates.ts";
import { assertMailable } from "../mail/mail-address.ts";
import { linkOf } from "../letter-link.ts";
import { invite } from "./invitation-procedures.ts";
import type { OrgActor } from "./org-procedures.ts";

/** Letters that one person, or an organisation in the app's name, makes us send to addresses of their choice. */
const invitations: AuthRate = { name: "invitations of a user", quota: "100/hour" };
const dayMs = 86_400_000;

/** Who is asked to be what, where. */
export interface OrgInvitation {
  readonly org: string;
  /** Lower case. */
  readonly email: string;
  readonly role: string;
}

/** Counts an asking. @throws RATE_LIMITED. */
export function countInvitation(desk: AuthDesk, actor: OrgActor, org: string): void {
  desk.rates.take(invitations, actor.reason === null ? actor.user : org);
}

/**
 * Invites, and sends the letter. @param asked.origin of the request; null: there is none.
 * @returns the invitation's id. @throws what `invite` throws; PUBLIC_URL_MISSING.
 */
export async function sendInvitation(
  desk: AuthDesk,
  asked: OrgInvitation & { readonly actor: OrgActor; readonly origin: string | null },
  cause: AuthCause,
): Promise<string> {
  const { org, email, role, actor, origin } = asked;
  assertMailable(email);
  const token = desk.secrets.draw();
  // Before anything is kept: without an address of this server there is no letter.
  const link = linkOf(desk, { origin }, "/auth/invitations/accept", { token });
  const digest = desk.secrets.digest(token);
  const { invitation, orgName } = await desk.run(
    invite,
    { ...actor, org, email, role, digest },
    cause,
  );
  const inviter =
    actor.reason === null ? await desk.store.read((tx) => tx.get("user", actor.user, null)) : null;
  const name = inviter?.["name"];
  desk.mail.send({
    to: email,
    template: "invitation",
    data: {
      org: orgName,
      inviter: typeof name === "string" ? name : "",
      role,
      link,
      days: Math.round(desk.limits.authInvitationMs / dayMs),
    },
  });
  return invitation;
}
