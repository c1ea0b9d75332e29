import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "./failure.ts";
import { parseDurationMs } from "./duration.ts";

test("a number and a unit make milliseconds", () => {
  assert.equal(parseDurationMs("ttl", "90s"), 90_000);
  assert.equal(parseDurationMs("ttl", "12h"), 43_200_000);
  assert.equal(parseDurationMs("ttl", "7d"), 604_800_000);
});

test("anything else is refused", () => {
  for (const text of ["", "12", "0s", "1.5h", "-1h", "4000d", "1w", "h"]) {
    assert.throws(() => parseDurationMs("ttl", text), Failure, text);
  }
});
