// Tokens at the door, with the attacks on them. Whoever brings one without a session is known by it alone: no row is
// read for them.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous } from "../gate/identity.ts";
import { defaultAuth } from "../model/auth-model.ts";
import { commitMarkMemory, openCommitMark } from "../store/commit-mark.ts";
import { openAppIdentity, type AppIdentity, type AppIdentityParts } from "./app-identity.ts";
import { openAuthSecrets } from "./auth-secrets.ts";
import { openTokenKeys, type TokenKeys } from "./token-keys.ts";
import { signToken } from "./token-sign.ts";

const startMs = 1_800_000_000_000;

function memoryDisk(files = new Map<string, Uint8Array>()): Pick<Disk, "read" | "writeAtomically"> {
  return {
    read: (path) => files.get(path) ?? null,
    writeAtomically(path, bytes, mode) {
      assert.equal(mode, 0o600);
      files.set(path, Buffer.from(bytes));
    },
  };
}

function randomOf(seed: number) {
  let next = seed;
  return {
    bytes: (count: number) => new Uint8Array(count).map(() => (next = (next * 31 + 7) & 255)),
  };
}

function open(seed = 1) {
  const clock = { ms: startMs, nowMs: () => clock.ms, monotonicUs: () => 0, after: () => () => {} };
  const disk = memoryDisk() as Disk;
  const keys = openTokenKeys({ disk, path: "/data/tokens.json", random: randomOf(seed) });
  return { clock, keys, identity: identityOf({ keys, clock, limits }) };
}

/** The identity of an app without tables and with the settings that apps begin with. */
function identityOf(parts: Pick<AppIdentityParts, "keys" | "clock" | "limits">): AppIdentity {
  return openAppIdentity({
    ...parts,
    secrets: openAuthSecrets(parts.keys, randomOf(5)),
    manifest: { version: 1, tables: {}, functions: {}, invariants: [], cors: [], hash: "test" },
    settings: defaultAuth,
    store: { read: () => assert.fail("no row is read for a token without a session") },
    marks: openCommitMark(commitMarkMemory()),
    isSecure: false,
    used: () => assert.fail("neither a session nor a key was used"),
  });
}

const subject = { user: "user_1", role: "staff", ttlMs: 60_000 };

function claimsOf(keys: TokenKeys, over: Record<string, unknown> = {}) {
  const seconds = startMs / 1_000;
  return {
    sub: "user_1",
    role: "staff",
    claims: {},
    iss: keys.issuer,
    aud: keys.issuer,
    iat: seconds,
    exp: seconds + 60,
    ...over,
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token with any header and payload, signed with the app's own key unless told. */
function forged(
  keys: TokenKeys,
  header: Record<string, unknown>,
  payload: unknown,
  signature?: (input: string) => Buffer,
): string {
  const full = { alg: "EdDSA", typ: "JWT", kid: keys.signing.kid, ...header };
  const input = `${encode(full)}.${encode(payload)}`;
  const made = signature?.(input) ?? sign(null, Buffer.from(input), keys.signing.privateKey);
  return `Bearer ${input}.${made.toString("base64url")}`;
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    assert.deepEqual(error.details, {});
    return error.code;
  }
  return "accepted";
}

test("a signed token tells the caller, and the same caller every time", async () => {
  const { keys, identity, clock } = open();
  const token = await signToken(keys, { ...subject, claims: { team: "north" } }, clock.ms);
  const caller = await identity.identify(`Bearer ${token}`, null);
  assert.deepEqual(caller.me, { id: "user_1", role: "staff", team: "north" });
  assert.equal(caller.id, "user_1");
  assert.equal(caller.role, "staff");
  assert.ok(Object.isFrozen(caller.me));
  assert.equal(identity.identify(`Bearer ${token}`, null), caller);
  assert.equal(identity.known(`Bearer ${token}`, null), caller);
});

test("no credentials are nobody in particular", () => {
  const { identity } = open();
  assert.equal(identity.identify(null, null), anonymous);
  assert.equal(identity.identify(null, "keelson_session=whatever"), anonymous);
});

test("a token ends when it says, also one that was verified before", async () => {
  const { keys, identity, clock } = open();
  const token = `Bearer ${await signToken(keys, subject, clock.ms)}`;
  await identity.identify(token, null);
  clock.ms = startMs + 64_000;
  assert.equal(await codeOf(() => identity.identify(token, null)), "accepted");
  clock.ms = startMs + 65_000;
  assert.equal(identity.known(token, null), null);
  assert.equal(await codeOf(() => identity.identify(token, null)), "TOKEN_EXPIRED");
  assert.equal(await codeOf(() => open().identity.identify(token, null)), "accepted");
});

test("keys are kept, so tokens outlive a restart", async () => {
  const files = new Map<string, Uint8Array>();
  const disk = memoryDisk(files) as Disk;
  const options = { disk, path: "/data/tokens.json", random: randomOf(3) };
  const token = await signToken(openTokenKeys(options), subject, startMs);
  const clock = { nowMs: () => startMs, monotonicUs: () => 0, after: () => () => {} };
  const keys = openTokenKeys({ ...options, random: randomOf(9) });
  const identity = identityOf({ keys, clock, limits });
  assert.equal(await codeOf(() => identity.identify(`Bearer ${token}`, null)), "accepted");
  files.set("/data/tokens.json", Buffer.from("{}"));
  assert.equal(await codeOf(() => openTokenKeysCoded(options)), "STORE_FAILED");
});

function openTokenKeysCoded(options: Parameters<typeof openTokenKeys>[0]): void {
  try {
    openTokenKeys(options);
  } catch (error) {
    assert.ok(error instanceof PlatformError);
    throw new PlatformError(error.code, {});
  }
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("ed25519");
const seconds = startMs / 1_000;

/** Attacks: what is sent, and the code that it gets. */
const attacks: readonly (readonly [
  name: string,
  send: (keys: TokenKeys) => string | Promise<string>,
  code: string,
])[] = [
  ["control: our own forging makes good tokens", (k) => forged(k, {}, claimsOf(k)), "accepted"],
  [
    "no algorithm",
    (k) => forged(k, { alg: "none" }, claimsOf(k), () => Buffer.from("")),
    "TOKEN_INVALID",
  ],
  ["no algorithm, signed", (k) => forged(k, { alg: "none" }, claimsOf(k)), "TOKEN_INVALID"],
  [
    "the public key as an HMAC secret",
    (k) =>
      forged(k, { alg: "HS256" }, claimsOf(k), (input) => {
        const secret = k.signing.publicKey.export({ format: "pem", type: "spki" });
        return createHmac("sha256", secret).update(input).digest();
      }),
    "TOKEN_INVALID",
  ],
  [
    "RSA with a key of the attacker",
    (k) =>
      forged(
        k,
        { alg: "RS256", jwk: rsa.publicKey.export({ format: "jwk" }) },
        claimsOf(k),
        (input) => sign("sha256", Buffer.from(input), rsa.privateKey),
      ),
    "TOKEN_INVALID",
  ],
  [
    "another Ed25519 key under our kid",
    (k) => forged(k, {}, claimsOf(k), (input) => sign(null, Buffer.from(input), other.privateKey)),
    "TOKEN_INVALID",
  ],
  [
    "another key that brings itself",
    (k) =>
      forged(
        k,
        {
          kid: "x",
          jwk: other.publicKey.export({ format: "jwk" }),
          jku: "https://attacker.example/",
        },
        claimsOf(k),
        (input) => sign(null, Buffer.from(input), other.privateKey),
      ),
    "TOKEN_INVALID",
  ],
  ["an unknown kid", (k) => forged(k, { kid: "x" }, claimsOf(k)), "TOKEN_INVALID"],
  ["no kid", (k) => forged(k, { kid: undefined }, claimsOf(k)), "TOKEN_INVALID"],
  [
    "a critical header nobody knows",
    (k) => forged(k, { crit: ["x"], x: 1 }, claimsOf(k)),
    "TOKEN_INVALID",
  ],
  ["another type of token", (k) => forged(k, { typ: "at+jwt" }, claimsOf(k)), "TOKEN_INVALID"],
  ["another audience", (k) => forged(k, {}, claimsOf(k, { aud: "urn:other" })), "TOKEN_INVALID"],
  ["another issuer", (k) => forged(k, {}, claimsOf(k, { iss: "urn:other" })), "TOKEN_INVALID"],
  ["no audience", (k) => forged(k, {}, claimsOf(k, { aud: undefined })), "TOKEN_INVALID"],
  ["expired", (k) => forged(k, {}, claimsOf(k, { exp: seconds - 10 })), "TOKEN_EXPIRED"],
  ["never expires", (k) => forged(k, {}, claimsOf(k, { exp: undefined })), "TOKEN_INVALID"],
  [
    "an expiry that is no number",
    (k) => forged(k, {}, claimsOf(k, { exp: "9999999999" })),
    "TOKEN_INVALID",
  ],
  ["not valid yet", (k) => forged(k, {}, claimsOf(k, { nbf: seconds + 60 })), "TOKEN_INVALID"],
  ["nobody", (k) => forged(k, {}, claimsOf(k, { sub: undefined })), "TOKEN_INVALID"],
  ["an empty user", (k) => forged(k, {}, claimsOf(k, { sub: "" })), "TOKEN_INVALID"],
  ["a session that is a number", (k) => forged(k, {}, claimsOf(k, { sid: 1 })), "TOKEN_INVALID"],
  ["a user that is a number", (k) => forged(k, {}, claimsOf(k, { sub: 1 })), "TOKEN_INVALID"],
  [
    "a role that is a list",
    (k) => forged(k, {}, claimsOf(k, { role: ["staff"] })),
    "TOKEN_INVALID",
  ],
  [
    "claims that replace the id",
    (k) => forged(k, {}, claimsOf(k, { claims: { id: "user_2" } })),
    "TOKEN_INVALID",
  ],
  [
    "claims that replace the role",
    (k) => forged(k, {}, claimsOf(k, { claims: { role: "x" } })),
    "TOKEN_INVALID",
  ],
  ["claims that are a list", (k) => forged(k, {}, claimsOf(k, { claims: [1] })), "TOKEN_INVALID"],
  [
    "a changed payload under the old signature",
    async (k) => {
      const [header, , signature] = (await signToken(k, subject, startMs)).split(".");
      return `Bearer ${header}.${encode(claimsOf(k, { role: "admin" }))}.${signature}`;
    },
    "TOKEN_INVALID",
  ],
  [
    "a signature with a bit turned",
    async (k) => {
      const token = await signToken(k, subject, startMs);
      const at = token.length - 10;
      return `Bearer ${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    },
    "TOKEN_INVALID",
  ],
  [
    "a token of another app",
    () => signToken(open(77).keys, subject, startMs).then((token) => `Bearer ${token}`),
    "TOKEN_INVALID",
  ],
  [
    "the same key with an issuer of another app",
    async (k) => {
      const jwt = new SignJWT({ role: "admin" }).setProtectedHeader({
        alg: "EdDSA",
        typ: "JWT",
        kid: k.signing.kid,
      });
      const signed = jwt
        .setSubject("user_1")
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 60);
      return `Bearer ${await signed.setIssuer("x").setAudience("x").sign(k.signing.privateKey)}`;
    },
    "TOKEN_INVALID",
  ],
  [
    "two tokens",
    async (k) => {
      const token = await signToken(k, subject, startMs);
      return `Bearer ${token}, Bearer ${token}`;
    },
    "TOKEN_INVALID",
  ],
  [
    "a token with something behind",
    async (k) => `Bearer ${await signToken(k, subject, startMs)} x`,
    "TOKEN_INVALID",
  ],
  ["oversize", () => `Bearer ${"a".repeat(limits.tokenCharsMax)}.b.c`, "TOKEN_INVALID"],
  ["another scheme", () => "Basic dXNlcjpwYXNz", "TOKEN_INVALID"],
  ["garbage", () => "\u0000\uffff", "TOKEN_INVALID"],
  ["empty", () => "", "TOKEN_INVALID"],
  ["dots", () => "Bearer ...", "TOKEN_INVALID"],
  ["no JSON", () => "Bearer AAAA.AAAA.AAAA", "TOKEN_INVALID"],
];

for (const [name, send, code] of attacks) {
  test(`token attack: ${name}`, async () => {
    const { keys, identity } = open();
    const authorization = await send(keys);
    assert.equal(await codeOf(() => identity.identify(authorization, null)), code);
    if (code !== "accepted") assert.equal(identity.known(authorization, null), null);
  });
}

test("known tokens are bounded, and a known token is cheap", async () => {
  const clock = { nowMs: () => startMs, monotonicUs: () => 0, after: () => () => {} };
  const { keys } = open();
  const small = { ...limits, tokenCacheMax: 4 };
  const identity = identityOf({ keys, clock, limits: small });
  const tokens: string[] = [];
  for (let user = 0; user < 10; user++) {
    tokens.push(`Bearer ${await signToken(keys, { ...subject, user: `user_${user}` }, startMs)}`);
  }
  for (const token of tokens) await identity.identify(token, null);
  const kept = tokens.filter((token) => identity.known(token, null) !== null);
  assert.ok(kept.length <= 4, `${kept.length} kept`);
  assert.ok(kept.includes(tokens.at(-1) ?? ""));
});
