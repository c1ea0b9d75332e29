// Own files are found by address alone, everything else as Node finds it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { findOwnFilesFast } from "./own-files.ts";

test("own files are the same modules as before, and nobody else's files are touched", async () => {
  const asked: string[] = [];
  const looked = registerHooks({
    resolve(specifier, context, next) {
      asked.push(specifier);
      return next(specifier, context);
    },
  });
  const before = await import("../base/later.ts");
  assert.ok(asked.includes("../base/later.ts"));
  findOwnFilesFast();
  asked.length = 0;
  const { andThen } = await import("../base/later.ts");
  const { SpareThreads } = await import("./server-thread.ts");
  assert.equal(andThen, before.andThen);
  assert.equal(typeof SpareThreads, "function");
  // Its own imports of ours came without a look; packages and what Node brings did not.
  assert.ok(asked.includes("node:worker_threads"));
  assert.deepEqual(
    asked.filter((specifier) => specifier.startsWith(".")),
    [],
  );

  const folder = mkdtempSync(join(tmpdir(), "keelson-own-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }');
  writeFileSync(join(folder, "one.mjs"), 'import two from "./two.ts"; export default two;');
  writeFileSync(join(folder, "two.ts"), "module.exports = 2 as number;");
  const other = (await import(pathToFileURL(join(folder, "one.mjs")).href)) as { default: number };
  assert.equal(other.default, 2);
  assert.ok(asked.includes("./two.ts"));
  looked.deregister();
  rmSync(folder, { recursive: true });
});
