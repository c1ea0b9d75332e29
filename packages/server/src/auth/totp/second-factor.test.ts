import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { generateSync } from "otplib";
import { metaOf } from "../../store/store.fixture.ts";
import { openAuthSecrets } from "../auth-secrets.ts";
import type { TokenKeys } from "../token-keys.ts";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";

function codeOf(scene: ProtocolScene, secret: string, offsetSeconds = 0): string {
  return generateSync({ secret, epoch: Math.floor(scene.clock.ms / 1_000) + offsetSeconds });
}

/** Somebody with an authenticator app. */
async function setUp(scene: ProtocolScene) {
  const browser = new SceneBrowser();
  const { user } = await scene.comeIn(browser, { email: "ann@example.com" });
  const begun = await scene.ask(browser, "POST /auth/totp/begin");
  const secret = begun.json["secret"] as string;
  const body = { code: codeOf(scene, secret) };
  const confirmed = await scene.ask(browser, "POST /auth/totp/confirm", { body });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed));
  return {
    browser,
    user: user as string,
    secret,
    recoveryCodes: confirmed.json["recoveryCodes"] as readonly string[],
  };
}

/** The ticket of somebody whose password was right. */
async function ticketOf(scene: ProtocolScene, user: string): Promise<string> {
  const answer = await scene.comeIn(new SceneBrowser(), { user });
  return (answer["secondFactor"] as { ticket: string }).ticket;
}

async function inScene(run: (scene: ProtocolScene) => Promise<void>): Promise<void> {
  const scene = await openProtocolScene();
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

const secondFactor = "POST /auth/second-factor";

test("with an app set up, a password opens no session and a code of an authenticator does", () =>
  inScene(async (scene) => {
    const { user, secret, browser: first } = await setUp(scene);
    scene.clock.ms += 60_000;
    const browser = new SceneBrowser();
    const answer = await scene.comeIn(browser, { user });
    assert.equal(browser.jar.size, 0);
    const { ticket } = answer["secondFactor"] as { ticket: string };
    const body = { ticket, code: codeOf(scene, secret) };
    const done = await scene.ask(browser, secondFactor, { body });
    assert.equal(done.status, 200);
    assert.equal(done.json["user"], user);
    assert.equal((await scene.ask(browser, "GET /auth/totp")).json["enabled"], true);
    const sessions = await scene.rows("authSession");
    assert.deepEqual(
      sessions.map(({ methods }) => methods),
      // Where it was set up, the code was shown too.
      [
        ["pwd", "otp", "mfa"],
        ["pwd", "otp", "mfa"],
      ],
    );
    assert.equal((await scene.ask(first, "GET /auth/totp")).json["recoveryCodesLeft"], 10);
    const kinds = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["signIn", "totpAdded", "signIn"]);
    assert.equal(scene.letters[0]?.template, "second-factor-changed");
    assert.equal(scene.letters[0]?.to, "ann@example.com");
  }));

test("a code can't be used twice, not even at the same time", () =>
  inScene(async (scene) => {
    const { user, secret } = await setUp(scene);
    // The code that confirmed the app is spent as well.
    const early = { ticket: await ticketOf(scene, user), code: codeOf(scene, secret) };
    assert.equal((await scene.ask(null, secondFactor, { body: early })).code, "CODE_WRONG");
    scene.clock.ms += 30_000;
    const code = codeOf(scene, secret);
    const tickets = await Promise.all([1, 2, 3, 4].map(() => ticketOf(scene, user)));
    const answers = await Promise.all(
      tickets.map((ticket) => scene.ask(null, secondFactor, { body: { ticket, code } })),
    );
    assert.deepEqual(answers.map(({ code }) => code ?? "in").toSorted(), [
      "CODE_WRONG",
      "CODE_WRONG",
      "CODE_WRONG",
      "in",
    ]);
    // The code of the step before comes too late once a later one was used.
    const before = { ticket: await ticketOf(scene, user), code: codeOf(scene, secret, -30) };
    assert.equal((await scene.ask(null, secondFactor, { body: before })).code, "CODE_WRONG");
  }));

test("a ticket is void after five wrong codes, and good for one sign-in", () =>
  inScene(async (scene) => {
    const { user, secret, recoveryCodes } = await setUp(scene);
    scene.clock.ms += 60_000;
    const ticket = await ticketOf(scene, user);
    const codes: (string | null)[] = [];
    for (let round = 0; round < 5; round++) {
      codes.push((await scene.ask(null, secondFactor, { body: { ticket, code: "000000" } })).code);
    }
    assert.deepEqual(new Set(codes), new Set(["CODE_WRONG"]));
    const right = { ticket, code: codeOf(scene, secret) };
    assert.equal((await scene.ask(null, secondFactor, { body: right })).code, "TICKET_INVALID");
    const again = await ticketOf(scene, user);
    const body = { ticket: again, recoveryCode: recoveryCodes[0] ?? "" };
    assert.equal((await scene.ask(null, secondFactor, { body })).status, 200);
    assert.equal((await scene.ask(null, secondFactor, { body })).code, "TICKET_INVALID");
    const events = await scene.rows("authEvent");
    assert.equal(events.filter(({ kind }) => kind === "secondFactorFailed").length, 5);
  }));

test("guessing is held back for the account, and a recovery code still opens it", () =>
  inScene(async (scene) => {
    const { user, recoveryCodes } = await setUp(scene);
    let refused = 0;
    let wrong = 0;
    for (let round = 0; round < 60; round++) {
      const ticket = await ticketOf(scene, user);
      // Each guess from somewhere else.
      const address = `198.51.100.${round}`;
      const { code } = await scene.ask(null, secondFactor, {
        body: { ticket, code: "000000" },
        address,
      });
      if (code === "RATE_LIMITED") refused += 1;
      if (code === "CODE_WRONG") wrong += 1;
    }
    assert.equal(refused + wrong, 60);
    assert.ok(wrong <= 30, String(wrong));
    const ticket = await ticketOf(scene, user);
    const body = { ticket, recoveryCode: (recoveryCodes[0] ?? "").toUpperCase() };
    assert.equal((await scene.ask(null, secondFactor, { body })).status, 200);
  }));

test("a recovery code is good once, and new ones put the old ones away", () =>
  inScene(async (scene) => {
    const { user, browser, recoveryCodes } = await setUp(scene);
    const use = async (recoveryCode: string) => {
      const ticket = await ticketOf(scene, user);
      return (await scene.ask(null, secondFactor, { body: { ticket, recoveryCode } })).code;
    };
    const [first = "", second = ""] = recoveryCodes;
    assert.equal(await use(first), null);
    assert.equal(await use(first), "CODE_WRONG");
    const renewed = await scene.ask(browser, "POST /auth/recovery-codes");
    assert.equal(await use(second), "CODE_WRONG");
    assert.equal(await use((renewed.json["recoveryCodes"] as string[])[0] ?? ""), null);
  }));

test("a ticket of somebody else, of another purpose, or too old opens nothing", () =>
  inScene(async (scene) => {
    const { user, secret } = await setUp(scene);
    scene.clock.ms += 60_000;
    const ticket = await ticketOf(scene, user);
    const [id = ""] = ticket.split(".");
    const code = codeOf(scene, secret);
    for (const forged of [id, `${id}.`, `${id}.${"a".repeat(43)}`, "x", "", null]) {
      const answer = await scene.ask(null, secondFactor, { body: { ticket: forged, code } });
      assert.equal(answer.code, "TICKET_INVALID", String(forged));
    }
    scene.clock.ms += scene.desk.limits.authCodeMs;
    const late = { ticket, code: codeOf(scene, secret) };
    assert.equal((await scene.ask(null, secondFactor, { body: late })).code, "TICKET_INVALID");
  }));

test("an app is set up and given up only by who proved a moment ago who they are", () =>
  inScene(async (scene) => {
    const { browser, user } = await setUp(scene);
    scene.clock.ms += scene.desk.limits.authFreshMs + 1_000;
    for (const line of [
      "POST /auth/totp/begin",
      "DELETE /auth/totp",
      "POST /auth/recovery-codes",
    ]) {
      assert.equal((await scene.ask(browser, line)).code, "FRESH_SIGN_IN_REQUIRED", line);
      assert.equal((await scene.ask(null, line)).code, "SIGN_IN_REQUIRED", line);
    }
    assert.equal((await scene.rows("authTotp")).length, 1);
    assert.ok(user !== "");
  }));

test("the secret in the database opens nothing, and an app that is set up is not replaced", () =>
  inScene(async (scene) => {
    const { browser, secret } = await setUp(scene);
    const [row] = await scene.rows("authTotp");
    assert.ok(!JSON.stringify(row).includes(secret));
    assert.equal((await scene.ask(browser, "POST /auth/totp/begin")).code, "CONFLICT");
    assert.equal((await scene.ask(browser, "DELETE /auth/totp")).status, 204);
    assert.deepEqual(await scene.rows("authRecovery"), []);
    const [account] = await scene.rows("authAccount");
    assert.equal(account?.["hasSecondFactor"], false);
  }));

test("where the keys are others than those that sealed it, a right code is refused with what to do, and a recovery code opens", () =>
  inScene(async (scene) => {
    const { user, secret, recoveryCodes } = await setUp(scene);
    const [row] = await scene.rows("authTotp");
    const other = openAuthSecrets(otherKeys(), { bytes: (count) => randomBytes(count) });
    const group = scene.store.openGroup();
    await group.mutate(metaOf(), (tx) => {
      void tx.update("authTotp", row?.["id"] as string, { secret: other.seal("totp", secret) });
      return "null";
    });
    await group.commit();
    scene.clock.ms += 60_000;
    const ticket = await ticketOf(scene, user);
    const asked = { ticket, code: codeOf(scene, secret) };
    const refused = await scene.ask(null, secondFactor, { body: asked });
    assert.equal(refused.code, "CODE_WRONG");
    assert.equal(refused.json["problem"], "sealed with another key");
    const [recoveryCode = ""] = recoveryCodes;
    const opened = await scene.ask(null, secondFactor, { body: { ticket, recoveryCode } });
    assert.equal(opened.code, null);
  }));

function otherKeys(): TokenKeys {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signing = { kid: "other", privateKey, publicKey };
  return { issuer: "urn:other", signing, byKid: new Map([["other", signing]]) };
}
