// Tokens of every wrong kind, made with the app's own keys: each differs from a good one in one thing.
import { createHash, createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { TokenKeys } from "../auth/token-keys.ts";
import { signToken } from "../auth/token-sign.ts";
import type { AttackSubject, BadToken } from "../engineer/attack/attack-target.ts";

const tokenMs = 3_600_000;

/** Tokens of every wrong kind for somebody who exists. */
export async function attackBadTokens(
  keys: TokenKeys,
  subject: AttackSubject,
  nowMs: number,
): Promise<readonly BadToken[]> {
  const { user, role, claims } = subject;
  const good = await signToken(keys, { user, role, claims, ttlMs: tokenMs }, nowMs);
  const old = { user, role, claims, ttlMs: 60_000 };
  const [head = "", payload = "", signature = ""] = good.split(".");
  const seconds = Math.floor(nowMs / 1_000);
  const body = { sub: user, role, claims, iss: keys.issuer, aud: keys.issuer };
  const times = { iat: seconds, exp: seconds + 3_600 };
  const publicJwk = keys.signing.publicKey.export({ format: "jwk" });
  const publicPem = keys.signing.publicKey.export({ format: "pem", type: "spki" });
  const foreign = generateKeyPairSync("ed25519").privateKey;
  const { kid } = keys.signing;
  const own = (claimed: object, header: object = { alg: "EdDSA", typ: "JWT", kid }) =>
    signedWith(keys.signing.privateKey, header, claimed);
  const hmac = (secret: string) =>
    hmacToken({ alg: "HS256", typ: "JWT", kid }, { ...body, ...times }, secret);
  const list: readonly (readonly [kind: string, token: string])[] = [
    ["expired", await signToken(keys, old, nowMs - 7_200_000)],
    ["not valid yet", own({ ...body, ...times, nbf: seconds + 3_600 })],
    ["alg none", `${b64({ alg: "none", typ: "JWT" })}.${b64({ ...body, ...times })}.`],
    ["alg none, with kid", `${b64({ alg: "none", typ: "JWT", kid })}.${payload}.${signature}`],
    ["HS256 keyed with the public key", hmac(publicPem)],
    ["HS256 keyed with the public key's bytes", hmac(String(publicJwk.x))],
    ["HS256 keyed with nothing", hmac("")],
    [
      "signed by another key",
      signedWith(foreign, { alg: "EdDSA", typ: "JWT", kid }, { ...body, ...times }),
    ],
    [
      "signed by another key, its own kid",
      signedWith(foreign, { alg: "EdDSA", typ: "JWT", kid: "other" }, { ...body, ...times }),
    ],
    [
      "key in the header",
      signedWith(
        foreign,
        { alg: "EdDSA", typ: "JWT", jwk: createPublic(foreign) },
        { ...body, ...times },
      ),
    ],
    [
      "payload changed after signing",
      `${head}.${b64({ ...body, ...times, role: "admin" })}.${signature}`,
    ],
    ["signature cut off", `${head}.${payload}.`],
    [
      "signature of another token",
      `${head}.${payload}.${createHash("sha512").update(good).digest("base64url")}`,
    ],
    ["of another app (issuer)", own({ ...body, ...times, iss: "urn:keelson:other" })],
    ["for another app (audience)", own({ ...body, ...times, aud: "urn:keelson:other" })],
    ["without expiry", own({ ...body, iat: seconds })],
    ["without subject", own({ role, claims, iss: keys.issuer, aud: keys.issuer, ...times })],
    ["subject is a number", own({ ...body, ...times, sub: 1 })],
    ["role is a list", own({ ...body, ...times, role: ["admin"] })],
    [
      "claims replace id",
      own({ ...body, ...times, claims: { id: "user_00000000000000000000000000" } }),
    ],
    ["claims replace role", own({ ...body, ...times, claims: { role: "admin" } })],
    ["of another type (typ)", own({ ...body, ...times }, { alg: "EdDSA", typ: "at+jwt", kid })],
  ];
  return [
    ...list.map(([kind, token]) => ({ kind, authorization: `Bearer ${token}` })),
    { kind: "empty", authorization: "Bearer " },
    { kind: "no scheme", authorization: good },
    { kind: "Basic scheme", authorization: `Basic ${good}` },
    { kind: "no token at all", authorization: "Bearer a.b.c" },
    { kind: "two tokens", authorization: `Bearer ${good}, Bearer ${good}` },
    {
      kind: "too long",
      authorization: `Bearer ${head}.${payload}${"A".repeat(9_000)}.${signature}`,
    },
  ];
}

function createPublic(key: KeyObject): object {
  const { kty, crv, x } = key.export({ format: "jwk" });
  return { kty, crv, x };
}

function signedWith(key: KeyObject, header: object, payload: object): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

function hmacToken(header: object, payload: object, secret: string): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function b64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
