// A role that needs a second factor, over the real door: without one its people are nobody in the app, and at identity's
// own addresses they may set one up and go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSync } from "otplib";
import type { Json } from "../base/json.ts";
import { drawKey } from "../auth/key-text.ts";
import { SoftAuthenticator } from "../auth/passkey/soft-authenticator.case.ts";
import { changeUser, openAuthSceneOfFile, type ScenePerson } from "./auth-scene.case.ts";

const timeout = 60_000;
const required = "SECOND_FACTOR_REQUIRED";
const scene = await openAuthSceneOfFile();

/** Somebody who signed in with a password alone and is staff now. */
async function weakling(email: string): Promise<{ person: ScenePerson; id: string }> {
  const person = scene.person();
  const id = await person.join(email);
  await changeUser(scene, id, { role: "staff" });
  return { person, id };
}

async function codeOf(person: ScenePerson): Promise<string> {
  const begun = await person.ask("POST /auth/totp/begin", {});
  assert.equal(begun.status, 200, begun.text);
  const epoch = Math.floor(scene.clock.nowMs() / 1_000);
  return generateSync({ secret: begun.json["secret"] as string, epoch });
}

test("no function and no table is reached, whatever the road", { timeout }, async () => {
  const { person, id } = await weakling("ada@example.com");
  const signedIn = await person.signIn("ada@example.com", { tokens: true });
  const token = signedIn.json["accessToken"] as string;
  const renewed = await scene.person().ask("POST /auth/refresh", {
    refreshToken: signedIn.json["refreshToken"] as string,
  });
  const note = { text: "by staff", owner: id };
  const roads: readonly (readonly [line: string, body?: Json])[] = [
    ["POST /api/fn/people.who", {}],
    ["POST /api/fn/people.staffOnly", {}],
    ["POST /api/fn/people.write", { text: "x" }],
    ["POST /api/fn/people.repass", { password: "nine grey herons in the reeds" }],
    ["GET /api/tables/note"],
    ["GET /api/tables/user"],
    [`GET /api/tables/user/${id}`],
    ["POST /api/tables/note", note],
    ["POST /api/batch", { steps: [{ create: "note", value: note }] }],
    ["POST /shop/logout", {}],
  ];
  const headers = [token, renewed.json["accessToken"] as string, token.replace(/^/, "")].map(
    (each, at) => ({ authorization: `${at === 2 ? "Token" : "Bearer"} ${each}` }),
  );
  for (const [line, body] of roads) {
    assert.equal((await person.ask(line, body)).code, required, `${line}, by cookie`);
    for (const each of headers) {
      const reply = await scene.person().ask(line, body, { headers: each });
      assert.equal(reply.code, required, `${line}, by ${each.authorization.slice(0, 6)}`);
    }
  }
  const notes = await scene.rows("note");
  assert.deepEqual(
    notes.filter((row) => row["owner"] === id),
    [],
  );
});

test("nor anything of the account, but what sets the factor up", { timeout }, async () => {
  const { person, id } = await weakling("bob@example.com");
  const before = JSON.stringify(
    (await scene.rows("authAccount")).find((row) => row["user"] === id),
  );
  for (const line of [
    "GET /auth/sessions",
    "GET /auth/events",
    "GET /auth/keys",
    "GET /auth/orgs",
    "GET /auth/identities",
    "GET /auth/consents",
  ]) {
    assert.equal((await person.ask(line)).code, required, line);
  }
  for (const [line, body] of [
    ["POST /auth/keys", { name: "x" }],
    ["POST /auth/password", { password: "nine grey herons in the reeds" }],
    ["POST /auth/email", { email: "eve@example.com" }],
    ["POST /auth/sessions/revoke-all", {}],
    ["POST /auth/orgs", { name: "x", slug: "x" }],
    ["POST /auth/recovery-codes", {}],
    ["DELETE /auth/totp", undefined],
  ] as const) {
    assert.equal((await person.ask(line, body)).code, required, line);
  }
  const after = (await scene.rows("authAccount")).find((row) => row["user"] === id);
  assert.equal(JSON.stringify(after), before);
  // A page leads to where one is set up; that page shows no more than that.
  const html = { headers: { accept: "text/html" } };
  const led = await person.ask("GET /auth/keys", undefined, html);
  assert.equal(led.headers["location"], "/auth/security");
  const page = await person.ask("GET /auth/security", undefined, html);
  assert.equal(page.status, 200);
  assert.match(page.text, /Your role asks for a second step/);
  assert.match(page.text, /action="\/auth\/totp\/begin"/);
  assert.doesNotMatch(page.text, /action="\/auth\/password"/);

  assert.equal((await person.ask("GET /auth/me")).status, 200);
  const code = await codeOf(person);
  assert.equal((await person.ask("POST /auth/totp/confirm", { code })).status, 200);
  assert.equal((await person.who())["role"], "staff");
  assert.equal((await person.ask("GET /auth/keys")).status, 200);
});

test("it may sign out, and is nobody then", { timeout }, async () => {
  const { person } = await weakling("cat@example.com");
  assert.equal((await person.ask("POST /auth/sign-out", {})).status, 204);
  assert.equal((await person.who())["id"], null);
});

test(
  "who has a factor already shows it: a password alone makes no second one",
  { timeout },
  async () => {
    const owner = scene.person();
    const id = await owner.join("dan@example.com");
    const soft = new SoftAuthenticator(scene.url);
    const asked = await owner.ask("POST /auth/passkeys/options", {});
    const credential = soft.register(asked.json["options"] as Json);
    assert.equal((await owner.ask("POST /auth/passkeys", { credential })).status, 201);
    await changeUser(scene, id, { role: "staff" });

    const thief = scene.person();
    assert.equal((await thief.signIn("dan@example.com")).status, 200);
    for (const line of ["POST /auth/totp/begin", "POST /auth/passkeys/options"]) {
      assert.equal((await thief.ask(line, {})).code, required, line);
    }
    const page = await thief.ask("GET /auth/security", undefined, {
      headers: { accept: "text/html" },
    });
    assert.match(page.text, /You have one: show it/);
    assert.doesNotMatch(page.text, /totp\/begin/);

    const options = await owner.ask("POST /auth/passkeys/sign-in/options", {});
    const answer = soft.signIn(options.json["options"] as Json);
    const shown = await owner.ask("POST /auth/passkeys/sign-in", { credential: answer });
    assert.equal(shown.status, 200, shown.text);
    assert.equal((await owner.who())["role"], "staff");
    assert.equal((await owner.ask("POST /auth/totp/begin", {})).status, 200);
  },
);

test(
  "a key that was made without it does nothing from the day the role asks; one made with it does",
  { timeout },
  async () => {
    const person = scene.person();
    const id = await person.join("eli@example.com");
    const keyOf = async () => {
      const made = await person.ask("POST /auth/keys", { name: "script" });
      assert.equal(made.status, 201, made.text);
      return { authorization: `Bearer ${made.json["key"] as string}` };
    };
    const weak = await keyOf();
    const by = (headers: { readonly authorization: string }, line: string, body?: Json) =>
      scene.person().ask(line, body, { headers });
    const note = { text: "by key", owner: id };
    const roads: readonly (readonly [line: string, body?: Json])[] = [
      ["POST /api/fn/people.who", {}],
      ["POST /api/fn/people.write", { text: "x" }],
      ["GET /api/tables/note"],
      ["POST /api/tables/note", note],
      ["POST /api/batch", { steps: [{ create: "note", value: note }] }],
      ["POST /shop/logout", {}],
    ];
    assert.equal((await by(weak, "POST /api/fn/people.who", {})).json["id"], id);

    await changeUser(scene, id, { role: "staff" });
    for (const [line, body] of roads) {
      assert.equal((await by(weak, line, body)).code, required, line);
    }
    const code = await codeOf(person);
    assert.equal((await person.ask("POST /auth/totp/confirm", { code })).status, 200);
    const strong = await keyOf();
    assert.equal((await by(strong, "POST /api/fn/people.who", {})).json["role"], "staff");
    for (const [line, body] of roads) {
      assert.equal((await by(weak, line, body)).code, required, `${line}, still`);
    }
    const { json } = await person.ask("GET /auth/keys");
    const keys = json["keys"] as readonly { readonly [field: string]: Json }[];
    assert.deepEqual(
      keys.map(({ isStrong }) => isStrong),
      [false, true],
    );

    const html = { headers: { accept: "text/html" } };
    const page = () => person.ask("GET /auth/keys", undefined, html);
    assert.equal((await page()).text.split("Does nothing: your role asks").length - 1, 1);

    await changeUser(scene, id, { role: "customer" });
    assert.doesNotMatch((await page()).text, /Does nothing/);
    assert.equal((await by(weak, "POST /api/fn/people.who", {})).json["id"], id);
  },
);

test(
  "a service of such a role acts: it has keys, and nothing that could be shown",
  { timeout },
  async () => {
    const { desk } = await scene.service();
    const { text, digest, hint } = drawKey(desk.secrets);
    const order = { fields: { role: "staff" }, name: "till", hint, digest, scopes: [] };
    await desk.run(
      { name: "auth.makeServiceKey", run: () => null },
      { user: null, expiresAt: null, ...order } as never,
      { requestId: "test", nowMs: scene.clock.nowMs() },
    );
    const headers = { authorization: `Bearer ${text}` };
    const who = await scene.person().ask("POST /api/fn/people.who", {}, { headers });
    assert.equal(who.json["role"], "staff", who.text);
  },
);
