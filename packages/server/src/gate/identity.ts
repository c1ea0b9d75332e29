// The port to identity. The gate asks who calls; how tokens and sessions work is auth's business.
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";

/** Who calls. Anonymous: `id` and `role` null. Frozen. */
export interface Caller {
  readonly id: string | null;
  readonly role: string | null;
  /** Everything that rules and functions see as `me`: id, role and claims. */
  readonly me: { readonly [claim: string]: Json };
  /** What a key was made for (key-scope.ts). Absent: everything that the caller may. */
  readonly scopes?: readonly string[];
  /** The session that the credentials are of. Absent: of none that can be ended by itself. */
  readonly session?: string;
}

/** Credentials that are not to be taken any more: those of one session, or all of a user. */
export type Revocation = { readonly session: string } | { readonly user: string };

/** Tells the caller from credentials. */
export interface Identity {
  /** The caller when these credentials were verified before and still hold, without verifying; else null. */
  known(authorization: string | null, cookie: string | null): Caller | null;
  /** @throws TOKEN_INVALID, TOKEN_EXPIRED. Absent credentials are an anonymous caller, never an error. */
  identify(authorization: string | null, cookie: string | null): Later<Caller>;
  /** Forgets what it knows of these credentials: the next time they are verified anew. Absent: it remembers nobody. */
  revoke?(what: Revocation): void;
}

/** Nobody in particular. */
export const anonymous: Caller = Object.freeze({
  id: null,
  role: null,
  me: Object.freeze({ id: null, role: null }),
});
