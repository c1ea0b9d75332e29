import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAuthorizeRequest } from "./authorize-request.ts";
import { pkceChallenge } from "./pkce.ts";
import type { AuthClient } from "../../model/auth-model.ts";

const client: AuthClient = {
  name: "Shop",
  redirects: ["https://shop.example/callback", "http://127.0.0.1/native", "com.shop:/back"],
  logoutRedirects: [],
  secret: null,
  scopes: ["openid", "email"],
  consent: true,
};
const clients = { shop: client };
const good = {
  client_id: "shop",
  redirect_uri: "https://shop.example/callback",
  response_type: "code",
  scope: "openid email",
  state: "s1",
  nonce: "n1",
  code_challenge: pkceChallenge("v".repeat(43)),
  code_challenge_method: "S256",
};

function read(over: Readonly<Record<string, string | null>>, more = "") {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...good, ...over })) {
    if (value !== null) parameters.set(name, value);
  }
  return readAuthorizeRequest(new URLSearchParams(`${parameters.toString()}${more}`), clients);
}

/** `request`, `shown`, or the error that the client is told. */
function outcome(over: Readonly<Record<string, string | null>>, more = ""): string {
  const result = read(over, more);
  return result.kind === "redirect" ? result.error.error : result.kind;
}

test("a request in order is read whole", () => {
  const result = read({
    max_age: "0",
    prompt: "login consent",
    login_hint: "ann",
    ui_locales: "nl",
  });
  assert.equal(result.kind, "request");
  assert.deepEqual(result.kind === "request" && result.request, {
    clientId: "shop",
    redirectUri: "https://shop.example/callback",
    state: "s1",
    scopes: ["openid", "email"],
    nonce: "n1",
    challenge: good.code_challenge,
    prompts: ["login", "consent"],
    maxAgeSeconds: 0,
    loginHint: "ann",
    idTokenHint: null,
  });
});

test("nothing is sent to an address that the client did not declare", () => {
  const attacks = [
    "https://evil.example/callback",
    "https://shop.example/callback/",
    "https://shop.example/callback?next=https://evil.example",
    "https://shop.example/callback#x",
    "https://shop.example/callback/../../evil",
    "https://shop.example.evil.example/callback",
    "https://shop.example@evil.example/callback",
    "https://SHOP.example/callback",
    "http://shop.example/callback",
    "//shop.example/callback",
    "javascript:alert(1)",
    "http://127.0.0.1:99999999/native",
    "http://127.0.0.1:99999/native",
    "http://127.0.0.1.evil.example/native",
    "http://127.0.0.1:80@evil.example/native",
    "http://127.0.0.1:3000/other",
    "http://localhost:3000/native",
    "",
  ];
  for (const redirect_uri of attacks)
    assert.equal(outcome({ redirect_uri }), "shown", redirect_uri);
  assert.equal(outcome({ redirect_uri: null }), "shown");
  assert.equal(outcome({}, "&redirect_uri=https://evil.example/"), "shown");
  assert.equal(outcome({ client_id: "other" }), "shown");
  assert.equal(outcome({ client_id: "constructor" }), "shown");
  assert.equal(outcome({}, "&client_id=other"), "shown");
  // A fault elsewhere does not open the way either.
  assert.equal(outcome({ redirect_uri: "https://evil.example/", response_type: null }), "shown");
});

test("any text at all as redirect_uri is refused unless it is declared", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (redirect_uri) => {
      assert.equal(outcome({ redirect_uri }), "shown");
    }),
  );
});

test("a native app may listen on any port of the loopback address it declared", () => {
  assert.equal(outcome({ redirect_uri: "http://127.0.0.1:51234/native" }), "request");
  assert.equal(outcome({ redirect_uri: "com.shop:/back" }), "request");
});

test("a request without PKCE by S256 is refused, whatever it tries instead", () => {
  for (const over of [
    { code_challenge: null, code_challenge_method: null },
    { code_challenge: "" },
    { code_challenge_method: null },
    { code_challenge_method: "plain" },
    { code_challenge_method: "s256" },
    { code_challenge: "short" },
    { code_challenge: `${good.code_challenge}=` },
  ]) {
    assert.equal(outcome(over), "invalid_request", JSON.stringify(over));
  }
});

test("what the client is told of", () => {
  const table: readonly (readonly [Readonly<Record<string, string | null>>, string])[] = [
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ response_type: "code id_token" }, "unsupported_response_type"],
    [{ response_type: null }, "invalid_request"],
    [{ response_mode: "fragment" }, "invalid_request"],
    [{ response_mode: "form_post" }, "invalid_request"],
    [{ response_mode: "query" }, "request"],
    [{ scope: "email" }, "invalid_scope"],
    [{ scope: null }, "invalid_scope"],
    [{ scope: "openid unheard_of" }, "request"],
    [{ prompt: "none" }, "request"],
    [{ prompt: "none login" }, "invalid_request"],
    [{ prompt: "whatever" }, "invalid_request"],
    [{ max_age: "-1" }, "invalid_request"],
    [{ max_age: "1e3" }, "invalid_request"],
    [{ request: "eyJ" }, "request_not_supported"],
    [{ request_uri: "https://evil.example/" }, "request_uri_not_supported"],
    [{ registration: "{}" }, "registration_not_supported"],
    [{ nonce: "n".repeat(3_000) }, "invalid_request"],
  ];
  for (const [over, expected] of table) assert.equal(outcome(over), expected, JSON.stringify(over));
  assert.equal(outcome({}, "&nonce=other"), "invalid_request");
  assert.equal(outcome({}, "&unknown=1&unknown=2"), "request");
});

test("a scope that the client may not have is left aside", () => {
  const result = read({ scope: "openid profile email admin openid" });
  assert.deepEqual(result.kind === "request" && result.request.scopes, ["openid", "email"]);
});
