import { strict as assert } from "node:assert";
import { test } from "node:test";
import { errorCodes, type ErrorCode } from "./error-codes.ts";
import { PlatformError } from "./platform-error.ts";

test("a platform error carries status and text of its row, and its cause stays inside", () => {
  const cause = new Error("at line 3 of /secret");
  const error = new PlatformError("UNIQUE_TAKEN", { fields: ["email"] }, { cause });
  assert.equal(error.status, 409);
  assert.equal(error.message, errorCodes.UNIQUE_TAKEN.text);
  assert.equal(error.cause, cause);
  assert.ok(!JSON.stringify([error.code, error.details, error.message]).includes("secret"));
  assert.equal(
    new PlatformError("CONFLICT" satisfies ErrorCode, {}, { text: "Sold out." }).message,
    "Sold out.",
  );
});
