import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { fromPortableError, toPortableError } from "./portable-error.ts";

const crossed = (error: unknown): Error =>
  fromPortableError(structuredClone(JSON.parse(JSON.stringify(toPortableError(error)))));

test("a refusal keeps code, details and text", () => {
  const error = crossed(
    new PlatformError("RULE_DENIED", { table: "film" }, { text: "Not yours." }),
  );
  assert.ok(error instanceof PlatformError);
  assert.equal(error.code, "RULE_DENIED");
  assert.deepEqual(error.details, { table: "film" });
  assert.equal(error.message, "Not yours.");
  assert.equal(error.cause, undefined);
});

test("a failure keeps the texts of its causes, down to a bound", () => {
  let deep: Error = new RangeError("the bottom");
  for (let index = 0; index < 9; index++) deep = new Error(`level ${index}`, { cause: deep });
  const error = crossed(new PlatformError("STORE_FAILED", {}, { cause: deep }));
  const cause = error.cause as Error;
  assert.equal(cause.message, "level 8");
  assert.match(cause.stack ?? "", /portable-error\.test/);
  let depth = 0;
  for (let at: unknown = error; at instanceof Error; at = at.cause) depth += 1;
  assert.equal(depth, 5);
});

test("what is no error at all crosses as one", () => {
  assert.equal(crossed("a text").message, "a text");
  assert.equal(crossed(new TypeError("wrong")).name, "TypeError");
});
