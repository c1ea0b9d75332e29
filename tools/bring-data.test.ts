// Runs the commands of docs/guides/bring-data.md on what PostgreSQL 15 wrote for such tables.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs", "guides", "bring-data.md"), "utf8");

function block(name: string): string {
  const [, text = ""] = new RegExp(`^\`\`\`${name}\\n([^]*?)^\`\`\`$`, "m").exec(page) ?? [];
  assert.notEqual(text, "", name);
  return text;
}

const app: Readonly<Record<string, string>> = {
  "keelson/schema.ts": `import { define, table, t } from "keelson";\n${block("ts schema")}`,
  "keelson/app.ts": 'import { app } from "./schema.ts"; export default app({});',
  "users.csv": `instance_id,id,email,encrypted_password,email_confirmed_at,raw_user_meta_data,created_at
,7c4ad6c8-39d1-4f7e-9a55-0d6a3c1c9f11,Ada@example.com,,2024-05-01 12:00:00+00,"{""name"": ""Ada""}",2024-05-01 12:00:00+00
`,
  "projects.csv": `id,name,owner_id,created_at
b04ec441-7671-4702-be6c-4c17c83792db,Web,7c4ad6c8-39d1-4f7e-9a55-0d6a3c1c9f11,2024-05-01 14:00:00.123456+05:30
`,
  "issues.csv": `id,project_id,parent_id,assignee_id,title,labels,is_done,created_at
9,b04ec441-7671-4702-be6c-4c17c83792db,4,,"A child, before its parent","{""a b"",c}",f,2024-05-01 12:00:00+00
4,b04ec441-7671-4702-be6c-4c17c83792db,,7c4ad6c8-39d1-4f7e-9a55-0d6a3c1c9f11,Parent,{},t,2024-05-01 12:00:00-03:30
`,
};

test("the guide's commands bring users, projects and issues with their references", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bring-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "keelson"));
  for (const [name, text] of Object.entries(app)) writeFileSync(join(folder, name), text);
  const binary = join(root, "packages", "cli", "bin", "keelson.mjs");
  const run = (words: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [binary, ...words], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${words.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  for (const line of block("sh import").trim().split("\n")) {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
    assert.deepEqual(words.splice(0, 2), ["npx", "keelson"]);
    run(words as string[]);
  }
  const rows = (table: string) =>
    run(["export", table])
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const [user] = rows("user");
  const [project] = rows("project");
  const [parent, child] = rows("issue").toSorted(
    (a, b) => Number(a["legacyId"]) - Number(b["legacyId"]),
  );
  assert.equal(project?.["owner"], user?.["id"]);
  assert.equal(project?.["createdAt"], "2024-05-01T08:30:00.123Z");
  assert.deepEqual(
    [parent?.["legacyId"], parent?.["project"], parent?.["assignee"], parent?.["isDone"]],
    [4, project?.["id"], user?.["id"], true],
  );
  assert.equal(parent?.["createdAt"], "2024-05-01T15:30:00.000Z");
  assert.deepEqual(
    [child?.["legacyId"], child?.["parent"], child?.["assignee"], child?.["labels"]],
    [9, parent?.["id"], null, ["a b", "c"]],
  );
});
