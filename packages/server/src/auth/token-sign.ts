// Makes tokens: JWTs (RFC 7519) signed with the app's own key. `sub` is the user, `role` the role, and what
// an app adds stands under `claims`, where it can't be taken for a registered claim.
import { SignJWT } from "jose";
import { assert } from "../base/assert.ts";
import type { Json } from "../base/json.ts";
import type { TokenKeys } from "./token-keys.ts";

/** Whom a token is for. */
export interface TokenSubject {
  /** The user's id, as rules see it in `me.id`; 1 to 255 characters. */
  readonly user: string;
  /** `me.role`; null for none. */
  readonly role: string | null;
  /** More of `me`; not `id` and not `role`. Default: none. */
  readonly claims?: Readonly<Record<string, Json>>;
  /** The session that it is of (`sid`): its rights are then read from the data, and end with the session. */
  readonly session?: string;
  /** How long it is valid, in milliseconds, at least 1,000. */
  readonly ttlMs: number;
}

/** Signs a token. @param nowMs the time it is valid from, ms since the epoch. */
export function signToken(keys: TokenKeys, subject: TokenSubject, nowMs: number): Promise<string> {
  const { user, role, claims = {}, session, ttlMs } = subject;
  assert(user.length >= 1, "a token is for a user");
  assert(user.length <= 255, "a user's id has at most 255 characters");
  assert(ttlMs >= 1_000, "a token is valid for a second at least");
  assert(!("id" in claims), "`id` of me is the user");
  assert(!("role" in claims), "`role` of me is the role");
  const issuedAt = Math.floor(nowMs / 1_000);
  const payload = session === undefined ? { role, claims } : { sid: session };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "EdDSA", typ: "JWT", kid: keys.signing.kid })
    .setSubject(user)
    .setIssuer(keys.issuer)
    .setAudience(keys.issuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.floor(ttlMs / 1_000))
    .sign(keys.signing.privateKey);
}
