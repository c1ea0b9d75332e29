import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../base/json.ts";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";
import { challengeMs } from "./passkey-challenge.ts";
import { SoftAuthenticator, type SoftAnswer } from "./soft-authenticator.case.ts";

async function inScene(
  run: (scene: ProtocolScene) => Promise<void>,
  redirects: readonly string[] = [],
): Promise<void> {
  const scene = await openProtocolScene({ settings: { redirects } });
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

async function options(
  scene: ProtocolScene,
  browser: SceneBrowser | null,
  of: "register" | "sign-in",
): Promise<Json> {
  const line =
    of === "register" ? "POST /auth/passkeys/options" : "POST /auth/passkeys/sign-in/options";
  const { json, code } = await scene.ask(browser, line);
  assert.equal(code, null);
  return json["options"] as Json;
}

/** Somebody who is signed in, and has a key. */
async function owner(scene: ProtocolScene, email = "ann@example.com") {
  const browser = new SceneBrowser();
  const { user } = await scene.comeIn(browser, { email });
  return { browser, user: user as string, key: new SoftAuthenticator(scene.url) };
}

function add(scene: ProtocolScene, browser: SceneBrowser, credential: Json, name = "My key") {
  return scene.ask(browser, "POST /auth/passkeys", { body: { credential, name } });
}

async function withPasskey(scene: ProtocolScene, email?: string) {
  const person = await owner(scene, email);
  const credential = person.key.register(await options(scene, person.browser, "register"));
  const { status, json } = await add(scene, person.browser, credential);
  assert.equal(status, 201, JSON.stringify(json));
  return { ...person, passkey: json["id"] as string };
}

function signIn(scene: ProtocolScene, credential: Json, browser = new SceneBrowser()) {
  return scene.ask(browser, "POST /auth/passkeys/sign-in", { body: { credential } });
}

test("a passkey signs in, alone, as two factors", () =>
  inScene(async (scene) => {
    const { key, user, browser } = await withPasskey(scene);
    const asked = (await options(scene, null, "sign-in")) as { readonly [name: string]: Json };
    // For whoever it is: nothing in the question tells who has a passkey.
    assert.equal(asked["allowCredentials"], undefined);
    assert.equal(asked["userVerification"], "required");
    const phone = new SceneBrowser();
    const { status, json } = await signIn(scene, key.signIn(asked), phone);
    assert.deepEqual([status, json["user"]], [200, user]);
    const { passkeys } = (await scene.ask(phone, "GET /auth/passkeys")).json;
    const [shown] = passkeys as readonly { readonly [name: string]: Json }[];
    assert.equal(shown?.["name"], "My key");
    assert.notEqual(shown?.["lastUsedAt"], null);
    assert.ok(!("publicKey" in (shown ?? {})));
    const [, session] = await scene.rows("authSession");
    assert.deepEqual(session?.["methods"], ["swk", "mfa"]);
    const events = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.deepEqual(events, ["signIn", "passkeyAdded", "signIn"]);
    assert.equal(scene.letters[0]?.template, "second-factor-changed");
    // Somebody who also has an authenticator app is not asked for its code.
    const [account] = await scene.rows("authAccount");
    await scene.change("authAccount", account?.["id"] as string, { hasSecondFactor: true });
    const again = await signIn(scene, key.signIn(await options(scene, null, "sign-in")));
    assert.equal(again.json["secondFactor"], undefined);
    assert.equal((await scene.ask(browser, "GET /auth/passkeys")).status, 200);
  }));

test("an answer to a registration that lies anywhere makes no passkey", () =>
  inScene(async (scene) => {
    const { browser, key } = await owner(scene);
    const other = await owner(scene, "bob@example.com");
    const theirs = (await options(scene, other.browser, "register")) as { challenge: string };
    const ofSignIn = (await options(scene, null, "sign-in")) as { challenge: string };
    const x5c = Buffer.from("a1637835638141ff", "hex");
    const lies: Readonly<Record<string, SoftAnswer>> = {
      "a page elsewhere": { origin: "https://evil.example" },
      "another port of this host": { origin: "http://localhost:1" },
      "another scheme": { origin: scene.url.replace("http:", "https:") },
      "a name that begins alike": { origin: `${scene.url}.evil.example` },
      "another ceremony": { type: "webauthn.get" },
      "for another site": { rpId: "evil.example" },
      "nobody there": { flags: 4 | 64 },
      "nobody verified": { flags: 1 | 64 },
      "no key in it": { flags: 1 | 4 },
      "somebody else's challenge": { challenge: theirs.challenge },
      "a challenge of signing in": { challenge: ofSignIn.challenge },
      "a challenge of its own": { challenge: Buffer.from("x".repeat(90)).toString("base64url") },
      "no challenge": { challenge: "" },
      "an attestation with certificates": { attestation: { fmt: "packed", attStmt: x5c } },
      "an attestation of another kind": {
        attestation: { fmt: "apple", attStmt: Buffer.from("a0", "hex") },
      },
    };
    for (const [what, lie] of Object.entries(lies)) {
      const asked = await options(scene, browser, "register");
      const { code } = await add(scene, browser, key.register(asked, lie));
      assert.equal(code, "PASSKEY_INVALID", what);
    }
    for (const credential of [null, 1, "x", [], {}, { id: "x" }, { response: {} }] as const) {
      assert.equal((await add(scene, browser, credential)).code, "PASSKEY_INVALID");
    }
    const late = await options(scene, browser, "register");
    scene.clock.ms += challengeMs + 1;
    assert.equal((await add(scene, browser, key.register(late))).code, "PASSKEY_INVALID");
    assert.deepEqual(await scene.rows("authPasskey"), []);
    const good = key.register(await options(scene, browser, "register"));
    assert.equal((await add(scene, browser, good)).status, 201);
    // An answer counts once, and a passkey is one person's.
    assert.equal((await add(scene, browser, good)).code, "PASSKEY_INVALID");
    const stolen = key.register(await options(scene, other.browser, "register"));
    assert.equal((await add(scene, other.browser, stolen)).code, "CONFLICT");
  }));

test("an answer to a sign-in that lies anywhere signs nobody in", () =>
  inScene(async (scene) => {
    const { browser, key, user } = await withPasskey(scene);
    const { user: bob } = await owner(scene, "bob@example.com");
    const ofRegister = (await options(scene, browser, "register")) as { challenge: string };
    const lies: Readonly<Record<string, SoftAnswer>> = {
      "a page elsewhere": { origin: "https://evil.example" },
      "another port of this host": { origin: "http://localhost:1" },
      "another ceremony": { type: "webauthn.create" },
      "for another site": { rpId: "evil.example" },
      "nobody there": { flags: 4 },
      "nobody verified": { flags: 1 },
      "a challenge of registering": { challenge: ofRegister.challenge },
      "a challenge of its own": { challenge: Buffer.from("x".repeat(90)).toString("base64url") },
      "somebody else's name": { userHandle: Buffer.from(bob).toString("base64url") },
    };
    const ask = () => options(scene, null, "sign-in");
    for (const [what, lie] of Object.entries(lies)) {
      const { code } = await signIn(scene, key.signIn(await ask(), lie));
      assert.equal(code, "PASSKEY_INVALID", what);
    }
    const unknown = new SoftAuthenticator(scene.url);
    assert.equal((await signIn(scene, unknown.signIn(await ask()))).code, "PASSKEY_INVALID");
    // Another key that calls itself by this one's name.
    const forged = { ...(unknown.signIn(await ask()) as object), id: key.id.toString("base64url") };
    assert.equal((await signIn(scene, { ...forged, rawId: forged.id })).code, "PASSKEY_INVALID");
    const late = await ask();
    scene.clock.ms += challengeMs + 1;
    assert.equal((await signIn(scene, key.signIn(late))).code, "PASSKEY_INVALID");
    const sessions = await scene.rows("authSession");
    assert.equal(sessions.filter((session) => session["user"] === user).length, 1);
    // A browser that leaves out the user's handle says nothing wrong.
    const silent = key.signIn(await ask(), { userHandle: null });
    assert.equal((await signIn(scene, silent)).status, 200);
  }));

test("an answer signs in once, also when it comes many times at once", () =>
  inScene(async (scene) => {
    const { key } = await withPasskey(scene);
    const answer = key.signIn(await options(scene, null, "sign-in"));
    const all = await Promise.all([1, 2, 3, 4].map(() => signIn(scene, answer)));
    const codes = all.map(({ code }) => code ?? "in").toSorted();
    assert.deepEqual(codes, ["PASSKEY_INVALID", "PASSKEY_INVALID", "PASSKEY_INVALID", "in"]);
  }));

test("a key whose counter goes back was copied: it signs nobody in, and its owner can see it", () =>
  inScene(async (scene) => {
    const { key } = await withPasskey(scene);
    const at = async (counter: number) =>
      (await signIn(scene, key.signIn(await options(scene, null, "sign-in"), { counter }))).code;
    assert.equal(await at(5), null);
    assert.equal(await at(5), "PASSKEY_INVALID");
    assert.equal(await at(4), "PASSKEY_INVALID");
    assert.equal(await at(6), null);
    const copied = (await scene.rows("authEvent")).filter(({ kind }) => kind === "passkeyCopied");
    assert.equal(copied.length, 2);
  }));

test("passkeys are added and removed by who proved who they are; nobody sees another's", () =>
  inScene(async (scene) => {
    const { browser, passkey, key } = await withPasskey(scene);
    const { browser: eve } = await owner(scene, "eve@example.com");
    assert.deepEqual((await scene.ask(eve, "GET /auth/passkeys")).json["passkeys"], []);
    const line = `/auth/passkeys/${passkey}`;
    const body = { name: "Mine" };
    assert.equal((await scene.ask(eve, `PATCH ${line}`, { body })).code, "NOT_FOUND");
    assert.equal((await scene.ask(eve, `DELETE ${line}`)).code, "NOT_FOUND");
    assert.equal((await scene.ask(browser, `PATCH ${line}`, { body })).status, 204);
    for (const name of ["a\nb", "a".repeat(101), 1]) {
      const { code } = await scene.ask(browser, `PATCH ${line}`, { body: { name } });
      assert.equal(code, "ARGUMENT_INVALID");
    }
    scene.clock.ms += scene.desk.limits.authFreshMs + 1_000;
    for (const old of ["POST /auth/passkeys/options", "POST /auth/passkeys", `DELETE ${line}`]) {
      assert.equal((await scene.ask(browser, old)).code, "FRESH_SIGN_IN_REQUIRED", old);
      assert.equal((await scene.ask(null, old)).code, "SIGN_IN_REQUIRED", old);
    }
    // Signing in by it is proof enough.
    await signIn(scene, key.signIn(await options(scene, null, "sign-in")), browser);
    assert.equal((await scene.ask(browser, `DELETE ${line}`)).status, 204);
    const after = await signIn(scene, key.signIn(await options(scene, null, "sign-in")));
    assert.equal(after.code, "PASSKEY_INVALID");
  }));

test("one person has so many passkeys, and no more; a closed account has no way in", () =>
  inScene(async (scene) => {
    const { browser, key } = await withPasskey(scene);
    const { authPasskeysMax } = scene.desk.limits;
    for (let count = 1; count <= authPasskeysMax; count++) {
      const more = new SoftAuthenticator(scene.url);
      const asked = await options(scene, browser, "register");
      const { code } = await add(scene, browser, more.register(asked));
      assert.equal(code, count === authPasskeysMax ? "CONFLICT" : null);
    }
    const [account] = await scene.rows("authAccount");
    const disabledAt = "2026-01-01T00:00:00.000Z";
    await scene.change("authAccount", account?.["id"] as string, { disabledAt });
    const { code } = await signIn(scene, key.signIn(await options(scene, null, "sign-in")));
    assert.equal(code, "ACCOUNT_DISABLED");
  }));

test("pages of the app on the same name may ask too; those of other names may not", () =>
  inScene(
    async (scene) => {
      const { key } = await withPasskey(scene);
      const from = async (origin: string) =>
        (await signIn(scene, key.signIn(await options(scene, null, "sign-in"), { origin }))).code;
      assert.equal(await from("https://localhost:9000"), null);
      assert.equal(await from("https://shop.localhost"), null);
      assert.equal(await from("https://evil.example"), "PASSKEY_INVALID");
      assert.equal(await from("https://evillocalhost"), "PASSKEY_INVALID");
    },
    [
      "https://localhost:9000/app/",
      "https://shop.localhost/",
      "https://evil.example/",
      "https://evillocalhost/",
    ],
  ));
