// Codes sent by e-mail can be guessed at for so long only, and whoever guesses at an address keeps its owner out of nothing
// but codes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openAuthSceneOfFile, type ScenePerson } from "./auth-scene.case.ts";

const timeout = 60_000;
const hourMs = 3_600_000;
const scene = await openAuthSceneOfFile();

/** Asks for a code. @returns its ticket, and the code that the letter has; "" without one. */
async function asked(person: ScenePerson, email: string) {
  const reply = await person.ask("POST /auth/email-code", { email });
  assert.equal(reply.status, 202, reply.text);
  const letter = scene.letters.findLast(({ to }) => to === email);
  return { ticket: reply.json["ticket"] as string, code: String(letter?.data["code"] ?? "") };
}

/** Five wrong ones for each of so many codes. @returns how each was answered. */
async function guess(email: string, codes: number): Promise<(string | null)[]> {
  const answers: (string | null)[] = [];
  for (let at = 0; at < codes; at++) {
    const stranger = scene.person();
    const { ticket, code } = await asked(stranger, email);
    const wrong = code === "000000" ? "000001" : "000000";
    for (let tries = 0; tries < 5; tries++) {
      const reply = await stranger.ask("POST /auth/email-code/confirm", { ticket, code: wrong });
      answers.push(reply.code);
    }
  }
  return answers;
}

test("a day has room for some wrong codes, from wherever they come", { timeout }, async () => {
  const email = "ada@example.com";
  const owner = scene.person();
  await owner.join(email);
  const answers = await guess(email, 5);
  assert.equal(answers.filter((code) => code === "CODE_WRONG").length, 20);
  assert.equal(answers.at(-1), "RATE_LIMITED");

  const visitor = scene.person();
  const { ticket, code } = await asked(visitor, email);
  const late = await visitor.ask("POST /auth/email-code/confirm", { ticket, code });
  assert.equal(late.code, "RATE_LIMITED", "a right one is not told from a wrong one");

  const letters = scene.person();
  await letters.ask("POST /auth/magic-link", { email });
  const link = scene.ticket(email, "magic-link");
  const followed = await letters.ask("POST /auth/magic-link/confirm", { ticket: link });
  assert.equal(followed.status, 200, "a link signs in");
  assert.equal((await scene.person().signIn(email)).status, 200, "and so does the password");

  scene.clock.move(24 * hourMs);
  const next = await asked(visitor, email);
  const done = await visitor.ask("POST /auth/email-code/confirm", next);
  assert.equal(done.status, 200, done.text);
});

test("an address without an account is held back the same way", { timeout }, async () => {
  const answers = await guess("nobody@example.com", 5);
  assert.equal(answers.filter((code) => code === "CODE_WRONG").length, 20);
  assert.equal(answers.at(-1), "RATE_LIMITED");
});

test(
  "a browser that signed in by a code before may use codes all the same",
  { timeout },
  async () => {
    const email = "bea@example.com";
    const owner = scene.person();
    assert.equal(
      (await owner.ask("POST /auth/email-code/confirm", await asked(owner, email))).status,
      200,
    );
    await guess(email, 6);
    scene.clock.move(hourMs);
    const again = await owner.ask("POST /auth/email-code/confirm", await asked(owner, email));
    assert.equal(again.status, 200, again.text);
    const stranger = scene.person();
    const denied = await stranger.ask(
      "POST /auth/email-code/confirm",
      await asked(stranger, email),
    );
    assert.equal(denied.code, "RATE_LIMITED");
  },
);

test("a code that came too late counts for nothing", { timeout }, async () => {
  const email = "dee@example.com";
  const owner = scene.person();
  const { ticket, code } = await asked(owner, email);
  scene.clock.move(scene.limits.authCodeMs + 1_000);
  for (let at = 0; at < 25; at++) {
    const late = await owner.ask("POST /auth/email-code/confirm", { ticket, code });
    assert.equal(late.code, "TICKET_INVALID");
  }
});

test("codes that prove again who one is are held back apart from those", { timeout }, async () => {
  const email = "eli@example.com";
  const owner = scene.person();
  await owner.join(email);
  const thief = owner.copy();
  const answers: (string | null)[] = [];
  for (let at = 0; at < 5; at++) {
    const { json } = await thief.ask("POST /auth/confirm/code", {});
    const right = scene.letter(email, "email-code").data["code"];
    const code = right === "000000" ? "000001" : "000000";
    for (let tries = 0; tries < 5; tries++) {
      const shown = { ticket: json["ticket"] ?? "", code };
      answers.push((await thief.ask("POST /auth/confirm", shown)).code);
    }
  }
  assert.equal(answers.filter((code) => code === "CODE_WRONG").length, 20);
  assert.equal(answers.at(-1), "RATE_LIMITED");
  const person = scene.person();
  const signedIn = await person.ask("POST /auth/email-code/confirm", await asked(person, email));
  assert.equal(signedIn.status, 200, signedIn.text);
});

test("right codes count for nothing", { timeout }, async () => {
  const email = "cleo@example.com";
  for (let at = 0; at < 25; at++) {
    const person = scene.person();
    const done = await person.ask("POST /auth/email-code/confirm", await asked(person, email));
    assert.equal(done.status, 200, done.text);
    scene.clock.move(hourMs / 10);
  }
});
