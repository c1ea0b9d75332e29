import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { serve, tempFolder } from "../command-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, queue, workflow, rules, app } = define({ note: table({ text: t.text({ max: 40 }) }) });`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { mutation, queue, workflow } from "./schema.ts";
export const write = mutation({ args: { bad: t.bool() }, async run(_, { bad }) {
  console.log("writes");
  if (bad) throw new Error("out of ink");
} });
export const writes = queue(write, { attempts: 1 });
export const trip = workflow({ async run({ step }) { console.log("off"); await step(write, { bad: false }); } });
export const put = mutation({ args: { bad: t.bool() }, allow: "anyone", run: async ({ enqueue }, { bad }) => { await enqueue(writes, { bad }); } });
export const travel = mutation({ allow: "anyone", run: async ({ startWorkflow }) => { await startWorkflow(trip); } });
`,
};

function appFolder(context: TestContext): string {
  const folder = tempFolder(context);
  mkdirSync(join(folder, "keelson"));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, "keelson", name), text);
  return folder;
}

async function post(url: string, name: string, args: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(args);
  const answer = await fetch(`${url}/api/fn/${name}`, { method: "POST", headers, body });
  assert.equal(answer.status, 200, await answer.text());
}

test("work has a line when it ran, with what it wrote and where it failed", async (context) => {
  const server = await serve(appFolder(context), ["dev"]);
  try {
    await server.wait(/Work\n {2}work\.writes +queue +work\.write\n {2}work\.trip +workflow\n/);
    await post(server.url, "work.put", { bad: false });
    await server.wait(/ok {2}queue work\.writes · [\d.]+ ms\n {4}info writes\n/);
    await post(server.url, "work.put", { bad: true });
    await server.wait(
      /FUNCTION_FAILED {2}queue work\.writes · [\d.]+ ms\n {4}info writes\n {4}.*out of ink {2}keelson\/work\.ts:6:/,
    );
    await post(server.url, "work.travel", {});
    await server.wait(
      /ok {2}workflow work\.trip · step work\.write, done · [\d.]+ ms\n[^]* {4}info off/,
    );
  } finally {
    await server.stop();
  }
});

test("--quiet-work leaves the lines of work out, and no others", async (context) => {
  const server = await serve(appFolder(context), ["dev", "--quiet-work"]);
  try {
    await post(server.url, "work.put", { bad: true });
    await server.wait(/ok {2}work\.put/);
    await post(server.url, "work.put", { bad: false });
    await server.wait(/ok {2}work\.put/);
    assert.doesNotMatch(server.text(), /queue work\.writes|info writes/);
  } finally {
    await server.stop();
  }
});
