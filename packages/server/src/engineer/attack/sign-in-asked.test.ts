import assert from "node:assert/strict";
import { test } from "node:test";
import { asksToSignIn } from "./sign-in-asked.ts";

const sent = (status: number, location = "") => ({
  answer: { status, headers: { location }, text: "" },
  code: null,
  changes: [],
});

test("a page that sends to sign in refuses; one that did something and ends there does not", () => {
  const page = sent(303, "/auth/sign-in?next=%2Fauth%2Faccount%2Fdelete");
  assert.equal(asksToSignIn(page), true);
  const row = { id: "user_1" };
  const gone = { table: "user", id: "user_1", before: row, after: null };
  assert.equal(asksToSignIn({ ...sent(303, "/auth/sign-in"), changes: [gone] }), false);
  assert.equal(asksToSignIn(sent(303, "/auth/sessions")), false);
});

test("only the codes that ask for a sign-in refuse it: others come after that question", () => {
  assert.equal(asksToSignIn(sent(401)), true);
  assert.equal(asksToSignIn({ ...sent(403), code: "SIGN_IN_REQUIRED" }), true);
  assert.equal(asksToSignIn({ ...sent(403), code: "FRESH_SIGN_IN_REQUIRED" }), true);
  assert.equal(asksToSignIn({ ...sent(403), code: "RULE_DENIED" }), false);
  assert.equal(asksToSignIn({ ...sent(409), code: "REF_IN_USE" }), false);
  assert.equal(asksToSignIn(sent(200)), false);
});
