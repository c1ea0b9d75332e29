// `ctx.auth` of actions and http functions: identity for apps with an API shape of their own. Each call is a transaction
// of its own; all of them leave a line in the user's record of events.
import type { Id } from "./id.ts";

/** Somebody who was signed in by the app. */
export interface OpenedSession {
  readonly session: Id<"authSession">;
  /** For a `Set-Cookie` header. */
  readonly cookie: string;
  /** A JWT, accepted as `Authorization: Bearer`, and under the schemes of `app({ auth: { schemes } })`. */
  readonly accessToken: string;
  /** For `POST /auth/refresh`; good once. */
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
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
  /** Whose password it is; null when it is wrong, or nobody has the address. @throws RATE_LIMITED after some wrong ones. */
  verifyPassword(tried: {
    readonly email: string;
    readonly password: string;
  }): Promise<Id<"user"> | null>;
  /** Gives a user another password and ends their sessions. @throws PASSWORD_WEAK. */
  setPassword(change: { readonly user: Id<"user">; readonly password: string }): Promise<null>;
  /**
   * Deletes a user with all that identity keeps of them, at once: their sessions end everywhere. Rows of the app that refer
   * to them do what their `onDelete` says. @throws NOT_FOUND; REF_IN_USE; CONFLICT when an organisation of others would be
   * without its first role.
   */
  deleteUser(deleted: { readonly user: Id<"user"> }): Promise<null>;
  /** Signs a user in. Whether they may is the function's own business: a second factor is not asked for. */
  openSession(opened: { readonly user: Id<"user"> }): Promise<OpenedSession>;
  /** Ends a session. Default: the caller's. @returns whether there was one. */
  endSession(ended?: { readonly session: Id<"authSession"> }): Promise<boolean>;
  /** A token for a user that lasts so long and ends with its session. @param token.seconds 10 to 31,536,000. Default: 600. */
  issueToken(token: { readonly user: Id<"user">; readonly seconds?: number }): Promise<string>;
}
