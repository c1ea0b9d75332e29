// Mail to a real SMTP server: what arrives, byte for byte, is what its program was handed.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { SMTPServer } from "smtp-server";
import { PlatformError } from "../base/platform-error.ts";
import { renderMail } from "../auth/mail/mail-render.ts";
import type { MailMessage } from "../auth/mail/mail.ts";
import { openSmtpMail } from "./smtp-mail.ts";
import { smtpSettings } from "./smtp-settings.ts";

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string;
  readonly data: string;
}

async function openServer(context: { after(run: () => void): void }) {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username, password }, _session, done) => {
      if (password === "pass/word") done(null, { user: username ?? "" });
      else done(new Error("wrong"));
    },
    onData: (stream, session, done) => {
      let data = "";
      stream.setEncoding("utf8").on("data", (piece: string) => {
        data += piece;
      });
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user ?? "",
          data,
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return { received, port: (server.server.address() as AddressInfo).port };
}

function openMail(url: string, from: string) {
  const settings = smtpSettings({ KEELSON_SMTP_URL: url, KEELSON_MAIL_FROM: from });
  assert.ok(settings);
  return openSmtpMail(settings, 5_000);
}

const message: MailMessage = renderMail(
  { read: () => null },
  { app: "The Keel", url: "https://keel.example", when: "2026-01-31 20:15 UTC" },
  {
    to: "ada@example.com",
    template: "magic-link",
    data: { link: "https://keel.example/in?t=1", minutes: "15" },
  },
  () => assert.fail("the defaults are good"),
);

test("a mail arrives with both parts, at one address, from the one that was set", async (context) => {
  const { received, port } = await openServer(context);
  const mail = openMail(
    `smtp://box:pass%2Fword@127.0.0.1:${port}`,
    "The Keel <tickets@keel.example>",
  );
  context.after(() => mail.close());
  await mail.deliver(message);
  const [got] = received;
  assert.ok(got);
  assert.equal(got.user, "box");
  assert.equal(got.from, "tickets@keel.example");
  assert.deepEqual(got.to, ["ada@example.com"]);
  assert.match(got.data, /^From: The Keel <tickets@keel\.example>\r$/mv);
  assert.match(got.data, /^To: ada@example\.com\r$/mv);
  assert.match(got.data, /^Subject: Sign in to The Keel\r$/mv);
  assert.match(got.data, /^Auto-Submitted: auto-generated\r$/mv);
  assert.match(
    got.data,
    /text\/plain[\s\S]*https:\/\/keel\.example\/in\?t=3?D?1[\s\S]*text\/html/v,
  );
});

test("what would be another header or another recipient stays text", async (context) => {
  const { received, port } = await openServer(context);
  const mail = openMail(`smtp://127.0.0.1:${port}`, "tickets@keel.example");
  context.after(() => mail.close());
  await mail.deliver({
    ...message,
    subject: "Hi\r\nBcc: victim@example.com",
    text: "text\r\n.\r\nMAIL FROM:<evil@example.com>\r\n",
  });
  const [got] = received;
  assert.ok(got);
  assert.deepEqual(got.to, ["ada@example.com"]);
  assert.doesNotMatch(got.data.slice(0, got.data.indexOf("\r\n\r\n")), /^Bcc:/imv);
  assert.match(got.data, /^Subject: Hi Bcc: victim@example\.com\r$/mv);
  assert.equal(received.length, 1);
});

test("a server that refuses is a failure, not a mail", async (context) => {
  const { received, port } = await openServer(context);
  const mail = openMail(`smtp://box:wrong@127.0.0.1:${port}`, "t@keel.example");
  context.after(() => mail.close());
  await assert.rejects(mail.deliver(message));
  assert.equal(received.length, 0);
});

test("settings that can't be used are refused at the start, and say which", () => {
  const code = (url: string, from: string) => {
    try {
      smtpSettings({ KEELSON_SMTP_URL: url, KEELSON_MAIL_FROM: from });
    } catch (error) {
      assert.ok(error instanceof PlatformError);
      return [error.code, error.details["setting"]];
    }
    return [];
  };
  const good = "tickets@keel.example";
  assert.deepEqual(code("http://mail.example", good), [
    "MAIL_SETTINGS_INVALID",
    "KEELSON_SMTP_URL",
  ]);
  assert.deepEqual(code("mail.example:587", good), ["MAIL_SETTINGS_INVALID", "KEELSON_SMTP_URL"]);
  assert.deepEqual(code("smtp://mail.example", "a@b.c, d@e.f"), [
    "MAIL_SETTINGS_INVALID",
    "KEELSON_MAIL_FROM",
  ]);
  assert.deepEqual(code("smtp://mail.example", "A\r\nB <a@b.c>"), [
    "MAIL_SETTINGS_INVALID",
    "KEELSON_MAIL_FROM",
  ]);
  assert.deepEqual(code("smtps://mail.example", good), []);
});

test("a server elsewhere that offers no TLS gets no mail", async (context) => {
  const { received, port } = await openServer(context);
  // A name that is not known to be this machine, though it leads here.
  const mail = openMail(`smtp://0.0.0.0:${port}`, "t@keel.example");
  context.after(() => mail.close());
  await assert.rejects(mail.deliver(message), /TLS/);
  assert.equal(received.length, 0);
});
