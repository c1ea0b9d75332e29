// Three seconds of the rush for a hundred seats: the long version is `node examples/cinema/test/rush.mjs`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("64 clients who fight for 100 seats get 100 bookings and clear refusals", () => {
  const line = [join(import.meta.dirname, "rush.mjs"), "--seconds=3"];
  const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^ {2}200: 100$/m);
  assert.match(stdout, /^ {2}409 UNIQUE_TAKEN: [1-9]\d*$/m);
  assert.match(stdout, /^100 bookings of 100 seats; each seat once: yes$/m);
});
