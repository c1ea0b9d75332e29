import assert from "node:assert/strict";
import { test } from "node:test";
import { createLocalJWKSet, exportJWK, SignJWT } from "jose";
import { documentUrl, readForeignDocument } from "./foreign-document.ts";
import { verifyForeignIdToken } from "./foreign-id-token.ts";
import { newPair } from "./foreign-stub.case.ts";

const microsoft = "https://login.microsoftonline.com/common/v2.0";
const templated = "https://login.microsoftonline.com/{tenantid}/v2.0";

function documentOf(issuer: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    issuer,
    authorization_endpoint: "https://id.example/authorize",
    token_endpoint: "https://id.example/token",
    jwks_uri: "https://id.example/keys",
    ...more,
  };
}

test("the document of an issuer is below it, whether it ends in a slash or not", () => {
  const expected = "https://id.example/a/.well-known/openid-configuration";
  assert.equal(documentUrl("https://id.example/a"), expected);
  assert.equal(documentUrl("https://id.example/a/"), expected);
});

test("an issuer with a word for the tenant is Microsoft's alone", () => {
  assert.equal(readForeignDocument(documentOf(templated), microsoft).issuer, templated);
  for (const [issuer, named] of [
    ["https://id.example", "https://id.example/{tenantid}"],
    ["https://login.microsoftonline.com.evil.example/common/v2.0", templated],
    ["https://id.example", templated],
  ] as const) {
    assert.throws(() => readForeignDocument(documentOf(named), issuer), /./v, issuer);
  }
});

test("Microsoft's personal accounts are of one tenant", () => {
  const named = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
  const issuer = microsoft.replace("common", "consumers");
  assert.equal(readForeignDocument(documentOf(named), issuer).issuer, named);
  assert.throws(() => readForeignDocument(documentOf(named), "https://id.example"), /./v);
});

test("an address at Microsoft counts by the word of its domain's owner only", async () => {
  const pair = await newPair();
  const key = { ...(await exportJWK(pair.publicKey)), kid: "k", alg: "ES256" };
  const keys = createLocalJWKSet({ keys: [key] });
  const nowMs = 1_800_000_000_000;
  const now = nowMs / 1_000;
  const isVerified = async (issuer: string, claims: Readonly<Record<string, unknown>>) => {
    const said = { sub: "ann", aud: "us", iat: now, exp: now + 60, nonce: "n", tid: "one" };
    const token = await new SignJWT({ ...said, iss: issuer, email: "a@example.com", ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "k" })
      .sign(pair.privateKey);
    const document = { issuer };
    const expected = { document, clientId: "us", nonce: "n", nowMs };
    return (await verifyForeignIdToken(token, keys, expected)).emailVerified;
  };
  const tenant = "https://login.microsoftonline.com/one/v2.0";
  assert.equal(await isVerified(tenant, { email_verified: true }), false);
  for (const xms_edov of [false, "false", 0, "0", null]) {
    assert.equal(await isVerified(tenant, { xms_edov, email_verified: true }), false);
  }
  for (const xms_edov of [true, "true", 1, "1"]) {
    assert.equal(await isVerified(tenant, { xms_edov }), true);
  }
  assert.equal(await isVerified("https://id.example", { xms_edov: true }), false);
  assert.equal(await isVerified("https://id.example", { email_verified: true }), true);
});

test("a token of a tenant names that tenant's issuer, and no other", async () => {
  const pair = await newPair();
  const keys = createLocalJWKSet({
    keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k", alg: "ES256" }],
  });
  const nowMs = 1_800_000_000_000;
  const now = nowMs / 1_000;
  const subjectOf = async (claims: Readonly<Record<string, unknown>>): Promise<string | null> => {
    const said = { sub: "ann", aud: "us", iat: now, exp: now + 60, nonce: "n", ...claims };
    const token = await new SignJWT(said)
      .setProtectedHeader({ alg: "ES256", kid: "k" })
      .sign(pair.privateKey);
    const document = { issuer: templated };
    const expected = { document, clientId: "us", nonce: "n", nowMs };
    return verifyForeignIdToken(token, keys, expected).then(
      ({ subject }) => subject,
      () => null,
    );
  };
  const of = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
  assert.equal(await subjectOf({ iss: of("one"), tid: "one" }), "ann");
  assert.equal(await subjectOf({ iss: of("two"), tid: "one" }), null);
  assert.equal(await subjectOf({ iss: of("one") }), null);
  assert.equal(await subjectOf({ iss: templated, tid: "{tenantid}" }), null);
  assert.equal(await subjectOf({ iss: "https://evil.example/v2.0", tid: "one" }), null);
});

test("a client's secret is shown as the provider wants it", () => {
  const read = (methods: unknown) =>
    readForeignDocument(
      documentOf("https://id.example", { token_endpoint_auth_methods_supported: methods }),
      "https://id.example",
    ).secretIn;
  assert.equal(read(undefined), "header");
  assert.equal(read(["client_secret_post", "client_secret_basic"]), "header");
  assert.equal(read(["client_secret_post"]), "body");
});
