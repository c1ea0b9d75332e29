// What the log is told of requests to identity: each once, and nothing that opens anything.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goodPassword, openAuthSceneOfFile } from "./auth-scene.case.ts";

const timeout = 60_000;
const scene = await openAuthSceneOfFile();

const told = () =>
  scene.trace.recent(100).map(({ operation, caller, code }) => ({ operation, caller, code }));

test(
  "a request to identity is told once, with who asked and what came of it",
  { timeout },
  async () => {
    const ann = scene.person();
    const id = await ann.join("ann@log.example");
    const wrong = await ann.ask("POST /auth/sign-in", { email: "ann@log.example", password: "no" });
    assert.equal(wrong.code, "SIGN_IN_FAILED");
    assert.deepEqual(told()[0], {
      operation: "POST /auth/sign-in",
      caller: id,
      code: "SIGN_IN_FAILED",
    });
    assert.equal(scene.trace.find(wrong.headers["x-request-id"] ?? "")?.code, "SIGN_IN_FAILED");

    assert.equal((await ann.ask("GET /auth/me")).status, 200);
    assert.deepEqual(told()[0], { operation: "GET /auth/me", caller: id, code: null });
    assert.equal((await ann.ask("DELETE /auth/sessions/session_nosuch")).status, 404);
    assert.deepEqual(told()[0], {
      operation: "DELETE /auth/sessions/:id",
      caller: id,
      code: "NOT_FOUND",
    });
  },
);

test("a page that shows a refusal tells its code", { timeout }, async () => {
  const form = { email: "nobody@log.example", password: "no" };
  const headers = { "sec-fetch-site": "same-origin", accept: "text/html" };
  await scene.person().ask("POST /auth/sign-in", undefined, { form, headers });
  assert.deepEqual(told()[0], {
    operation: "POST /auth/sign-in",
    caller: null,
    code: "SIGN_IN_FAILED",
  });
});

test("nothing that opens anything is in the log", { timeout }, async () => {
  const bea = scene.person();
  await bea.join("bea@log.example");
  await bea.ask("POST /auth/magic-link", { email: "bea@log.example" });
  const ticket = scene.ticket("bea@log.example", "magic-link");
  await bea.ask(`GET /auth/magic-link/confirm?ticket=${ticket}`, undefined, {
    headers: { accept: "text/html" },
  });
  await bea.ask("POST /auth/reset/confirm", { ticket: "wrong-ticket", password: goodPassword });
  const text = JSON.stringify(scene.trace.recent(100));
  assert.ok(told().some(({ operation }) => operation === "GET /auth/magic-link/confirm"));
  for (const secret of [ticket, "wrong-ticket", goodPassword, ...bea.jar.values()]) {
    assert.ok(!text.includes(secret), secret);
  }
});
