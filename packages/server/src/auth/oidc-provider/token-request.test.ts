import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthClient } from "../../model/auth-model.ts";
import { OAuthError } from "./oauth-error.ts";
import { isPkceChallenge, isPkceVerifier, pkceChallenge } from "./pkce.ts";
import { authenticateClient } from "./provider-client.ts";
import { readClientCredentials, readRevocation, readTokenGrant } from "./token-request.ts";

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof OAuthError, String(error));
    return error.error;
  }
  return "accepted";
}

const secret = "a secret: with 50% odd + signs";
const base: AuthClient = {
  name: "Shop",
  redirects: [],
  logoutRedirects: [],
  secret: "SHOP_SECRET",
  scopes: ["openid"],
  consent: true,
};
const clients = {
  shop: base,
  phone: { ...base, secret: null },
  forgotten: { ...base, secret: "NOT_SET" },
  empty: { ...base, secret: "EMPTY" },
};
const secrets: Readonly<Record<string, string>> = { SHOP_SECRET: secret, EMPTY: "" };

function basic(id: string, secret: string): string {
  const text = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

function client(form: Record<string, string>, authorization: string | null): string {
  const run = () =>
    authenticateClient(
      clients,
      readClientCredentials(new URLSearchParams(form), authorization),
      (name) => secrets[name] ?? null,
    );
  return errorOf(run) === "accepted" ? run().id : errorOf(run);
}

test("a client shows who it is by one method, with its own secret", () => {
  assert.equal(client({}, basic("shop", secret)), "shop");
  assert.equal(client({ client_id: "shop", client_secret: secret }, null), "shop");
  assert.equal(client({ client_id: "phone" }, null), "phone");
  assert.equal(client({ client_id: "shop" }, basic("shop", secret)), "shop");
});

test("no other way in", () => {
  assert.equal(client({}, null), "invalid_client");
  assert.equal(client({ client_id: "nobody" }, null), "invalid_client");
  assert.equal(client({ client_id: "shop" }, null), "invalid_client");
  assert.equal(client({ client_id: "shop", client_secret: "wrong" }, null), "invalid_client");
  assert.equal(client({ client_id: "phone", client_secret: "any" }, null), "invalid_client");
  assert.equal(client({}, basic("shop", "wrong")), "invalid_client");
  assert.equal(client({}, basic("shop", "")), "invalid_client");
  assert.equal(client({}, "Basic %%%"), "invalid_client");
  assert.equal(client({}, "Bearer token"), "invalid_client");
  assert.equal(client({ client_secret: secret }, basic("shop", secret)), "invalid_request");
  assert.equal(client({ client_id: "phone" }, basic("shop", secret)), "invalid_request");
  // A secret that is not set where the server runs makes no client public.
  assert.equal(client({ client_id: "forgotten" }, null), "invalid_client");
  assert.equal(client({}, basic("forgotten", "")), "invalid_client");
  assert.equal(client({}, basic("empty", "")), "invalid_client");
});

test("grants are read, and what is doubled or missing is refused", () => {
  const form = (text: string) => new URLSearchParams(text);
  assert.deepEqual(readTokenGrant(form("grant_type=refresh_token&refresh_token=r&scope=a%20b")), {
    kind: "refresh",
    token: "r",
    scopes: ["a", "b"],
  });
  const table = [
    ["grant_type=authorization_code&code=c&redirect_uri=u&code_verifier=v", "accepted"],
    ["grant_type=authorization_code&code=c&redirect_uri=u", "invalid_request"],
    ["grant_type=authorization_code&code=c&code_verifier=v", "invalid_request"],
    [
      "grant_type=authorization_code&code=c&code=d&redirect_uri=u&code_verifier=v",
      "invalid_request",
    ],
    ["grant_type=password&username=a&password=b", "unsupported_grant_type"],
    ["grant_type=client_credentials", "unsupported_grant_type"],
    ["code=c", "invalid_request"],
    [`grant_type=refresh_token&refresh_token=${"r".repeat(5_000)}`, "invalid_request"],
  ] as const;
  for (const [text, expected] of table) {
    assert.equal(
      errorOf(() => readTokenGrant(form(text))),
      expected,
      text.slice(0, 100),
    );
  }
  assert.equal(readRevocation(form("token=t&token_type_hint=refresh_token")), "t");
  assert.equal(
    errorOf(() => readRevocation(form(""))),
    "invalid_request",
  );
});

test("challenges are those of RFC 7636", () => {
  // Appendix B.
  const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  assert.ok(isPkceVerifier(verifier));
  assert.equal(pkceChallenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  assert.ok(isPkceChallenge(pkceChallenge(verifier)));
  for (const text of ["", "short", `${"v".repeat(42)}!`, "v".repeat(129)]) {
    assert.ok(!isPkceVerifier(text), text);
  }
});
