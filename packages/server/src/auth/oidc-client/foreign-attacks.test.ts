// Attacks on signing in elsewhere: a provider's answer that is forged, swapped, replayed or about somebody else. Each
// beside the control that the same way, untouched, signs in.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { SceneBrowser } from "../protocol-scene.case.ts";
import {
  clientSecret,
  comeBack,
  inForeignScene,
  leave,
  newPair,
  travel,
  type StubLie,
} from "./foreign-stub.case.ts";

function coded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signedByHmac(claims: unknown, secret: string, kid: string): string {
  const text = `${coded({ alg: "HS256", kid, typ: "JWT" })}.${coded(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

test("an id_token that is forged, old, of the future or for others signs nobody in", () =>
  inForeignScene({}, async (scene, stub) => {
    const now = stub.nowSeconds;
    const foreign = await newPair();
    const lies: Readonly<Record<string, StubLie>> = {
      "signed by another key": {
        token: (it, claims) => it.sign(claims, { key: foreign.privateKey }),
      },
      "signed by another key, under its own name": {
        token: (it, claims) => it.sign(claims, { key: foreign.privateKey, kid: "k2" }),
      },
      "not signed": {
        token: async (_, claims) => `${coded({ alg: "none" })}.${coded(claims)}.`,
      },
      "signed with the client's secret": {
        token: async (it, claims) => signedByHmac(claims, clientSecret, it.kid),
      },
      "signed with the public key as if it were a secret": {
        token: async (it, claims) => signedByHmac(claims, await it.publicPem(), it.kid),
      },
      "with claims changed after it was signed": {
        token: async (it, claims) => {
          const [head, , mark] = (await it.sign(claims)).split(".");
          return `${head}.${coded({ ...claims, sub: "bob-there" })}.${mark}`;
        },
      },
      "none at all": { token: async () => undefined },
      "no token": { token: async () => "x" },
      expired: { claims: { iat: now - 1_000, exp: now - 120 } },
      "without an end": { claims: { exp: undefined } },
      "of the future": { claims: { iat: now + 600, exp: now + 900 } },
      "not valid yet": { claims: { nbf: now + 600 } },
      "for another client": { claims: { aud: "their-client" } },
      "for many, issued to another": { claims: { aud: ["our-client", "theirs"], azp: "theirs" } },
      "for many, issued to nobody": { claims: { aud: ["our-client", "theirs"] } },
      "issued to another": { claims: { azp: "theirs" } },
      "of another issuer": { claims: { iss: "https://evil.example" } },
      "of an issuer that is nearly it": { claims: { iss: "https://id.example/" } },
      "for another sign-in": { claims: { nonce: "another" } },
      "for no sign-in": { claims: { nonce: undefined } },
      "about nobody": { claims: { sub: undefined } },
      "about nobody by an empty name": { claims: { sub: "" } },
    };
    for (const [what, lie] of Object.entries(lies)) {
      const browser = new SceneBrowser();
      const { code, location } = await travel(scene, stub, browser, lie);
      assert.equal(code, "PROVIDER_FAILED", what);
      assert.equal(location, null, what);
      assert.ok(![...browser.jar.keys()].includes("keelson_session"), what);
    }
    assert.deepEqual(await scene.rows("user"), []);
    assert.deepEqual(await scene.rows("authSession"), []);
    assert.equal((await travel(scene, stub, new SceneBrowser())).location, "/tickets");
    assert.equal((await scene.rows("user")).length, 1);
  }));

test("an answer counts in the browser that asked, once, at its provider, and for ten minutes", () =>
  inForeignScene({}, async (scene, stub) => {
    const ann = new SceneBrowser();
    const eve = new SceneBrowser();
    const annLeft = stub.codeFor(await leave(scene, ann));
    const eveLeft = stub.codeFor(await leave(scene, eve));
    const refused = async (who: SceneBrowser, query: Record<string, string>, at = "work") =>
      (await comeBack(scene, who, query, at)).code;
    // Eve's answer in Ann's browser would sign Ann in as Eve; Ann's in Eve's, Eve as Ann.
    assert.equal(await refused(ann, eveLeft), "TICKET_INVALID");
    assert.equal(await refused(eve, annLeft), "TICKET_INVALID");
    assert.equal(await refused(new SceneBrowser(), annLeft), "TICKET_INVALID");
    // The code swapped under the right state: the verifier is another one.
    assert.equal(
      await refused(ann, { state: annLeft.state, code: eveLeft.code }),
      "PROVIDER_FAILED",
    );
    // An answer of another provider than the one asked.
    assert.equal(await refused(ann, annLeft, "other"), "TICKET_INVALID");
    const mixed = { ...annLeft, iss: "https://evil.example" };
    assert.equal(await refused(ann, mixed), "PROVIDER_FAILED");
    for (const state of ["", "x", "a".repeat(43), annLeft.state.slice(0, -1)]) {
      assert.equal(await refused(ann, { state, code: annLeft.code }), "TICKET_INVALID", state);
    }
    assert.deepEqual(await scene.rows("user"), []);
    assert.equal((await comeBack(scene, ann, annLeft)).location, "/tickets");
    assert.equal(await refused(ann, annLeft), "TICKET_INVALID");
    const late = stub.codeFor(await leave(scene, ann));
    scene.clock.ms += 601_000;
    assert.equal(await refused(ann, late), "TICKET_INVALID");
  }));

test("a provider that names itself in every answer is held to it", () =>
  inForeignScene({}, async (scene, stub) => {
    stub.lie = { document: { authorization_response_iss_parameter_supported: true } };
    const browser = new SceneBrowser();
    const left = stub.codeFor(await leave(scene, browser));
    assert.equal((await comeBack(scene, browser, left)).code, "PROVIDER_FAILED");
    const again = stub.codeFor(await leave(scene, browser));
    const named = { ...again, iss: "https://id.example" };
    assert.equal((await comeBack(scene, browser, named)).location, "/tickets");
  }));

test("what comes after signing in stays on this server or on the app's list", () =>
  inForeignScene({ settings: { redirects: ["https://app.example/in/"] } }, async (scene) => {
    const to = (next: string) =>
      scene.ask(
        null,
        `GET /auth/providers/work/start?${new URLSearchParams([["next", next]]).toString()}`,
      );
    for (const next of [
      "https://evil.example/",
      "//evil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/\t/evil.example",
      "https:evil.example",
      "javascript:alert(1)",
      "data:text/html,x",
      "https://app.example.evil.example/in/",
      "https://app.example/out",
      "https://app.example/in/../out",
      "https://eve@app.example/in/",
    ]) {
      assert.equal((await to(next)).code, "REDIRECT_DENIED", next);
    }
    for (const next of ["/", "/a?b=c#d", "https://app.example/in/x"]) {
      assert.equal((await to(next)).code, null, next);
    }
  }));

test("a provider's document leads us to no place but its own and public ones", () =>
  inForeignScene({}, async (scene, stub) => {
    const start = async () => (await scene.ask(null, "GET /auth/providers/work/start")).code;
    const bad = [
      { issuer: "https://evil.example" },
      { token_endpoint: "http://127.0.0.1:9000/token" },
      { token_endpoint: "https://127.0.0.1/token" },
      { token_endpoint: "https://[::1]/token" },
      { jwks_uri: "http://169.254.169.254/latest/meta-data" },
      { jwks_uri: "https://metadata/keys" },
      { jwks_uri: "file:///etc/passwd" },
      { jwks_uri: undefined },
      { userinfo_endpoint: "https://user:word@id.example/userinfo" },
      { authorization_endpoint: "javascript:alert(1)" },
    ];
    for (const document of bad) {
      stub.lie = { document };
      assert.equal(await start(), "PROVIDER_FAILED", JSON.stringify(document));
    }
    assert.ok(stub.fetched.every((url) => url.startsWith("https://id.example/.well-known/")));
    stub.lie = { document: { jwks_uri: "https://keys.example/keys" } };
    assert.equal(await start(), null);
  }));

test("userinfo tells of the person of the id_token only", () =>
  inForeignScene({}, async (scene, stub) => {
    const silent = { email: undefined, email_verified: undefined };
    const about = (sub: string) => ({
      claims: silent,
      userinfo: { sub, email: "ann@example.com", email_verified: true },
    });
    const swapped = await travel(scene, stub, new SceneBrowser(), about("bob-there"));
    assert.equal(swapped.code, "PROVIDER_FAILED");
    assert.deepEqual(await scene.rows("authAccount"), []);
    assert.equal(
      (await travel(scene, stub, new SceneBrowser(), about("ann-there"))).location,
      "/tickets",
    );
    const [account] = await scene.rows("authAccount");
    assert.equal(account?.["email"], "ann@example.com");
  }));
