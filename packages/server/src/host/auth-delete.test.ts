// Leaving for good: by oneself, by a function of the app; closed and opened by the operator.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closeAccount } from "../auth/account/operate.ts";
import type { Json } from "../base/json.ts";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import { goodPassword, openAuthSceneOfFile } from "./auth-scene.case.ts";

const timeout = 60_000;
const scene = await openAuthSceneOfFile();

/** How many rows of any table name a user. */
async function traces(id: string): Promise<Readonly<Record<string, number>>> {
  const { manifest } = scene.backend;
  const found: Record<string, number> = {};
  for (const table of Object.keys({ ...manifest.tables, ...manifest.platform })) {
    const rows = (await scene.rows(table)).filter((row) => JSON.stringify(row).includes(id));
    if (rows.length > 0) found[table] = rows.length;
  }
  return found;
}

test(
  "an account goes with all that is kept of it, and with what goes with it",
  { timeout },
  async () => {
    const person = scene.person();
    const id = await person.join("ada@example.com");
    const phone = scene.person();
    await phone.signIn("ada@example.com");
    const { json } = await person.ask("POST /auth/keys", { name: "till" });
    await person.ask("POST /auth/orgs", { name: "Ada alone", slug: "ada" });
    await person.ask("POST /auth/totp/begin", {});
    await person.ask("POST /auth/email", { email: "ada2@example.com" });
    assert.equal((await person.ask("POST /api/fn/people.sketch", { text: "x" })).status, 200);

    // A form from elsewhere, a stale proof, nobody: no.
    const stranger = scene.person();
    assert.equal((await stranger.ask("DELETE /auth/account")).code, "SIGN_IN_REQUIRED");
    const key = { headers: { authorization: `Bearer ${json["key"] as string}` } };
    assert.equal(
      (await stranger.ask("DELETE /auth/account", undefined, key)).code,
      "SIGN_IN_REQUIRED",
    );
    const cross = { headers: { origin: "https://evil.example" } };
    assert.equal(
      (await person.ask("DELETE /auth/account", undefined, cross)).code,
      "CROSS_SITE_DENIED",
    );
    scene.clock.move(scene.limits.authFreshMs + 1_000);
    assert.equal((await person.ask("DELETE /auth/account")).code, "FRESH_SIGN_IN_REQUIRED");
    await person.ask("POST /auth/confirm", { password: goodPassword });

    const copy = person.copy();
    const gone = await person.ask("DELETE /auth/account");
    assert.equal(gone.status, 204, gone.text);
    assert.equal(person.jar.has("keelson_session"), false);
    assert.deepEqual(await traces(id), { authEvent: 1 });
    const [event] = (await scene.rows("authEvent")).filter((row) => row["kind"] === "userDeleted");
    assert.equal(event?.["user"], null);
    assert.deepEqual(event["details"], { user: id });
    assert.ok(!JSON.stringify(event).includes("ada@"));
    for (const other of [copy, phone]) assert.equal((await other.who())["id"], null);
    assert.equal((await stranger.ask("POST /api/fn/people.who", {}, key)).code, "TOKEN_INVALID");
    assert.equal((await stranger.signIn("ada@example.com")).code, "SIGN_IN_FAILED");
    scene.letter("ada@example.com", "account-deleted");
    // The address is free again, for somebody new.
    assert.notEqual(await scene.person().join("ada@example.com"), id);
  },
);

test("rows that refuse keep everything as it was", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("bob@example.com");
  assert.equal((await person.ask("POST /api/fn/people.write", { text: "kept" })).status, 200);
  const before = await traces(id);
  assert.equal((await person.ask("DELETE /auth/account")).code, "REF_IN_USE");
  assert.deepEqual(await traces(id), before);
  assert.equal((await person.who())["id"], id);
});

test("an organisation of others keeps an owner", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("cat@example.com");
  const other = scene.person();
  await other.join("dan@example.com");
  const made = await person.ask("POST /auth/orgs", { name: "Both", slug: "both" });
  const org = made.json["id"] as string;
  const invited = { email: "dan@example.com", role: "member" };
  await person.ask(`POST /auth/orgs/${org}/invitations`, invited);
  const link = scene.letter("dan@example.com", "invitation").data["link"] as string;
  const token = new URL(link).searchParams.get("token");
  assert.equal((await other.ask("POST /auth/invitations/accept", { token })).status, 200);
  assert.equal((await person.ask("DELETE /auth/account")).code, "CONFLICT");
  const members = await person.ask(`GET /auth/orgs/${org}/members`);
  const dan = (members.json["members"] as { user: string; email: string }[]).find(
    ({ user }) => user !== id,
  );
  const line = `PATCH /auth/orgs/${org}/members/${dan?.user ?? ""}`;
  assert.ok((await person.ask(line, { role: "owner" })).status < 300);
  assert.equal((await person.ask("DELETE /auth/account")).status, 204);
  assert.equal((await other.ask(`GET /auth/orgs/${org}`)).status, 200);
});

for (const [way, leave] of Object.entries({
  async deleted(manager: ReturnType<typeof scene.person>) {
    assert.equal((await manager.ask("DELETE /auth/account")).status, 204);
  },
  async closed(_: unknown, email: string) {
    const { desk } = await scene.service();
    const ask = { requestId: "test", nowMs: scene.clock.nowMs() };
    await desk.run(closeAccount, { user: email, isClosed: true }, ask);
  },
})) {
  test(`nobody comes in by an invitation of an account that is ${way}`, { timeout }, async () => {
    const tokenFor = (to: string): string => {
      const link = scene.letter(to, "invitation").data["link"] as string;
      return new URL(link).searchParams.get("token") ?? "";
    };
    const owner = scene.person();
    await owner.join(`owner-${way}@example.com`);
    const made = await owner.ask("POST /auth/orgs", { name: way, slug: way });
    const line = `POST /auth/orgs/${made.json["id"] as string}/invitations`;
    const email = `manager-${way}@example.com`;
    const manager = scene.person();
    await manager.join(email);
    await owner.ask(line, { email, role: "admin" });
    const joined = await manager.ask("POST /auth/invitations/accept", { token: tokenFor(email) });
    assert.equal(joined.status, 200, joined.text);
    const to = `second-${way}@example.com`;
    const second = scene.person();
    await second.join(to);
    assert.equal((await manager.ask(line, { email: to, role: "admin" })).status, 201);
    await leave(manager, email);
    const late = await second.ask("POST /auth/invitations/accept", { token: tokenFor(to) });
    assert.equal(late.code, "TICKET_INVALID", late.text);
  });
}

test("a page asks once more, and a function of the app does the same", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("eve@example.com");
  const headers = { accept: "text/html", origin: scene.url };
  const page = await person.ask("GET /auth/account", undefined, { headers });
  assert.match(page.text, /href="\/auth\/account\/delete"/);
  const asked = await person.ask("GET /auth/account/delete", undefined, { headers });
  assert.match(asked.text, /action="\/auth\/account\/delete"/);
  assert.ok("user" in (await traces(id)), "looking deletes nothing");
  const done = await person.ask("POST /auth/account/delete", undefined, { headers, form: {} });
  assert.equal(done.headers["location"], "/auth/sign-in");
  assert.deepEqual(await traces(id), { authEvent: 1 });

  const other = scene.person();
  const own = await other.join("fay@example.com");
  const left = await other.ask("POST /api/fn/people.leave", {});
  assert.equal(left.status, 200, left.text);
  assert.deepEqual(await traces(own), { authEvent: 1 });
  assert.equal((await other.who())["id"], null);
});

test("the operator closes and opens an account by its address", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("gus@example.com");
  const { desk } = await scene.service();
  const set = (user: string, isClosed: boolean): Promise<Json> =>
    desk.writer
      .submit(
        {
          operation: { kind: "procedure", name: "auth.closeAccount", input: { user, isClosed } },
          caller: anonymous,
          authority: "system",
          ...{ cause: "test", requestId: "test", atMs: scene.clock.nowMs(), idempotency: null },
        },
        startWork(),
      )
      .then(({ json }) => JSON.parse(json) as Json);
  assert.deepEqual(await set("Gus@Example.com", true), { user: id });
  assert.equal((await person.who())["id"], null);
  assert.equal((await person.signIn("gus@example.com")).code, "ACCOUNT_DISABLED");
  assert.deepEqual(await set(id, false), { user: id });
  assert.equal((await person.signIn("gus@example.com")).status, 200);
  await assert.rejects(set("nobody@example.com", true), { code: "USER_NOT_FOUND" });
});

test("events come page by page", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("hal@example.com");
  for (let round = 0; round < 105; round++) {
    const made = await person.ask("POST /auth/sessions/revoke-all", {});
    assert.equal(made.status, 200);
  }
  const first = await person.ask("GET /auth/events");
  const events = first.json["events"] as readonly Json[];
  assert.equal(events.length, 100);
  const next = first.json["next"] as string;
  const second = await person.ask(`GET /auth/events?after=${encodeURIComponent(next)}`);
  assert.equal(second.json["next"], null);
  const all = [...events, ...(second.json["events"] as readonly Json[])];
  const kept = (await scene.rows("authEvent")).filter((row) => row["user"] === id);
  assert.equal(all.length, kept.length);
  assert.equal(new Set(all.map((event) => (event as { id: string }).id)).size, all.length);
  assert.equal((await person.ask("GET /auth/events?after=x")).code, "CURSOR_INVALID");
  const html = { headers: { accept: "text/html" } };
  const page = await person.ask("GET /auth/events", undefined, html);
  assert.match(page.text, /href="\/auth\/events\?after=/);
});
