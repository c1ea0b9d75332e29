// Letters of a whole server: over SMTP in production, in the app's own words, with the app's own look on the pages. And
// what is said when a template, a theme or the way out is not there or wrong.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SMTPServer } from "smtp-server";
import { startServer, type RunningServer, type ServerOptions } from "./main.ts";

const template = join(import.meta.dirname, "..", "..", "cli", "template");

interface Received {
  readonly to: readonly string[];
  readonly data: string;
}

/** A post office: resolves `next` with each letter as it comes. */
async function openPost(context: TestContext) {
  const waiting: ((letter: Received) => void)[] = [];
  const letters: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, session, done) => {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const letter = { to, data: Buffer.concat(pieces).toString("utf8") };
        const [first] = waiting.splice(0, 1);
        if (first === undefined) letters.push(letter);
        else first(letter);
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const next = (): Promise<Received> => {
    const [letter] = letters.splice(0, 1);
    if (letter !== undefined) return Promise.resolve(letter);
    return new Promise((resolve) => waiting.push(resolve));
  };
  return { url: `smtp://127.0.0.1:${port}`, next };
}

/** The template's app with files of its own beside keelson/app.ts. */
async function openApp(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-letters-"));
  cpSync(template, appDir, { recursive: true });
  mkdirSync(join(appDir, "keelson", "mail"));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(appDir, "keelson", name), text);
  }
  const dataDir = join(appDir, ".keelson");
  const server = await startServer({ appDir, dataDir, port: 0, threads: 0, ...options });
  context.after(async () => {
    await server.close();
    rmSync(appDir, { recursive: true, force: true, maxRetries: 3 });
  });
  return server;
}

/** Settings as a server finds them in its environment, for as long as the test runs. */
function setEnvironment(context: TestContext, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    process.env[name] = value;
    context.after(() => {
      // oxlint-disable-next-line typescript/no-dynamic-delete -- an environment has no other way
      delete process.env[name];
    });
  }
}

async function signInPage({ url }: RunningServer): Promise<string> {
  const response = await fetch(`${url}/auth/sign-in`, { headers: { accept: "text/html" } });
  return response.text();
}

async function signUp({ url }: RunningServer, email: string): Promise<void> {
  const response = await fetch(`${url}/auth/sign-up`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: "seven small boats at dawn" }),
  });
  assert.equal(response.status, 202, await response.text());
}

/** Quoted-printable as text (RFC 2045, 6.7). */
function plain(data: string): string {
  const bytes = data
    .replaceAll(/=\r\n/g, "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

test("a letter goes out over SMTP in the app's own words, and its link opens the account", async (context) => {
  const post = await openPost(context);
  setEnvironment(context, {
    KEELSON_SMTP_URL: post.url,
    KEELSON_MAIL_FROM: "The Harbour <harbour@example.com>",
  });
  const server = await openApp(
    context,
    {
      "mail/verify-email.txt":
        "Subject: Ahoy {{to}}\n\nAhoy! Come aboard {{app}}:\n\n{{link}}\n\nFor {{minutes}} minutes.",
      "mail/verify-email.html": '<h1>Ahoy</h1><p><a href="{{link}}">Come aboard</a></p>',
      "auth.css": ":root { --accent: rgb(1, 2, 3); }",
    },
    { publicUrl: "http://localhost" },
  );
  await signUp(server, "ada@example.com");
  const { to, data } = await post.next();
  assert.deepEqual(to, ["ada@example.com"]);
  const text = plain(data);
  assert.match(text, /^From: The Harbour <harbour@example\.com>\r?$/m);
  assert.match(text, /^Subject: Ahoy ada@example\.com\r?$/m);
  assert.match(text, /Ahoy! Come aboard this app:/);
  assert.match(text, /<h1>Ahoy<\/h1>/);
  const link = /http:\/\/localhost(\/auth\/verify-email\/confirm\?\S+)/.exec(text)?.[1] ?? "";
  const ticket = new URLSearchParams(link.slice(link.indexOf("?"))).get("ticket");
  const done = await fetch(`${server.url}/auth/verify-email/confirm`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket, tokens: true }),
  });
  assert.equal(done.status, 200, await done.clone().text());

  assert.match(await signInPage(server), /--accent: rgb\(1, 2, 3\)/);
  const mailbox = await fetch(`${server.url}/_/mail`);
  assert.equal(mailbox.status, 404, "production has no mailbox");
});

test("a template or theme that can't be used is told, and people get the default", async (context) => {
  const told: string[] = [];
  const server = await openApp(
    context,
    {
      "mail/verify-email.txt": "Subject: Hello\n\nThere is no link in this one.",
      "auth.css": "</style><script>alert(1)</script>",
    },
    { mode: "development", report: (error) => told.push(String(error)) },
  );
  await signUp(server, "ada@example.com");
  assert.doesNotMatch(await signInPage(server), /alert\(1\)/);
  const response = await fetch(`${server.url}/_/mail/1`, {
    headers: { accept: "application/json" },
  });
  assert.match(await response.text(), /"subject":"Confirm your e-mail address for this app"/);
  assert.ok(told.some((text) => /mail\/verify-email\.txt is not used: it has no/.test(text)));
  assert.ok(told.some((text) => /auth\.css is not used/.test(text)));
});

test("an edit of the sheet and of a letter counts at once while developing", async (context) => {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-letters-"));
  context.after(() => rmSync(appDir, { recursive: true, force: true, maxRetries: 3 }));
  cpSync(template, appDir, { recursive: true });
  const sheet = join(appDir, "keelson", "auth.css");
  const server = await openApp(context, {}, { mode: "development", appDir });
  assert.doesNotMatch(await signInPage(server), /--radius: 77px/);
  writeFileSync(sheet, ":root { --radius: 77px; }");
  assert.match(await signInPage(server), /--radius: 77px/);
  rmSync(sheet);
  assert.doesNotMatch(await signInPage(server), /--radius: 77px/);
  mkdirSync(join(appDir, "keelson", "mail"));
  writeFileSync(
    join(appDir, "keelson", "mail", "verify-email.txt"),
    "Subject: Ahoy\n\nCome aboard: {{link}}",
  );
  await signUp(server, "ada@example.com");
  const headers = { accept: "application/json" };
  const letter = await fetch(`${server.url}/_/mail/1`, { headers });
  assert.match(await letter.text(), /"subject":"Ahoy"/);
});

test("a letter that a mail server does not take is told at once while developing, and in the mailbox once", async (context) => {
  setEnvironment(context, {
    // Nobody listens at port 1.
    KEELSON_SMTP_URL: "smtp://127.0.0.1:1",
    KEELSON_MAIL_FROM: "keel@example.com",
  });
  const told: string[] = [];
  const givenUp = Promise.withResolvers<void>();
  const limits = { mailTriesMax: 3, mailRetryMs: 10 };
  const report = (error: unknown) => {
    told.push(String(error));
    if (told.length === 2) givenUp.resolve();
  };
  const server = await openApp(context, {}, { mode: "development", limits, report });
  await signUp(server, "ada@example.com");
  await givenUp.promise;
  assert.match(told[0] ?? "", /verify-email was not delivered yet, and is tried again/);
  assert.match(told[1] ?? "", /verify-email was not delivered$/);
  const headers = { accept: "application/json" };
  const mailbox = await (await fetch(`${server.url}/_/mail`, { headers })).text();
  assert.equal(mailbox.match(/"number"/g)?.length, 1);
});

test("a server in production that can't send says so for every letter", async (context) => {
  const told: string[] = [];
  const server = await openApp(
    context,
    {},
    { publicUrl: "http://localhost", report: (error) => told.push(String(error)) },
  );
  await signUp(server, "ada@example.com");
  assert.ok(
    told.some((text) => /verify-email was not sent: KEELSON_SMTP_URL is not set/.test(text)),
  );
});

const sender = `import { t } from "keelson";
import { action } from "./schema.ts";
export const send = action({
  args: { to: t.text({ max: 200 }), seat: t.text({ max: 200 }) },
  allow: "anyone",
  returns: t.nothing(),
  async run({ mail }, { to, seat }) {
    await mail.send({ to, template: "ticket", data: { seat } });
  },
});
`;
const ticketFiles = {
  "schema.ts":
    'import { define } from "keelson";\nexport const { action, rules, app } = define({});\n',
  "rules.ts": 'import { rules } from "./schema.ts";\nexport default rules({});\n',
  "post.ts": sender,
  "app.ts":
    'import * as post from "./post.ts";\nimport rules from "./rules.ts";\nimport { app } from "./schema.ts";\nexport default app({ rules, functions: { post } });\n',
  "mail/ticket.txt": "Subject: Seat {{seat}}\n\nYour seat is {{seat}}.",
};

async function sendTicket({ url }: RunningServer, to: string, seat = "F7"): Promise<string> {
  const response = await fetch(`${url}/api/fn/post.send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to, seat }),
  });
  const { code = "sent" } = ((await response.json()) ?? {}) as { readonly code?: string };
  return code;
}

test("a function's letter is taken by the mail server before the function goes on", async (context) => {
  const post = await openPost(context);
  setEnvironment(context, { KEELSON_SMTP_URL: post.url, KEELSON_MAIL_FROM: "keel@example.com" });
  const server = await openApp(context, ticketFiles);
  assert.equal(await sendTicket(server, "ada@example.com", "F7\r\nBcc: bob@example.com"), "sent");
  const { to, data } = await post.next();
  assert.deepEqual(to, ["ada@example.com"]);
  assert.match(plain(data), /^Subject: Seat F7 Bcc: bob@example\.com\r?$/m);
  assert.doesNotMatch(data.split("\r\n\r\n")[0] ?? "", /^Bcc:/m);
  const injected = await sendTicket(server, "ada@example.com\r\nBcc: bob@example.com");
  assert.equal(injected, "ARGUMENT_INVALID");
});

test("a function's letter lies in the mailbox while developing, so many a minute", async (context) => {
  const limits = { appMailsPerMinuteMax: 2 };
  const server = await openApp(context, ticketFiles, { mode: "development", limits });
  const codes: string[] = [];
  for (let count = 0; count < 4; count++) codes.push(await sendTicket(server, "ada@example.com"));
  assert.ok(codes.includes("MAIL_FAILED"), codes.join());
  const headers = { accept: "application/json" };
  const response = await fetch(`${server.url}/_/mail/1`, { headers });
  assert.match(await response.text(), /"subject":"Seat F7"/);
});

test("a function's letter that nobody takes fails the function, so that a job tries again", async (context) => {
  const server = await openApp(context, ticketFiles);
  assert.equal(await sendTicket(server, "ada@example.com"), "MAIL_FAILED");
});
