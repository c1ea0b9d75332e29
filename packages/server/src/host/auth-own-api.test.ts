// An app with an API of its own over `ctx.auth`: cookies as the road asks for them, an owner whom guessing strangers can't
// keep out, and another address for a user.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import {
  goodPassword,
  openAuthScene,
  openAuthSceneOfFile,
  type SceneReply,
} from "./auth-scene.case.ts";

const timeout = 60_000;
const password = goodPassword;
const scene = await openAuthSceneOfFile();

/** Somebody whom the app made. @returns their token. */
async function made(email: string): Promise<{ readonly user: string; readonly token: string }> {
  const reply = await scene.person().ask("POST /shop/people", { email, password });
  assert.equal(reply.status, 201, reply.text);
  return reply.json as { user: string; token: string };
}

function readdress(token: string, body: Json): Promise<SceneReply> {
  const headers = { authorization: `Token ${token}` };
  return scene.person().ask("PUT /shop/email", body, { headers });
}

async function accountOf(user: string) {
  const rows = await scene.rows("authAccount");
  return rows.find((row) => row["user"] === user);
}

test("a session that is opened over https has a cookie for https", { timeout }, async () => {
  const { user } = await made("https@example.com");
  const login = { email: "https@example.com", password };
  const https = { "x-forwarded-proto": "https" };
  const person = scene.person();
  const [cookie = ""] = (await person.ask("POST /shop/login", login, { headers: https })).cookies;
  assert.match(cookie, /^__Host-keelson_session=.*; Secure;/);
  const me = await person.ask("GET /auth/me", undefined, { headers: https });
  assert.equal((me.json["me"] as { readonly id: string }).id, user);
  assert.equal((await person.who({ headers: https }))["id"], user);

  const [plain = ""] = (await scene.person().ask("POST /shop/login", login)).cookies;
  assert.match(plain, /^keelson_session=/);
  assert.doesNotMatch(plain, /Secure/);
});

test("where people were told to come counts more than the road of one request", async () => {
  const told = await openAuthScene({ publicUrl: "http://shop.internal" });
  try {
    const login = { email: "told@example.com", password };
    assert.equal((await told.person().ask("POST /shop/people", login)).status, 201);
    const headers = { "x-forwarded-proto": "https" };
    const [cookie = ""] = (await told.person().ask("POST /shop/login", login, { headers })).cookies;
    assert.match(cookie, /^keelson_session=/);
  } finally {
    await told.close();
  }
});

test(
  "strangers who guess don't keep out a program that the owner signed in with",
  { timeout },
  async () => {
    const email = "owner@example.com";
    const { user } = await made(email);
    const login = { email, password };
    const opened = await scene.person().ask("POST /shop/login", login);
    const device = opened.json["device"] as string;
    for (let at = 0; at < 100; at++) {
      const reply = await scene.person().ask("POST /shop/login", { email, password: `no ${at}` });
      assert.equal(reply.status, 403, reply.text);
    }
    const owner = scene.person();
    assert.equal((await owner.ask("POST /shop/login", login)).code, "RATE_LIMITED");
    const back = await owner.ask("POST /shop/login", { ...login, device });
    assert.equal(back.status, 200, back.text);
    assert.equal(
      (await accountOf(user))?.["email"],
      email,
      "the mark is one of the account, and of no other",
    );

    const wrong = { email, password: "still no", device };
    for (let at = 0; at < 10; at++) {
      assert.equal((await owner.ask("POST /shop/login", wrong)).status, 403);
    }
    const over = await owner.ask("POST /shop/login", { ...login, device });
    assert.equal(over.code, "RATE_LIMITED", "a device guesses no more than a network does");

    await made("other@example.com");
    const other = await scene
      .person()
      .ask("POST /shop/login", { email: "other@example.com", password });
    const borrowed = { ...login, device: other.json["device"] as string };
    assert.equal((await owner.ask("POST /shop/login", borrowed)).code, "RATE_LIMITED");
    assert.equal((await owner.ask("POST /shop/login", { ...login, device: "x" })).status, 429);
  },
);

test("an app gives a user another address", { timeout }, async () => {
  const { user, token } = await made("before@example.com");
  await made("taken@example.com");
  const reset = await scene.person().ask("POST /auth/reset", { email: "before@example.com" });
  assert.equal(reset.status, 202);

  assert.equal((await readdress(token, { email: "taken@example.com" })).code, "UNIQUE_TAKEN");
  assert.equal((await readdress(token, { email: "no address" })).code, "ARGUMENT_INVALID");
  assert.equal((await accountOf(user))?.["email"], "before@example.com");

  const done = await readdress(token, { email: "After@Example.com", proven: true });
  assert.equal(done.status, 204, done.text);
  const account = await accountOf(user);
  assert.deepEqual([account?.["email"], account?.["emailVerified"]], ["after@example.com", true]);
  const row = (await scene.rows("user")).find(({ id }) => id === user);
  assert.equal(row?.["email"], "after@example.com", "the row of the app, too");
  assert.equal(
    scene.letter("before@example.com", "email-changed").data["address"],
    "after@example.com",
  );
  const events = (await scene.rows("authEvent")).filter((event) => event["user"] === user);
  assert.ok(events.some(({ kind }) => kind === "emailChanged"));

  const ticket = scene.ticket("before@example.com", "reset-password");
  const late = await scene.person().ask("POST /auth/reset/confirm", { ticket, password });
  assert.equal(late.code, "TICKET_INVALID", "a letter to the address before opens nothing");
  const login = (email: string) => scene.person().ask("POST /shop/login", { email, password });
  assert.equal((await login("before@example.com")).status, 403);
  assert.equal((await login("after@example.com")).status, 200);
});

test("an address that nobody proved is not verified, whatever it was before", async () => {
  const { user, token } = await made("kept@example.com");
  assert.equal((await readdress(token, { email: "kept@example.com", proven: true })).status, 204);
  assert.equal((await accountOf(user))?.["emailVerified"], true, "the same address, shown now");
  assert.equal(scene.letters.filter(({ to }) => to === "kept@example.com").length, 0);
  assert.equal((await readdress(token, { email: "kept@example.com" })).status, 204);
  assert.equal((await accountOf(user))?.["emailVerified"], true, "nothing was said of it");
  assert.equal((await readdress(token, { email: "new@example.com" })).status, 204);
  assert.equal((await accountOf(user))?.["emailVerified"], false);
  const who = await scene.person().who({ headers: { authorization: `Token ${token}` } });
  assert.deepEqual([who["email"], who["emailVerified"]], ["new@example.com", false]);
});

test("a guest gets no address by this: signing up gives one", async () => {
  const guest = scene.person();
  await guest.ask("POST /auth/guest", {});
  const reply = await guest.ask("PUT /shop/email", { email: "guest@example.com" });
  assert.equal(reply.code, "CONFLICT");
});
