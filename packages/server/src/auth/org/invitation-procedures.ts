// Invitations: a right to become a member, for whoever holds the letter and has proved to own its address.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import { timeOfMs } from "../../model/field-time.ts";
import { accountOf, accountOfEmail, findAll, findOne } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit } from "../auth-event.ts";
import { rankOf, memberOf } from "./org-access.ts";
import { addMember, assertManages, type OrgActor } from "./org-procedures.ts";

/** Who invites is told this much. */
export type Invited = {
  readonly invitation: string;
  /** For the letter. */
  readonly orgName: string;
};

/**
 * Invites an address; an open invitation of it is replaced.
 * @throws NOT_FOUND, CALL_DENIED, CONFLICT when it is a member's already, or too many are open.
 */
export const invite: AuthProcedure<
  OrgActor & {
    readonly org: string;
    readonly email: string;
    readonly role: string;
    readonly digest: string;
  },
  Invited
> = {
  name: "auth.orgInvite",
  async run(scope, { user, roles, reason, org, email, role, digest, ...place }) {
    const { run, tx } = scope;
    const { limits } = run.app;
    const inviter = reason === null ? user : null;
    const own = await assertManages(scope, { user, roles, reason, org });
    if (rankOf(roles, role) < own) throw new PlatformError("CALL_DENIED");
    const account = await accountOfEmail(scope, email);
    const member = account === null ? null : await memberOf(tx, org, account["user"] as string);
    if (member !== null)
      throw new PlatformError("CONFLICT", { problem: "this address is a member's" });
    const all = await findAll(scope, "orgInvitation", "org", org, limits.authInvitationsMax);
    const now = timeText(run.nowMs);
    let open = 0;
    for (const row of all) {
      const isOver =
        row["email"] === email || (row["expiresAt"] as string) <= now || row["acceptedAt"] !== null;
      if (isOver) await tx.delete("orgInvitation", row["id"] as string);
      else open += 1;
    }
    if (open >= limits.authInvitationsMax) {
      throw new PlatformError("CONFLICT", {
        limit: "authInvitationsMax",
        max: limits.authInvitationsMax,
      });
    }
    const id = run.app.newId("orgInvitation");
    const expiresAt = timeOfMs(run.nowMs + limits.authInvitationMs);
    const rest = {
      email,
      role,
      invitedBy: inviter,
      digest,
      createdAt: now,
      expiresAt,
      acceptedAt: null,
    };
    await tx.insert("orgInvitation", { id, org, ...rest });
    const details = { org, role, ...(reason === null ? {} : { reason }) };
    await audit(scope, { ...place, kind: "orgInvited", user: inviter, details });
    const row = await tx.get("org", org, null);
    return { invitation: id, orgName: (row?.["name"] ?? "") as string };
  },
};

/** Takes an invitation back. @throws NOT_FOUND, CALL_DENIED. */
export const withdrawInvitation: AuthProcedure<
  OrgActor & { readonly org: string; readonly invitation: string },
  null
> = {
  name: "auth.orgInvitationWithdraw",
  async run(scope, { user, roles, reason, org, invitation }) {
    const { tx } = scope;
    await assertManages(scope, { user, roles, reason, org });
    const row = await tx.get("orgInvitation", invitation, null);
    if (row?.["org"] !== org) throw new PlatformError("NOT_FOUND");
    await tx.delete("orgInvitation", invitation);
    return null;
  },
};

/**
 * Becomes a member. @returns the organisation.
 * @throws TICKET_INVALID when there is no such invitation, or it is for an address that is not this account's, verified.
 */
export const acceptInvitation: AuthProcedure<OrgActor & { readonly digest: string }, string> = {
  name: "auth.orgInvitationAccept",
  async run(scope, { user, roles, reason: _reason, digest, ...place }) {
    const { run, tx } = scope;
    const row = await findOne(scope, "orgInvitation", "digest", digest);
    if (row === null || (row["expiresAt"] as string) <= timeText(run.nowMs)) {
      throw new PlatformError("TICKET_INVALID");
    }
    const account = await accountOf(scope, user);
    // A letter that was passed on invites nobody else.
    if (account["email"] !== row["email"] || account["emailVerified"] !== true) {
      throw new PlatformError("TICKET_INVALID");
    }
    const role = row["role"] as string;
    if (!roles.includes(role)) throw new PlatformError("TICKET_INVALID");
    const org = row["org"] as string;
    await addMember(scope, { org, user, role });
    await tx.delete("orgInvitation", row["id"] as string);
    await audit(scope, { ...place, kind: "orgJoined", user, details: { org, role } });
    return org;
  },
};
