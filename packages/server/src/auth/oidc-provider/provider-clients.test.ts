// Real clients against the provider: openid-client does what it would do against any other.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "openid-client";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";

const redirectUri = "https://shop.example/callback";
const secret = "the shop's secret + 100%";

async function inScene(run: (scene: ProtocolScene) => Promise<void>): Promise<void> {
  const base = {
    name: "Shop",
    redirects: [redirectUri],
    logoutRedirects: ["https://shop.example/bye"],
    scopes: ["openid", "email", "profile", "offline_access"],
    consent: true,
  };
  const scene = await openProtocolScene({
    secrets: { SHOP_SECRET: secret },
    settings: {
      clients: {
        shop: { ...base, secret: "SHOP_SECRET" },
        phone: { ...base, name: "Phone", secret: null },
        own: { ...base, name: "Own", secret: null, consent: false },
      },
    },
  });
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

function discover(scene: ProtocolScene, id = "shop"): Promise<client.Configuration> {
  const auth = id === "shop" ? client.ClientSecretBasic(secret) : client.None();
  return client.discovery(new URL(scene.url), id, undefined, auth, {
    execute: [client.allowInsecureRequests],
  });
}

/** One authorization as a client begins it. */
async function begin(config: client.Configuration, over: Record<string, string> = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid email offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...over,
  });
  return { url, checks };
}

/** Follows the provider's own redirects in a browser, saying yes where consent is asked. */
async function walk(
  scene: ProtocolScene,
  browser: SceneBrowser,
  url: URL,
  {
    signIn,
    consent = "allow",
  }: { readonly signIn?: () => Promise<unknown>; readonly consent?: string } = {},
): Promise<{ readonly steps: readonly string[]; readonly back: URL }> {
  const steps: string[] = [];
  let at = new URL(url);
  for (let count = 0; count < 10; count++) {
    if (at.origin !== scene.url) return { steps, back: at };
    steps.push(at.pathname);
    const request = at.searchParams.get("request") ?? "";
    let answer;
    if (at.pathname === "/auth/consent") {
      const body = { request, decision: consent };
      answer = await scene.ask(browser, "POST /auth/oidc/consent", { body, isForm: true });
    } else if (at.pathname === "/auth/sign-in") {
      assert.ok(signIn !== undefined, "signing in was asked for");
      await signIn();
      at = new URL(at.searchParams.get("next") ?? "/", scene.url);
      continue;
    } else {
      answer = await scene.ask(browser, `GET ${at.pathname}${at.search}`);
    }
    assert.ok(answer.location !== null, JSON.stringify(answer));
    at = new URL(answer.location, scene.url);
  }
  throw new Error(`no end: ${steps.join(" ")}`);
}

async function signedIn(scene: ProtocolScene, email = "ann@example.com") {
  const browser = new SceneBrowser();
  const { user } = await scene.comeIn(browser, { email });
  return { browser, user: user as string };
}

test("openid-client: code with PKCE, userinfo, refresh, revocation", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    const config = await discover(scene);
    const { url, checks } = await begin(config);
    const { steps, back } = await walk(scene, browser, url);
    assert.deepEqual(steps, ["/auth/oidc/authorize", "/auth/consent"]);
    const tokens = await client.authorizationCodeGrant(config, back, checks);
    const claims = tokens.claims();
    assert.equal(claims?.sub, user);
    assert.equal(claims?.iss, scene.url);
    assert.equal(claims?.["email"], "ann@example.com");
    assert.equal(claims?.["email_verified"], true);
    assert.deepEqual(claims?.["amr"], ["pwd"]);
    assert.equal(tokens.scope, "openid email offline_access");

    const info = await client.fetchUserInfo(config, tokens.access_token, user);
    assert.deepEqual(info, { sub: user, email: "ann@example.com", email_verified: true });

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? "");
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    assert.equal(refreshed.claims()?.sub, user);

    await client.tokenRevocation(config, refreshed.refresh_token ?? "");
    await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, user));
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token ?? ""));
    const clients = (await scene.rows("authSession")).map((session) => session["client"]);
    assert.deepEqual(clients, [null]);
  }));

test("openid-client verifies our signatures on the code flow too, when it is asked to", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const config = await discover(scene, "phone");
    client.enableNonRepudiationChecks(config);
    const { url, checks } = await begin(config);
    const { back } = await walk(scene, browser, url);
    const tokens = await client.authorizationCodeGrant(config, back, checks);
    assert.ok(tokens.id_token !== undefined);
  }));

test("consent is asked once, and again for more", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const config = await discover(scene);
    const steps = async (over: Record<string, string> = {}) =>
      (await walk(scene, browser, (await begin(config, over)).url)).steps.slice(1);
    assert.deepEqual(await steps({ scope: "openid" }), ["/auth/consent"]);
    assert.deepEqual(await steps({ scope: "openid" }), []);
    assert.deepEqual(await steps({ scope: "openid email" }), ["/auth/consent"]);
    assert.deepEqual(await steps({ scope: "openid" }), []);
    assert.deepEqual(await steps({ scope: "openid", prompt: "consent" }), ["/auth/consent"]);
    const own = await discover(scene, "own");
    assert.equal((await walk(scene, browser, (await begin(own)).url)).steps.length, 1);
    const { json } = await scene.ask(browser, "GET /auth/consents");
    const [shop] = json["consents"] as { client: string; name: string; scopes: string[] }[];
    assert.equal(shop?.name, "Shop");
    assert.deepEqual(shop?.scopes, ["openid", "email"]);
  }));

test("whoever says no sends the client away with access_denied, and nothing is kept", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const config = await discover(scene);
    const { url, checks } = await begin(config);
    const { back } = await walk(scene, browser, url, { consent: "deny" });
    await assert.rejects(
      client.authorizationCodeGrant(config, back, checks),
      /access_denied|authorization/,
    );
    assert.equal(back.searchParams.get("error"), "access_denied");
    assert.deepEqual(await scene.rows("authConsent"), []);
  }));

test("taking consent back ends the client's sign-ins", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    const config = await discover(scene);
    const { url, checks } = await begin(config);
    const { back } = await walk(scene, browser, url);
    const tokens = await client.authorizationCodeGrant(config, back, checks);
    assert.equal((await scene.ask(browser, "DELETE /auth/consents/shop")).status, 204);
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, user));
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token ?? ""));
    // The person's own session goes on.
    assert.equal((await scene.ask(browser, "GET /auth/consents")).status, 200);
  }));

test("prompt and max_age: silence, signing in again, and no loop", () =>
  inScene(async (scene) => {
    const { browser, user } = await signedIn(scene);
    const config = await discover(scene, "own");
    const error = async (who: SceneBrowser, over: Record<string, string>) =>
      (await walk(scene, who, (await begin(config, over)).url)).back.searchParams.get("error");
    assert.equal(await error(new SceneBrowser(), { prompt: "none" }), "login_required");
    assert.equal(await error(browser, { prompt: "none" }), null);
    const shop = await discover(scene);
    const asked = await begin(shop, { prompt: "none" });
    const { back } = await walk(scene, browser, asked.url);
    assert.equal(back.searchParams.get("error"), "consent_required");

    scene.clock.ms += 120_000;
    assert.equal(await error(browser, { prompt: "none", max_age: "60" }), "login_required");
    assert.equal(await error(browser, { max_age: "300" }), null);
    for (const over of [{ prompt: "login" }, { max_age: "60" }, { prompt: "select_account" }]) {
      scene.clock.ms += 120_000;
      let signIns = 0;
      const signIn = async () => {
        signIns += 1;
        scene.clock.ms += 1_000;
        await scene.comeIn(browser, { user });
      };
      const { url, checks } = await begin(config, over);
      const walked = await walk(scene, browser, url, { signIn });
      assert.equal(signIns, 1, JSON.stringify(over));
      const maxAge = "max_age" in over ? { maxAge: Number(over.max_age) } : {};
      const tokens = await client.authorizationCodeGrant(config, walked.back, {
        ...checks,
        ...maxAge,
      });
      assert.equal(tokens.claims()?.auth_time, Math.floor(scene.clock.ms / 1_000));
    }
  }));

test("a hint names who is expected: somebody else's sign-in does not do", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const config = await discover(scene, "own");
    const { url, checks } = await begin(config);
    const tokens = await client.authorizationCodeGrant(
      config,
      (await walk(scene, browser, url)).back,
      checks,
    );
    const hint = { id_token_hint: tokens.id_token ?? "", prompt: "none" };
    const error = async (who: SceneBrowser, over: Record<string, string>) =>
      (await walk(scene, who, (await begin(config, over)).url)).back.searchParams.get("error");
    assert.equal(await error(browser, hint), null);
    const { browser: other } = await signedIn(scene, "bob@example.com");
    assert.equal(await error(other, hint), "login_required");
    assert.equal(
      await error(browser, { ...hint, id_token_hint: "eyJhbGciOiJub25lIn0.e30." }),
      "invalid_request",
    );
    const again = { id_token_hint: tokens.id_token ?? "" };
    const late = await begin(config, again);
    const signIn = async () => {
      scene.clock.ms += 1_000;
      await scene.comeIn(other, {});
    };
    const { back } = await walk(scene, other, late.url, { signIn });
    assert.equal(back.searchParams.get("error"), "login_required");
  }));

test("guests are nobody to other systems", () =>
  inScene(async (scene) => {
    const guest = new SceneBrowser();
    await scene.comeIn(guest, { isGuest: true });
    const config = await discover(scene, "own");
    const { url } = await begin(config, { prompt: "none" });
    const { back } = await walk(scene, guest, url);
    assert.equal(back.searchParams.get("error"), "login_required");
  }));

test("a client signs its person out here, and nobody else; others only lead to the page that asks", () =>
  inScene(async (scene) => {
    const { browser } = await signedIn(scene);
    const { browser: other } = await signedIn(scene, "bob@example.com");
    const config = await discover(scene, "own");
    const tokensOf = async () => {
      const { url, checks } = await begin(config);
      const { back } = await walk(scene, browser, url);
      return client.authorizationCodeGrant(config, back, checks);
    };
    const { id_token: hint = "" } = await tokensOf();
    const bye = "https://shop.example/bye";
    const out = async (who: SceneBrowser, over: Record<string, string | null> = {}) => {
      const asked = { id_token_hint: hint, post_logout_redirect_uri: bye, state: "s", ...over };
      const given = Object.entries(asked).filter(
        (pair): pair is [string, string] => pair[1] !== null,
      );
      const url = client.buildEndSessionUrl(config, Object.fromEntries(given));
      return (await scene.ask(who, `GET ${url.pathname}${url.search}`)).location;
    };
    const isIn = async (who: SceneBrowser) =>
      (await scene.ask(who, "GET /auth/consents")).status === 200;
    const [head = "", body = ""] = hint.split(".");
    for (const id_token_hint of [
      "",
      "x",
      `${head}.${body}.${"a".repeat(342)}`,
      `${head}.${body}.`,
    ]) {
      assert.equal(await out(browser, { id_token_hint }), "/auth/sign-out", id_token_hint);
    }
    assert.equal(await out(browser, { id_token_hint: null }), "/auth/sign-out");
    assert.equal(await out(browser, { client_id: "shop" }), "/auth/sign-out");
    assert.equal(await out(other), "/auth/sign-out");
    assert.ok((await isIn(browser)) && (await isIn(other)));
    assert.equal(await out(browser), `${bye}?state=s`);
    assert.equal(await isIn(browser), false);
    assert.equal(await out(browser), `${bye}?state=s`);
    for (const post_logout_redirect_uri of ["https://evil.example/", `${bye}/x`, null]) {
      assert.equal(await out(browser, { post_logout_redirect_uri }), "/auth/sign-out");
    }
    assert.ok(await isIn(other));
    const { status, location } = await scene.ask(null, "POST /auth/oidc/logout", {
      body: { id_token_hint: "x" },
      isForm: true,
    });
    assert.deepEqual([status, location], [303, "/auth/oidc/logout?id_token_hint=x"]);
  }));
