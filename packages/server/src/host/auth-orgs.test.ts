// Organisations by functions of the app, `ctx.auth`: the caller acts with the rights of the addresses, the app acts when it
// says why, and what an organisation must keep holds either way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../base/json.ts";
import { openAuthScene, type AuthScene, type ScenePerson } from "./auth-scene.case.ts";

const timeout = 60_000;
const reason = "a subscription began";
let scene: AuthScene;

before(async () => {
  scene = await openAuthScene({
    publicUrl: "http://localhost:4000",
    limits: { authOrgsMax: 3, authOrgMembersMax: 4, pageRowsDefault: 2 },
  });
});
after(async () => {
  assert.deepEqual(scene.reports, []);
  await scene.close();
});

interface Somebody {
  readonly person: ScenePerson;
  readonly id: string;
}

async function somebody(name: string): Promise<Somebody> {
  const person = scene.person();
  const id = await person.join(`${name}@example.com`, { name });
  return { person, id };
}

type Input = { readonly [field: string]: Json };

/** @returns the answer, or the code of the refusal. */
async function does(person: ScenePerson, name: string, input: Input): Promise<Json> {
  const reply = await person.ask(`POST /api/fn/clubs.${name}`, input);
  return reply.code ?? (JSON.parse(reply.text) as Json);
}

async function rolesIn(org: string): Promise<{ readonly [user: string]: Json }> {
  const rows = (await scene.rows("orgMember")).filter((row) => row["org"] === org);
  return Object.fromEntries(rows.map((row) => [row["user"] as string, row["role"] as Json]));
}

async function happened(kind: string, user: string): Promise<readonly Json[]> {
  const rows = await scene.rows("authEvent");
  return rows
    .filter((row) => row["kind"] === kind && row["user"] === user)
    .map((row) => row["details"] as Json);
}

test("in the caller's name, with the rights that the caller has there", { timeout }, async () => {
  const [ann, bob, cat, eve] = [
    await somebody("ann"),
    await somebody("bob"),
    await somebody("cat"),
    await somebody("eve"),
  ];
  const org = (await does(ann.person, "found", { name: "Acme", slug: "acme" })) as string;
  assert.match(org, /^org_/);
  assert.deepEqual(await rolesIn(org), { [ann.id]: "owner" });

  const letter = { org, email: "BOB@example.com", role: "admin" };
  assert.match((await does(ann.person, "invite", letter)) as string, /^org_invitation_/);
  const { data } = scene.letter("bob@example.com", "invitation");
  assert.equal(data["inviter"], "ann");
  const link = new URL(data["link"] as string);
  assert.equal(link.origin, "http://localhost:4000");
  const token = link.searchParams.get("token");
  assert.equal((await bob.person.ask("POST /auth/invitations/accept", { token })).status, 200);
  await does(bob.person, "add", { org, user: cat.id, role: "member", reason });
  assert.deepEqual(await rolesIn(org), {
    [ann.id]: "owner",
    [bob.id]: "admin",
    [cat.id]: "member",
  });

  // Strangers find nothing, members manage nothing, managers act on nobody above them.
  for (const [name, input] of [
    ["members", { org }],
    ["invite", { org, email: "x@example.com", role: "member" }],
    ["rank", { org, user: cat.id, role: "admin" }],
    ["remove", { org, user: cat.id }],
  ] as const) {
    assert.equal(await does(eve.person, name, input), "NOT_FOUND", name);
    const own = name === "members" ? "object" : "CALL_DENIED";
    const other = name === "remove" ? { org, user: bob.id } : input;
    const got = await does(cat.person, name, other);
    assert.equal(typeof got === "object" ? "object" : got, own, name);
    assert.equal(await does(scene.person(), name, input), "SIGN_IN_REQUIRED", name);
  }
  assert.equal(
    await does(bob.person, "rank", { org, user: ann.id, role: "member" }),
    "CALL_DENIED",
  );
  assert.equal(await does(bob.person, "rank", { org, user: bob.id, role: "owner" }), "CALL_DENIED");
  assert.equal(await does(bob.person, "remove", { org, user: ann.id }), "CALL_DENIED");
  const above = { org, email: "y@example.com", role: "owner" };
  assert.equal(await does(bob.person, "invite", above), "CALL_DENIED");
  const foreign = { name: "Theirs", slug: "theirs", owner: ann.id };
  assert.equal(await does(eve.person, "found", foreign), "CALL_DENIED");

  assert.equal(await does(bob.person, "rank", { org, user: cat.id, role: "admin" }), null);
  assert.equal(
    await does(cat.person, "remove", { org, user: cat.id }),
    null,
    "everybody may leave",
  );
  assert.deepEqual(await rolesIn(org), { [ann.id]: "owner", [bob.id]: "admin" });
  assert.deepEqual((await happened("orgRoleChanged", cat.id)).at(-1), {
    ...{ org, role: "admin", by: bob.id },
  });
});

test(
  "in the app's name nobody's right is asked for, and the reason is kept",
  { timeout },
  async () => {
    const [dan, fay] = [await somebody("dan"), await somebody("fay")];
    const nobody = scene.person();
    const org = (await does(nobody, "found", {
      ...{ name: "Bolt", slug: "bolt", owner: dan.id, reason },
    })) as string;
    assert.deepEqual(await happened("orgCreated", dan.id), [{ org, reason }]);
    const added = { org, user: fay.id, role: "member", reason };
    assert.equal(await does(nobody, "add", added), true);
    assert.equal(await does(nobody, "add", { ...added, role: "owner" }), false, "one already");
    assert.deepEqual(await rolesIn(org), { [dan.id]: "owner", [fay.id]: "member" });
    assert.deepEqual(await happened("orgJoined", fay.id), [{ org, role: "member", reason }]);

    assert.equal(await does(nobody, "rank", { org, user: fay.id, role: "owner", reason }), null);
    assert.equal(await does(nobody, "rank", { org, user: dan.id, role: "member", reason }), null);
    const shown = (await does(nobody, "members", { org, reason })) as { members: Json; next: Json };
    assert.deepEqual(shown.members, [
      { user: dan.id, name: "dan", email: "dan@example.com", role: "member" },
      { user: fay.id, name: "fay", email: "fay@example.com", role: "owner" },
    ]);
    const letter = { org, email: "gus@example.com", role: "owner", reason };
    assert.match((await does(nobody, "invite", letter)) as string, /^org_invitation_/);
    assert.equal(scene.letter("gus@example.com", "invitation").data["inviter"], "");

    // Who is taken out speaks for it no more, in the session that they have.
    await dan.person.ask("POST /auth/orgs/choose", { org });
    assert.equal((await dan.person.who())["org"], org);
    assert.equal(await does(nobody, "remove", { org, user: dan.id, reason }), null);
    assert.equal((await dan.person.who())["org"], null);
  },
);

test("what an organisation must keep holds for the app, too", { timeout }, async () => {
  const [hal, ida] = [await somebody("hal"), await somebody("ida")];
  const nobody = scene.person();
  const found = (slug: string, more: Input = {}) =>
    does(nobody, "found", { name: "Coop", slug, owner: hal.id, reason, ...more });
  const org = (await found("coop")) as string;
  assert.equal(await found("coop"), "UNIQUE_TAKEN");
  const nowhere = org.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  const stranger = hal.id.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  const member = { org, user: ida.id, role: "member", reason };
  const wrong: readonly (readonly [name: string, input: Input, code: string])[] = [
    ["found", { name: "Coop", slug: "c2", reason }, "ARGUMENT_INVALID"],
    ["found", { name: "Coop", slug: "c2", owner: stranger, reason }, "NOT_FOUND"],
    ["found", { name: "Two\nlines", slug: "c2", owner: hal.id, reason }, "ARGUMENT_INVALID"],
    ["found", { name: "Coop", slug: "Not This", owner: hal.id, reason }, "ARGUMENT_INVALID"],
    ["add", { ...member, reason: "" }, "ARGUMENT_INVALID"],
    ["add", { ...member, reason: " " }, "ARGUMENT_INVALID"],
    ["add", { ...member, role: "king" }, "ARGUMENT_INVALID"],
    ["add", { ...member, user: stranger }, "NOT_FOUND"],
    ["add", { ...member, org: nowhere }, "NOT_FOUND"],
    ["rank", { ...member, org: nowhere }, "NOT_FOUND"],
    ["rank", member, "NOT_FOUND"],
    ["rank", { org, user: hal.id, role: "member", reason }, "CONFLICT"],
    ["remove", { org, user: hal.id, reason }, "CONFLICT"],
    ["remove", { org, user: ida.id, reason }, "NOT_FOUND"],
    ["invite", { org, email: "hal@example.com", role: "member", reason }, "CONFLICT"],
    ["invite", { org, email: "nobody", role: "member", reason }, "ARGUMENT_INVALID"],
    ["members", { org: nowhere, reason }, "NOT_FOUND"],
    ["members", { org, after: "page two", reason }, "CURSOR_INVALID"],
  ];
  for (const [name, input, code] of wrong) {
    assert.equal(await does(nobody, name, input), code, `${name} ${JSON.stringify(input)}`);
  }
  assert.deepEqual(await rolesIn(org), { [hal.id]: "owner" });

  // As many organisations and members as anybody has.
  await found("c3");
  await found("c4");
  assert.equal(await found("c5"), "CONFLICT");
  for (const name of ["jo", "kim", "lee"]) {
    const { id } = await somebody(name);
    assert.equal(await does(nobody, "add", { ...member, user: id }), true);
  }
  assert.equal(await does(nobody, "add", member), "CONFLICT");

  // All of them, a page at a time.
  const seen: Json[] = [];
  let after: Json = null;
  do {
    const page = (await does(nobody, "members", { org, after, reason })) as {
      readonly members: readonly { readonly name: Json }[];
      readonly next: Json;
    };
    assert.ok(page.members.length <= 2);
    seen.push(...page.members.map(({ name }) => name));
    after = page.next;
  } while (after !== null);
  assert.deepEqual(seen, ["hal", "jo", "kim", "lee"]);
});
