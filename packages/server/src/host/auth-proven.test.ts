// Whoever shows that an address is theirs gets its account, where nobody had before: also when somebody else had set up a
// second factor there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSync } from "otplib";
import {
  changeUser,
  goodPassword,
  openAuthSceneOfFile,
  type ScenePerson,
} from "./auth-scene.case.ts";

const timeout = 60_000;
const password = goodPassword;
const scene = await openAuthSceneOfFile();

/** Somebody made an account with an address that nobody showed to be theirs, and set up a second factor. */
async function squatted(
  email: string,
): Promise<{ readonly user: string; readonly thief: ScenePerson; readonly secret: string }> {
  const thief = scene.person();
  const joined = await thief.ask("POST /shop/people", { email, password });
  assert.equal(joined.status, 201, joined.text);
  assert.equal((await thief.signIn(email)).status, 200);
  const begun = await thief.ask("POST /auth/totp/begin", {});
  assert.equal(begun.status, 200, begun.text);
  const secret = begun.json["secret"] as string;
  const done = await thief.ask("POST /auth/totp/confirm", { code: codeOf(secret) });
  assert.equal(done.status, 200, done.text);
  scene.clock.move(60_000);
  return { user: joined.json["user"] as string, thief, secret };
}

function codeOf(secret: string): string {
  return generateSync({ secret, epoch: Math.floor(scene.clock.nowMs() / 1_000) });
}

/** The ways to show that one reads the letters to an address. */
const ways = {
  async link(owner: ScenePerson, email: string) {
    await owner.ask("POST /auth/magic-link", { email });
    const ticket = scene.ticket(email, "magic-link");
    return owner.ask("POST /auth/magic-link/confirm", { ticket });
  },
  async code(owner: ScenePerson, email: string) {
    const { json } = await owner.ask("POST /auth/email-code", { email });
    const code = scene.letter(email, "email-code").data["code"] as string;
    return owner.ask("POST /auth/email-code/confirm", { ticket: json["ticket"] ?? "", code });
  },
  async reset(owner: ScenePerson, email: string) {
    await owner.ask("POST /auth/reset", { email });
    const ticket = scene.ticket(email, "reset-password");
    return owner.ask("POST /auth/reset/confirm", { ticket, password: `${password} again` });
  },
};

for (const [way, prove] of Object.entries(ways)) {
  test(
    `by ${way}, a second factor of before keeps its owner out no more`,
    { timeout },
    async () => {
      const email = `${way}@example.com`;
      const { user, thief } = await squatted(email);
      const owner = scene.person();
      const proved = await prove(owner, email);
      assert.equal(proved.json["user"], user, proved.text);
      assert.equal((await owner.who())["id"], user);
      assert.equal((await thief.who())["id"], null);
      assert.equal((await thief.signIn(email)).code, "SIGN_IN_FAILED");

      const totp = await owner.ask("GET /auth/totp");
      assert.deepEqual(totp.json, { enabled: false, recoveryCodesLeft: 0 });
      const events = (await scene.rows("authEvent")).filter((event) => event["user"] === user);
      const removed = events.find(({ kind }) => kind === "totpRemoved");
      assert.deepEqual(removed?.["details"], { reason: "emailProven" });
      assert.ok(scene.letter(email, "second-factor-changed").data["link"]);
    },
  );
}

test(
  "the letter of a confirmation takes it away too, unless its owner follows it",
  { timeout },
  async () => {
    const email = "letter@example.com";
    const { user, thief, secret } = await squatted(email);
    await thief.ask("POST /auth/verify-email", {});
    const ticket = scene.ticket(email, "verify-email");
    const owner = scene.person();
    const proved = await owner.ask("POST /auth/verify-email/confirm", { ticket });
    assert.equal(proved.json["user"], user, proved.text);
    assert.equal((await owner.ask("GET /auth/totp")).json["enabled"], false);

    const own = await squatted("own@example.com");
    await own.thief.ask("POST /auth/verify-email", {});
    const mine = scene.ticket("own@example.com", "verify-email");
    const followed = await own.thief.ask("POST /auth/verify-email/confirm", { ticket: mine });
    assert.ok(followed.json["secondFactor"], followed.text);
    assert.equal((await own.thief.ask("GET /auth/totp")).json["enabled"], true);
    assert.notEqual(secret, own.secret);
  },
);

test(
  "a verified account keeps its second factor: the letter alone opens nothing",
  { timeout },
  async () => {
    const email = "verified@example.com";
    const person = scene.person();
    await person.join(email);
    const begun = await person.ask("POST /auth/totp/begin", {});
    await person.ask("POST /auth/totp/confirm", { code: codeOf(begun.json["secret"] as string) });
    for (const prove of Object.values(ways)) {
      const proved = await prove(scene.person(), email);
      assert.ok(proved.json["secondFactor"], proved.text);
    }
  },
);

test(
  "an app can't make an account with a second factor one that nobody proved",
  { timeout },
  async () => {
    const person = scene.person();
    await person.join("moved@example.com");
    const begun = await person.ask("POST /auth/totp/begin", {});
    await person.ask("POST /auth/totp/confirm", { code: codeOf(begun.json["secret"] as string) });
    const typed = await person.ask("PUT /shop/email", { email: "movde@example.com" });
    assert.equal(typed.code, "CONFLICT", typed.text);
    const shown = { email: "moved.on@example.com", proven: true };
    assert.equal((await person.ask("PUT /shop/email", shown)).status, 204);
    const proved = await ways.link(scene.person(), "moved.on@example.com");
    assert.ok(proved.json["secondFactor"], proved.text);
  },
);

test("where the role must have one, it stays: both are asked for", { timeout }, async () => {
  const email = "staff@example.com";
  const { user, secret } = await squatted(email);
  await changeUser(scene, user, { role: "staff" });
  const owner = scene.person();
  const proved = await ways.link(owner, email);
  const { ticket } = proved.json["secondFactor"] as { readonly ticket: string };
  const done = await owner.ask("POST /auth/second-factor", { ticket, code: codeOf(secret) });
  assert.equal(done.json["user"], user, done.text);
});
