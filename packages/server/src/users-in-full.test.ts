// An app whose users must have more than an address: who has none of it is told so before they follow a letter, and
// whom the operator or the form made signs in by letters as everywhere.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { PlatformError } from "./base/platform-error.ts";
import { startServer } from "./main.ts";

const schemaText = `import { define, table, t } from "keelson";
export const { mutation, rules, app } = define({
  user: table({
    name: t.text({ min: 1, max: 60 }),
    email: t.text({ max: 320, format: "email" }).optional().unique(),
  }),
});
`;

const peopleText = `import { t } from "keelson";
import { mutation } from "./schema.ts";
export const make = mutation({
  args: { email: t.text({ max: 320 }) },
  allow: "anyone",
  run: ({ db }, { email }) => db.asSystem("an import").user.create({ email, name: "Ada" }),
});
`;

async function openApp(context: TestContext, auth = "{}") {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-full-"));
  mkdirSync(join(appDir, "keelson"));
  writeFileSync(join(appDir, "keelson", "schema.ts"), schemaText);
  writeFileSync(join(appDir, "keelson", "people.ts"), peopleText);
  writeFileSync(
    join(appDir, "keelson", "app.ts"),
    `import * as people from "./people.ts";
import { app } from "./schema.ts";
export default app({ functions: { people }, auth: ${auth} });
`,
  );
  context.after(() => {
    rmSync(appDir, { recursive: true, force: true, maxRetries: 3 });
  });
  const dataDir = join(appDir, "data");
  const server = await startServer({ appDir, dataDir, port: 0, mode: "development" });
  context.after(() => server.close());
  const post = async (path: string, body: object) => {
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  /** The newest letter to an address. */
  const letter = async (to: string): Promise<{ template: string; text: string }> => {
    for (;;) {
      const headers = { accept: "application/json" };
      const shown = await fetch(`${server.url}/_/mail`, { headers, signal: context.signal });
      const { mails } = (await shown.json()) as {
        readonly mails: readonly { to: string; template: string; text: string }[];
      };
      const found = mails.find((mail) => mail.to === to);
      if (found !== undefined) return found;
    }
  };
  return { post, letter };
}

const timeout = 60_000;

test("an address that can't become a user is sent no way in", { timeout }, async (context) => {
  const { post, letter } = await openApp(context);
  const link = await post("/auth/magic-link", { email: "link@example.com" });
  assert.equal(link.status, 202);
  assert.equal((await letter("link@example.com")).template, "no-account");
  const code = await post("/auth/email-code", { email: "code@example.com" });
  assert.equal(code.status, 202);
  assert.equal((await letter("code@example.com")).template, "no-account");
});

test("a user whose row waits for the address gets in by a link", { timeout }, async (context) => {
  const { post, letter } = await openApp(context);
  const email = "ada@example.com";
  assert.equal((await post("/api/fn/people.make", { email })).status, 200);
  await post("/auth/magic-link", { email });
  const { template, text } = await letter(email);
  assert.equal(template, "magic-link");
  const ticket = decodeURIComponent(/ticket=([^&\s#]+)/.exec(text)?.[1] ?? "");
  assert.equal((await post("/auth/magic-link/confirm", { ticket })).status, 200);
});

test("guests who can't be made are a mistake of the app", { timeout }, async (context) => {
  await assert.rejects(openApp(context, "{ guests: true }"), (error: PlatformError) => {
    assert.equal(error.code, "APP_INVALID");
    assert.match(
      JSON.stringify(error.details),
      /nobody asks a guest for user\.name, which is required/,
    );
    return true;
  });
});
