// `api.auth` of organisations: the caller's own, their members, and who is invited.
import type { AuthAsk } from "./auth-client-ask.ts";
import type { Id } from "./id.ts";

/** An organisation of the caller. */
export interface ClientOrg {
  readonly id: Id<"org">;
  readonly name: string;
  readonly slug: string;
  readonly role: string;
  /** Whether the caller speaks for it now: `me.org`. */
  readonly current: boolean;
}

/** Somebody who belongs to an organisation. */
export interface ClientOrgMember {
  readonly user: Id<"user">;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: string;
}

/** Somebody who was asked to join one. */
export interface ClientInvitation {
  readonly id: Id<"orgInvitation">;
  readonly email: string;
  readonly role: string;
  readonly expiresAt: string;
}

/** Organisations as a client uses them. Of one that the caller is no member of, each throws NOT_FOUND. */
export interface ClientOrgs {
  orgs(): Promise<readonly ClientOrg[]>;
  createOrg(fields: {
    readonly name: string;
    readonly slug: string;
  }): Promise<{ readonly id: Id<"org"> }>;
  /** @throws CALL_DENIED for who does not manage it. */
  changeOrg(org: string, fields: { readonly name?: string; readonly slug?: string }): Promise<void>;
  /** For the first role. @throws FRESH_SIGN_IN_REQUIRED; CALL_DENIED. */
  deleteOrg(org: string): Promise<void>;
  /** Speaks for an organisation from now on, or for none. */
  useOrg(id: string | null): Promise<void>;
  /** A page of the members. @param after `next` of the page before. */
  orgMembers(
    org: string,
    after?: string,
  ): Promise<{ readonly members: readonly ClientOrgMember[]; readonly next: string | null }>;
  /** @throws CALL_DENIED; CONFLICT when nobody of the first role would be left. */
  setOrgRole(org: string, user: string, role: string): Promise<void>;
  /** Takes somebody out; everybody may leave. @throws CALL_DENIED; CONFLICT. */
  removeOrgMember(org: string, user: string): Promise<void>;
  /** Those that were not accepted yet. @throws CALL_DENIED for who does not manage it. */
  invitations(org: string): Promise<readonly ClientInvitation[]>;
  /** Sends a letter that makes its reader a member. @throws CALL_DENIED; CONFLICT for a member's address. */
  invite(
    org: string,
    fields: { readonly email: string; readonly role: string },
  ): Promise<{ readonly id: Id<"orgInvitation"> }>;
  withdrawInvitation(org: string, id: string): Promise<void>;
  /** Accepts an invitation: `token` of the letter's link. */
  acceptInvitation(fields: { readonly token: string }): Promise<void>;
}

/** Builds them. @param renewed called when who the caller speaks for may be another. */
export function orgCalls(ask: AuthAsk, renewed: () => Promise<void>): ClientOrgs {
  const pathOf = (org: string, ...rest: readonly string[]) =>
    ["/auth/orgs", ...[org, ...rest].map((part) => encodeURIComponent(part))].join("/");
  return {
    orgs: async () => (await ask<{ orgs: readonly ClientOrg[] }>("GET", "/auth/orgs")).orgs,
    createOrg: (fields) => ask("POST", "/auth/orgs", fields),
    changeOrg: (org, fields) => ask("PATCH", pathOf(org), fields),
    deleteOrg: async (org) => {
      await ask("DELETE", pathOf(org));
      await renewed();
    },
    useOrg: async (id) => {
      await ask("POST", "/auth/orgs/choose", { org: id });
      await renewed();
    },
    orgMembers: (org, after) => {
      const query = after === undefined ? "" : `?${new URLSearchParams({ after }).toString()}`;
      return ask("GET", `${pathOf(org, "members")}${query}`);
    },
    setOrgRole: async (org, user, role) => {
      await ask("PATCH", pathOf(org, "members", user), { role });
      await renewed();
    },
    removeOrgMember: async (org, user) => {
      await ask("DELETE", pathOf(org, "members", user));
      await renewed();
    },
    invitations: async (org) => {
      type Answer = { readonly invitations: readonly ClientInvitation[] };
      return (await ask<Answer>("GET", pathOf(org, "invitations"))).invitations;
    },
    invite: (org, fields) => ask("POST", pathOf(org, "invitations"), fields),
    withdrawInvitation: (org, id) => ask("DELETE", pathOf(org, "invitations", id)),
    acceptInvitation: async (fields) => {
      await ask("POST", "/auth/invitations/accept", fields);
      await renewed();
    },
  };
}
