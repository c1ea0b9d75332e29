import assert from "node:assert/strict";
import { test } from "node:test";
import { fatalStatus } from "@keelson/server/operator";
import { exits } from "./failure.ts";

test("a command ends for a reason with the status that the server ends with", () => {
  for (const [reason, status] of Object.entries(fatalStatus)) {
    assert.equal(exits[reason as keyof typeof exits], status, reason);
  }
});
