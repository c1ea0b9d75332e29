import assert from "node:assert/strict";
import { test } from "node:test";
import { decideAuthorize, type AuthorizeFacts } from "./authorize-decision.ts";
import type { AuthorizeRequest } from "./authorize-request.ts";
import type { ProviderClient } from "./provider-client.ts";

const client: ProviderClient = {
  id: "shop",
  name: "Shop",
  redirects: ["https://shop.example/callback"],
  logoutRedirects: [],
  secret: null,
  scopes: ["openid", "email"],
  consent: true,
};
const request: AuthorizeRequest = {
  clientId: "shop",
  redirectUri: "https://shop.example/callback",
  state: null,
  scopes: ["openid", "email"],
  nonce: null,
  challenge: "c".repeat(43),
  prompts: [],
  maxAgeSeconds: null,
  loginHint: null,
  idTokenHint: null,
};
const nowMs = 1_800_000_000_000;
const ann = { userId: "user_ann", authAtMs: nowMs - 60_000 };
const justNow = { userId: "user_ann", authAtMs: nowMs - 10 };

function step(over: Partial<AuthorizeFacts>, asked: Partial<AuthorizeRequest> = {}): string {
  const decided = decideAuthorize({
    client,
    arrivedMs: nowMs - 1_000,
    nowMs,
    signedIn: ann,
    consented: false,
    granted: ["openid", "email"],
    hinted: null,
    ...over,
    request: { ...request, ...asked },
  });
  return decided.kind === "refuse" ? decided.error.error : decided.kind;
}

test("a code is issued to somebody who is signed in and consented", () => {
  assert.equal(step({}), "issue");
  assert.equal(step({ granted: [], consented: true }), "issue");
});

test("what each prompt makes of each state", () => {
  const table: readonly (readonly [Partial<AuthorizeFacts>, Partial<AuthorizeRequest>, string])[] =
    [
      [{ signedIn: null }, {}, "signIn"],
      [{ signedIn: null }, { prompts: ["none"] }, "login_required"],
      [{ granted: [] }, {}, "consent"],
      [{ granted: ["openid"] }, {}, "consent"],
      [{ granted: [] }, { prompts: ["none"] }, "consent_required"],
      [{}, { prompts: ["none"] }, "issue"],
      [{}, { prompts: ["consent"] }, "consent"],
      [{ consented: true }, { prompts: ["consent"] }, "issue"],
      [{}, { prompts: ["login"] }, "signIn"],
      [{ signedIn: justNow }, { prompts: ["login"] }, "issue"],
      [{}, { prompts: ["select_account"] }, "signIn"],
      [{ signedIn: justNow }, { prompts: ["login", "consent"] }, "consent"],
      // Consent does not stand in for signing in again.
      [{ consented: true }, { prompts: ["login"] }, "signIn"],
      [{}, { maxAgeSeconds: 61 }, "issue"],
      [{}, { maxAgeSeconds: 60 }, "issue"],
      [{}, { maxAgeSeconds: 59 }, "signIn"],
      [{}, { maxAgeSeconds: 0 }, "signIn"],
      [{ signedIn: justNow }, { maxAgeSeconds: 0 }, "issue"],
      [{}, { maxAgeSeconds: 59, prompts: ["none"] }, "login_required"],
      [{ hinted: "user_ann" }, {}, "issue"],
      [{ hinted: "user_bob" }, {}, "signIn"],
      [{ hinted: "user_bob" }, { prompts: ["none"] }, "login_required"],
      // Somebody else signed in just now is still not the one expected.
      [{ hinted: "user_bob", signedIn: justNow }, {}, "login_required"],
    ];
  for (const [facts, asked, expected] of table) {
    assert.equal(step(facts, asked), expected, JSON.stringify([facts, asked]));
  }
});

test("the app's own clients need no consent, unless they ask for it", () => {
  const trusted = { ...client, consent: false };
  assert.equal(step({ client: trusted, granted: [] }), "issue");
  assert.equal(step({ client: trusted, granted: [] }, { prompts: ["none"] }), "issue");
  assert.equal(step({ client: trusted }, { prompts: ["consent"] }), "consent");
});
