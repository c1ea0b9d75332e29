// Identity by signed tokens: `Authorization: Bearer <JWT>`. Only this app's keys, one algorithm, an expiry
// in every token. Verified tokens are remembered by their text until they expire, so a caller that comes
// again costs one look into a map, and is the same Caller object (the gate keeps rights by it).
import { errors, jwtVerify, type JWTHeaderParameters, type JWTPayload } from "jose";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous, type Caller, type Identity } from "../gate/identity.ts";
import { TokenCache } from "./token-cache.ts";
import type { TokenKeys } from "./token-keys.ts";

/** How far the clocks of signer and verifier may be apart. */
const skewSeconds = 5;
const bearer = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** Makes the identity of an app whose callers bring tokens. */
export function openTokenIdentity(options: {
  readonly keys: TokenKeys;
  readonly clock: Clock;
  readonly limits: Limits;
}): Identity {
  const { keys, clock, limits } = options;
  const cache = new TokenCache(limits.tokenCacheMax);

  async function verified(authorization: string): Promise<Caller> {
    if (authorization.length > limits.tokenCharsMax) throw new PlatformError("TOKEN_INVALID");
    const token = bearer.exec(authorization)?.[1];
    if (token === undefined) throw new PlatformError("TOKEN_INVALID");
    const payload = await verifiedPayload(token, keys, clock.nowMs());
    const caller = callerOf(payload);
    cache.put(authorization, { caller, expiresMs: expiryMs(payload) });
    return caller;
  }

  return {
    known(authorization) {
      const token = authorization === null ? null : cache.get(authorization);
      if (token === null) return null;
      if (clock.nowMs() < token.expiresMs) return token.caller;
      cache.drop(authorization ?? "");
      return null;
    },
    identify(authorization): Later<Caller> {
      if (authorization === null) return anonymous;
      return this.known(authorization, null) ?? verified(authorization);
    },
  };
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

function expiryMs(payload: JWTPayload): number {
  return ((payload.exp ?? 0) + skewSeconds) * 1_000;
}

/** @throws TOKEN_INVALID when a token of ours does not hold what we put into tokens. */
function callerOf(payload: JWTPayload): Caller {
  const { sub, role, claims = {} } = payload;
  if (typeof sub !== "string" || sub === "" || sub.length > 255)
    throw new PlatformError("TOKEN_INVALID");
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
