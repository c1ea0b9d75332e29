// Checks tokens (JWT): only this app's keys, one algorithm, an expiry in every token. What a token may say beyond that
// is little: whose it is, and of which session. One without a session (development, operators) brings its own claims.
import { errors, jwtVerify, type JWTHeaderParameters, type JWTPayload } from "jose";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Caller } from "../gate/identity.ts";
import type { TokenKeys } from "./token-keys.ts";

/** How far the clocks of signer and verifier may be apart. */
const skewSeconds = 5;

/** What a token of ours says. */
export type VerifiedToken = { readonly expiresMs: number } & (
  | { readonly kind: "session"; readonly session: string; readonly user: string }
  | { readonly kind: "claims"; readonly caller: Caller }
);

/** Checks a token. @param token the three parts. @throws TOKEN_INVALID, TOKEN_EXPIRED. */
export async function verifyToken(
  token: string,
  keys: TokenKeys,
  nowMs: number,
): Promise<VerifiedToken> {
  const payload = await verifiedPayload(token, keys, nowMs);
  const expiresMs = ((payload.exp ?? 0) + skewSeconds) * 1_000;
  const { sub, sid } = payload;
  if (typeof sub !== "string" || sub === "" || sub.length > 255)
    throw new PlatformError("TOKEN_INVALID");
  if (sid === undefined) return { kind: "claims", caller: callerOf(sub, payload), expiresMs };
  if (typeof sid !== "string") throw new PlatformError("TOKEN_INVALID");
  return { kind: "session", session: sid, user: sub, expiresMs };
}

async function verifiedPayload(token: string, keys: TokenKeys, nowMs: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, (header) => keyOf(header, keys), {
      algorithms: ["EdDSA"],
      issuer: keys.issuer,
      audience: keys.issuer,
      requiredClaims: ["exp", "iat", "sub"],
      typ: "JWT",
      clockTolerance: skewSeconds,
      // oxlint-disable-next-line no-restricted-globals -- jose takes the time of our clock as a Date
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw new PlatformError("TOKEN_EXPIRED", {}, { cause });
    throw new PlatformError("TOKEN_INVALID", {}, { cause });
  }
}

function keyOf(header: JWTHeaderParameters, keys: TokenKeys) {
  const key = typeof header.kid === "string" ? keys.byKid.get(header.kid) : undefined;
  if (key === undefined) throw new PlatformError("TOKEN_INVALID");
  return key.publicKey;
}

/** @throws TOKEN_INVALID when a token of ours does not hold what we put into tokens. */
function callerOf(sub: string, { role, claims = {} }: JWTPayload): Caller {
  if (role !== undefined && role !== null && typeof role !== "string") {
    throw new PlatformError("TOKEN_INVALID");
  }
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw new PlatformError("TOKEN_INVALID");
  }
  const me: Record<string, Json> = { id: sub, role: role ?? null };
  for (const [name, value] of Object.entries(claims)) {
    if (name === "id" || name === "role" || name === "__proto__") {
      throw new PlatformError("TOKEN_INVALID");
    }
    me[name] = deepFrozen(value as Json);
  }
  return Object.freeze({ id: sub, role: role ?? null, me: Object.freeze(me) });
}

function deepFrozen(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  for (const item of Object.values(value)) deepFrozen(item);
  return Object.freeze(value);
}
