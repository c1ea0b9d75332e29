import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { realDisk } from "./real-disk.ts";

function withFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "keelson-disk-"));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a file is replaced whole, readable by its owner only, with nothing left beside it", () => {
  withFolder((folder) => {
    const path = join(folder, "key");
    realDisk.writeAtomically(path, "one");
    realDisk.writeAtomically(path, new Uint8Array([116, 119, 111]));
    assert.equal(Buffer.from(realDisk.read(path) ?? []).toString(), "two");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["key"]);
  });
});

test("what is not there is null or empty, not an error", async () => {
  const path = join(tmpdir(), "keelson-nothing-here", "a");
  assert.equal(realDisk.read(path), null);
  assert.equal(await realDisk.readLater(path), null);
  assert.equal(realDisk.stat(path), null);
  assert.equal(realDisk.realPath(path), null);
  assert.equal(realDisk.exists(path), false);
  assert.deepEqual(realDisk.list(path), []);
  realDisk.remove(path);
});

test("a folder is listed by name, links followed", () => {
  withFolder((folder) => {
    realDisk.makeFolder(join(folder, "b", "c"));
    realDisk.writeAtomically(join(folder, "a"), "12");
    symlinkSync(join(folder, "a"), join(folder, "z"));
    const seen = realDisk.list(folder).map(({ name, kind, bytes }) => [name, kind, bytes]);
    assert.deepEqual(seen, [
      ["a", "file", 2],
      ["b", "folder", 0],
      ["z", "file", 2],
    ]);
    assert.equal(statSync(join(folder, "b", "c")).mode & 0o777, 0o700);
  });
});

test("a write that fails leaves the old file and no rest", () => {
  withFolder((folder) => {
    assert.throws(() => realDisk.writeAtomically(join(folder, "no", "such"), "x"));
    assert.deepEqual(readdirSync(folder), []);
  });
});
