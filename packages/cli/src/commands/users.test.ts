// Users of five systems, in the files that those write, become users of an app: they sign in with the passwords that
// they had, get a hash of ours at that, and everything comes out again as a file that another app takes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const template = new URL("../../template/", import.meta.url);

/** A new app whose users have a plan. */
function newApp(context: { after(fn: () => void): void }): string {
  const folder = tempFolder(context);
  cpSync(template, folder, { recursive: true });
  const schema = join(folder, "keelson", "schema.ts");
  const text = readFileSync(schema, "utf8");
  const user = `user: table({
    name: t.text({ max: 200 }).optional(),
    email: t.text({ max: 320, format: "email" }).optional().unique(),
    role: t.text({ max: 50 }).optional(),
    plan: t.oneOf("free", "gold").optional(),
  }),
  idea: table({`;
  assert.ok(text.includes("idea: table({"));
  writeFileSync(schema, text.replace("idea: table({", user));
  return folder;
}

interface Report {
  readonly read: number;
  readonly created: number;
  readonly there: number;
  readonly refused: number;
  readonly passwords: number;
  readonly withoutPassword: number;
  readonly withoutAccount: number;
  readonly identities: number;
  readonly disabled: number;
  readonly left: Readonly<Record<string, number>>;
  readonly report: string | null;
}

/** Imports with `--json`. @throws when nothing is told or what is told does not add up. */
function imported(app: string, args: readonly string[], status = 0): Report {
  const ended = keelson(app, ["users", "import", ...args, "--json"]);
  assert.equal(ended.status, status, ended.err);
  const report = JSON.parse(ended.out) as Report;
  assert.equal(report.read, report.created + report.there + report.refused);
  return report;
}

interface Exported {
  readonly keys: readonly { readonly digest: string; readonly expiresAt: string | null }[];
  readonly consents: readonly { readonly client: string; readonly scopes: readonly string[] }[];
  readonly id: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly passwordHash: string | null;
  readonly disabledAt: string | null;
  readonly identities: readonly { readonly provider: string; readonly subject: string }[];
  readonly row: {
    readonly id?: string;
    readonly name: string | null;
    readonly plan: string | null;
    readonly email: string | null;
    readonly role: string | null;
  };
}

function exported(app: string, file: string): ReadonlyMap<string, Exported> {
  const ended = keelson(app, ["users", "export", file, "--overwrite"]);
  assert.equal(ended.status, 0, ended.err);
  const lines = readFileSync(join(app, file), "utf8").trim().split("\n");
  const users = lines.map((line) => JSON.parse(line) as Exported);
  return new Map(users.map((user) => [user.email ?? "", user]));
}

function writeLines(file: string, records: readonly unknown[]): void {
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

/** What each of the five systems writes. */
function writeExports(app: string): void {
  const file = (name: string) => join(app, name);
  // Auth0: the export job's NDJSON, and the hashes that its support hands out.
  writeLines(file("auth0.ndjson"), [
    {
      ...{ user_id: "auth0|1", email: "Anna@Example.com", email_verified: true, name: "Anna" },
      user_metadata: { plan: "gold" },
      identities: [
        { provider: "auth0", user_id: "1", connection: "Username-Password-Authentication" },
        { provider: "google-oauth2", user_id: "9001", connection: "google-oauth2", isSocial: true },
      ],
    },
    { user_id: "auth0|2", email: "blocked@example.com", email_verified: true, blocked: true },
    { user_id: "sms|3", phone_number: "+44123", name: "nobody could sign in" },
  ]);
  writeLines(file("auth0-hashes.ndjson"), [
    {
      _id: { $oid: "1" },
      email: "anna@example.com",
      passwordHash: "$2b$06$d/ZCP3nREI7BK/1S8c.Xmub5vuYxa5NMD8QPQG.bNhGTLZ9/qWJam",
    },
  ]);
  // Firebase: users.json, with user and project of the documentation of its scrypt.
  writeFileSync(
    file("firebase.json"),
    JSON.stringify({
      users: [
        {
          ...{ localId: "L5sb", email: "user1@test.com", emailVerified: true, displayName: "John" },
          passwordHash:
            "lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==",
          salt: "42xEC-ixf3L2lw==",
          providerUserInfo: [{ providerId: "github.com", rawId: "77", email: "user1@test.com" }],
        },
        { localId: "anonymous", createdAt: "1700000000000", providerUserInfo: [] },
      ],
    }),
  );
  writeFileSync(
    file("hash.txt"),
    `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}\n`,
  );
  // Cognito: list-users. No hashes leave it.
  writeFileSync(
    file("cognito.json"),
    JSON.stringify({
      Users: [
        {
          Username: "carl",
          Attributes: [
            { Name: "sub", Value: "c-1" },
            { Name: "email", Value: "carl@example.com" },
            { Name: "email_verified", Value: "true" },
            { Name: "name", Value: "Carl" },
            { Name: "phone_number", Value: "+44123" },
          ],
          ...{ Enabled: true, UserStatus: "CONFIRMED" },
        },
      ],
    }),
  );
  // Supabase: auth.users as CSV.
  writeFileSync(
    file("supabase.csv"),
    [
      "id,email,encrypted_password,email_confirmed_at,raw_user_meta_data,raw_app_meta_data,banned_until,phone",
      '11111111-2222-3333-4444-555555555555,sue@example.com,$2b$06$KBVF1IlwWanzMt2hDeKrfeqD1KpRddIMd5v63MdCIWJBK4y7Zgl72,2024-01-01 10:00:00.123+00,"{""full_name"": ""Sue""}","{""provider"": ""email""}",,',
      '11111111-2222-3333-4444-666666666666,"not, one address",,2024-01-01 10:00:00.123+00,{},{},,',
      "",
    ].join("\n"),
  );
  // PocketBase: its own database.
  using database = new DatabaseSync(file("data.db"));
  database.exec(`
    CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT, password TEXT, verified BOOLEAN, name TEXT, avatar TEXT);
    CREATE TABLE _externalAuths (id TEXT, collectionRef TEXT, recordRef TEXT, provider TEXT, providerId TEXT);
    INSERT INTO users VALUES ('abc123abc123abc', 'pia@example.com', '$2b$06$QkF.nmy2gIreDcZAhGqhrumYYtXw4gfClJIqk8SsRjO4bWk.hTrqi', 1, 'Pia', '');
    INSERT INTO _externalAuths VALUES ('x', '_pb_users_auth_', 'abc123abc123abc', 'github', '583231');
  `);
}

const oldWords = {
  "anna@example.com": "old auth0 word",
  "user1@test.com": "user1password",
  "sue@example.com": "old supabase word",
  "pia@example.com": "old pocketbase word",
} as const;

async function signIn(url: string, email: string, password: string): Promise<number> {
  const response = await fetch(`${url}/auth/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  await response.text();
  return response.status;
}

test("users of five systems sign in with the passwords that they had", async (context) => {
  const app = newApp(context);
  writeExports(app);
  await context.test("each file is read whole, and what became of each user is told", () => {
    const auth0 = imported(
      app,
      [
        ...["auth0.ndjson", "--from=auth0", "--hashes=auth0-hashes.ndjson"],
        "--map=user_metadata.plan=plan",
      ],
      2,
    );
    const { created, refused, passwords, identities, disabled } = auth0;
    assert.deepEqual([created, refused, passwords, identities, disabled], [2, 1, 1, 1, 1]);
    const lines = readFileSync(auth0.report ?? "", "utf8")
      .trim()
      .split("\n");
    assert.equal(lines.length, 3);
    assert.ok(
      lines.every((line) => !line.includes("$2b$")),
      "no hash is in a report",
    );
    assert.match(lines.join("\n"), /"id":"auth0\|1","outcome":"created","user":"user_/);

    const firebase = imported(
      app,
      ["firebase.json", "--from=firebase", "--hash-config=hash.txt"],
      2,
    );
    assert.deepEqual([firebase.created, firebase.refused, firebase.passwords], [1, 1, 1]);
    const cognito = imported(app, ["cognito.json", "--from=cognito"]);
    assert.deepEqual([cognito.created, cognito.withoutPassword], [1, 1]);
    assert.deepEqual(cognito.left, { "the phone number": 1 });
    const supabase = imported(app, ["supabase.csv", "--from=supabase"], 2);
    assert.deepEqual([supabase.created, supabase.refused], [1, 1]);
    const pocketbase = imported(app, ["data.db", "--from=pocketbase"]);
    assert.deepEqual([pocketbase.created, pocketbase.identities], [1, 1]);
  });

  await context.test("a second run finds everybody there and changes nothing", () => {
    const before = exported(app, "before.ndjson");
    const first = join(app, "data.db.imported.ndjson");
    const firstLines = readFileSync(first, "utf8");
    // Another system by mistake: nobody is taken on, and the map of the ids stays.
    const wrong = imported(app, ["auth0.ndjson", "--from=cognito"], 2);
    assert.deepEqual(
      [wrong.refused, wrong.report],
      [3, join(app, "auth0.ndjson.imported.2.ndjson")],
    );
    const again = imported(app, ["data.db", "--from=pocketbase"]);
    assert.deepEqual([again.created, again.there], [0, 1]);
    assert.equal(again.report, join(app, "data.db.imported.2.ndjson"));
    assert.equal(readFileSync(first, "utf8"), firstLines);
    assert.equal(statSync(again.report ?? "").mode & 0o777, 0o600);
    assert.deepEqual(exported(app, "after.ndjson"), before);
  });

  const old = exported(app, "old.ndjson");
  await context.test("the old password counts, once with its old hash", async () => {
    const server = await serve(app, ["start"]);
    try {
      for (const [email, word] of Object.entries(oldWords)) {
        assert.equal(await signIn(server.url, email, `${word}.`), 401, email);
        assert.equal(await signIn(server.url, email, word), 200, email);
        assert.equal(await signIn(server.url, email, word), 200, `${email}, hashed anew`);
      }
      assert.notEqual(await signIn(server.url, "blocked@example.com", "old auth0 word"), 200);
      assert.equal(await signIn(server.url, "carl@example.com", "anything at all"), 401);
      // The server holds the folder: the command goes through it.
      const now = exported(app, "now.ndjson");
      for (const email of Object.keys(oldWords)) {
        const { passwordHash } = now.get(email) ?? {};
        assert.notEqual(passwordHash, old.get(email)?.passwordHash, email);
        assert.match(passwordHash ?? "", /^\$argon2id\$/, email);
      }
      assert.equal(now.get("carl@example.com")?.passwordHash, null);
    } finally {
      await server.stop();
    }
  });

  await context.test("everything comes out again, for this computer's owner only", async () => {
    const users = exported(app, "all.ndjson");
    assert.equal(users.size, 6);
    assert.equal(statSync(join(app, "all.ndjson")).mode & 0o777, 0o600);
    const anna = users.get("anna@example.com");
    assert.deepEqual(anna?.identities[0]?.provider, "google");
    assert.deepEqual([anna?.emailVerified, anna?.row.plan], [true, "gold"]);
    assert.notEqual(users.get("blocked@example.com")?.disabledAt, null);
    assert.match(keelson(app, ["users", "export", "all.ndjson"]).err, /FILE_EXISTS/);

    const next = newApp(context);
    writeFileSync(join(next, "all.ndjson"), readFileSync(join(app, "all.ndjson")));
    const report = imported(next, ["all.ndjson", "--from=keelson"]);
    assert.deepEqual([report.created, report.passwords, report.disabled], [6, 4, 1]);
    const moved = exported(next, "moved.ndjson");
    for (const [email, { passwordHash, identities, row }] of users) {
      const there = moved.get(email);
      assert.equal(there?.passwordHash, passwordHash, email);
      assert.equal(there?.row.plan, row.plan, email);
      assert.deepEqual(
        there?.identities.map(({ provider, subject }) => [provider, subject]),
        identities.map(({ provider, subject }) => [provider, subject]),
      );
    }
    const server = await serve(next, ["start"]);
    try {
      assert.equal(await signIn(server.url, "pia@example.com", oldWords["pia@example.com"]), 200);
    } finally {
      await server.stop();
    }
  });
});

test("an export of ours brings back what opens accounts, and tells what it does not", async (context) => {
  const key = `kk_${"k".repeat(43)}`;
  const digest = createHash("sha256").update(key).digest("base64url");
  const held = {
    ...{ digest, name: "till", hint: "kk_kkkkkkkk", scopes: [], isStrong: false },
    ...{ createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null, lastUsedAt: null },
  };
  const consents = [{ client: "wiki", scopes: ["openid"], createdAt: "2026-01-01T00:00:00.000Z" }];
  const user = {
    ...{ id: "user_before", email: "eve@example.com", emailVerified: true, passwordHash: null },
    ...{ hasSecondFactor: true, identities: [], passkeys: [{}], organisations: [{}], consents },
    row: { id: "user_before", email: "eve@example.com", name: "Eve", plan: "gold", role: "staff" },
  };
  const first = newApp(context);
  const broken = {
    ...held,
    digest: digest.toLowerCase().slice(0, 42).padEnd(43, "x"),
    expiresAt: "?",
  };
  writeLines(join(first, "one.ndjson"), [{ ...user, keys: [held, broken] }]);
  const report = imported(first, ["one.ndjson", "--from=keelson"]);
  assert.equal(report.created, 1);
  assert.deepEqual(report.left, {
    ...{ passkeys: 1, "the second factor": 1, organisations: 1 },
    "keys (that can't be read)": 1,
  });
  const out = exported(first, "out.ndjson").get("eve@example.com");
  assert.deepEqual(out?.keys, [held]);
  assert.deepEqual(
    out?.consents.map(({ client, scopes }) => [client, scopes]),
    [["wiki", ["openid"]]],
  );
  assert.deepEqual([out?.row.name, out?.row.plan], ["Eve", "gold"]);

  const second = newApp(context);
  writeFileSync(join(second, "out.ndjson"), readFileSync(join(first, "out.ndjson")));
  const again = imported(second, ["out.ndjson", "--from=keelson"]);
  assert.deepEqual([again.created, again.left], [1, {}]);
  const moved = exported(second, "moved.ndjson").get("eve@example.com");
  const { id: before, ...row } = out?.row ?? {};
  const { id: after, ...there } = moved?.row ?? {};
  assert.notEqual(after, before);
  assert.deepEqual(there, row);
  assert.deepEqual(moved?.keys, out?.keys);
  const server = await serve(second, ["start"]);
  try {
    const headers = { authorization: `Bearer ${key}` };
    const me = await (await fetch(`${server.url}/auth/me`, { headers })).json();
    assert.equal((me as { readonly me: { readonly id: string } | null }).me?.id, moved?.id);
  } finally {
    await server.stop();
  }
});

test("a user whom the operator made waits for the owner of the address, also after a move", (context) => {
  const first = newApp(context);
  for (const who of ["bob@example.com", "Carol"]) {
    const made = keelson(first, ["token", `--as=${who}`, "--role=staff"]);
    assert.equal(made.status, 0, made.err);
  }
  assert.equal(exported(first, "out.ndjson").size, 1, "neither has an account");
  const second = newApp(context);
  writeFileSync(join(second, "out.ndjson"), readFileSync(join(first, "out.ndjson")));
  const report = imported(second, ["out.ndjson", "--from=keelson"], 2);
  assert.deepEqual([report.created, report.refused, report.withoutAccount], [1, 1, 1]);
  assert.deepEqual([report.withoutPassword, report.left], [0, {}]);
  assert.match(readFileSync(report.report ?? "", "utf8"), /neither an e-mail/, "Carol is told");
  const moved = exported(second, "moved.ndjson").get("");
  assert.deepEqual(
    [moved?.email, moved?.row.email, moved?.row.role],
    [null, "bob@example.com", "staff"],
  );
  const again = imported(second, ["out.ndjson", "--from=keelson"], 2);
  assert.deepEqual([again.created, again.there], [0, 1]);
  const told = keelson(newApp(context), [
    "users",
    "import",
    join(first, "out.ndjson"),
    "--from=keelson",
  ]);
  assert.match(told.out, /1 user had no account yet/);
});

test("what can't be read or is written wrongly is told in words that help", (context) => {
  const app = newApp(context);
  const said = (...args: readonly string[]) => {
    const { status, err } = keelson(app, ["users", ...args]);
    assert.notEqual(status, 0);
    return err;
  };
  writeFileSync(join(app, "list.json"), '{"people":[]}');
  writeFileSync(join(app, "half.json"), '{"users":[');
  writeFileSync(join(app, "hash.txt"), "rounds: 8");
  assert.match(said("import", "list.json"), /FLAG_VALUE_MISSING[^]*--from=/);
  assert.match(said("import", "list.json", "--from=okta"), /--from[^]*auth0/);
  assert.match(said("import", "none.json", "--from=auth0"), /FILE_UNREADABLE/);
  assert.match(said("import", "list.json", "--from=auth0"), /FILE_INVALID[^]*holds no users/);
  assert.match(said("import", "half.json", "--from=firebase"), /FILE_INVALID[^]*JSON/);
  assert.match(
    said("import", "list.json", "--from=firebase", "--hash-config=hash.txt"),
    /HASH_CONFIG_INVALID[^]*console/,
  );
  assert.match(
    said("import", "list.json", "--from=auth0", "--map=plan"),
    /MAP_INVALID[^]*"path=field"/,
  );
  const noField = said("import", "list.json", "--from=auth0", "--map=user_metadata.tier=tier");
  assert.match(noField, /MAP_INVALID[^]*no field tier[^]*plan\.\n[^]*schema\.ts[^]*tier: t\.text/);
  assert.match(said("import", "list.json", "--from=auth0", "--map=a=plam"), /Did you mean plan\?/);
  writeFileSync(join(app, "sb.dump"), "");
  for (const file of ["sb.dump", "."]) {
    const other = said("import", "list.json", "--from=auth0", `--hashes=${file}`);
    assert.doesNotMatch(other, /--format/);
    assert.match(other, file === "." ? /FILE_UNREADABLE/ : /FORMAT_UNKNOWN[^]*bring-users\.md/);
  }
  assert.match(said("import", "sb.dump", "--from=supabase"), /FORMAT_UNKNOWN[^]*name that ends/);
  assert.match(said("import", "list.json", "--from=auth0", "--hashes=/nosuch"), /FILE_UNREADABLE/);
  assert.match(said("import", "none.db", "--from=pocketbase"), /FILE_UNREADABLE/);
  assert.match(said("mend", "list.json"), /WORD_UNKNOWN/);
});
