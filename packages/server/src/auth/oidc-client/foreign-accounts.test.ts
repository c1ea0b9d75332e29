// Whose account a sign-in elsewhere opens: who somebody is there decides, an address only when both sides verified it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SceneBrowser } from "../protocol-scene.case.ts";
import { comeBack, inForeignScene, leave, newPair, travel } from "./foreign-stub.case.ts";

async function userOf(scene: Parameters<typeof travel>[0], browser: SceneBrowser) {
  const { json } = await scene.ask(browser, "GET /auth/identities");
  return json["identities"] as readonly { readonly id: string; readonly provider: string }[];
}

test("somebody new becomes a user, and is the same one the next time", () =>
  inForeignScene({}, async (scene, stub) => {
    const browser = new SceneBrowser();
    assert.equal((await travel(scene, stub, browser)).location, "/tickets");
    // Another address there, another browser here: still the same person.
    const claims = { email: "ann@new.example" };
    await travel(scene, stub, new SceneBrowser(), { claims });
    const [user, ...others] = await scene.rows("user");
    assert.deepEqual(others, []);
    assert.equal(user?.["name"], "Ann");
    assert.equal(user?.["email"], "ann@example.com");
    const [account] = await scene.rows("authAccount");
    assert.equal(account?.["emailVerified"], true);
    const sessions = await scene.rows("authSession");
    assert.deepEqual(
      sessions.map(({ methods }) => methods),
      [["fed"], ["fed"]],
    );
    const [identity] = await userOf(scene, browser);
    assert.equal(identity?.provider, "work");
    const kinds = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["identityAdded", "signIn", "signIn"]);
    const { json } = await scene.ask(null, "GET /auth/providers");
    assert.deepEqual(json["providers"], [
      { name: "work", label: "Work" },
      { name: "other", label: "Other" },
    ]);
  }));

test("somebody new of whom users need more is led to the form that asks for it, and nothing is made", () => {
  const userFields = { company: { kind: "text", min: 1, max: 80 } } as const;
  return inForeignScene({ userFields }, async (scene, stub) => {
    const led = new URL((await travel(scene, stub, new SceneBrowser())).location ?? "", scene.url);
    assert.equal(led.pathname, "/auth/sign-up");
    assert.deepEqual(Object.fromEntries(led.searchParams), {
      from: "work",
      hint: "ann@example.com",
      next: "/tickets",
    });
    for (const table of ["user", "authAccount", "authIdentity", "authSession"]) {
      assert.deepEqual(await scene.rows(table), [], table);
    }
    // An address that nobody verified is no proposal.
    const claims = { email_verified: false };
    const other = await travel(scene, stub, new SceneBrowser(), { claims });
    assert.equal(new URL(other.location ?? "", scene.url).searchParams.get("hint"), "");
  });
});

test("a name that does not fit is left out where users need none", () => {
  const userFields = { name: { kind: "text", min: 5, max: 80, optional: true } } as const;
  return inForeignScene({ userFields }, async (scene, stub) => {
    assert.equal((await travel(scene, stub, new SceneBrowser())).location, "/tickets");
    const [user] = await scene.rows("user");
    assert.equal(user?.["email"], "ann@example.com");
    assert.equal(user?.["name"] ?? null, null);
  });
});

test("an address that the provider did not verify opens nobody's account", () =>
  inForeignScene({}, async (scene, stub) => {
    const { user: owner } = await scene.comeIn(new SceneBrowser(), { email: "ann@example.com" });
    for (const [index, email_verified] of [false, undefined, "false", 1, null].entries()) {
      const claims = { sub: `eve-${index}`, email_verified };
      const answer = await travel(scene, stub, new SceneBrowser(), { claims });
      assert.equal(answer.location, "/tickets");
    }
    const accounts = await scene.rows("authAccount");
    const owners = accounts.filter(({ email }) => email === "ann@example.com");
    assert.deepEqual(
      owners.map(({ user }) => user),
      [owner],
    );
    const identities = await scene.rows("authIdentity");
    assert.equal(identities.length, 5);
    assert.ok(identities.every(({ user, email }) => user !== owner && email === null));
  }));

test("an address that becomes another's when it is written small opens nobody's account", () =>
  inForeignScene({}, async (scene, stub) => {
    const { user } = await scene.comeIn(new SceneBrowser(), { email: "kim@example.com" });
    // The kelvin sign, which no rule of capitals keeps apart from K.
    const claims = { sub: "eve", email: "\u{212A}im@example.com" };
    assert.equal((await travel(scene, stub, new SceneBrowser(), { claims })).location, "/tickets");
    const [identity] = await scene.rows("authIdentity");
    assert.notEqual(identity?.["user"], user);
    assert.equal(identity?.["email"], null);
  }));

test("an account whose address nobody verified here is not given to who has it there", () =>
  inForeignScene({}, async (scene, stub) => {
    // Somebody signed up with Ann's address and waits for her to come in.
    await scene.comeIn(new SceneBrowser(), { email: "ann@example.com", emailVerified: false });
    const refused = await travel(scene, stub, new SceneBrowser());
    assert.equal(refused.code, "ACCOUNT_EXISTS");
    assert.deepEqual(await scene.rows("authIdentity"), []);
  }));

test("an address that both sides verified is one person", () =>
  inForeignScene({}, async (scene, stub) => {
    const { user } = await scene.comeIn(new SceneBrowser(), { email: "ann@example.com" });
    await travel(scene, stub, new SceneBrowser(), { claims: { email: "ANN@Example.com" } });
    const [identity] = await scene.rows("authIdentity");
    assert.equal(identity?.["user"], user);
    assert.equal((await scene.rows("user")).length, 1);
  }));

test("a guest who signs in elsewhere stays the same user, and a copied session is out", () =>
  inForeignScene({}, async (scene, stub) => {
    const browser = new SceneBrowser();
    const { user } = await scene.comeIn(browser, { isGuest: true });
    const copied = new SceneBrowser();
    for (const [name, value] of browser.jar) copied.jar.set(name, value);
    await travel(scene, stub, browser);
    const [identity] = await scene.rows("authIdentity");
    assert.equal(identity?.["user"], user);
    const [account] = await scene.rows("authAccount");
    assert.equal(account?.["isGuest"], false);
    assert.equal((await scene.ask(browser, "GET /auth/identities")).status, 200);
    assert.equal((await scene.ask(copied, "GET /auth/identities")).code, "SIGN_IN_REQUIRED");
    // A guest who turns out to be somebody known is that one, and the guest's session goes on for nobody.
    const second = new SceneBrowser();
    await scene.comeIn(second, { isGuest: true });
    await travel(scene, stub, second);
    assert.equal((await scene.rows("authIdentity")).length, 1);
  }));

test("a second factor is asked for after signing in elsewhere too", () =>
  inForeignScene({}, async (scene, stub) => {
    await travel(scene, stub, new SceneBrowser());
    const [account] = await scene.rows("authAccount");
    await scene.change("authAccount", account?.["id"] as string, { hasSecondFactor: true });
    const browser = new SceneBrowser();
    const { location } = await travel(scene, stub, browser);
    const at = new URL(location ?? "", scene.url);
    assert.equal(at.pathname, "/auth/second-factor");
    assert.equal(at.searchParams.get("next"), "/tickets");
    assert.match(at.searchParams.get("ticket") ?? "", /^auth_ticket_/v);
    assert.ok(!browser.jar.has("keelson_session"));
  }));

test("where sign-up is closed, only who is known comes in; a closed account does not", () =>
  inForeignScene({ settings: { signUp: "closed" } }, async (scene, stub) => {
    const unknown = await travel(scene, stub, new SceneBrowser());
    assert.equal(unknown.code, "SIGN_UP_CLOSED");
    await scene.comeIn(new SceneBrowser(), { email: "ann@example.com" });
    assert.equal((await travel(scene, stub, new SceneBrowser())).location, "/tickets");
    const [account] = await scene.rows("authAccount");
    const disabledAt = "2026-01-01T00:00:00.000Z";
    await scene.change("authAccount", account?.["id"] as string, { disabledAt });
    assert.equal((await travel(scene, stub, new SceneBrowser())).code, "ACCOUNT_DISABLED");
  }));

test("an identity is added by who is signed in, just proved it, and came back to the same session", () =>
  inForeignScene({}, async (scene, stub) => {
    const ann = new SceneBrowser();
    const { user } = await scene.comeIn(ann, { email: "ann@work.example" });
    const link = async (who: SceneBrowser) => {
      const body = { next: "/auth/security" };
      const answer = await scene.ask(who, "POST /auth/providers/work/link", { body });
      return { ...answer, to: answer.json["location"] as string };
    };
    assert.equal((await link(new SceneBrowser())).code, "SIGN_IN_REQUIRED");
    const left = stub.codeFor((await link(ann)).to);
    // Somebody else signs in at this browser meanwhile: the identity is not theirs.
    const before = ann.jar.get("keelson_session") ?? "";
    await scene.comeIn(ann, { email: "bob@work.example" });
    const swapped = ann.jar.get("keelson_session") ?? "";
    assert.equal((await comeBack(scene, ann, left)).code, "TICKET_INVALID");
    assert.notEqual(before, swapped);
    ann.jar.set("keelson_session", before);
    const again = stub.codeFor((await link(ann)).to);
    assert.equal((await comeBack(scene, ann, again)).location, "/auth/security");
    const [identity] = await scene.rows("authIdentity");
    assert.equal(identity?.["user"], user);

    // It signs in Ann from now on, and can't be another's too.
    const bob = new SceneBrowser();
    bob.jar.set("keelson_session", swapped);
    const taken = stub.codeFor((await link(bob)).to);
    assert.equal((await comeBack(scene, bob, taken)).code, "IDENTITY_TAKEN");
    scene.clock.ms += scene.desk.limits.authFreshMs + 1_000;
    assert.equal((await link(ann)).code, "FRESH_SIGN_IN_REQUIRED");
  }));

test("an identity is given up, but never the last way in; nobody gives up another's", () =>
  inForeignScene({}, async (scene, stub) => {
    const browser = new SceneBrowser();
    const claims = { email: undefined, email_verified: undefined };
    await travel(scene, stub, browser, { claims });
    const [identity] = await userOf(scene, browser);
    const give = (who: SceneBrowser) =>
      scene.ask(who, `DELETE /auth/identities/${identity?.id ?? ""}`);
    const eve = new SceneBrowser();
    await scene.comeIn(eve, { email: "eve@example.com" });
    assert.equal((await give(eve)).code, "NOT_FOUND");
    assert.equal((await give(browser)).code, "CONFLICT");
    const [account] = (await scene.rows("authAccount")).filter(({ email }) => email === null);
    const own = { email: "ann@example.com", emailVerified: true };
    await scene.change("authAccount", account?.["id"] as string, own);
    assert.equal((await give(browser)).status, 204);
    assert.deepEqual(await scene.rows("authIdentity"), []);
  }));

test("whoever says no over there is back at the start; who is told of a fault is not signed in", () =>
  inForeignScene({}, async (scene, stub) => {
    const browser = new SceneBrowser();
    const { state } = stub.codeFor(await leave(scene, browser));
    const denied = await comeBack(scene, browser, { state, error: "access_denied" });
    assert.equal(denied.location, "/auth/sign-in?next=%2Ftickets");
    const again = stub.codeFor(await leave(scene, browser));
    const failed = { state: again.state, error: "server_error" };
    assert.equal((await comeBack(scene, browser, failed)).code, "PROVIDER_FAILED");
  }));

test("a provider that changes its key is asked for it, but not for every key that is made up", () =>
  inForeignScene({}, async (scene, stub) => {
    const keysAsked = () => stub.fetched.filter((url) => url.endsWith("/keys")).length;
    await travel(scene, stub, new SceneBrowser());
    assert.equal(keysAsked(), 1);
    scene.clock.ms += 60_000;
    stub.pair = await newPair();
    stub.kid = "k2";
    assert.equal((await travel(scene, stub, new SceneBrowser())).location, "/tickets");
    assert.equal(keysAsked(), 2);
    const madeUp = await newPair();
    for (let count = 0; count < 5; count++) {
      const { code } = await travel(scene, stub, new SceneBrowser(), {
        token: (it, claims) => it.sign(claims, { key: madeUp.privateKey, kid: `made-up-${count}` }),
      });
      assert.equal(code, "PROVIDER_FAILED");
    }
    assert.equal(keysAsked(), 2);
  }));
