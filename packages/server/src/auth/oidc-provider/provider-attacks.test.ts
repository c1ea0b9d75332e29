// Attacks on the provider: each with the control that shows that the same request, untouched, works.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";
import { verifyToken } from "../token-verify.ts";
import { pkceChallenge } from "./pkce.ts";

const redirectUri = "https://shop.example/callback";
const verifier = "v".repeat(50);
const base = {
  name: "Shop",
  redirects: [redirectUri, "https://shop.example/other"],
  logoutRedirects: [],
  secret: null,
  scopes: ["openid", "email", "offline_access"],
  consent: false,
};

async function inScene(run: (scene: ProtocolScene) => Promise<void>): Promise<void> {
  const clients = {
    shop: base,
    other: { ...base, name: "Other" },
    asking: { ...base, consent: true },
  };
  const settings = { clients, secondFactorFor: ["staff"] };
  const scene = await openProtocolScene({ settings });
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

function authorizeLine(over: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    client_id: "shop",
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid email offline_access",
    state: "s",
    nonce: "n",
    code_challenge: pkceChallenge(verifier),
    code_challenge_method: "S256",
    ...over,
  });
  return `GET /auth/oidc/authorize?${query.toString()}`;
}

async function signedIn(scene: ProtocolScene, email = "ann@example.com") {
  const browser = new SceneBrowser();
  const { user } = await scene.comeIn(browser, { email });
  return { browser, user: user as string };
}

async function codeFor(scene: ProtocolScene, browser: SceneBrowser): Promise<string> {
  const { location } = await scene.ask(browser, authorizeLine());
  return new URL(location ?? "").searchParams.get("code") ?? "";
}

async function redeem(
  scene: ProtocolScene,
  code: string,
  over: Readonly<Record<string, string | null>> = {},
) {
  const form = {
    grant_type: "authorization_code",
    client_id: "shop",
    redirect_uri: redirectUri,
    code_verifier: verifier,
    code,
    ...over,
  };
  const body = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== null));
  const { status, json } = await scene.ask(null, "POST /auth/oidc/token", { body, isForm: true });
  return { status, error: (json["error"] ?? null) as string | null, json };
}

async function refresh(
  scene: ProtocolScene,
  token: unknown,
  over: Readonly<Record<string, string>> = {},
) {
  const body = {
    grant_type: "refresh_token",
    client_id: "shop",
    refresh_token: token as string,
    ...over,
  };
  const { status, json } = await scene.ask(null, "POST /auth/oidc/token", { body, isForm: true });
  return { status, error: (json["error"] ?? null) as string | null, json };
}

async function userinfo(scene: ProtocolScene, token: unknown): Promise<number> {
  const authorization = `Bearer ${String(token)}`;
  return (await scene.ask(null, "GET /auth/oidc/userinfo", { authorization })).status;
}

test("a code that comes again is refused, and ends what the first one got", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const code = await codeFor(scene, browser);
    const first = await redeem(scene, code);
    assert.equal(first.status, 200);
    assert.equal(await userinfo(scene, first.json["access_token"]), 200);
    assert.equal((await redeem(scene, code)).error, "invalid_grant");
    assert.equal(await userinfo(scene, first.json["access_token"]), 401);
    assert.equal((await refresh(scene, first.json["refresh_token"])).error, "invalid_grant");
    const kinds = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.ok(kinds.includes("codeReplayed"));
  }));

test("of many who redeem one code at once, none is left with tokens that hold", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const code = await codeFor(scene, browser);
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => redeem(scene, code)));
    assert.equal(all.filter(({ status }) => status === 200).length, 1);
    const [won] = all.filter(({ status }) => status === 200);
    assert.equal(await userinfo(scene, won?.json["access_token"]), 401);
  }));

test("a code serves its client, with its redirect_uri and verifier, for a minute", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const attacks: readonly Readonly<Record<string, string | null>>[] = [
      { client_id: "other" },
      { redirect_uri: "https://shop.example/other" },
      { code_verifier: "w".repeat(50) },
      { code_verifier: pkceChallenge(verifier) },
    ];
    for (const over of attacks) {
      const code = await codeFor(scene, browser);
      assert.equal((await redeem(scene, code, over)).error, "invalid_grant", JSON.stringify(over));
      // And then it is gone for its owner too: somebody has it who should not.
      assert.equal((await redeem(scene, code)).error, "invalid_grant");
    }
    for (const over of [{ code_verifier: null }, { redirect_uri: null }]) {
      const code = await codeFor(scene, browser);
      assert.equal(
        (await redeem(scene, code, over)).error,
        "invalid_request",
        JSON.stringify(over),
      );
      assert.equal((await redeem(scene, code)).status, 200);
    }
    const late = await codeFor(scene, browser);
    scene.clock.ms += 61_000;
    assert.equal((await redeem(scene, late)).error, "invalid_grant");
    for (const forged of ["", "x", `auth_ticket_${"0".repeat(26)}.${"a".repeat(43)}`]) {
      assert.notEqual((await redeem(scene, forged)).error, null);
    }
  }));

test("no code without PKCE, so none can be downgraded", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    for (const over of [{ code_challenge_method: "plain" }, { code_challenge: "" }]) {
      const { location } = await scene.ask(browser, authorizeLine(over));
      const back = new URL(location ?? "");
      assert.equal(back.searchParams.get("error"), "invalid_request");
      assert.equal(back.searchParams.get("code"), null);
    }
  }));

test("an address that was not declared gets nothing at all", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    for (const over of [
      { redirect_uri: "https://evil.example/" },
      { redirect_uri: `${redirectUri}/../x` },
      { redirect_uri: "https://shop.example@evil.example/callback" },
      { client_id: "nobody" },
    ]) {
      const { code, location } = await scene.ask(browser, authorizeLine(over));
      assert.equal(code, "REQUEST_INVALID");
      assert.equal(location, null);
    }
  }));

test("a refresh token that was used before ends the sign-in", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const first = await redeem(scene, await codeFor(scene, browser));
    const second = await refresh(scene, first.json["refresh_token"]);
    assert.equal(second.status, 200);
    assert.equal((await refresh(scene, first.json["refresh_token"])).error, "invalid_grant");
    assert.equal((await refresh(scene, second.json["refresh_token"])).error, "invalid_grant");
    assert.equal(await userinfo(scene, second.json["access_token"]), 401);
    const kinds = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.ok(kinds.includes("refreshReused"));
  }));

test("a refresh token serves its client and no wider scope, and can't be made", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const { json } = await redeem(scene, await codeFor(scene, browser));
    const token = json["refresh_token"] as string;
    assert.equal((await refresh(scene, token, { client_id: "other" })).error, "invalid_grant");
    assert.equal((await refresh(scene, token, { scope: "openid profile" })).error, "invalid_scope");
    const flipped = token.slice(0, -5) + (token.at(-5) === "A" ? "B" : "A") + token.slice(-4);
    for (const forged of [flipped, token.slice(4), `kor.${token}`, "kor.", "x"]) {
      assert.equal((await refresh(scene, forged)).error, "invalid_grant", forged.slice(0, 20));
    }
    const narrow = await refresh(scene, token, { scope: "openid" });
    assert.equal(narrow.json["scope"], "openid");
    const wide = await refresh(scene, narrow.json["refresh_token"]);
    assert.equal(wide.json["scope"], "openid email offline_access");
  }));

test("another client's token can't be revoked", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const { json } = await redeem(scene, await codeFor(scene, browser));
    const revoke = (client_id: string, token: unknown) =>
      scene.ask(null, "POST /auth/oidc/revoke", {
        body: { client_id, token: token as string },
        isForm: true,
      });
    assert.equal((await revoke("other", json["refresh_token"])).status, 200);
    assert.equal(await userinfo(scene, json["access_token"]), 200);
    assert.equal((await revoke("shop", "no token at all")).status, 200);
    assert.equal((await revoke("shop", json["access_token"])).status, 200);
    assert.equal(await userinfo(scene, json["access_token"]), 401);
  }));

test("a client's tokens don't open the app, and the app's don't open userinfo", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    const { json } = await redeem(scene, await codeFor(scene, browser));
    const { keys } = scene.desk;
    for (const name of ["access_token", "id_token", "refresh_token"]) {
      await assert.rejects(verifyToken(json[name] as string, keys, scene.clock.ms), name);
    }
    const tokens = await scene.comeInWithTokens(user);
    await verifyToken(tokens.accessToken, keys, scene.clock.ms);
    assert.equal(await userinfo(scene, tokens.accessToken), 401);
    assert.equal(await userinfo(scene, json["id_token"]), 401);
    assert.equal(await userinfo(scene, json["access_token"]), 200);
    scene.clock.ms += scene.desk.limits.authAccessMs + 60_000;
    assert.equal(await userinfo(scene, json["access_token"]), 401);
  }));

test("ending all sessions ends clients' sign-ins; closing the account too", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const first = await redeem(scene, await codeFor(scene, browser));
    const [account] = await scene.rows("authAccount");
    await scene.change("authAccount", account?.["id"] as string, {
      disabledAt: "2026-01-01T00:00:00.000Z",
    });
    assert.equal(await userinfo(scene, first.json["access_token"]), 401);
    assert.equal((await refresh(scene, first.json["refresh_token"])).error, "invalid_grant");
    const { location } = await scene.ask(browser, authorizeLine({ prompt: "none" }));
    assert.equal(new URL(location ?? "").searchParams.get("error"), "login_required");
  }));

test("a request on its way can't be changed, made, kept for a day, or agreed to for somebody else", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const { browser: other } = await signedIn(scene, "bob@example.com");
    const asked = await scene.ask(browser, authorizeLine({ client_id: "asking" }));
    const request = new URL(asked.location ?? "", scene.url).searchParams.get("request") ?? "";
    const agree = (who: SceneBrowser, request: string) =>
      scene.ask(who, "POST /auth/oidc/consent", {
        body: { request, decision: "allow" },
        isForm: true,
      });
    const flipped = `${request.slice(0, 30)}${request[30] === "A" ? "B" : "A"}${request.slice(31)}`;
    for (const forged of ["", "x", flipped, request.slice(0, -1)]) {
      assert.equal((await agree(browser, forged)).code, "TICKET_INVALID");
    }
    // Somebody else's browser is asked anew, for its own person.
    const swapped = await agree(other, request);
    assert.ok(swapped.location?.startsWith("/auth/consent?"), String(swapped.location));
    assert.deepEqual(await scene.rows("authConsent"), []);
    const nobody = await agree(new SceneBrowser(), request);
    assert.equal(nobody.code, "SIGN_IN_REQUIRED");
    const done = await agree(browser, request);
    assert.ok(done.location?.startsWith(redirectUri), String(done.location));
    scene.clock.ms += 3_601_000;
    assert.equal((await agree(browser, request)).code, "TICKET_INVALID");
  }));

test("guessing clients' secrets is held back", () =>
  inScene(async (scene) => {
    const errors: (string | null)[] = [];
    for (let round = 0; round < 40; round++) {
      const body = { grant_type: "refresh_token", client_id: "nobody", client_secret: `s${round}` };
      const { code, json } = await scene.ask(null, "POST /auth/oidc/token", { body, isForm: true });
      errors.push(code ?? (json["error"] as string));
    }
    assert.equal(errors.filter((error) => error === "invalid_client").length, 30);
    assert.equal(errors.at(-1), "RATE_LIMITED");
  }));

test("who must have a second factor signs in nowhere without one", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    await scene.change("user", user, { role: "staff" });
    assert.equal((await scene.ask(browser, authorizeLine())).code, "SECOND_FACTOR_REQUIRED");
    const { location } = await scene.ask(browser, authorizeLine({ prompt: "none" }));
    assert.equal(new URL(location ?? "").searchParams.get("error"), "login_required");
    const body = { name: "Acme", slug: "acme" };
    const org = await scene.ask(browser, "POST /auth/orgs", { body });
    assert.equal(org.code, "SECOND_FACTOR_REQUIRED");
    const [session] = await scene.rows("authSession");
    await scene.change("authSession", session?.["id"] as string, {
      methods: ["pwd", "otp", "mfa"],
    });
    assert.notEqual(await codeFor(scene, browser), "");
    assert.equal((await scene.ask(browser, "POST /auth/orgs", { body })).status, 201);
  }));

test("who must have a second factor since is signed in nowhere by what was opened without one", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    const weak = await redeem(scene, await codeFor(scene, browser));
    const onItsWay = await codeFor(scene, browser);
    const { browser: other, user: plain } = await signedIn(scene, "bob@example.com");
    const beside = await redeem(scene, await codeFor(scene, other));
    await scene.change("user", user, { role: "staff" });
    await scene.change("user", plain, { role: "guide" });

    assert.equal(await userinfo(scene, weak.json["access_token"]), 401);
    assert.equal((await refresh(scene, weak.json["refresh_token"])).error, "invalid_grant");
    assert.equal((await redeem(scene, onItsWay)).error, "invalid_grant");
    assert.equal(await userinfo(scene, beside.json["access_token"]), 200, "another role");
    assert.equal((await refresh(scene, beside.json["refresh_token"])).status, 200);

    // Shown in the browser: what the client asks for from then on is of that sign-in.
    const [session] = (await scene.rows("authSession")).filter(
      (row) => row["user"] === user && row["client"] === null,
    );
    const methods = ["pwd", "otp", "mfa"];
    await scene.change("authSession", session?.["id"] as string, { methods });
    const strong = await redeem(scene, await codeFor(scene, browser));
    assert.equal(await userinfo(scene, strong.json["access_token"]), 200);
    assert.equal((await refresh(scene, strong.json["refresh_token"])).status, 200);
    assert.equal(await userinfo(scene, weak.json["access_token"]), 401, "the old one stays out");

    // Nothing was ended by it: who is asked no more goes on.
    await scene.change("user", user, { role: null });
    assert.equal((await refresh(scene, weak.json["refresh_token"])).status, 200);
  }));
