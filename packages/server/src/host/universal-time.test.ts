import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

test("isolates tell the same local time wherever the process runs", () => {
  const file = pathToFileURL(join(import.meta.dirname, "universal-time.ts")).href;
  const program = `
    import ivm from "isolated-vm";
    import { useUniversalTime } from ${JSON.stringify(file)};
    const hour = () => new ivm.Isolate().createContextSync().evalSync("new Date(0).getHours()");
    const before = hour();
    useUniversalTime();
    console.log(before, hour());`;
  const told = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    env: { ...process.env, TZ: "Asia/Tokyo" },
    encoding: "utf8",
  });
  assert.equal(told.trim(), "9 0");
});
