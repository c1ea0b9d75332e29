import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { copyPrivately } from "./private-copy.ts";

test("a copy is its owner's alone before it holds anything, and takes no file's place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-copy-"));
  const target = join(folder, "copy.db");
  try {
    const seen: number[] = [];
    const look = (path: string) => {
      seen.push(statSync(path).mode & 0o777);
      return Promise.resolve();
    };
    await copyPrivately(target, look);
    if (process.platform !== "win32") assert.deepEqual(seen, [0o600]);
    await assert.rejects(copyPrivately(target, look), { code: "EEXIST" });
    assert.equal(seen.length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
