// Who signs in and how: what every way to sign in gathers before sign-in-finish.ts.
import type { AuthPlace } from "./auth-event.ts";

/** How somebody proved who they are: RFC 8176, and `email`, `guest`, `app` beside it. */
export type SignInMethod =
  | "pwd"
  | "otp"
  | "mfa"
  | "swk"
  | "hwk"
  | "email"
  | "fed"
  | "guest"
  | "app";

/** Where a session is opened. Plain data: part of a procedure's input. */
export type SignInDevice = AuthPlace & {
  /** Digest of the secret of the second factor's ticket, drawn beforehand, should one be needed. */
  readonly secondFactorDigest: string;
  /** For which OpenID client; null: this app. */
  readonly client: string | null;
};

/** Who it is. */
export interface SignInProof {
  readonly user: string;
  readonly methods: readonly SignInMethod[];
  /** True when a second factor is part of it: a passkey that verified its user, a code after a password. */
  readonly isStrong: boolean;
  /** The address to tell that this took away a second factor of before. Absent: it did not. */
  readonly factorGone?: string;
}

/** What came of it. */
export type SignInOutcome =
  | {
      readonly kind: "session";
      readonly session: string;
      readonly user: string;
      /** As of the proof. */
      readonly factorGone?: string;
    }
  | { readonly kind: "secondFactor"; readonly ticket: string; readonly user: string };
