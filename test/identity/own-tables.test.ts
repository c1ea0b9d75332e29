// The platform's tables as tables of the app: ruled, read by functions and clients, live; and written by nobody but the
// platform.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import { createClient, type Client } from "keelson/client";
import type app from "./own/keelson/app.ts";
import { password } from "./people-scene.ts";

type Desk = Client<typeof app>;

async function openDesk(context: TestContext): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-own-tables-"));
  const server = await startServer({
    appDir: join(import.meta.dirname, "own"),
    dataDir: join(folder, "data"),
    port: 0,
    mode: "development",
  });
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return server;
}

async function member(context: TestContext, server: RunningServer, email: string): Promise<Desk> {
  const client = createClient<typeof app>(server.url, { retry: false, auth: "tokens" });
  context.after(() => client.close());
  await client.auth.signUp({ email, password });
  const ticket = await ticketTo(server, email);
  await client.auth.confirmEmail({ ticket, password });
  return client;
}

async function ticketTo(server: RunningServer, to: string): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const reply = await fetch(`${server.url}/_/mail`, { headers: { accept: "application/json" } });
    const { mails } = (await reply.json()) as { mails: { to: string; text: string }[] };
    const [link] = /http:\/\/\S+/v.exec(mails.find((mail) => mail.to === to)?.text ?? "") ?? [];
    if (link !== undefined) return new URL(link).searchParams.get("ticket") ?? "";
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no letter came to ${to}`);
}

const isCode = (code: string) => (error: unknown) => (error as { code?: unknown }).code === code;

test("people see what is theirs of the platform's tables, and of nobody else", async (context) => {
  const server = await openDesk(context);
  const ann = await member(context, server, "ann@example.com");
  const bob = await member(context, server, "bob@example.com");
  const [session, ...more] = await ann.authSession.list();
  assert.deepEqual(more, []);
  assert.ok(session !== undefined);
  assert.equal(session.user, (await ann.auth.me())?.id);
  // What guards the session is nobody's to read, by whatever name.
  for (const secret of ["cookieEpoch", "refreshCount", "refreshedAt"]) {
    assert.ok(!Object.hasOwn(session, secret), secret);
  }
  assert.equal(await bob.authSession.get(session.id), null);
  const kinds = (await ann.authEvent.list()).map(({ kind }) => kind);
  assert.ok(kinds.includes("signUp"), String(kinds));
  assert.equal(await bob.authEvent.count({ where: { user: session.user } }), 0);
  // No rule names it.
  await assert.rejects(ann.authKey.list(), isCode("TABLE_NOT_FOUND"));
  const raw = async (path: string) => (await fetch(`${server.url}${path}`)).status;
  for (const table of ["authTicket", "authTotp", "authRecovery", "authPasskey", "workCode"]) {
    assert.equal(await raw(`/api/tables/${table}`), 404, table);
  }

  const seen = await ann.desk.overview();
  assert.equal(seen.sessions, 1);
  assert.equal(seen.all, 2);
  assert.deepEqual(seen.own, session.methods);

  assert.deepEqual(
    await ann.authAccount.list({ select: ["email"] }).then((rows) => rows.length),
    1,
  );
  const me = await bob.auth.me();
  await bob.desk.raise({ user: me?.id ?? "user_" });
  const accounts = await bob.authAccount.list();
  assert.equal(accounts.length, 2);
  const addresses = new Set(accounts.map((row) => row.email ?? null));
  assert.deepEqual(addresses, new Set(["bob@example.com", null]));
  assert.ok(!JSON.stringify(accounts).includes("argon2"));
});

test("organisations are rows that rules walk, and answers include", async (context) => {
  const server = await openDesk(context);
  const ann = await member(context, server, "ann@example.com");
  const bob = await member(context, server, "bob@example.com");
  await ann.auth.createOrg({ name: "Acme", slug: "acme" });
  assert.deepEqual(
    (await ann.org.list()).map(({ name }) => name),
    ["Acme"],
  );
  assert.deepEqual(await bob.org.list(), []);
  const [org] = await ann.auth.orgs();
  await ann.auth.useOrg(org?.id ?? null);
  assert.deepEqual(await ann.desk.places(), [{ org: "Acme", role: "owner" }]);
  assert.deepEqual(await bob.desk.places(), []);
  const [seen] = await ann.orgMember.list({ with: { org: true } });
  assert.equal(seen?.org?.slug, "acme");
});

test("they are live: a session that ends is told to its owner", async (context) => {
  const server = await openDesk(context);
  const ann = await member(context, server, "ann@example.com");
  const counts: number[] = [];
  const waits: (() => void)[] = [];
  const reached = (count: number) =>
    new Promise<void>((resolve) => {
      const check = () => (counts.at(-1) === count ? resolve() : undefined);
      waits.push(check);
      check();
    });
  const stop = ann.authSession.list().live((rows) => {
    counts.push(rows.length);
    for (const check of waits) check();
  });
  await reached(1);
  const phone = createClient<typeof app>(server.url, { retry: false, auth: "tokens" });
  context.after(() => phone.close());
  await phone.auth.signIn({ email: "ann@example.com", password });
  await reached(2);
  await ann.auth.endOtherSessions();
  await reached(1);
  stop();
  assert.deepEqual(counts, [1, 2, 1]);
  await ann.auth.deleteAccount();
  assert.equal(await ann.auth.me(), null);
  await assert.rejects(phone.auth.signIn({ email: "ann@example.com", password }), {
    code: "SIGN_IN_FAILED",
  });
});

test("who began a workflow follows its run", async (context) => {
  const server = await openDesk(context);
  const ann = await member(context, server, "ann@example.com");
  const bob = await member(context, server, "bob@example.com");
  await ann.desk.begin({ to: 7 });
  const results: unknown[] = [];
  await new Promise<void>((resolve) => {
    const stop = ann.workRun.list().live((rows) => {
      results.push(rows.map(({ state, result }) => [state, result]));
      if (rows[0]?.state !== "done") return;
      stop();
      resolve();
    });
  });
  assert.deepEqual(results.at(-1), [["done", 7]]);
  const [run] = await ann.workRun.list();
  assert.ok(!Object.hasOwn(run ?? {}, "info"));
  assert.deepEqual(await bob.workRun.list(), []);
});

test("nobody writes them but the platform", async (context) => {
  const server = await openDesk(context);
  const ann = await member(context, server, "ann@example.com");
  const [session] = await ann.authSession.list();
  assert.ok(session !== undefined);
  const token = await tokenOf(server);
  const ask = async (method: string, path: string, body?: object) => {
    const init = {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    };
    const reply = await fetch(
      `${server.url}${path}`,
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    );
    return reply.status;
  };
  const before = JSON.stringify(await ann.authSession.list());
  for (const [method, path, body] of [
    ["PATCH", `/api/tables/authSession/${session.id}`, { methods: ["mfa"] }],
    ["DELETE", `/api/tables/authSession/${session.id}`, undefined],
    ["POST", "/api/tables/authSession", { user: session.user }],
    ["POST", "/api/tables/org", { name: "x", slug: "x", createdAt: session.createdAt }],
    ["POST", "/api/tables/orgMember", { org: "org_x", user: session.user, role: "owner" }],
    ["POST", "/api/batch", { steps: [{ delete: "authSession", id: session.id }] }],
  ] as const) {
    const status = await ask(method, path, body);
    assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`);
  }
  assert.equal(await ann.desk.meddle({ session: session.id }), null);
  assert.equal(JSON.stringify(await ann.authSession.list()), before);
});

async function tokenOf(server: RunningServer): Promise<string> {
  const reply = await fetch(`${server.url}/auth/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "ann@example.com", password, tokens: true }),
  });
  return ((await reply.json()) as { accessToken: string }).accessToken;
}
