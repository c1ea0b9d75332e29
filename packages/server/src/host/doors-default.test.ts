import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { doorsDefault } from "./doors-default.ts";

test("each core has a door, up to four", () => {
  const doors = [1, 2, 3, 4, 5, 64].map((cores) => doorsDefault({ cores, spreads: true }));
  assert.deepEqual(doors, [1, 2, 3, 4, 4, 4]);
});

test("where connections are not spread there is one door, however many cores", () => {
  for (const cores of [1, 4, 64]) assert.equal(doorsDefault({ cores, spreads: false }), 1);
});

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;
test(
  "a process that is kept to one core counts one",
  { skip: hasTaskset ? false : "there is no taskset" },
  () => {
    const print = "process.stdout.write(String(require('node:os').availableParallelism()))";
    const line = ["-c", coreOfThis(), process.execPath, "-e", print];
    assert.equal(spawnSync("taskset", line, { encoding: "utf8" }).stdout, "1");
  },
);

/** One that this process may use. */
function coreOfThis(): string {
  const { stdout } = spawnSync("taskset", ["-c", "-p", String(process.pid)], { encoding: "utf8" });
  return /: (\d+)/.exec(stdout)?.[1] ?? "0";
}
