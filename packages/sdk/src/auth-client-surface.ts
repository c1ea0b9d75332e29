// What `api.auth` offers, and the shapes that go over the wire. Methods that sign somebody in change who the client
// calls as, live queries included.
import type { AnyApp } from "./app.ts";
import type { ClientAccess } from "./auth-client-access.ts";
import type { ClientOrgs } from "./auth-client-orgs.ts";
import type { Me, MeClaims } from "./function-context.ts";
import type { Id } from "./id.ts";
import type { Stop } from "./live-store.ts";

/** Who is signed in, as the app's rules and functions see them. */
export type ClientMe<A extends AnyApp = AnyApp> = Me &
  MeClaims<A["~schema"]> & { readonly id: string };

/** What is known of who is signed in. */
export interface MeState<M = ClientMe> {
  /** Null: nobody is; undefined: not known yet. */
  readonly me: M | null | undefined;
  readonly isLoading: boolean;
  /** Why it could not be found out; null when it could. */
  readonly error: unknown;
}

/** What came of a sign-in. */
export type SignInResult =
  | { readonly kind: "signed-in"; readonly user: Id<"user"> }
  /** Go on with `api.auth.secondFactor({ ticket, code })`. */
  | { readonly kind: "second-factor"; readonly ticket: string };

/** One sign-in that lasts. Times are RFC 3339. */
export interface ClientSession {
  readonly id: Id<"authSession">;
  readonly isThis: boolean;
  readonly createdAt: string;
  readonly seenAt: string;
  readonly expiresAt: string;
  readonly authenticatedAt: string;
  /** How (RFC 8176): `pwd`, `otp`, `mfa`, `swk`, `email`, `fed`, `guest`. */
  readonly methods: readonly string[];
  readonly client: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** Something that happened to the account. */
export interface ClientAuthEvent {
  readonly id: Id<"authEvent">;
  readonly at: string;
  /** `signIn`, `signInFailed`, `passwordChanged`, `sessionRevoked`... */
  readonly kind: string;
  readonly session: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  /** More of it, by its kind; null: nothing. */
  readonly details: { readonly [name: string]: unknown } | null;
}

/** A passkey of the caller. */
export interface ClientPasskey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

/** Identity as a client uses it. */
export interface ClientAuth<M = ClientMe> extends ClientAccess, ClientOrgs {
  /** Who is signed in; null: nobody. Asked of the server. */
  me(): Promise<M | null>;
  /** The same as a store with `subscribe` and `getSnapshot`, for frameworks; it asks when somebody subscribes. */
  readonly store: {
    subscribe(changed: () => void): Stop;
    getSnapshot(): MeState<M>;
  };

  /**
   * Signs up. A letter with a link is on its way then; the same is answered when the address has an account. A guest who
   * signs up stays the same user. @param fields `email`, `password`, and the app's own sign-up fields; `next`: where
   * the link leads on to, a path.
   */
  signUp(fields: {
    readonly email: string;
    readonly password?: string;
    readonly next?: string;
    readonly [field: string]: unknown;
  }): Promise<void>;
  /** Sends another letter to the caller's address, while nobody showed that it is theirs. */
  sendConfirmation(): Promise<void>;
  /** Follows the letter of a sign-up: `ticket` of its link. `password`: typed again, in another browser. */
  confirmEmail(fields: {
    readonly ticket: string;
    readonly password?: string;
  }): Promise<SignInResult>;
  /** @throws SIGN_IN_FAILED; RATE_LIMITED. */
  signIn(fields: { readonly email: string; readonly password: string }): Promise<SignInResult>;
  /** The second step of a sign-in. @throws CODE_WRONG; TICKET_INVALID. */
  secondFactor(
    fields:
      | { readonly ticket: string; readonly code: string }
      | { readonly ticket: string; readonly recoveryCode: string },
  ): Promise<SignInResult>;
  /** Signs in as somebody without a name; who is signed in stays who they are. */
  guest(): Promise<SignInResult>;
  /** Sends a link to sign in. `next`: where it leads on to, a path. */
  sendLink(fields: { readonly email: string; readonly next?: string }): Promise<void>;
  /** Follows such a link. */
  followLink(fields: { readonly ticket: string }): Promise<SignInResult>;
  /** Sends a code to sign in. */
  sendCode(fields: { readonly email: string }): Promise<{ readonly ticket: string }>;
  /** Signs in with it. @throws CODE_WRONG. */
  enterCode(fields: { readonly ticket: string; readonly code: string }): Promise<SignInResult>;
  /** Signs in with a passkey of this browser. */
  signInWithPasskey(): Promise<SignInResult>;
  /** Sends a link to set a new password. */
  forgotPassword(fields: { readonly email: string; readonly next?: string }): Promise<void>;
  /** Sets it. Whoever does is signed in, and signed out everywhere else. */
  resetPassword(fields: {
    readonly ticket: string;
    readonly password: string;
  }): Promise<SignInResult>;
  /** Where a browser is sent to sign in with another provider. @param next a path to go on to. */
  providerUrl(provider: string, next?: string): string;
  signOut(): Promise<void>;

  /** Proves again who one is, before changes that answer FRESH_SIGN_IN_REQUIRED. */
  confirm(
    proof: { readonly password: string } | { readonly ticket: string; readonly code: string },
  ): Promise<void>;
  /** Sends a code for `confirm`. */
  sendConfirmCode(): Promise<{ readonly ticket: string }>;
  changePassword(fields: { readonly password: string }): Promise<void>;
  /** Sends a link to the new address; it counts when that is followed. */
  changeEmail(fields: { readonly email: string }): Promise<void>;
  /** Deletes the account and all that goes with it; it can't be taken back. @throws KeelsonError REF_IN_USE, CONFLICT. */
  deleteAccount(): Promise<void>;

  sessions(): Promise<readonly ClientSession[]>;
  endSession(id: string): Promise<void>;
  /** Ends every session but this one. */
  endOtherSessions(): Promise<void>;
  /** What happened to the account, newest first, a page at a time. @param after `next` of the page before. */
  events(
    after?: string,
  ): Promise<{ readonly events: readonly ClientAuthEvent[]; readonly next: string | null }>;

  /** Whether an authenticator app is set up, and how many recovery codes are left. */
  totp(): Promise<{ readonly enabled: boolean; readonly recoveryCodesLeft: number }>;
  /** Sets up an authenticator app: show `uri` as a QR code, then `confirmTotp` with its first code. */
  beginTotp(): Promise<{ readonly secret: string; readonly uri: string }>;
  confirmTotp(fields: {
    readonly code: string;
  }): Promise<{ readonly recoveryCodes: readonly string[] }>;
  removeTotp(): Promise<void>;
  renewRecoveryCodes(): Promise<{ readonly recoveryCodes: readonly string[] }>;

  passkeys(): Promise<readonly ClientPasskey[]>;
  /** Makes a passkey in this browser. */
  addPasskey(fields?: { readonly name?: string }): Promise<{ readonly id: string }>;
  renamePasskey(id: string, name: string): Promise<void>;
  removePasskey(id: string): Promise<void>;
}
