import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../base/json.ts";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";
import { isManaging, rankOf } from "./org-access.ts";

async function inScene(
  run: (scene: ProtocolScene) => Promise<void>,
  settings: NonNullable<Parameters<typeof openProtocolScene>[0]>["settings"] = {},
): Promise<void> {
  const scene = await openProtocolScene({ settings });
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

interface Person {
  readonly browser: SceneBrowser;
  readonly user: string;
  /** @returns the code of a refusal, or the status. */
  does(line: string, body?: { readonly [name: string]: Json }): Promise<string | number>;
  reads(line: string): Promise<{ readonly [name: string]: Json }>;
}

async function person(scene: ProtocolScene, name: string, emailVerified = true): Promise<Person> {
  const browser = new SceneBrowser();
  const { user } = await scene.comeIn(browser, { email: `${name}@example.com`, emailVerified });
  return {
    browser,
    user: user as string,
    async does(line, body = {}) {
      const { code, status } = await scene.ask(browser, line, { body });
      return code ?? status;
    },
    reads: async (line) => (await scene.ask(browser, line)).json,
  };
}

/** Ann owns an organisation. */
async function owned(scene: ProtocolScene) {
  const ann = await person(scene, "ann");
  const body = { name: "Acme", slug: "acme" };
  const { json } = await scene.ask(ann.browser, "POST /auth/orgs", { body });
  return { ann, org: json["id"] as string };
}

/** Somebody who was invited and joined. */
async function joined(
  scene: ProtocolScene,
  by: Person,
  { org, name, role }: { readonly org: string; readonly name: string; readonly role: string },
): Promise<Person> {
  const who = await person(scene, name);
  const body = { email: `${name}@example.com`, role };
  assert.equal(await by.does(`POST /auth/orgs/${org}/invitations`, body), 201);
  assert.equal(await who.does("POST /auth/invitations/accept", { token: tokenOf(scene) }), 200);
  return who;
}

/** The token of the last letter. */
function tokenOf(scene: ProtocolScene): string {
  const { template, data } = scene.letters.at(-1) ?? { template: "", data: {} };
  assert.equal(template, "invitation");
  const url = new URL((data as { readonly link: string }).link);
  assert.equal(url.pathname, "/auth/invitations/accept");
  return url.searchParams.get("token") ?? "";
}

test("who makes an organisation has its first role; who is invited joins with theirs", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const bob = await joined(scene, ann, { org, name: "bob", role: "member" });
    const [letter] = scene.letters;
    assert.ok(letter !== undefined);
    assert.equal(letter.to, "bob@example.com");
    assert.equal(letter.data["org"], "Acme");
    assert.equal(letter.data["role"], "member");
    assert.equal(letter.data["days"], 7);
    const { members } = await bob.reads(`GET /auth/orgs/${org}/members`);
    assert.deepEqual(members, [
      { user: ann.user, name: null, email: "ann@example.com", role: "owner" },
      { user: bob.user, name: null, email: "bob@example.com", role: "member" },
    ]);
    assert.equal(await bob.does("POST /auth/orgs/choose", { org }), 204);
    const { orgs } = await bob.reads("GET /auth/orgs");
    const acme = { id: org, name: "Acme", slug: "acme" };
    assert.deepEqual(orgs, [{ ...acme, role: "member", current: true }]);
    assert.deepEqual(await bob.reads(`GET /auth/orgs/${org}`), { ...acme, role: "member" });
    const sessions = await scene.rows("authSession");
    assert.equal(sessions.find(({ user }) => user === bob.user)?.["org"], org);
    const kinds = (await scene.rows("authEvent")).map(({ kind }) => kind);
    assert.deepEqual(
      kinds.filter((kind) => String(kind).startsWith("org")),
      ["orgCreated", "orgInvited", "orgJoined"],
    );
  }));

test("whoever is no member finds nothing, and changes nothing", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const eve = await person(scene, "eve");
    const invitation = { email: "eve@example.com", role: "owner" };
    for (const [line, body] of [
      [`GET /auth/orgs/${org}`],
      [`GET /auth/orgs/${org}/members`],
      [`GET /auth/orgs/${org}/invitations`],
      [`PATCH /auth/orgs/${org}`, { name: "Evil" }],
      [`DELETE /auth/orgs/${org}`],
      [`PATCH /auth/orgs/${org}/members/${ann.user}`, { role: "member" }],
      [`PATCH /auth/orgs/${org}/members/${eve.user}`, { role: "owner" }],
      [`DELETE /auth/orgs/${org}/members/${ann.user}`],
      [`DELETE /auth/orgs/${org}/members/${eve.user}`],
      [`POST /auth/orgs/${org}/invitations`, invitation],
      ["POST /auth/orgs/choose", { org }],
      ["GET /auth/orgs/org_00000000000000000000000000"],
      ["GET /auth/orgs/x"],
    ] as const) {
      assert.equal(await eve.does(line, body), "NOT_FOUND", line);
    }
    const nobody = await scene.ask(null, `GET /auth/orgs/${org}`);
    assert.equal(nobody.code, "SIGN_IN_REQUIRED");
    assert.deepEqual((await eve.reads("GET /auth/orgs"))["orgs"], []);
    assert.deepEqual(scene.letters, []);
    assert.equal((await scene.rows("orgMember")).length, 1);
  }));

test("what each role may do, to whom", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const adam = await joined(scene, ann, { org, name: "adam", role: "admin" });
    const mia = await joined(scene, ann, { org, name: "mia", role: "member" });
    const member = ({ user }: Person) => `/auth/orgs/${org}/members/${user}`;
    const invites = (role: string) => ({ email: `new-${role}@example.com`, role });
    const table: readonly (readonly [
      who: Person,
      line: string,
      body: { readonly [name: string]: Json },
      expected: string | number,
    ])[] = [
      // A member manages nobody.
      [mia, `PATCH ${member(mia)}`, { role: "owner" }, "CALL_DENIED"],
      [mia, `PATCH ${member(adam)}`, { role: "member" }, "CALL_DENIED"],
      [mia, `DELETE ${member(adam)}`, {}, "CALL_DENIED"],
      [mia, `POST /auth/orgs/${org}/invitations`, invites("member"), "CALL_DENIED"],
      [mia, `GET /auth/orgs/${org}/invitations`, {}, "CALL_DENIED"],
      [mia, `PATCH /auth/orgs/${org}`, { name: "Mine" }, "CALL_DENIED"],
      [mia, `DELETE /auth/orgs/${org}`, {}, "CALL_DENIED"],
      // An administrator manages those who are not above, and gives no role above their own.
      [adam, `PATCH ${member(adam)}`, { role: "owner" }, "CALL_DENIED"],
      [adam, `PATCH ${member(mia)}`, { role: "owner" }, "CALL_DENIED"],
      [adam, `PATCH ${member(ann)}`, { role: "member" }, "CALL_DENIED"],
      [adam, `DELETE ${member(ann)}`, {}, "CALL_DENIED"],
      [adam, `POST /auth/orgs/${org}/invitations`, invites("owner"), "CALL_DENIED"],
      [adam, `POST /auth/orgs/${org}/invitations`, invites("admin"), 201],
      [adam, `PATCH /auth/orgs/${org}`, { name: "Acme & Sons" }, 204],
      [adam, `DELETE /auth/orgs/${org}`, {}, "CALL_DENIED"],
      [adam, `PATCH ${member(mia)}`, { role: "admin" }, 204],
      [adam, `PATCH ${member(mia)}`, { role: "member" }, 204],
      // Roles that are none of the app's, and bodies that are not understood.
      [ann, `PATCH ${member(mia)}`, { role: "root" }, "ARGUMENT_INVALID"],
      [ann, `PATCH ${member(mia)}`, { role: "member", org: "x" }, "ARGUMENT_INVALID"],
      // Somebody of the first role always stays.
      [ann, `PATCH ${member(ann)}`, { role: "admin" }, "CONFLICT"],
      [ann, `DELETE ${member(ann)}`, {}, "CONFLICT"],
      [ann, `PATCH ${member(adam)}`, { role: "owner" }, 204],
      [ann, `DELETE ${member(ann)}`, {}, 204],
      [ann, `GET /auth/orgs/${org}`, {}, "NOT_FOUND"],
      [adam, `DELETE ${member(mia)}`, {}, 204],
      [adam, `DELETE /auth/orgs/${org}`, {}, 204],
      [adam, `GET /auth/orgs/${org}`, {}, "NOT_FOUND"],
    ];
    for (const [who, line, body, expected] of table) {
      assert.equal(await who.does(line, body), expected, `${line} ${JSON.stringify(body)}`);
    }
    for (const name of ["org", "orgMember", "orgInvitation"]) {
      assert.deepEqual(await scene.rows(name), [], name);
    }
  }));

test("two of the first role who leave at once: one stays", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const adam = await joined(scene, ann, { org, name: "adam", role: "owner" });
    const leave = ({ user, does }: Person) => does(`DELETE /auth/orgs/${org}/members/${user}`);
    const answers = await Promise.all([leave(ann), leave(adam)]);
    assert.deepEqual(answers.map(String).toSorted(), ["204", "CONFLICT"]);
    assert.equal((await scene.rows("orgMember")).length, 1);
  }));

test("an invitation is good once, for its verified address, until it ends or is taken back", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const eve = await person(scene, "eve");
    const unverified = await person(scene, "bob", false);
    const send = () =>
      ann.does(`POST /auth/orgs/${org}/invitations`, { email: "bob@example.com", role: "member" });
    const accept = (who: Person, token: string) =>
      who.does("POST /auth/invitations/accept", { token });
    assert.equal(await send(), 201);
    const first = tokenOf(scene);
    // The letter was passed on; or the address is only claimed.
    assert.equal(await accept(eve, first), "TICKET_INVALID");
    assert.equal(await accept(unverified, first), "TICKET_INVALID");
    const [account] = (await scene.rows("authAccount")).filter(
      ({ email }) => email === "bob@example.com",
    );
    await scene.change("authAccount", account?.["id"] as string, { emailVerified: true });
    const bob = unverified;
    // A second letter puts the first away.
    assert.equal(await send(), 201);
    const second = tokenOf(scene);
    assert.equal(await accept(bob, first), "TICKET_INVALID");
    scene.clock.ms += scene.desk.limits.authInvitationMs;
    assert.equal(await accept(bob, second), "TICKET_INVALID");
    assert.equal(await send(), 201);
    const third = tokenOf(scene);
    const { invitations } = await ann.reads(`GET /auth/orgs/${org}/invitations`);
    const [open] = invitations as readonly { readonly id: string; readonly email: string }[];
    assert.equal(open?.email, "bob@example.com");
    assert.ok(!JSON.stringify(invitations).includes(third));
    const stored = JSON.stringify(await scene.rows("orgInvitation"));
    assert.ok(!stored.includes(third));
    const withdrawn = `DELETE /auth/orgs/${org}/invitations/${open?.id ?? ""}`;
    assert.equal(await ann.does(withdrawn), 204);
    assert.equal(await accept(bob, third), "TICKET_INVALID");
    assert.equal(await send(), 201);
    const last = tokenOf(scene);
    const twice = await Promise.all([accept(bob, last), accept(bob, last)]);
    assert.deepEqual(twice.map(String).toSorted(), ["200", "TICKET_INVALID"]);
    assert.equal((await scene.rows("orgMember")).length, 2);
    assert.equal(await send(), "CONFLICT");
  }));

test("who is taken out speaks for the organisation no more", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const bob = await joined(scene, ann, { org, name: "bob", role: "member" });
    await bob.does("POST /auth/orgs/choose", { org });
    assert.equal(await ann.does(`DELETE /auth/orgs/${org}/members/${bob.user}`), 204);
    const sessions = await scene.rows("authSession");
    assert.equal(sessions.find(({ user }) => user === bob.user)?.["org"], null);
    const events = await scene.rows("authEvent");
    const removed = events.find(({ kind }) => kind === "orgMemberRemoved");
    assert.equal(removed?.["user"], bob.user);
  }));

test("whom a member invited comes in no more once that member is out, or less than they were", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const invites = async (by: Person, name: string, role: string) => {
      const body = { email: `${name}@example.com`, role };
      assert.equal(await by.does(`POST /auth/orgs/${org}/invitations`, body), 201);
      return tokenOf(scene);
    };
    const accept = (who: Person, token: string) =>
      who.does("POST /auth/invitations/accept", { token });
    const asMember = (who: Person) => `/auth/orgs/${org}/members/${who.user}`;
    // Both ask an address of their own back in before they go.
    const bob = await joined(scene, ann, { org, name: "bob", role: "admin" });
    const bobsOther = await person(scene, "bob-2");
    const byBob = await invites(bob, "bob-2", "admin");
    const cleo = await joined(scene, ann, { org, name: "cleo", role: "admin" });
    const cleosOther = await person(scene, "cleo-2");
    const byCleo = await invites(cleo, "cleo-2", "admin");
    const dan = await person(scene, "dan");
    const byAnn = await invites(ann, "dan", "member");
    assert.equal(await ann.does(`DELETE ${asMember(bob)}`), 204);
    assert.equal(await ann.does(`PATCH ${asMember(cleo)}`, { role: "member" }), 204);
    assert.equal(await accept(bobsOther, byBob), "TICKET_INVALID");
    assert.equal(await accept(cleosOther, byCleo), "TICKET_INVALID");
    // What others invited goes on, and what somebody invited who became more.
    assert.equal(await accept(dan, byAnn), 200);
    assert.equal(await ann.does(`PATCH ${asMember(cleo)}`, { role: "admin" }), 204);
    const again = await invites(cleo, "cleo-2", "member");
    assert.equal(await ann.does(`PATCH ${asMember(cleo)}`, { role: "owner" }), 204);
    assert.equal(await accept(cleosOther, again), 200);
  }));

test("names are lines of text, and short names are taken once", () =>
  inScene(async (scene) => {
    const { ann, org } = await owned(scene);
    const make = (body: { readonly [name: string]: Json }) => ann.does("POST /auth/orgs", body);
    assert.equal(await make({ name: "Other", slug: "acme" }), "UNIQUE_TAKEN");
    assert.equal(await make({ name: "Other", slug: "other" }), 201);
    assert.equal(await ann.does(`PATCH /auth/orgs/${org}`, { slug: "other" }), "UNIQUE_TAKEN");
    assert.equal(await ann.does(`PATCH /auth/orgs/${org}`, { slug: "acme" }), 204);
    for (const body of [
      { name: "", slug: "x" },
      { name: "a\nb", slug: "x" },
      { name: "a", slug: "-x" },
      { name: "a", slug: "X" },
      { name: "a", slug: "x/../y" },
      { name: "a".repeat(201), slug: "x" },
      { name: 1, slug: "x" },
      { name: "a" },
    ]) {
      assert.equal(await make(body), "ARGUMENT_INVALID", JSON.stringify(body));
    }
  }));

test("one person makes so many organisations, and no more", () =>
  inScene(async (scene) => {
    const ann = await person(scene, "ann");
    const { authOrgsMax } = scene.desk.limits;
    for (let count = 0; count < authOrgsMax; count++) {
      assert.equal(await ann.does("POST /auth/orgs", { name: "O", slug: `o-${count}` }), 201);
    }
    assert.equal(await ann.does("POST /auth/orgs", { name: "O", slug: "more" }), "CONFLICT");
  }));

test("an app without organisations has none of their addresses", () =>
  inScene(
    async (scene) => {
      const ann = await person(scene, "ann");
      assert.equal(await ann.does("GET /auth/orgs"), "NOT_FOUND");
    },
    { organisations: null },
  ));

test("the first two roles manage; with two roles the first alone; a role that went is the last", () => {
  const three = ["owner", "admin", "member"];
  assert.deepEqual(
    three.map((role) => isManaging(three, role)),
    [true, true, false],
  );
  assert.deepEqual(
    ["owner", "member", "gone"].map((role) => isManaging(["owner", "member"], role)),
    [true, false, false],
  );
  assert.equal(isManaging(["owner"], "owner"), true);
  assert.equal(rankOf(three, "gone"), 3);
});
