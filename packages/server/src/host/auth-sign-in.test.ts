// Signing up, in and out, and what goes with it: through the door, as a browser or a program does it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startWork } from "../gate/work.ts";
import { pruneBackend } from "./backend.ts";
import { changeUser, goodPassword, openAuthSceneOfFile } from "./auth-scene.case.ts";

const timeout = 60_000;
const scene = await openAuthSceneOfFile();

test(
  "nobody is a user before their letter was followed, and then they are",
  { timeout },
  async () => {
    const ann = scene.person();
    const asked = await ann.ask("POST /auth/sign-up", {
      email: " Ann@Example.com ",
      password: goodPassword,
      name: "Ann",
    });
    assert.equal(asked.status, 202);
    assert.deepEqual(asked.json, {});
    assert.equal((await ann.who())["id"], null);
    assert.equal((await ann.signIn("ann@example.com")).code, "SIGN_IN_FAILED");
    const users = (await scene.rows("user")).length;

    const ticket = scene.ticket("ann@example.com", "verify-email");
    const done = await ann.ask("POST /auth/verify-email/confirm", { ticket });
    assert.equal(done.status, 200, done.text);
    assert.equal((await scene.rows("user")).length, users + 1);
    const me = await ann.who();
    assert.deepEqual(me, {
      id: done.json["user"],
      role: "customer",
      email: "ann@example.com",
      emailVerified: true,
      guest: false,
      org: null,
      orgRole: null,
      plan: "free",
    });
    assert.equal(
      (await ann.ask("POST /auth/verify-email/confirm", { ticket })).code,
      "TICKET_INVALID",
    );

    assert.equal((await ann.ask("POST /auth/sign-out", {})).status, 204);
    assert.equal((await ann.who())["id"], null);
    assert.equal((await ann.signIn("ANN@example.com")).status, 200);
    assert.equal((await ann.who())["id"], me["id"]);
  },
);

test(
  "a password counts only in the browser that chose it, or typed once more",
  { timeout },
  async () => {
    const mallory = scene.person();
    await mallory.ask("POST /auth/sign-up", { email: "bea@example.com", password: goodPassword });
    const ticket = scene.ticket("bea@example.com", "verify-email");
    const bea = scene.person();
    assert.equal((await bea.ask("POST /auth/verify-email/confirm", { ticket })).status, 200);
    assert.equal((await mallory.signIn("bea@example.com")).code, "SIGN_IN_FAILED");

    await bea.ask("POST /auth/sign-up", { email: "cid@example.com", password: goodPassword });
    const phone = scene.person();
    const typed = await phone.ask("POST /auth/verify-email/confirm", {
      ticket: scene.ticket("cid@example.com", "verify-email"),
      password: goodPassword,
    });
    assert.equal(typed.status, 200, typed.text);
    assert.equal((await scene.person().signIn("cid@example.com")).status, 200);
  },
);

test("weak, common and own passwords are refused, with the reason", { timeout }, async () => {
  const person = scene.person();
  const tried = (password: string) =>
    person.ask("POST /auth/sign-up", { email: "weak.person@example.com", password });
  const reasonOf = async (password: string) => {
    const reply = await tried(password);
    assert.equal(reply.code, "PASSWORD_WEAK", `${password}: ${reply.text}`);
    return (reply.json["details"] as { readonly reason?: string } | undefined)?.reason;
  };
  assert.equal(await reasonOf("short one"), "short");
  assert.equal(await reasonOf("Password123!"), "common");
  assert.equal(await reasonOf("P4ssw0rd!!2019"), "common");
  assert.equal(await reasonOf("abcabcabcabc"), "common");
  assert.equal(await reasonOf("qwertyuiopas"), "common");
  assert.equal(await reasonOf("weakperson.weak"), "own");
  assert.equal((await tried("x".repeat(300))).code, "ARGUMENT_INVALID");
});

test(
  "links and codes sent by e-mail sign in, once, and make an account where there is none",
  { timeout },
  async () => {
    const dora = scene.person();
    const id = await dora.join("dora@example.com");
    const other = scene.person();
    assert.equal(
      (await other.ask("POST /auth/magic-link", { email: "dora@example.com" })).status,
      202,
    );
    const ticket = scene.ticket("dora@example.com", "magic-link");
    const linked = await other.ask("POST /auth/magic-link/confirm", { ticket });
    assert.equal(linked.json["user"], id);
    assert.equal(
      (await other.ask("POST /auth/magic-link/confirm", { ticket })).code,
      "TICKET_INVALID",
    );

    const third = scene.person();
    const asked = await third.ask("POST /auth/email-code", { email: "eve@example.com" });
    const { code } = scene.letter("eve@example.com", "email-code").data;
    const shown = { ticket: asked.json["ticket"] ?? null, code: code ?? null };
    const wrong = await third.ask("POST /auth/email-code/confirm", { ...shown, code: "000000x" });
    assert.equal(wrong.code, "CODE_WRONG");
    const right = await third.ask("POST /auth/email-code/confirm", shown);
    assert.equal(right.status, 200, right.text);
    assert.equal((await third.who())["email"], "eve@example.com");
    assert.equal((await third.ask("POST /auth/email-code/confirm", shown)).code, "TICKET_INVALID");
  },
);

test("a code can be guessed at a few times only", { timeout }, async () => {
  const person = scene.person();
  const asked = await person.ask("POST /auth/email-code", { email: "fay@example.com" });
  const code = scene.letter("fay@example.com", "email-code").data["code"] as string;
  const ticket = asked.json["ticket"] ?? null;
  const wrong = code === "111111" ? "222222" : "111111";
  const codes: (string | null)[] = [];
  for (let count = 0; count < scene.limits.authCodeTriesMax; count++) {
    codes.push((await person.ask("POST /auth/email-code/confirm", { ticket, code: wrong })).code);
  }
  assert.deepEqual([...new Set(codes)], ["CODE_WRONG"]);
  const late = await person.ask("POST /auth/email-code/confirm", { ticket, code });
  assert.equal(late.code, "TICKET_INVALID");
});

test("links are good for an hour", { timeout }, async () => {
  const person = scene.person();
  await person.join("gil@example.com");
  await person.ask("POST /auth/magic-link", { email: "gil@example.com" });
  const ticket = scene.ticket("gil@example.com", "magic-link");
  scene.clock.move(scene.limits.authLinkMs + 1);
  assert.equal(
    (await person.ask("POST /auth/magic-link/confirm", { ticket })).code,
    "TICKET_INVALID",
  );
});

test(
  "a reset gives a new password, signs in, and ends every other session",
  { timeout },
  async () => {
    const laptop = scene.person();
    const id = await laptop.join("hal@example.com");
    const phone = scene.person();
    assert.equal((await phone.ask("POST /auth/reset", { email: "hal@example.com" })).status, 202);
    const first = scene.ticket("hal@example.com", "reset-password");
    await phone.ask("POST /auth/reset", { email: "hal@example.com" });
    const ticket = scene.ticket("hal@example.com", "reset-password");
    const weak = await phone.ask("POST /auth/reset/confirm", { ticket, password: "password12" });
    assert.equal(weak.code, "PASSWORD_WEAK");
    const password = "another way of putting it";
    const done = await phone.ask("POST /auth/reset/confirm", { ticket, password });
    assert.equal(done.json["user"], id, done.text);
    assert.equal((await laptop.who())["id"], null);
    assert.equal((await phone.who())["id"], id);
    assert.equal((await laptop.signIn("hal@example.com")).code, "SIGN_IN_FAILED");
    assert.equal((await laptop.signIn("hal@example.com", { password })).status, 200);
    for (const used of [ticket, first]) {
      const again = await phone.ask("POST /auth/reset/confirm", { ticket: used, password });
      assert.equal(again.code, "TICKET_INVALID");
    }
    scene.letter("hal@example.com", "password-changed");
  },
);

test("a guest who signs up is the same user, with all that is theirs", { timeout }, async () => {
  const guest = scene.person();
  const opened = await guest.ask("POST /auth/guest", {});
  assert.equal(opened.status, 200, opened.text);
  const id = opened.json["user"];
  assert.equal((await guest.who())["guest"], true);
  assert.equal((await guest.ask("POST /auth/guest", {})).json["user"], id);
  const note = await guest.ask("POST /api/fn/people.write", { text: "held while a guest" });
  assert.equal(note.status, 200, note.text);
  const before = guest.copy();

  assert.equal(await guest.join("ida@example.com", { name: "Ida" }), id);
  const me = await guest.who();
  assert.equal(me["guest"], false);
  assert.equal(me["email"], "ida@example.com");
  const notes = await guest.ask("GET /api/tables/note");
  assert.match(notes.text, /held while a guest/);
  assert.equal((await before.who())["id"], null, "the guest's session has ended");
  assert.equal((await scene.person().signIn("ida@example.com")).json["user"], id);
});

test("sensitive changes ask for a fresh proof, by password or by a code", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("jo@example.com");
  scene.clock.move(scene.limits.authFreshMs + 1_000);
  const password = "yet another good sentence";
  const stale = await person.ask("POST /auth/password", { password });
  assert.equal(stale.code, "FRESH_SIGN_IN_REQUIRED");
  assert.equal((await person.ask("POST /auth/confirm", { password: "no" })).code, "SIGN_IN_FAILED");
  const before = person.copy();
  assert.equal((await person.ask("POST /auth/confirm", { password: goodPassword })).status, 200);
  assert.equal((await before.who())["id"], null, "a copied cookie is out");
  const other = scene.person();
  await other.signIn("jo@example.com");
  assert.equal((await person.ask("POST /auth/password", { password })).status, 200);
  assert.equal((await person.who())["id"], id);
  assert.equal((await other.who())["id"], null);

  scene.clock.move(scene.limits.authFreshMs + 1_000);
  const asked = await person.ask("POST /auth/confirm/code", {});
  const { code = null } = scene.letter("jo@example.com", "email-code").data;
  const shown = { ticket: asked.json["ticket"] ?? null, code };
  assert.equal((await person.ask("POST /auth/confirm", shown)).status, 200);
  const moved = await person.ask("POST /auth/email", { email: "joe@example.com" });
  assert.equal(moved.status, 202, moved.text);
  const ticket = scene.ticket("joe@example.com", "change-email");
  assert.equal(
    (await person.ask("POST /auth/email/confirm", { ticket })).json["email"],
    "joe@example.com",
  );
  assert.equal((await person.who())["email"], "joe@example.com");
  assert.equal(scene.letter("jo@example.com", "email-changed").data["address"], "joe@example.com");
  assert.equal((await other.signIn("joe@example.com", { password })).json["user"], id);
});

test("people see their sessions, and end one or all others", { timeout }, async () => {
  const [laptop, phone, tablet] = [scene.person(), scene.person(), scene.person()];
  const id = await laptop.join("kit@example.com");
  await phone.signIn("kit@example.com");
  await tablet.signIn("kit@example.com");
  const listed = await laptop.ask("GET /auth/sessions");
  const sessions = listed.json["sessions"] as { readonly id: string; readonly isThis: boolean }[];
  assert.deepEqual(
    sessions.map(({ isThis }) => isThis),
    [true, false, false],
  );
  const gone = sessions[1]?.id ?? "";
  const stranger = scene.person();
  await stranger.join("lou@example.com");
  assert.equal((await stranger.ask(`DELETE /auth/sessions/${gone}`)).code, "NOT_FOUND");
  assert.equal((await laptop.ask(`DELETE /auth/sessions/${gone}`)).status, 204);
  assert.equal((await phone.who())["id"], null);
  assert.equal((await tablet.who())["id"], id);
  assert.equal((await laptop.ask("POST /auth/sessions/revoke-all", {})).json["ended"], 1);
  assert.equal((await tablet.who())["id"], null);
  assert.equal((await laptop.who())["id"], id);
});

test(
  "everything that happens to an account is in the list that its owner sees",
  { timeout },
  async () => {
    const person = scene.person();
    await person.join("mia@example.com");
    await scene.person().signIn("mia@example.com", { password: "not this one at all" });
    await person.ask("POST /auth/sessions/revoke-all", {});
    await person.ask("POST /auth/sign-out", {});
    await person.signIn("mia@example.com");
    const { json } = await person.ask("GET /auth/events");
    const kinds = (json["events"] as { readonly kind: string }[]).map(({ kind }) => kind);
    assert.deepEqual(kinds, [
      "signIn",
      "signOut",
      "sessionsRevoked",
      "signInFailed",
      "signIn",
      "signUp",
    ]);
    assert.equal((await scene.person().ask("GET /auth/events")).code, "SIGN_IN_REQUIRED");
  },
);

test("a session ends when it is not used, and some day in any case", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("ned@example.com");
  const { authSessionIdleMs, authSessionMs, authSeenMs } = scene.limits;
  let lastedMs = 0;
  while (lastedMs + authSessionIdleMs / 2 < authSessionMs) {
    scene.clock.move(authSessionIdleMs / 2);
    lastedMs += authSessionIdleMs / 2;
    assert.equal((await person.who())["id"], id, `after ${lastedMs} ms of use`);
    // That it was used is written down a moment later.
    await seenAgain(id);
  }
  scene.clock.move(authSessionMs - lastedMs);
  assert.equal((await person.who())["id"], null);

  const idle = scene.person();
  await idle.signIn("ned@example.com");
  scene.clock.move(authSessionIdleMs + authSeenMs);
  assert.equal((await idle.who())["id"], null);

  async function seenAgain(user: string): Promise<void> {
    const now = scene.clock.nowMs();
    for (let tries = 0; tries < 10_000; tries++) {
      const session = (await scene.rows("authSession")).find((row) => row["user"] === user);
      if (Date.parse(session?.["seenAt"] as string) >= now - 60_000) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.fail("the use was not written down");
  }
});

test("a changed right is seen by the next request", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("ova@example.com");
  assert.equal((await person.ask("POST /api/fn/people.staffOnly", {})).status, 403);
  await changeUser(scene, id, { plan: "gold" });
  assert.equal((await person.who())["plan"], "gold");
  await changeUser(scene, id, { role: "staff" });
  // Staff need a second factor in this app: a password alone makes them nobody but who may set it up.
  const refused = await person.ask("POST /api/fn/people.who", {});
  assert.equal(refused.code, "SECOND_FACTOR_REQUIRED");
  assert.equal((await person.ask("GET /auth/me")).status, 200);
  const begun = await person.ask("POST /auth/totp/begin", {});
  assert.equal(begun.status, 200, begun.text);
});

test("an account that is closed is nobody at once, and signs in no more", { timeout }, async () => {
  const person = scene.person();
  const id = await person.join("pam@example.com");
  const { desk } = await scene.service();
  const close = { name: "auth.closeAccount", input: { user: id, isClosed: true } };
  await desk.writer.submit(
    {
      operation: { kind: "procedure", ...close },
      caller: { id: null, role: null, me: {} },
      authority: "system",
      cause: "test",
      requestId: "test",
      atMs: scene.clock.nowMs(),
      idempotency: null,
    },
    startWork(),
  );
  assert.equal((await person.who())["id"], null);
  assert.equal((await person.signIn("pam@example.com")).code, "ACCOUNT_DISABLED");
});

test(
  "what is over goes: sessions, letters' tickets, old events, and nothing else",
  { timeout },
  async () => {
    const { authSessionMs, authEventMs } = scene.limits;
    const gone = scene.person();
    await gone.join("quin@example.com");
    await gone.ask("POST /auth/magic-link", { email: "quin@example.com" });
    scene.clock.move(Math.max(authSessionMs, authEventMs) + 1_000);
    const stays = scene.person();
    const id = await stays.join("ray@example.com");
    await stays.ask("POST /auth/magic-link", { email: "ray@example.com" });
    await pruneBackend(scene.backend, scene.clock);
    const [sessions, tickets, events, users] = await Promise.all(
      ["authSession", "authTicket", "authEvent", "user"].map((table) => scene.rows(table)),
    );
    assert.deepEqual(
      sessions?.map((row) => row["user"]),
      [id],
    );
    assert.deepEqual(
      tickets?.map((row) => row["subject"]),
      ["ray@example.com"],
    );
    assert.deepEqual(
      [...new Set(events?.map((row) => row["user"]))].filter((user) => user !== null),
      [id],
    );
    assert.ok((users?.length ?? 0) > 1);
    assert.equal((await stays.who())["id"], id);
  },
);
