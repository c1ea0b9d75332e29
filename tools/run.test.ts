import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "keelson-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = join(import.meta.dirname, "run.mjs");
const temp = join(folder, "temp");
mkdirSync(temp);

/** Runs one test file whose folders for temporary files are in `temp`. @param end what it does at its end. */
function runTest(name: string, end: string) {
  const file = join(folder, `${name}.test.mjs`);
  const text = `import { mkdtempSync, rmSync } from "node:fs";
    import { tmpdir } from "node:os";
    import { join } from "node:path";
    import { test } from "node:test";
    test("one", () => {
      const folder = mkdtempSync(join(tmpdir(), "keelson-some-"));
      ${end}
    });`;
  writeFileSync(file, text);
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return spawnSync(process.execPath, [run, "test", file], {
    encoding: "utf8",
    env: { ...env, TMPDIR: temp, TMP: temp, TEMP: temp },
  });
}

test("folders that tests leave behind are named, and none of them stays", () => {
  const tidy = runTest("tidy", "rmSync(folder, { recursive: true });");
  assert.equal(tidy.status, 0, tidy.stdout + tidy.stderr);
  assert.doesNotMatch(tidy.stderr, /left folders/);
  const untidy = runTest("untidy", "");
  assert.equal(untidy.status, 0, untidy.stdout + untidy.stderr);
  assert.match(untidy.stderr, /Tests left folders behind, which are removed: keelson-some-\w+/);
  const broken = runTest("broken", "throw new Error('a failure')");
  assert.equal(broken.status, 1);
  assert.doesNotMatch(broken.stderr, /left folders/, "a failure is enough to look at");
  assert.deepEqual(readdirSync(temp), []);
});
