import { strict as assert } from "node:assert";
import { test } from "node:test";
import { assert as check, AssertionFailure, unreachable } from "./assert.ts";

test("an assertion that fails is a bug, not a refusal", () => {
  check(1, "one is true");
  assert.throws(() => check(0, "zero"), AssertionFailure);
  assert.throws(() => unreachable("x" as never), /unreachable: "x"/);
});
