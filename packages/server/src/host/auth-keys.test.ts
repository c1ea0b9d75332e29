// Credentials for programs: keys with scopes, keys of services, tokens under other schemes, and what an app's own
// functions do with identity.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawKey } from "../auth/key-text.ts";
import type { Json } from "../base/json.ts";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import {
  goodPassword,
  openAuthSceneOfFile,
  type ScenePerson,
  type SceneReply,
} from "./auth-scene.case.ts";

const timeout = 60_000;
const scene = await openAuthSceneOfFile();

const withKey = (line: string, key: string, body?: Json): Promise<SceneReply> =>
  scene.person().ask(line, body, { headers: { authorization: `Bearer ${key}` } });

async function keyOf(person: ScenePerson, more: { readonly [field: string]: Json } = {}) {
  const made = await person.ask("POST /auth/keys", { name: "cash desk", ...more });
  assert.equal(made.status, 201, made.text);
  return { id: made.json["id"] as string, key: made.json["key"] as string };
}

async function procedure(name: string, input: Json): Promise<Json> {
  const { desk } = await scene.service();
  const atMs = scene.clock.nowMs();
  const { json } = await desk.writer.submit(
    {
      operation: { kind: "procedure", name, input },
      caller: anonymous,
      authority: "system",
      ...{ cause: "test", requestId: "test", atMs, idempotency: null },
    },
    startWork(),
  );
  return JSON.parse(json) as Json;
}

test("a key is its person, until it is ended", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("ann@example.com");
  const made = await keyOf(person);
  assert.match(made.key, /^kk_[\w-]{43}$/);
  assert.equal((await withKey("POST /api/fn/people.who", made.key, {})).json["id"], id);
  const listed = await person.ask("GET /auth/keys");
  assert.ok(!listed.text.includes(made.key), "a key is shown once");
  assert.ok(listed.text.includes(made.key.slice(0, 11)));
  assert.ok(!JSON.stringify(await scene.rows("authKey")).includes(made.key), "and not kept");

  assert.equal((await person.ask(`DELETE /auth/keys/${made.id}`)).status, 204);
  assert.equal((await withKey("POST /api/fn/people.who", made.key, {})).code, "TOKEN_INVALID");
});

test("a key does what it was made for, and no more", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("bea@example.com");
  const allowed = async (scopes: readonly string[]) => {
    const { key } = await keyOf(person, { scopes });
    const replies = [
      await withKey("POST /api/fn/people.who", key, {}),
      await withKey("POST /api/fn/people.write", key, { text: "by key" }),
      await withKey("GET /api/tables/note", key),
      await withKey("POST /api/tables/note", key, { text: "by key", owner: id }),
      await withKey("POST /api/batch", key, {
        steps: [{ create: "note", value: { text: "by key", owner: id } }],
      }),
    ];
    return replies.map(({ code, status }) => (status < 300 ? "yes" : code));
  };
  const no = "SCOPE_DENIED";
  const all = await allowed([]);
  assert.deepEqual(all.slice(0, 4), ["yes", "yes", "yes", "yes"]);
  assert.deepEqual((await allowed(["read"])).slice(0, 4), ["yes", no, "yes", no]);
  assert.deepEqual((await allowed(["write"])).slice(0, 4), [no, "yes", no, "yes"]);
  assert.deepEqual((await allowed(["call:people.who"])).slice(0, 4), ["yes", no, no, no]);
  assert.deepEqual((await allowed(["call:people.*"])).slice(0, 4), ["yes", "yes", no, no]);
  assert.deepEqual((await allowed(["table:note:read"])).slice(0, 4), [no, no, "yes", no]);
  assert.equal((await allowed(["table:note:read"]))[4], no, "nor in a batch");
  assert.equal(
    (await person.ask("POST /auth/keys", { name: "x", scopes: ["all"] })).code,
    "ARGUMENT_INVALID",
  );
});

test("a key ends on its day, and makes nothing more of itself", { timeout }, async () => {
  const person = scene.person();
  await person.join("cid@example.com");
  const { key } = await keyOf(person, { days: 2 });
  for (const line of ["POST /auth/keys", "POST /auth/password", "POST /auth/sessions/revoke-all"]) {
    assert.equal((await withKey(line, key, { name: "x" })).code, "SIGN_IN_REQUIRED", line);
  }
  assert.equal((await withKey("POST /api/fn/people.who", key, {})).status, 200);
  scene.clock.move(2 * 86_400_000);
  assert.equal((await withKey("POST /api/fn/people.who", key, {})).code, "TOKEN_INVALID");
});

test(
  "a service has keys, and no other way in; nobody gets a key in a person's name",
  { timeout },
  async () => {
    const { desk } = await scene.service();
    const { text, digest, hint } = drawKey(desk.secrets);
    const order = {
      fields: { name: "Till 1" },
      name: "till",
      hint,
      digest,
      scopes: ["read"],
      expiresAt: null,
    };
    const made = (await procedure("auth.makeServiceKey", { user: null, ...order })) as {
      readonly user: string;
    };
    const who = await withKey("POST /api/fn/people.who", text, {});
    assert.equal(who.json["id"], made.user);
    assert.equal(who.json["email"], null);
    assert.equal(
      (await withKey("POST /api/fn/people.write", text, { text: "x" })).code,
      "SCOPE_DENIED",
    );

    const person = scene.person();
    const user = await person.join("dot@example.com");
    const other = drawKey(desk.secrets);
    const stolen = { ...order, user, digest: other.digest, hint: other.hint };
    await assert.rejects(procedure("auth.makeServiceKey", stolen), { code: "USER_NOT_FOUND" });
  },
);

test(
  "a token is taken under the schemes that the app lists, and no others",
  { timeout },
  async () => {
    const person = scene.person();
    await person.join("eve@example.com");
    const { json } = await scene.person().signIn("eve@example.com", { tokens: true });
    const token = json["accessToken"] as string;
    const under = (scheme: string) =>
      scene
        .person()
        .ask("POST /api/fn/people.who", {}, { headers: { authorization: `${scheme} ${token}` } });
    assert.equal((await under("Bearer")).status, 200);
    assert.equal((await under("Token")).status, 200);
    assert.equal((await under("token")).status, 200);
    assert.equal((await under("JWT")).code, "TOKEN_INVALID");
    assert.equal((await under("Basic")).code, "TOKEN_INVALID");
  },
);

test(
  "an app with an API shape of its own makes users, checks passwords, opens and ends sessions",
  { timeout },
  async () => {
    const visitor = scene.person();
    const entry = { email: "Fay@Example.com", password: goodPassword };
    const joined = await visitor.ask("POST /shop/people", { ...entry, name: "Fay" });
    assert.equal(joined.status, 201, joined.text);
    const user = joined.json["user"];
    const token = joined.json["token"] as string;
    const asToken = (line: string) =>
      scene.person().ask(line, {}, { headers: { authorization: `Token ${token}` } });
    const me = await asToken("POST /api/fn/people.who");
    assert.equal(me.json["id"], user);
    assert.equal(me.json["emailVerified"], false);
    const again = await visitor.ask("POST /shop/people", entry);
    assert.equal(again.code, "UNIQUE_TAKEN", again.text);

    assert.equal((await visitor.ask("POST /shop/login", { ...entry, password: "no" })).status, 403);
    const headers = { "user-agent": "The visitor's program" };
    const opened = await visitor.ask("POST /shop/login", entry, { headers });
    assert.equal(opened.status, 200, opened.text);
    assert.equal((await visitor.who())["id"], user, "the cookie that the function set");
    const sessions = (await visitor.ask("GET /auth/sessions")).json["sessions"];
    const programs = (sessions as readonly { readonly userAgent: unknown }[]).map(
      (session) => session.userAgent,
    );
    assert.ok(programs.includes("The visitor's program"), JSON.stringify(programs));
    const renewed = await scene
      .person()
      .ask("POST /auth/refresh", { refreshToken: opened.json["refreshToken"] ?? null });
    assert.equal(renewed.status, 200, renewed.text);

    assert.deepEqual((await visitor.ask("POST /shop/logout", {})).json, { ended: true });
    assert.equal((await visitor.who())["id"], null);
    assert.equal((await asToken("POST /api/fn/people.who")).json["id"], user, "another session");

    const password = "a sentence that is new here";
    const changed = await scene
      .person()
      .ask(
        "POST /api/fn/people.repass",
        { password },
        { headers: { authorization: `Token ${token}` } },
      );
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await asToken("POST /api/fn/people.who")).code, "TOKEN_INVALID");
    assert.equal((await visitor.ask("POST /shop/login", { ...entry, password })).status, 200);
  },
);

test("passwords that functions check are guessed at no faster", { timeout }, async () => {
  await scene.person().join("gus@example.com");
  const guesser = scene.person();
  const statuses: number[] = [];
  for (let count = 0; count < 12; count++) {
    const entry = { email: "gus@example.com", password: `guess ${count}` };
    statuses.push((await guesser.ask("POST /shop/login", entry)).status);
  }
  assert.deepEqual(statuses, [...Array(10).fill(403), ...statuses.slice(10)]);
  assert.ok(statuses.slice(10).every((status) => status >= 400 && status !== 403));
});

test("the public keys are published, and no more than those", { timeout }, async () => {
  const { json, headers } = await scene.person().ask("GET /.well-known/jwks.json");
  const keys = json["keys"] as { readonly [name: string]: Json }[];
  assert.deepEqual(
    keys.map((key) => Object.keys(key).toSorted()),
    [["alg", "crv", "kid", "kty", "use", "x"]],
  );
  assert.match(headers["cache-control"] ?? "", /^public/);
});
