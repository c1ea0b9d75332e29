// `ctx.auth` of actions and http functions: identity for apps with an API shape of their own. Each call is a transaction
// of its own; all of them leave a line in the user's record of events.
import type { Id } from "./id.ts";

/** Somebody who was signed in by the app. */
export interface OpenedSession {
  readonly session: Id<"authSession">;
  /** For a `Set-Cookie` header. */
  readonly cookie: string;
  /**
   * For the program to keep, and to send with the next `verifyPassword` of this account; it is no proof of anything. Null:
   * the user has no address.
   */
  readonly device: string | null;
  /** A JWT, accepted as `Authorization: Bearer`, and under the schemes of `app({ auth: { schemes } })`. */
  readonly accessToken: string;
  /** For `POST /auth/refresh`; good once. */
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

/** A member of an organisation. */
export interface OrgMember {
  readonly user: Id<"user">;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: string;
}

/**
 * Who acts on an organisation. Without a reason it is the caller, with the rights that their role gives them there
 * (`NOT_FOUND` for who is no member, `CALL_DENIED` for who may not). With one it is the app: nobody's right is asked for,
 * everything else holds, and the reason stands in the record of events.
 */
interface OrgAct {
  readonly asSystem?: string;
}

/** What a function may ask of identity. */
export interface AuthContext {
  /**
   * Makes a user. @param user.fields of the table `user`. @param user.emailVerified default: false.
   * @throws UNIQUE_TAKEN, VALUE_INVALID, PASSWORD_WEAK.
   */
  createUser(user: {
    readonly email?: string;
    readonly password?: string;
    readonly emailVerified?: boolean;
    readonly fields?: { readonly [field: string]: unknown };
  }): Promise<Id<"user">>;
  /**
   * Whose password it is; null when it is wrong, or nobody has the address. @param tried.device what `openSession` gave this
   * program for the account: strangers who guess then don't keep its owner out. @throws RATE_LIMITED after some wrong ones.
   */
  verifyPassword(tried: {
    readonly email: string;
    readonly password: string;
    readonly device?: string;
  }): Promise<Id<"user"> | null>;
  /** Gives a user another password and ends their sessions. @throws PASSWORD_WEAK. */
  setPassword(change: { readonly user: Id<"user">; readonly password: string }): Promise<null>;
  /**
   * Gives a user another address to sign in with; the address before is told by a letter. Whether the caller may is the
   * function's own business: ask for their password first. @param change.emailVerified whether the app knows that it is
   * theirs. Default: false; then whoever shows that the address is theirs gets the account (a mistyped one is somebody's).
   * @throws UNIQUE_TAKEN when another account has it; CONFLICT for a guest or a service, and for
   * an address that is not verified where the account has a second factor; USER_NOT_FOUND.
   */
  setEmail(change: {
    readonly user: Id<"user">;
    readonly email: string;
    readonly emailVerified?: boolean;
  }): Promise<null>;
  /**
   * Deletes a user with all that identity keeps of them, at once: their sessions end everywhere. Rows of the app that refer
   * to them do what their `onDelete` says. @throws NOT_FOUND; REF_IN_USE; CONFLICT when an organisation of others would be
   * without its first role.
   */
  deleteUser(deleted: { readonly user: Id<"user"> }): Promise<null>;
  /**
   * Signs a user in. Whether they may is the function's own business: a second factor is not asked for. So the session of
   * somebody whose role must have one (`secondFactorFor`) does nothing (`SECOND_FACTOR_REQUIRED`) but show one.
   */
  openSession(opened: { readonly user: Id<"user"> }): Promise<OpenedSession>;
  /** Ends a session. Default: the caller's. @returns whether there was one. */
  endSession(ended?: { readonly session: Id<"authSession"> }): Promise<boolean>;
  /** A token for a user that lasts so long and ends with its session. @param token.seconds 10 to 31,536,000. Default: 600. */
  issueToken(token: { readonly user: Id<"user">; readonly seconds?: number }): Promise<string>;
  /**
   * Makes an organisation. @param made.owner who has its first role. Default: the caller; somebody else needs `asSystem`.
   * @throws UNIQUE_TAKEN for a slug in use; CONFLICT when the owner has too many.
   */
  createOrg(
    made: OrgAct & { readonly name: string; readonly slug: string; readonly owner?: Id<"user"> },
  ): Promise<Id<"org">>;
  /**
   * Makes somebody a member without asking them: in the app's name only, since people invite each other.
   * @returns false when they were one before; then their role stays. @throws NOT_FOUND; CONFLICT when there are too many.
   */
  addMember(added: {
    readonly org: Id<"org">;
    readonly user: Id<"user">;
    readonly role: string;
    readonly asSystem: string;
  }): Promise<boolean>;
  /** @throws NOT_FOUND, CALL_DENIED; CONFLICT when nobody of the first role would be left. */
  setMemberRole(
    changed: OrgAct & {
      readonly org: Id<"org">;
      readonly user: Id<"user">;
      readonly role: string;
    },
  ): Promise<null>;
  /** Everybody may leave. @throws NOT_FOUND, CALL_DENIED; CONFLICT when nobody of the first role would be left. */
  removeMember(
    removed: OrgAct & { readonly org: Id<"org">; readonly user: Id<"user"> },
  ): Promise<null>;
  /**
   * Sends a letter that makes its reader a member. @returns the invitation. @throws NOT_FOUND, CALL_DENIED; CONFLICT for a
   * member's address; RATE_LIMITED; PUBLIC_URL_MISSING when nobody said where the app is reached.
   */
  inviteMember(
    invited: OrgAct & { readonly org: Id<"org">; readonly email: string; readonly role: string },
  ): Promise<Id<"orgInvitation">>;
  /** The members, a page at a time. @param asked.after `next` of the page before. @throws NOT_FOUND for who is none. */
  listMembers(
    asked: OrgAct & { readonly org: Id<"org">; readonly after?: string },
  ): Promise<{ readonly members: readonly OrgMember[]; readonly next: string | null }>;
}
