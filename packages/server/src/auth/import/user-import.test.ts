// Records as the five systems write them (their documentation's examples, shortened), and what comes of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../base/json.ts";
import { verifyForeignHash } from "./foreign-hash.ts";
import { auth0Hash } from "./from-auth0.ts";
import { firebaseHashing } from "./from-firebase.ts";
import type { ImportedRecord, ImportedUser, UserRecord } from "./imported-user.ts";
import { readImportedUser, userSources, type UserSource } from "./user-import.ts";

const bcrypt = "$2b$10$nOUIs5kJ7naTuTFkBy1veuK0kSxUFXfuaOKdOKf9xYT0KKIGSJwFa";
const options = { nowMs: 1_800_000_000_000, hashing: null, hashes: new Map<string, string>() };

function read(source: UserSource, record: UserRecord, over: Partial<typeof options> = {}) {
  return readImportedUser(source, record, { ...options, ...over });
}

function userOf(record: ImportedRecord): ImportedUser {
  assert.equal(record.kind, "user", JSON.stringify(record));
  return (record as { user: ImportedUser }).user;
}

test("auth0: a line of the export, with its hash from the other file", () => {
  const line = auth0Hash({
    _id: { $oid: "60425dc43519d90068f82973" },
    email_verified: false,
    email: "test2@example.com",
    passwordHash: bcrypt,
    tenant: "dev-rwsbs6ym",
    connection: "Username-Password-Authentication",
  });
  assert.deepEqual(line, { id: "auth0|60425dc43519d90068f82973", hash: bcrypt });
  const record = {
    user_id: "auth0|60425dc43519d90068f82973",
    email: "Test2@Example.com",
    email_verified: true,
    name: "Test2@Example.com",
    nickname: "test2",
    identities: [
      {
        connection: "Username-Password-Authentication",
        user_id: "60425dc43519d90068f82973",
        provider: "auth0",
      },
      { connection: "google-oauth2", user_id: "1037", provider: "google-oauth2", isSocial: true },
    ],
    user_metadata: { plan: "gold" },
  };
  const hashes = new Map([["auth0|60425dc43519d90068f82973", bcrypt]]);
  assert.deepEqual(userOf(read("auth0", record, { hashes })), {
    sourceId: "auth0|60425dc43519d90068f82973",
    email: "test2@example.com",
    emailVerified: true,
    name: null,
    passwordHash: bcrypt,
    identities: [{ provider: "google", subject: "1037" }],
    disabled: false,
    left: [],
  });
});

test("auth0: what its own import takes: bcrypt, pbkdf2, argon2, scrypt; others are told", async () => {
  const custom = (algorithm: string, rest: { readonly [key: string]: Json }): UserRecord => ({
    user_id: "auth0|1",
    email: "a@example.com",
    custom_password_hash: { algorithm, ...rest },
  });
  const pbkdf2 =
    "$pbkdf2-sha512$i=100000,l=64$YXNkZmFzZGZhc2Rm$" +
    Buffer.alloc(64, 1).toString("base64").replace(/=+$/, "");
  assert.equal(
    userOf(read("auth0", custom("pbkdf2", { hash: { value: pbkdf2, encoding: "utf8" } })))
      .passwordHash,
    pbkdf2,
  );
  const { scryptSync } = await import("node:crypto");
  const key = scryptSync("secret", "salt", 64, { N: 4_096, r: 8, p: 1 }).toString("hex");
  const scrypt = custom("scrypt", {
    hash: { value: key, encoding: "hex" },
    salt: { value: "salt", encoding: "utf8" },
    keylen: 64,
    cost: 4_096,
    blockSize: 8,
    parallelization: 1,
  });
  const { passwordHash } = userOf(read("auth0", scrypt));
  assert.equal(await verifyForeignHash(passwordHash ?? "", "secret"), true);
  const md5 = userOf(
    read("auth0", custom("md5", { hash: { value: "5f4dcc3b5aa765d61d8327deb882cf99" } })),
  );
  assert.equal(md5.passwordHash, null);
  assert.match(md5.left.join(), /password/);
});

const console = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}`;

test("firebase: a user's password is right afterwards", async () => {
  const hashing = firebaseHashing(console);
  assert.ok(hashing);
  const record = {
    localId: "L5sb",
    email: "user1@test.com",
    emailVerified: false,
    passwordHash:
      "lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==",
    salt: "42xEC-ixf3L2lw==",
    displayName: "John Doe",
    customAttributes: '{"admin":true}',
    providerUserInfo: [
      { providerId: "google.com", rawId: "1234", email: "user1@test.com" },
      { providerId: "password", rawId: "user1@test.com" },
    ],
  };
  const user = userOf(readImportedUser("firebase", record, { ...options, hashing }));
  assert.equal(await verifyForeignHash(user.passwordHash ?? "", "user1password"), true);
  assert.equal(await verifyForeignHash(user.passwordHash ?? "", "user2password"), false);
  assert.deepEqual(user.identities, [{ provider: "google", subject: "1234" }]);
  assert.deepEqual(user.left, ["custom claims"]);
  assert.equal(user.emailVerified, false);
  const without = userOf(read("firebase", record));
  assert.equal(without.passwordHash, null);
  assert.match(without.left.join(), /without --hash-config/);
});

test("firebase: the same parameters as JSON, and parameters that are not whole", () => {
  const { signerKey, ...rest } = firebaseHashing(console) ?? { signerKey: "" };
  const json = JSON.stringify({
    base64_signer_key: signerKey,
    base64_salt_separator: "Bw==",
    rounds: 8,
    mem_cost: 14,
  });
  assert.deepEqual(firebaseHashing(json), { signerKey, ...rest });
  assert.equal(firebaseHashing("hash_config { rounds: 8, mem_cost: 14 }"), null);
  assert.equal(firebaseHashing(console.replace("rounds: 8", "rounds: x")), null);
});

test("cognito: both forms; nobody keeps a password", () => {
  const listed = {
    Username: "7a1f",
    Attributes: [
      { Name: "sub", Value: "7a1f-sub" },
      { Name: "email_verified", Value: "true" },
      { Name: "given_name", Value: "Ada" },
      { Name: "family_name", Value: "Byron" },
      { Name: "email", Value: "ada@example.com" },
      { Name: "phone_number", Value: "+44123" },
      {
        Name: "identities",
        Value: '[{"userId":"99","providerName":"Google","providerType":"Google"}]',
      },
    ],
    Enabled: false,
    UserStatus: "CONFIRMED",
  };
  assert.deepEqual(userOf(read("cognito", listed)), {
    sourceId: "7a1f-sub",
    email: "ada@example.com",
    emailVerified: true,
    name: "Ada Byron",
    passwordHash: null,
    identities: [{ provider: "google", subject: "99" }],
    disabled: true,
    left: ["the phone number"],
  });
  const row = {
    "cognito:username": "bob",
    name: "Bob",
    email: "bob@example.com",
    email_verified: "TRUE",
    "cognito:mfa_enabled": "false",
    phone_number: "",
  };
  const bob = userOf(read("cognito", row));
  assert.equal(bob.sourceId, "bob");
  assert.equal(bob.emailVerified, true);
  assert.deepEqual(bob.left, []);
});

test("supabase: a row of CSV, with what was joined in", () => {
  const row = {
    id: "11111111-2222-3333-4444-555555555555",
    email: "ada@example.com",
    encrypted_password: "$2a$10$nOUIs5kJ7naTuTFkBy1veuK0kSxUFXfuaOKdOKf9xYT0KKIGSJwFa",
    email_confirmed_at: "2024-01-01 10:00:00.123+00",
    raw_user_meta_data: '{"full_name": "Ada Byron"}',
    raw_app_meta_data: '{"provider": "email", "providers": ["email", "github"]}',
    banned_until: "2099-01-01 00:00:00+00",
    identities:
      '[{"provider":"email","provider_id":"1"},{"provider":"github","identity_data":{"sub":"583231"}}]',
  };
  const user = userOf(read("supabase", row));
  assert.deepEqual(user.identities, [{ provider: "github", subject: "583231" }]);
  assert.equal(user.name, "Ada Byron");
  assert.equal(user.passwordHash, row.encrypted_password);
  assert.equal(user.disabled, true);
  const { identities: _, ...alone } = row;
  assert.match(userOf(read("supabase", alone)).left.join(), /accounts elsewhere/);
  assert.equal(
    userOf(read("supabase", { ...row, banned_until: "2020-01-01 00:00:00+00" })).disabled,
    false,
  );
  assert.equal(userOf(read("supabase", { ...row, email_confirmed_at: "" })).emailVerified, false);
});

test("pocketbase: a row of either version", () => {
  const row = { id: "abc123abc123abc", email: "a@example.com", verified: 1, name: "Ada" };
  const hash = "$2a$10$nOUIs5kJ7naTuTFkBy1veuK0kSxUFXfuaOKdOKf9xYT0KKIGSJwFa";
  for (const over of [{ passwordHash: hash }, { password: hash }]) {
    const user = userOf(read("pocketbase", { ...row, ...over }));
    assert.equal(user.passwordHash, hash);
    assert.equal(user.emailVerified, true);
  }
  const externalAuths = [{ provider: "google", providerId: "77" }];
  assert.deepEqual(userOf(read("pocketbase", { ...row, externalAuths })).identities, [
    { provider: "google", subject: "77" },
  ]);
});

test("a user that nobody could sign in as is refused, with the reason", () => {
  const refused = (source: UserSource, record: UserRecord) => {
    const outcome = read(source, record);
    return outcome.kind === "refused" ? outcome.problem : "";
  };
  assert.match(refused("firebase", { localId: "anon" }), /neither an e-mail/);
  assert.match(refused("pocketbase", { email: "a@example.com" }), /no id/);
  assert.match(
    refused("auth0", { user_id: "auth0|1", email: "a@example.com, b@example.com" }),
    /no address/,
  );
  assert.match(refused("cognito", {}), /no id/);
});

test("no record, however odd, is taken for a user without an id or breaks the import", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...userSources),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (source, record) => {
        const outcome = read(source, record as UserRecord);
        if (outcome.kind === "user") assert.ok(outcome.user.sourceId.length > 0);
        else assert.notEqual(outcome.problem, "");
      },
    ),
  );
});
