import assert from "node:assert/strict";
import { test } from "node:test";
import { readForeignClaims } from "./foreign-id-token.ts";

test("a provider's name of any length and any characters is one that a user's field takes", () => {
  const names = [`${"x".repeat(199)}😀 and more`, "a\0b", "\ud83d"];
  assert.deepEqual(
    names.map((name) => readForeignClaims({ sub: "1", name }).name),
    [`${"x".repeat(199)}\ufffd`, "a\ufffdb", "\ufffd"],
  );
});

test("a subject that no database could tell from another one signs nobody in", () => {
  for (const sub of ["a\ud800", "a\0", "", "x".repeat(256), 7, null]) {
    assert.throws(() => readForeignClaims({ sub }), { code: "PROVIDER_FAILED" });
  }
  assert.equal(readForeignClaims({ sub: "a😀" }).subject, "a😀");
});
