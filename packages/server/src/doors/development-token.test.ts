// Signing in by name, on whole servers: who is signed in, and from where nobody is.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer, type RunningServer, type ServerOptions } from "../main.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, http, rules, app } = define({
  user: table({ name: t.text({ max: 20 }), email: t.text({ max: 320, format: "email" }).optional().unique(), role: t.oneOf("guest", "staff").default("guest") }),
});`,
  "site.ts": `
import { query } from "./schema.ts";
export const who = query({ args: {}, allow: "anyone", async run({ me }) { return [me.id, me.role]; } });
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as site from "./site.ts";
export default app({ rules, functions: { site }, cors: ["*"] });`,
};

async function start(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-sign-in-"));
  mkdirSync(join(appDir, "keelson"));
  for (const [file, text] of Object.entries(files))
    writeFileSync(join(appDir, "keelson", file), text);
  const server = await startServer({
    appDir,
    dataDir: join(appDir, ".keelson"),
    port: 0,
    mode: "development",
    report: () => {},
    ...options,
  });
  context.after(async () => {
    await server.close();
    rmSync(appDir, { recursive: true });
  });
  return server;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** With node:http, which sends any Host and Origin that it is told to. */
function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = "POST",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/auth/development-token`,
      { method, headers: { "content-type": "application/json", ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on("error", reject).end(method === "POST" ? JSON.stringify(body) : undefined);
  });
}

async function signedIn(
  server: RunningServer,
  body: unknown,
): Promise<{ token: string; user: string }> {
  const { status, text } = await post(server.url, body);
  assert.equal(status, 200, text);
  return JSON.parse(text) as { token: string; user: string };
}

async function who(server: RunningServer, token: string): Promise<unknown> {
  const response = await fetch(`${server.url}/api/fn/site.who`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  return response.json();
}

test("in development a name signs in: a new one is added, a known one is found", async (context) => {
  const server = await start(context);
  const ada = await signedIn(server, { name: "Ada" });
  assert.match(ada.user, /^user_[0-9a-z]{26}$/);
  assert.deepEqual(await who(server, ada.token), [ada.user, "guest"]);
  const again = await signedIn(server, { name: "Ada", role: "staff" });
  assert.equal(again.user, ada.user);
  assert.deepEqual(await who(server, again.token), [ada.user, "staff"]);
  const byId = await signedIn(server, { user: ada.user });
  assert.deepEqual(await who(server, byId.token), [ada.user, "guest"], "the row's role is kept");
  assert.equal((await signedIn(server, { user: "Ada" })).user, ada.user);
  const bob = await signedIn(server, { name: "b@b", role: "staff" });
  assert.deepEqual(
    await who(server, bob.token),
    [bob.user, "staff"],
    "a new row gets the role that was asked for",
  );
});

test("the same new name twice at once is one user", async (context) => {
  const server = await start(context);
  const both = await Promise.all([
    signedIn(server, { name: "Ada" }),
    signedIn(server, { name: "Ada" }),
  ]);
  assert.equal(both[0].user, both[1].user);
});

test("what names nobody is refused with its reason", async (context) => {
  const server = await start(context);
  const cases: readonly (readonly [unknown, number, string])[] = [
    [{}, 422, "ARGUMENT_INVALID"],
    [[], 422, "ARGUMENT_INVALID"],
    [{ name: "Ada", user: "Ada" }, 422, "ARGUMENT_INVALID"],
    [{ name: "Ada", admin: true }, 422, "ARGUMENT_INVALID"],
    [{ name: "" }, 422, "ARGUMENT_INVALID"],
    [{ name: "Ada", role: 1 }, 422, "ARGUMENT_INVALID"],
    [{ name: "A".repeat(21) }, 422, "VALUE_INVALID"],
    [{ name: "Ada", role: "emperor" }, 422, "VALUE_INVALID"],
    [{ user: `user_${"0".repeat(26)}` }, 404, "USER_NOT_FOUND"],
    [{ user: "ada@example.com" }, 422, "VALUE_INVALID"],
  ];
  for (const [body, status, code] of cases) {
    const answer = await post(server.url, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal((JSON.parse(answer.text) as { code: string }).code, code);
  }
  assert.equal((await post(server.url, null, {}, "GET")).status, 405);
});

test("pages of other sites and proxied requests find nothing there", async (context) => {
  const server = await start(context);
  const port = String(server.port);
  const refused = [
    { host: `evil.example:${port}` },
    { host: `localhost.evil.example:${port}` },
    { origin: "https://evil.example" },
    { origin: "null" },
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
  ];
  for (const headers of refused) {
    const answer = await post(server.url, { name: "Ada" }, headers);
    assert.equal(answer.status, 404, JSON.stringify(headers));
    assert.doesNotMatch(answer.text, /token"/);
  }
  const allowed = [
    { host: `localhost:${port}`, origin: `http://localhost:${port}` },
    { host: `127.0.0.1:${port}`, origin: "http://localhost:5173" },
  ];
  for (const headers of allowed) {
    const answer = await post(server.url, { name: "Ada" }, headers);
    assert.equal(answer.status, 200, answer.text);
  }
});

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

test(
  "another address than loopback finds nothing there",
  { skip: outside === undefined && "this machine has only a loopback address" },
  async (context) => {
    const server = await start(context, { host: "0.0.0.0" });
    const url = `http://${outside}:${server.port}`;
    const answer = await post(url, { name: "Ada" }, { host: `localhost:${server.port}` });
    assert.equal(answer.status, 404, answer.text);
  },
);

test("in production there is no such address, for any method or body", async (context) => {
  const server = await start(context, { mode: "production" });
  for (const [body, method] of [
    [{ name: "Ada" }, "POST"],
    [{}, "POST"],
    [null, "GET"],
  ] as const) {
    const answer = await post(server.url, body, {}, method);
    assert.equal(answer.status, 404);
    assert.equal((JSON.parse(answer.text) as { code: string }).code, "NOT_FOUND");
  }
});
