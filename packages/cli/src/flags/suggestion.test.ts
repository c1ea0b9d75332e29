import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { editsBetween, suggestion } from "./suggestion.ts";

test("a slip of the hand finds the name that was meant", () => {
  const names = ["port", "data", "static", "on-error", "upsert"];
  assert.equal(suggestion("prot", names), "port");
  assert.equal(suggestion("onerror", names), "on-error");
  assert.equal(suggestion("stat", names), "static");
  assert.equal(suggestion("zebra", names), null);
  assert.equal(suggestion("", names), null);
});

test("edits are symmetric, and zero only between equal texts", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      assert.equal(editsBetween(left, right), editsBetween(right, left));
      assert.equal(editsBetween(left, right) === 0, left === right);
    }),
  );
});
