import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { snapshotIn } from "./guest-cache.ts";

/** What one process does at its start; a snapshot can be restored once in the life of a process. */
const starting = (file: string, builder: string) => `
  const at = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}).href);
  const { prepareGuest } = await at("guest-cache.ts");
  const { realDisk } = await at("real-disk.ts");
  const { guestCode } = await at("../isolate/guest-code.ts");
  const { default: ivm } = await at("../../../../node_modules/isolated-vm/isolated-vm.js");
  const works = await prepareGuest({ disk: realDisk, file: ${JSON.stringify(file)}, builder: ${JSON.stringify(builder)} });
  const { snapshot } = await guestCode();
  const isolate = new ivm.Isolate({ memoryLimit: 64, snapshot });
  const context = isolate.createContextSync();
  works();
  console.log(context.evalSync("typeof __keelsonGuest"));
`;

function start(file: string, builder: string, flags: readonly string[] = []): string {
  const args = [...flags, "--input-type=module", "--eval", starting(file, builder)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("a snapshot is kept, used by the next process, and made anew when it does not fit", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-guest-"));
  const file = join(folder, "guest.bin");
  try {
    assert.equal(start(file, "one"), "object");
    const kept = readFileSync(file);
    assert.ok(snapshotIn(kept, "one") !== null);
    assert.equal(snapshotIn(kept, "one")?.byteLength, kept.length - 64);
    assert.equal(snapshotIn(kept, "two"), null);
    assert.equal(start(file, "one"), "object");
    assert.deepEqual(readFileSync(file), kept);

    const damaged = Buffer.from(kept);
    damaged[5_000] = (damaged[5_000] ?? 0) ^ 1;
    assert.equal(snapshotIn(damaged, "one"), null);
    writeFileSync(file, damaged);
    assert.equal(start(file, "one"), "object");
    assert.ok(snapshotIn(readFileSync(file), "one") !== null);

    const before = readFileSync(file);
    mkdirSync(`${file}.trying`);
    assert.equal(start(file, "one"), "object");
    assert.notDeepEqual(readFileSync(file), before, "a try that did not end is not repeated");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
