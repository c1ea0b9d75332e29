import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../../base/platform-error.ts";
import { storeError } from "./sqlite-error.ts";

function engineError(errcode: number): Error {
  return Object.assign(new Error("the engine's text"), { code: "ERR_SQLITE_ERROR", errcode });
}

for (const [errcode, name, code] of [
  [13, "SQLITE_FULL", "DISK_FULL"],
  [4874, "SQLITE_IOERR_SHMSIZE", "DISK_FULL"],
  [778, "SQLITE_IOERR_WRITE", "STORE_FAILED"],
  [11, "SQLITE_CORRUPT", "STORE_FAILED"],
] as const) {
  test(`${name} is ${code}`, () => {
    const told = storeError(engineError(errcode));
    assert.ok(told instanceof PlatformError);
    assert.equal(told.code, code);
  });
}

test("what the engine did not say stays what it is", () => {
  const other = new Error("a bug");
  assert.equal(storeError(other), other);
});
