// What somebody asked for while an account was in their hands, and kept to use later: it opens nothing once the account's
// owner has it alone, by a proof of the address, another password or the end of all sessions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSync } from "otplib";
import { closeAccount } from "../auth/account/operate.ts";
import { importUser } from "../auth/import/import-procedure.ts";
import type { Json } from "../base/json.ts";
import {
  goodPassword,
  openAuthSceneOfFile,
  type ScenePerson,
  type SceneReply,
} from "./auth-scene.case.ts";

const timeout = 60_000;
const password = goodPassword;
const another = `${goodPassword} again`;
const scene = await openAuthSceneOfFile();

/** Asks for another address of the account. @returns follows the letter to it, later, in somebody's browser. */
async function readdressed(
  thief: ScenePerson,
  to: string,
): Promise<(who: ScenePerson) => Promise<SceneReply>> {
  const asked = await thief.ask("POST /auth/email", { email: to });
  assert.equal(asked.status, 202, asked.text);
  const ticket = scene.ticket(to, "change-email");
  return (who) => who.ask("POST /auth/email/confirm", { ticket });
}

async function addressOf(user: string): Promise<Json> {
  const rows = await scene.rows("authAccount");
  return rows.find((row) => row["user"] === user)?.["email"] ?? null;
}

async function call(person: ScenePerson, name: string, args: Json): Promise<void> {
  const reply = await person.ask(`POST /api/fn/${name}`, args);
  assert.ok(reply.status < 300, reply.text);
}

test(
  "whoever made an account with the address of another can't move it later",
  { timeout },
  async () => {
    const email = "squatted@example.com";
    const thief = scene.person();
    const { json } = await thief.ask("POST /shop/people", { email, password });
    const user = json["user"] as string;
    await thief.signIn(email);
    const follow = await readdressed(thief, "thief-1@example.com");
    const owner = scene.person();
    await owner.ask("POST /auth/magic-link", { email });
    const ticket = scene.ticket(email, "magic-link");
    const proved = await owner.ask("POST /auth/magic-link/confirm", { ticket });
    assert.equal(proved.json["user"], user, proved.text);
    assert.equal((await follow(owner)).code, "TICKET_INVALID");
    assert.equal(await addressOf(user), email);
  },
);

test(
  "an address counts for an account when who is signed in there follows its letter, for nobody else",
  { timeout },
  async () => {
    const [email, to] = ["mover@example.com", "moved@example.com"];
    const thief = scene.person();
    const user = await thief.join(email);
    const follow = await readdressed(thief, to);
    // Whose address it is follows a letter that came, like one of their own.
    assert.equal((await follow(scene.person())).code, "SIGN_IN_REQUIRED");
    const another = scene.person();
    await another.join("another@example.com");
    assert.equal((await follow(another)).code, "TICKET_INVALID");
    assert.equal(await addressOf(user), email);
    assert.equal((await follow(thief)).json["email"], to);
    assert.equal(await addressOf(user), to);
  },
);

test("a guest gets an address by signing up only", { timeout }, async () => {
  const guest = scene.person();
  await guest.ask("POST /auth/guest", {});
  const asked = await guest.ask("POST /auth/email", { email: "guest-moves@example.com" });
  assert.equal(asked.code, "CONFLICT", asked.text);
  assert.throws(() => scene.letter("guest-moves@example.com", "change-email"));
});

/** The ways to be rid of whoever holds a copy of one's session. */
const ways = {
  async changed(owner: ScenePerson) {
    const reply = await owner.ask("POST /auth/password", { password: another });
    assert.equal(reply.status, 200, reply.text);
  },
  async reset(_: ScenePerson, email: string) {
    const elsewhere = scene.person();
    await elsewhere.ask("POST /auth/reset", { email });
    const ticket = scene.ticket(email, "reset-password");
    const reply = await elsewhere.ask("POST /auth/reset/confirm", { ticket, password: another });
    assert.equal(reply.status, 200, reply.text);
  },
  async app(owner: ScenePerson) {
    await call(owner, "people.repass", { password: another });
  },
  async ended(owner: ScenePerson) {
    const reply = await owner.ask("POST /auth/sessions/revoke-all", {});
    assert.ok(reply.status < 300, reply.text);
  },
  async revoked(owner: ScenePerson) {
    // Signed in elsewhere: the session that was copied is one to end.
    const elsewhere = scene.person();
    const { json } = await elsewhere.signIn("revoked@example.com");
    const { sessions } = (await elsewhere.ask("GET /auth/sessions")).json as {
      readonly sessions: readonly { readonly id: string }[];
    };
    for (const { id } of sessions) {
      if (id === json["session"]) continue;
      assert.equal((await elsewhere.ask(`DELETE /auth/sessions/${id}`)).status, 204);
    }
    assert.equal((await owner.who())["id"], null);
  },
  async closed(_: ScenePerson, email: string) {
    const { desk } = await scene.service();
    const ask = { requestId: "test", nowMs: scene.clock.nowMs() };
    await desk.run(closeAccount, { user: email, isClosed: true }, ask);
    await desk.run(closeAccount, { user: email, isClosed: false }, ask);
  },
};

for (const [way, rid] of Object.entries(ways)) {
  test(`a thief's letter for another address is void (${way})`, { timeout }, async () => {
    const email = `${way}@example.com`;
    const owner = scene.person();
    const user = await owner.join(email);
    const follow = await readdressed(owner.copy(), `thief-${way}@example.com`);
    await rid(owner, email);
    const again = scene.person();
    await again.ask("POST /auth/magic-link", { email });
    const ticket = scene.ticket(email, "magic-link");
    const came = await again.ask("POST /auth/magic-link/confirm", { ticket });
    assert.equal(came.json["user"], user, came.text);
    assert.equal((await follow(again)).code, "TICKET_INVALID");
    assert.equal(await addressOf(user), email);
  });
}

test(
  "a first step by the old password is none after another one was chosen",
  { timeout },
  async () => {
    const email = "two-steps@example.com";
    const owner = scene.person();
    await owner.join(email);
    const begun = await owner.ask("POST /auth/totp/begin", {});
    const secret = begun.json["secret"] as string;
    const code = () => generateSync({ secret, epoch: Math.floor(scene.clock.nowMs() / 1_000) });
    await owner.ask("POST /auth/totp/confirm", { code: code() });
    scene.clock.move(60_000);
    const thief = scene.person();
    const first = await thief.signIn(email);
    const { ticket } = first.json["secondFactor"] as { readonly ticket: string };
    await ways.changed(owner);
    const second = await thief.ask("POST /auth/second-factor", { ticket, code: code() });
    assert.equal(second.code, "TICKET_INVALID", second.text);
  },
);

test(
  "what was made of a guest's session that was planted opens nothing for who signs up",
  { timeout },
  async () => {
    const email = "planted@example.com";
    const thief = scene.person();
    await thief.ask("POST /auth/guest", {});
    const key = (await thief.ask("POST /auth/keys", { name: "mine" })).json["key"] as string;
    assert.equal((await thief.ask("POST /auth/totp/begin", {})).status, 200);
    const owner = thief.copy();
    const user = await owner.join(email);
    assert.equal((await owner.who())["id"], user);
    const headers = { authorization: `Bearer ${key}` };
    const held = await scene.person().ask("POST /api/fn/people.who", {}, { headers });
    assert.equal(held.code, "TOKEN_INVALID", held.text);
    assert.deepEqual(
      (await scene.rows("authTotp")).filter((row) => row["user"] === user),
      [],
    );
  },
);

test(
  "what was allowed to other systems before an address was proved is asked again",
  { timeout },
  async () => {
    const email = "allowed@example.com";
    const { desk } = await scene.service();
    const user = {
      ...{ sourceId: "1", email, emailVerified: false, name: null, passwordHash: null },
      ...{ identities: [], disabled: false, left: [], keys: [] },
      consents: [{ client: "elsewhere", scopes: ["openid"] }],
    };
    const ask = { requestId: "test", nowMs: scene.clock.nowMs() };
    const { user: id } = await desk.run(importUser, { source: "keelson", user, fields: {} }, ask);
    const owner = scene.person();
    await owner.ask("POST /auth/magic-link", { email });
    const ticket = scene.ticket(email, "magic-link");
    const proved = await owner.ask("POST /auth/magic-link/confirm", { ticket });
    assert.equal(proved.json["user"], id, proved.text);
    assert.deepEqual(await scene.rows("authConsent"), []);
  },
);
