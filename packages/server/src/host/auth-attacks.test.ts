// Attacks on identity, one test each: what is tried, and that nothing comes of it. Each has its control, the same thing
// done rightly.
import assert from "node:assert/strict";
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { test } from "node:test";
import {
  goodPassword,
  openAuthScene,
  openAuthSceneOfFile,
  type ScenePerson,
  type SceneReply,
} from "./auth-scene.case.ts";

const timeout = 60_000;
const scene = await openAuthSceneOfFile();

let people = 0;

/** Somebody who is signed in, at an address of their own. */
async function member(): Promise<{
  readonly person: ScenePerson;
  readonly id: string;
  readonly email: string;
}> {
  people += 1;
  const email = `member${people}@example.com`;
  const person = scene.person();
  return { person, email, id: await person.join(email) };
}

// Tokens

type Part = Readonly<Record<string, unknown>>;
const part = (value: Part) => Buffer.from(JSON.stringify(value)).toString("base64url");

function jwt(header: Part, payload: Part, signer: (text: string) => string): string {
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${signer(text)}`;
}

const signedBy = (key: KeyObject) => (text: string) =>
  sign(null, Buffer.from(text), key).toString("base64url");

function ours(over: { readonly header?: Part; readonly payload?: Part; readonly key?: KeyObject }) {
  const { keys, clock } = scene;
  const nowSeconds = Math.floor(clock.nowMs() / 1_000);
  const header = { alg: "EdDSA", typ: "JWT", kid: keys.signing.kid, ...over.header };
  const payload = {
    sub: "user_00000000000000000000000000",
    iss: keys.issuer,
    aud: keys.issuer,
    iat: nowSeconds,
    exp: nowSeconds + 600,
    ...over.payload,
  };
  return jwt(header, payload, signedBy(over.key ?? keys.signing.privateKey));
}

async function asBearer(token: string): Promise<SceneReply> {
  const headers = { authorization: `Bearer ${token}` };
  return scene.person().ask("POST /api/fn/people.who", {}, { headers });
}

const tokenAttacks: readonly (readonly [name: string, code: string, make: () => string])[] = [
  ["a forged signature", "TOKEN_INVALID", () => `${ours({}).slice(0, -8)}AAAAAAAA`],
  [
    "a changed payload",
    "TOKEN_INVALID",
    () => {
      const [head, , mark] = ours({}).split(".");
      return `${head}.${part({ sub: "user_1", exp: 9_999_999_999 })}.${mark}`;
    },
  ],
  ["an expired token", "TOKEN_EXPIRED", () => ours({ payload: { iat: 1, exp: 1_000 } })],
  ["a token without an end", "TOKEN_INVALID", () => ours({ payload: { exp: undefined } })],
  [
    "a token that is not valid yet",
    "TOKEN_INVALID",
    () => ours({ payload: { nbf: Math.floor(scene.clock.nowMs() / 1_000) + 3_600 } }),
  ],
  [
    "alg none",
    "TOKEN_INVALID",
    () => {
      const [, payload] = ours({}).split(".");
      return `${part({ alg: "none", typ: "JWT" })}.${payload}.`;
    },
  ],
  [
    "alg none with the key's name and an empty signature",
    "TOKEN_INVALID",
    () => {
      const [, payload] = ours({}).split(".");
      return `${part({ alg: "None", typ: "JWT", kid: scene.keys.signing.kid })}.${payload}.AA`;
    },
  ],
  [
    "the public key taken for a shared secret (HS256)",
    "TOKEN_INVALID",
    () => {
      const pem = scene.keys.signing.publicKey.export({ format: "pem", type: "spki" });
      const [, payload] = ours({}).split(".");
      const text = `${part({ alg: "HS256", typ: "JWT", kid: scene.keys.signing.kid })}.${payload}`;
      return `${text}.${createHmac("sha256", pem).update(text).digest("base64url")}`;
    },
  ],
  [
    "the public key's bytes taken for a shared secret (HS256)",
    "TOKEN_INVALID",
    () => {
      const { x = "" } = scene.keys.signing.publicKey.export({ format: "jwk" });
      const [, payload] = ours({}).split(".");
      const text = `${part({ alg: "HS256", typ: "JWT", kid: scene.keys.signing.kid })}.${payload}`;
      const mark = createHmac("sha256", Buffer.from(x, "base64url")).update(text);
      return `${text}.${mark.digest("base64url")}`;
    },
  ],
  [
    "a key that the token brings along (jwk)",
    "TOKEN_INVALID",
    () => {
      const { privateKey } = generateKeyPairSync("ed25519");
      const jwk = createPublicKey(privateKey).export({ format: "jwk" });
      return ours({ header: { jwk }, key: privateKey });
    },
  ],
  [
    "another app's token",
    "TOKEN_INVALID",
    () => {
      const { privateKey } = generateKeyPairSync("ed25519");
      return ours({
        header: { kid: "another" },
        payload: { iss: "urn:keelson:00", aud: "urn:keelson:00" },
        key: privateKey,
      });
    },
  ],
  [
    "another issuer under our key",
    "TOKEN_INVALID",
    () => ours({ payload: { iss: "urn:keelson:00" } }),
  ],
  ["another audience", "TOKEN_INVALID", () => ours({ payload: { aud: "someone-else" } })],
  [
    "an id token or another type of token (typ)",
    "TOKEN_INVALID",
    () => ours({ header: { typ: "at+jwt" } }),
  ],
  [
    "a session that there never was",
    "TOKEN_INVALID",
    () => ours({ payload: { sid: "auth_session_00000000000000000000000000" } }),
  ],
  ["a session that is no text", "TOKEN_INVALID", () => ours({ payload: { sid: { id: 1 } } })],
  [
    "rights in the token of a session-less caller named as a prototype",
    "TOKEN_INVALID",
    () => ours({ payload: { claims: JSON.parse('{"__proto__":{"role":"staff"}}') as Part } }),
  ],
  ["a token that is too long", "TOKEN_INVALID", () => `${"a".repeat(20_000)}.a.a`],
  ["no token at all", "TOKEN_INVALID", () => "x"],
];

for (const [name, code, make] of tokenAttacks) {
  test(`token: ${name} is refused`, { timeout }, async () => {
    const reply = await asBearer(make());
    assert.equal(reply.status, 401, reply.text);
    assert.equal(reply.code, code);
  });
}

test("token: the same token made rightly is taken (control)", { timeout }, async () => {
  const reply = await asBearer(ours({ payload: { role: null, claims: {} } }));
  assert.equal(reply.status, 200, reply.text);
});

test("token: one of a session is nobody's once the session ended", { timeout }, async () => {
  const { email } = await member();
  const program = scene.person();
  const { json } = await program.signIn(email, { tokens: true });
  const token = json["accessToken"] as string;
  assert.equal((await asBearer(token)).status, 200);
  const owner = scene.person();
  await owner.signIn(email);
  await owner.ask("POST /auth/sessions/revoke-all", {});
  assert.equal((await asBearer(token)).code, "TOKEN_INVALID");
});

test("token: rights are those of the data, not of the token", { timeout }, async () => {
  const { email } = await member();
  const { json } = await scene.person().signIn(email, { tokens: true });
  const [, payload = ""] = (json["accessToken"] as string).split(".");
  const said = JSON.parse(Buffer.from(payload, "base64url").toString()) as Part;
  assert.deepEqual(Object.keys(said).toSorted(), ["aud", "exp", "iat", "iss", "sid", "sub"]);
});

// Sessions

test(
  "session fixation: a cookie from before is not the session that a sign-in opens",
  { timeout },
  async () => {
    const attacker = await member();
    const victim = scene.person();
    const { email, id } = await member();
    for (const [name, value] of attacker.person.jar) victim.jar.set(name, value);
    const planted = victim.jar.get("keelson_session");
    assert.equal((await victim.signIn(email)).status, 200);
    assert.notEqual(victim.jar.get("keelson_session"), planted);
    assert.equal((await victim.who())["id"], id);
    assert.equal((await attacker.person.who())["id"], attacker.id);
  },
);

test("session fixation: a session that somebody makes up is no session", { timeout }, async () => {
  const { person, id } = await member();
  const good = person.jar.get("keelson_session") ?? "";
  const [session, epoch, mark = ""] = good.split(".");
  const flipped = `${mark.startsWith("A") ? "B" : "A"}${mark.slice(1)}`;
  const forged = [
    `${session}.${epoch}.${flipped}`,
    `${session}.1.${mark}`,
    `${session}.${epoch}.`,
    `auth_session_00000000000000000000000000.0.${mark}`,
    "1",
  ];
  for (const value of forged) {
    const thief = scene.person();
    thief.jar.set("keelson_session", value);
    assert.equal((await thief.who())["id"], null, value);
  }
  assert.equal((await person.who())["id"], id);
});

test(
  "refresh: a token that is used a second time ends the session, for both who hold it",
  { timeout },
  async () => {
    const { email } = await member();
    const { json } = await scene.person().signIn(email, { tokens: true });
    const stolen = json["refreshToken"] as string;
    const renew = (refreshToken: string) =>
      scene.person().ask("POST /auth/refresh", { refreshToken });
    const renewed = await renew(stolen);
    assert.equal(renewed.status, 200, renewed.text);
    const newest = renewed.json["refreshToken"] as string;
    assert.notEqual(newest, stolen);
    // An answer can be lost on its way: for a moment the same one is answered again.
    assert.equal((await renew(stolen)).json["refreshToken"], newest);

    scene.clock.move(scene.limits.authRefreshGraceMs + 1);
    assert.equal((await renew(stolen)).code, "TOKEN_INVALID");
    assert.equal((await renew(newest)).code, "TOKEN_INVALID");
    assert.equal((await asBearer(renewed.json["accessToken"] as string)).code, "TOKEN_INVALID");
    const owner = scene.person();
    await owner.signIn(email);
    const { json: seen } = await owner.ask("GET /auth/events");
    assert.match(JSON.stringify(seen), /refreshTokenReused/);
  },
);

test("refresh: forged tokens, and those of other uses, are none", { timeout }, async () => {
  const { email, person } = await member();
  const { json } = await scene.person().signIn(email, { tokens: true });
  const good = json["refreshToken"] as string;
  const cookie = person.jar.get("keelson_session") ?? "";
  const forged = [
    good.replace(/\.0\./, ".1."),
    `${good.slice(0, -2)}AA`,
    `kr.${cookie}`,
    json["accessToken"] as string,
  ];
  for (const refreshToken of forged) {
    const reply = await scene.person().ask("POST /auth/refresh", { refreshToken });
    assert.match(reply.code ?? "", /^(?:TOKEN|ARGUMENT)_INVALID$/, refreshToken);
  }
  assert.equal(
    (await scene.person().ask("POST /auth/refresh", { refreshToken: good })).status,
    200,
  );
});

// Letters

test("reset: one link used by twenty at once is used once", { timeout }, async () => {
  const { email } = await member();
  await scene.person().ask("POST /auth/reset", { email });
  const ticket = scene.ticket(email, "reset-password");
  const tries = Array.from({ length: 20 }, (_, index) =>
    scene
      .person()
      .ask("POST /auth/reset/confirm", { ticket, password: `a long sentence nr ${index}` }),
  );
  const replies = await Promise.all(tries);
  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
  assert.equal(replies.filter(({ code }) => code === "TICKET_INVALID").length, 19);
});

test("reset: a link for one thing does nothing else", { timeout }, async () => {
  const { email, person } = await member();
  await person.ask("POST /auth/magic-link", { email });
  const ticket = scene.ticket(email, "magic-link");
  const password = "a sentence of some length";
  const elsewhere: readonly (readonly [string, object])[] = [
    ["POST /auth/reset/confirm", { ticket, password }],
    ["POST /auth/verify-email/confirm", { ticket }],
    ["POST /auth/email/confirm", { ticket }],
  ];
  for (const [line, body] of elsewhere) {
    assert.equal((await person.ask(line, body as never)).code, "TICKET_INVALID", line);
  }
  assert.equal((await scene.person().ask("POST /auth/magic-link/confirm", { ticket })).status, 200);
});

test(
  "reset: a link that went to an address is void when the account left that address",
  { timeout },
  async () => {
    const { email, person } = await member();
    await scene.person().ask("POST /auth/reset", { email });
    const ticket = scene.ticket(email, "reset-password");
    await person.ask("POST /auth/email", { email: `new.${email}` });
    const moved = scene.ticket(`new.${email}`, "change-email");
    assert.equal((await person.ask("POST /auth/email/confirm", { ticket: moved })).status, 200);
    const late = { ticket, password: "a sentence of some length" };
    assert.equal(
      (await scene.person().ask("POST /auth/reset/confirm", late)).code,
      "TICKET_INVALID",
    );
  },
);

test("letters: who asks for one does not choose where its link leads", { timeout }, async () => {
  const { email } = await member();
  const before = scene.letters.length;
  for (const to of [email, "nobody-at-all@example.com"]) {
    for (const line of ["POST /auth/reset", "POST /auth/magic-link"]) {
      const more = { headers: { host: "evil.example" } };
      const asked = await scene.person().ask(line, { email: to }, more);
      assert.equal(asked.code, "PUBLIC_URL_MISSING", `${line} ${to}`);
    }
  }
  const forwarded = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" };
  const second = await scene.person().ask("POST /auth/reset", { email }, { headers: forwarded });
  assert.equal(second.status, 202);
  for (const letter of scene.letters.slice(before)) {
    assert.ok(!JSON.stringify(letter.data).includes("evil.example"));
  }
});

test(
  "letters: an address that none can go to is refused, and nobody waits",
  { timeout },
  async () => {
    const { person } = await member();
    const made = await person.ask("POST /auth/orgs", { name: "Post", slug: "post" });
    const lines: readonly (readonly [string, object])[] = [
      ["POST /auth/sign-up", { password: goodPassword }],
      ["POST /auth/magic-link", {}],
      ["POST /auth/email-code", {}],
      ["POST /auth/reset", {}],
      ["POST /auth/email", {}],
      [`POST /auth/orgs/${made.json["id"] as string}/invitations`, { role: "member" }],
    ];
    const before = scene.letters.length;
    for (const email of [
      "a\u{200B}nn@example.com",
      "\u{202E}ann@example.com",
      ".@example.com",
      "a@-.-",
    ]) {
      for (const [line, body] of lines) {
        const reply = await person.ask(line, { ...body, email });
        assert.equal(reply.code, "ARGUMENT_INVALID", `${line} ${JSON.stringify(email)}`);
      }
    }
    assert.equal(scene.letters.length, before);
  },
);

test("letters: nobody is flooded with them", { timeout }, async () => {
  const email = "flooded@example.com";
  const codes: (string | null)[] = [];
  for (let count = 0; count < 15; count++) {
    codes.push((await scene.person().ask("POST /auth/magic-link", { email })).code);
  }
  assert.equal(codes.filter((code) => code === "RATE_LIMITED").length, 5);
  const flooder = scene.person();
  let sent = 0;
  for (let count = 0; count < 70; count++) {
    const reply = await flooder.ask("POST /auth/reset", { email: `nobody${count}@example.com` });
    sent += reply.status === 202 ? 1 : 0;
  }
  assert.equal(sent, 60);
});

test(
  "letters: strangers who ask for codes don't keep the owner from a link",
  { timeout },
  async () => {
    const { email, id } = await member();
    for (let count = 0; count < 12; count++) {
      await scene.person().ask("POST /auth/email-code", { email });
    }
    assert.equal(
      (await scene.person().ask("POST /auth/email-code", { email })).code,
      "RATE_LIMITED",
    );
    const owner = scene.person();
    assert.equal((await owner.ask("POST /auth/magic-link", { email })).status, 202);
    const ticket = scene.ticket(email, "magic-link");
    // And who uses the links up has put some into the mailbox that work.
    for (let count = 0; count < 12; count++) {
      await scene.person().ask("POST /auth/reset", { email });
    }
    assert.equal((await owner.ask("POST /auth/magic-link", { email })).code, "RATE_LIMITED");
    assert.equal((await owner.ask("POST /auth/magic-link/confirm", { ticket })).json["user"], id);
  },
);

for (const [how, line, template] of [
  ["a link", "magic-link", "magic-link"],
  ["a new password", "reset", "reset-password"],
  ["the letter that the other one asked for", "verify-email", "verify-email"],
] as const) {
  test(
    `linking: who had an account with somebody else's address keeps no way into it, once its owner came by ${how}`,
    { timeout },
    async () => {
      const email = `owner-${line}@example.com`;
      const thief = scene.person();
      const entry = { email, password: "what the thief chose" };
      const made = await thief.ask("POST /shop/people", entry);
      assert.equal(made.status, 201, made.text);
      const id = made.json["user"] as string;
      await thief.ask("POST /shop/login", entry);
      const key = (await thief.ask("POST /auth/keys", { name: "later" })).json["key"] as string;
      const tokens = [made.json["token"] as string, key];
      const whoIs = async (token: string) => (await asBearer(token)).json["id"];
      for (const token of tokens) assert.equal(await whoIs(token), id, "the thief's (control)");

      const owner = scene.person();
      if (line === "verify-email") await thief.ask("POST /auth/verify-email", {});
      else await owner.ask(`POST /auth/${line}`, { email });
      const password = line === "reset" ? { password: goodPassword } : {};
      const ticket = scene.ticket(email, template);
      await owner.ask(`POST /auth/${line}/confirm`, { ticket, ...password });
      assert.equal((await owner.who())["id"], id);
      assert.equal((await thief.who())["id"], null);
      for (const token of tokens) assert.equal((await asBearer(token)).code, "TOKEN_INVALID");
      assert.equal((await thief.ask("POST /auth/sign-in", entry)).code, "SIGN_IN_FAILED");
      // What the owner makes afterwards stays when they come by a letter again.
      const { key: own } = (await owner.ask("POST /auth/keys", { name: "till" })).json;
      await owner.ask("POST /auth/magic-link", { email });
      await owner.ask("POST /auth/magic-link/confirm", {
        ticket: scene.ticket(email, "magic-link"),
      });
      assert.equal(await whoIs(own as string), id);
    },
  );
}

test(
  "linking: who follows the letter where they are signed in, or types the password, keeps both",
  { timeout },
  async () => {
    for (const [index, typesIt] of [false, true].entries()) {
      const entry = { email: `own${index}@example.com`, password: goodPassword };
      const { user = null } = (await scene.person().ask("POST /shop/people", entry)).json;
      const person = scene.person();
      await person.ask("POST /shop/login", entry);
      await person.ask("POST /auth/verify-email", {});
      const ticket = scene.ticket(entry.email, "verify-email");
      const reader = typesIt ? scene.person() : person;
      const more = typesIt ? { password: goodPassword } : {};
      const done = await reader.ask("POST /auth/verify-email/confirm", { ticket, ...more });
      assert.equal(done.json["user"], user, done.text);
      assert.deepEqual(
        [(await reader.who())["emailVerified"], (await person.who())["id"]],
        [true, user],
      );
      assert.equal((await scene.person().signIn(entry.email)).status, 200);
    }
  },
);

// Enumeration

test(
  "enumeration by text: answers are the same whether an address has an account or not",
  { timeout },
  async () => {
    const { email } = await member();
    const unknown = email.replace("member", "nobody");
    const asks: readonly (readonly [line: string, body: Readonly<Record<string, string>>])[] = [
      ["POST /auth/sign-up", { password: goodPassword }],
      ["POST /auth/sign-in", { password: "not the right sentence" }],
      ["POST /auth/reset", {}],
      ["POST /auth/magic-link", {}],
      ["POST /auth/email-code", {}],
    ];
    const shape = (reply: SceneReply) => ({
      status: reply.status,
      body: reply.text
        .replace(/req_[0-9a-z]+/g, "req")
        .replace(/auth_ticket_[0-9a-z]{26}/g, "auth_ticket"),
      headers: Object.keys(reply.headers).toSorted(),
      cookies: reply.cookies.map((line) => line.replace(/=[^;]*/, "=")),
    });
    for (const [line, body] of asks) {
      const known = await scene.person().ask(line, { ...body, email });
      const none = await scene.person().ask(line, { ...body, email: unknown });
      assert.deepEqual(shape(known), shape(none), line);
    }
  },
);

test("enumeration by rows: what is written is the same, too", { timeout }, async () => {
  const { email } = await member();
  const counts = async () =>
    Promise.all(["authTicket", "authEvent"].map(async (name) => (await scene.rows(name)).length));
  const grown = async (line: string, body: Readonly<Record<string, string>>) => {
    const before = await counts();
    await scene.person().ask(line, body);
    const after = await counts();
    return after.map((count, index) => count - (before[index] ?? 0));
  };
  const unknown = email.replace("member", "nobody2");
  for (const [line, body] of [
    ["POST /auth/sign-up", { password: goodPassword }],
    ["POST /auth/sign-in", { password: "not the right sentence" }],
    ["POST /auth/reset", {}],
    ["POST /auth/magic-link", {}],
  ] as const) {
    assert.deepEqual(
      await grown(line, { ...body, email }),
      await grown(line, { ...body, email: unknown }),
    );
  }
});

// Guessing

test(
  "brute force: wrong passwords are held back, and nobody is locked out of their own account",
  { timeout },
  async () => {
    const { email, id, person } = await member();
    const owner = scene.person();
    await owner.signIn(email);
    await owner.ask("POST /auth/sign-out", {});
    const wrong = { email, password: "not the right sentence" };

    const guesser = scene.person();
    const codes: (string | null)[] = [];
    for (let count = 0; count < 12; count++) {
      codes.push((await guesser.ask("POST /auth/sign-in", wrong)).code);
    }
    assert.deepEqual(codes.slice(0, 10), Array(10).fill("SIGN_IN_FAILED"));
    assert.deepEqual(codes.slice(10), ["RATE_LIMITED", "RATE_LIMITED"]);
    // Also with the right password: a limit that lets the right one through is none.
    assert.equal((await guesser.signIn(email)).code, "RATE_LIMITED");
    // The owner, from elsewhere, and with a browser that never was here.
    assert.equal((await scene.person().signIn(email)).status, 200);

    // Many networks: the account is closed to browsers that it does not know, and to no other.
    let refused = 0;
    for (let count = 0; count < 130; count++) {
      const reply = await scene.person().ask("POST /auth/sign-in", wrong);
      refused += reply.code === "RATE_LIMITED" ? 1 : 0;
    }
    assert.ok(refused >= 30, `${refused} of 130 refused`);
    assert.equal((await scene.person().signIn(email)).code, "RATE_LIMITED");
    assert.equal((await owner.signIn(email)).json["user"], id);
    // It knows a browser in which its owner never typed a password, too.
    await person.ask("POST /auth/sign-out", {});
    assert.equal((await person.signIn(email)).json["user"], id);
    // And a letter still opens it for everybody who gets letters there.
    const late = scene.person();
    await late.ask("POST /auth/magic-link", { email });
    const ticket = scene.ticket(email, "magic-link");
    assert.equal((await late.ask("POST /auth/magic-link/confirm", { ticket })).json["user"], id);
  },
);

test(
  "brute force: a browser's mark is good for the account it was made for, and no other",
  { timeout },
  async () => {
    const first = await member();
    const second = await member();
    const guesser = scene.person();
    await guesser.signIn(first.email);
    assert.ok(guesser.jar.has("keelson_device"));
    const wrong = { email: second.email, password: "not the right sentence" };
    const codes: (string | null)[] = [];
    for (let count = 0; count < 11; count++) {
      codes.push((await guesser.ask("POST /auth/sign-in", wrong)).code);
    }
    assert.equal(codes.at(-1), "RATE_LIMITED");
  },
);

test("brute force: many guesses at once are not better than one by one", { timeout }, async () => {
  const { email } = await member();
  const guesser = scene.person();
  const tries = Array.from({ length: 40 }, (_, index) =>
    guesser.ask("POST /auth/sign-in", { email, password: `guess number ${index}` }),
  );
  const replies = await Promise.all(tries);
  assert.equal(replies.filter(({ code }) => code === "SIGN_IN_FAILED").length, 10);
});

// Other sites

const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

test(
  "cross-site POST: a page elsewhere can't make a browser change anything",
  { timeout },
  async () => {
    const { person, id } = await member();
    const form = { email: "evil@example.com" };
    const lines = ["POST /auth/sign-out", "POST /auth/email", "POST /auth/sessions/revoke-all"];
    const senders: readonly Readonly<Record<string, string>>[] = [
      evil,
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://shop.example.evil.example" },
      { origin: `${scene.url}.evil.example` },
    ];
    for (const line of lines) {
      for (const headers of senders) {
        const asJson = await person.ask(line, {}, { headers });
        assert.equal(asJson.code, "CROSS_SITE_DENIED", `${line} ${JSON.stringify(headers)}`);
        // Whoever set up a proxy sees what it made of the address.
        const details = asJson.json["details"] as { readonly origin?: string } | undefined;
        assert.equal(details?.origin, headers["origin"]);
        const asForm = await person.ask(line, undefined, { headers, form });
        assert.equal(asForm.status, 403, `${line} as a form, ${JSON.stringify(headers)}`);
      }
    }
    assert.equal((await person.who())["id"], id, "still signed in");
    // The same from a page of this server, and from an origin that the app lists.
    const own = { origin: scene.url, "sec-fetch-site": "same-origin" };
    assert.equal(
      (await person.ask("POST /auth/sessions/revoke-all", {}, { headers: own })).status,
      200,
    );
    const listed = { origin: "https://shop.example", "sec-fetch-site": "cross-site" };
    const allowed = await person.ask("POST /auth/sessions/revoke-all", {}, { headers: listed });
    assert.equal(allowed.status, 200, allowed.text);
  },
);

test("cross-site POST: nor sign a browser in as somebody else", { timeout }, async () => {
  const attacker = await member();
  const victim = scene.person();
  const form = { email: attacker.email, password: goodPassword };
  for (const headers of [evil, {}, { origin: "https://shop.example" }]) {
    const reply = await victim.ask("POST /auth/sign-in", undefined, { headers, form });
    assert.equal(reply.status, 403, JSON.stringify(headers));
    assert.equal(victim.jar.has("keelson_session"), false);
  }
});

test(
  "cross-site POST: at the app's own functions the cookie of another page is nobody's",
  { timeout },
  async () => {
    const { person, id } = await member();
    const reply = await person.ask(
      "POST /api/fn/people.write",
      { text: "by evil" },
      { headers: evil },
    );
    assert.equal(reply.status, 401, reply.text);
    assert.equal((await person.who({ headers: { origin: scene.url } }))["id"], id);
  },
);

test("redirects lead to this server, or where the app lists", { timeout }, async () => {
  const targets: readonly (readonly [string, boolean])[] = [
    ["/auth/account", true],
    ["https://partner.example/in/here", true],
    ["https://shop.example/basket", true],
    ["//", false],
    ["//evil.example", false],
    ["/\\evil.example", false],
    ["https://evil.example/", false],
    ["https://partner.example.evil.example/in/", false],
    ["https://partner.example@evil.example/in/", false],
    ["https://partner.example/out/", false],
    ["https://partner.example/in/../out/", false],
    ["javascript:alert(1)", false],
    ["data:text/html,x", false],
    ["http:evil.example", false],
    ["/\tx", false],
    ["/..//evil.example", false],
    ["/auth/..//evil.example", false],
    [`blob:${scene.url}/x`, false],
  ];
  const { redirectTarget } = await import("../auth/redirect-target.ts");
  const { desk } = await scene.service();
  const where = { origin: scene.url, cors: desk.manifest.cors, settings: desk.settings };
  for (const [target, isAllowed] of targets) {
    if (isAllowed) assert.equal(redirectTarget(target, where), target);
    else assert.throws(() => redirectTarget(target, where), { code: "REDIRECT_DENIED" }, target);
  }
});

// What people fill in

test("nobody gives themselves rights when they sign up", { timeout }, async () => {
  for (const more of [
    { role: "staff" },
    { plan: "gold" },
    { id: "user_1" },
    { emailVerified: true },
  ]) {
    const reply = await scene
      .person()
      .ask("POST /auth/sign-up", { email: "greedy@example.com", password: goodPassword, ...more });
    assert.equal(reply.code, "ARGUMENT_INVALID", JSON.stringify(more));
  }
});

test("nobody reaches identity's tables", { timeout }, async () => {
  const { person } = await member();
  for (const table of ["authAccount", "authSession", "authTicket", "authEvent", "org"]) {
    const reply = await person.ask(`GET /api/tables/${table}`);
    assert.equal(reply.status, 404, `${table} ${reply.text}`);
  }
});

test("addresses that could break a letter's head are refused", { timeout }, async () => {
  const bad = [
    "a@example.com\r\nbcc: b@example.com",
    "a@example.com,b@example.com",
    "<a@example.com>",
    "a b@example.com",
    "a@b",
    `${"x".repeat(330)}@example.com`,
    "",
  ];
  for (const email of bad) {
    const reply = await scene.person().ask("POST /auth/magic-link", { email });
    assert.equal(reply.code, "ARGUMENT_INVALID", email);
  }
});

test("bodies that are none of ours are refused", { timeout }, async () => {
  const person = scene.person();
  const strange = await person.ask("POST /auth/sign-in", [1] as never);
  assert.equal(strange.code, "ARGUMENT_INVALID");
  const more = await person.ask("POST /auth/sign-in", { email: "a@b.cc", password: "x", more: 1 });
  assert.equal(more.code, "ARGUMENT_INVALID");
  const text = await person.ask(
    "POST /auth/sign-in",
    {},
    { headers: { "content-type": "text/plain" } },
  );
  assert.equal(text.code, "BODY_TYPE_UNSUPPORTED");
  assert.equal((await person.ask("PUT /auth/sign-in", {})).code, "METHOD_NOT_ALLOWED");
  assert.equal((await person.ask("POST /auth/nothing", {})).code, "NOT_FOUND");
});

test(
  "cookies are out of reach of scripts and other sites, and of plain http where there is https",
  { timeout },
  async () => {
    const { email } = await member();
    const plain = (await scene.person().signIn(email)).cookies.find((line) =>
      line.includes("session="),
    );
    assert.match(
      plain ?? "",
      /^keelson_session=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
    );
    const secure = await openAuthScene({ publicUrl: "https://shop.example" });
    try {
      const person = secure.person();
      await person.ask("POST /auth/guest", {});
      const [[name, value] = ["", ""]] = person.jar;
      assert.equal(name, "__Host-keelson_session");
      const reply = await secure.person().ask("POST /auth/guest", {});
      assert.match(reply.cookies[0] ?? "", /^__Host-.*; HttpOnly; SameSite=Lax; Secure/);
      assert.notEqual((await person.who())["id"], null);
      // A page on a neighbouring host can set a cookie without the prefix: it is not looked at.
      const tossed = secure.person();
      tossed.jar.set("keelson_session", value);
      assert.equal((await tossed.who())["id"], null);
    } finally {
      await secure.close();
    }
  },
);
