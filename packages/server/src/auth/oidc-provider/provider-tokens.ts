// Tokens for clients. An id_token tells the client who signed in; an access token opens userinfo and nothing else (its
// type and audience keep it out of the app's own doors); a refresh token is sealed, so that only this server reads it.
import { createHash } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import type { TokenKeys } from "../token-keys.ts";
import { idTokenSeconds, type ProviderKey } from "./provider-keys.ts";

const accessType = "at+jwt";

/** Where the provider stands, and when. */
export interface ProviderMoment {
  /** `https://example.com`. */
  readonly issuer: string;
  readonly nowMs: number;
}

/** What an access token says. */
export interface ProviderAccess {
  readonly user: string;
  readonly session: string;
  readonly client: string;
  readonly scopes: readonly string[];
}

/** Signs an access token (RFC 9068). */
export function signProviderAccess(
  keys: TokenKeys,
  access: ProviderAccess,
  { issuer, nowMs, ttlMs }: ProviderMoment & { readonly ttlMs: number },
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1_000);
  const { user, session, client, scopes } = access;
  return new SignJWT({ client_id: client, scope: scopes.join(" "), sid: session })
    .setProtectedHeader({ alg: "EdDSA", typ: accessType, kid: keys.signing.kid })
    .setSubject(user)
    .setIssuer(issuer)
    .setAudience(userinfoAudience(keys))
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.floor(ttlMs / 1_000))
    .sign(keys.signing.privateKey);
}

/** The audience: this server's userinfo, under whatever name it is reached. */
function userinfoAudience(keys: TokenKeys): string {
  return `${keys.issuer}:userinfo`;
}

/** Reads an access token. @returns null when it is none of ours, for something else, or too old. */
export async function readProviderAccess(
  keys: TokenKeys,
  token: string,
  nowMs: number,
): Promise<ProviderAccess | null> {
  try {
    const { payload } = await jwtVerify(token, ({ kid = "" }) => publicKeyOf(keys, kid), {
      algorithms: ["EdDSA"],
      audience: userinfoAudience(keys),
      typ: accessType,
      requiredClaims: ["exp", "iat", "sub", "sid"],
      // oxlint-disable-next-line no-restricted-globals -- jose takes the time of our clock as a Date
      currentDate: new Date(nowMs),
    });
    const { sub = "", sid, client_id: client, scope } = payload;
    if (typeof sid !== "string" || typeof client !== "string" || typeof scope !== "string")
      return null;
    return { user: sub, session: sid, client, scopes: scope.split(" ") };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}

function publicKeyOf(keys: TokenKeys, kid: string) {
  const key = keys.byKid.get(kid);
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key.publicKey;
}

/** What an id_token says beside issuer and times. */
export interface IdTokenFacts {
  readonly client: string;
  readonly nonce: string | null;
  readonly authAtMs: number;
  readonly methods: readonly string[];
  readonly accessToken: string;
  /** `sub` among them. */
  readonly claims: { readonly [claim: string]: Json };
}

/** Signs an id_token (OpenID Connect Core 2). */
export function signIdToken(
  key: ProviderKey,
  facts: IdTokenFacts,
  { issuer, nowMs }: ProviderMoment,
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1_000);
  const { client, nonce, authAtMs, methods, accessToken, claims } = facts;
  return new SignJWT({
    ...claims,
    auth_time: Math.floor(authAtMs / 1_000),
    amr: methods,
    at_hash: leftHalfDigest(accessToken),
    ...(nonce === null ? {} : { nonce }),
  })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid })
    .setIssuer(issuer)
    .setAudience(client)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + idTokenSeconds)
    .sign(key.privateKey);
}

/** `at_hash` (OpenID Connect Core 3.1.3.6). */
function leftHalfDigest(token: string): string {
  return createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
}

/** Who an id_token of ours is about, while its key is published, however old it is. @returns null for any other text, or another client's. */
export async function readIdTokenHint(
  keys: readonly ProviderKey[],
  hint: string,
  expected: { readonly issuer: string; readonly client: string },
): Promise<string | null> {
  try {
    const { payload } = await jwtVerify(hint, ({ kid }) => keyOfHint(keys, kid), {
      algorithms: ["RS256"],
      issuer: expected.issuer,
      audience: expected.client,
      typ: "JWT",
      requiredClaims: ["iat", "sub"],
      // A hint may have expired (OpenID Connect Core 3.1.2.1): time stands still at zero.
      // oxlint-disable-next-line no-restricted-globals -- jose takes a time as a Date
      currentDate: new Date(0),
    });
    return payload.sub ?? null;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}

function keyOfHint(keys: readonly ProviderKey[], kid: string | undefined) {
  const key = keys.find((each) => each.kid === kid);
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key.publicKey;
}

/** What a refresh token says. */
export type ProviderRefresh = {
  readonly session: string;
  /** Which of the session's refresh tokens it is; only the newest is good. */
  readonly count: number;
  readonly client: string;
  readonly scopes: readonly string[];
};

const refreshLabel = "oidc refresh";
const refreshPrefix = "kor.";

/** A refresh token. */
export function sealProviderRefresh(
  secrets: AuthDesk["secrets"],
  refresh: ProviderRefresh,
): string {
  return refreshPrefix + secrets.seal(refreshLabel, JSON.stringify(refresh));
}

/** Reads a refresh token. @returns null when it was not made here. */
export function openProviderRefresh(
  secrets: AuthDesk["secrets"],
  token: string,
): ProviderRefresh | null {
  if (!token.startsWith(refreshPrefix)) return null;
  try {
    const text = secrets.unseal(refreshLabel, token.slice(refreshPrefix.length));
    return JSON.parse(text) as ProviderRefresh;
  } catch (error) {
    if (error instanceof PlatformError && error.code === "TOKEN_INVALID") return null;
    throw error;
  }
}
