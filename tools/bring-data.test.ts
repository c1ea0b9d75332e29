// Runs the script of docs/guides/bring-data.md: old ids become ids, and references go on to lead where they led.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isId } from "@keelson/sdk";

const page = readFileSync(
  join(import.meta.dirname, "..", "docs", "guides", "bring-data.md"),
  "utf8",
);
const [, script = ""] = /^```js convert\n([^]*?)^```$/m.exec(page) ?? [];

test("old ids become ids of their tables, the same each time, and references hold", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bring-"));
  context.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const user = "user_01h455vb4pex5vsknk084sn02q";
  writeFileSync(join(folder, "convert.mjs"), script);
  writeFileSync(
    join(folder, "users.ndjson.imported.ndjson"),
    `${JSON.stringify({ line: 1, id: "u1", outcome: "created", user, left: [] })}\n`,
  );
  const converted = (table: string, rows: readonly object[]) => {
    const input = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    const { stdout, stderr, status } = spawnSync(process.execPath, ["convert.mjs", table], {
      cwd: folder,
      input,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const [project] = converted("project", [{ id: 7, owner: "u1", name: "Web" }]);
  const [first, second] = converted("issue", [
    { id: "7c4ad6c8-39d1-4f7e-9a55-0d6a3c1c9f11", project: 7, assignee: null },
    { id: "QpX0aZ19", project: 7, assignee: "u1" },
  ]);
  assert.equal(project?.["owner"], user);
  assert.ok(isId("project", String(project["id"])));
  assert.ok(isId("issue", String(first?.["id"])) && isId("issue", String(second?.["id"])));
  assert.notEqual(first?.["id"], second?.["id"]);
  assert.deepEqual([first?.["project"], second?.["project"]], [project["id"], project["id"]]);
  assert.deepEqual([first?.["assignee"], second?.["assignee"]], [null, user]);
  assert.deepEqual(converted("project", [{ id: 7, owner: "u1", name: "Web" }]), [project]);
});
