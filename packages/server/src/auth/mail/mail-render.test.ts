import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isMailAddress } from "./mail-address.ts";
import { mailDefaults } from "./mail-defaults.ts";
import { mailTemplateProblem, renderMail, type MailTemplateProblem } from "./mail-render.ts";
import type { Letter, MailTemplate } from "../mail-port.ts";
import { mailNames } from "./mail.ts";

const frame = { app: "The Keel", url: "https://keel.example", when: "2026-01-31 20:15 UTC" };
const none = { read: () => null };
const names = Object.keys(mailNames) as MailTemplate[];

function fail(problem: MailTemplateProblem): never {
  throw new Error(`${problem.file}: ${problem.problem}`);
}

function order(template: MailTemplate, over: Record<string, string> = {}): Letter {
  const data = Object.fromEntries(mailNames[template].map((name) => [name, `<${name}>`]));
  return { to: "ada@example.com", template, data: { ...data, ...over } };
}

test("every mail has words, says all that it must, and leaves no placeholder", () => {
  for (const name of names) {
    assert.equal(mailTemplateProblem(name, `${name}.txt`, mailDefaults[name]), null);
    const { subject, text, html } = renderMail(none, frame, order(name), fail);
    assert.match(subject, /The Keel/);
    for (const value of mailNames[name]) {
      assert.ok(`${subject}${text}`.includes(`<${value}>`), `${name} says its ${value}`);
    }
    assert.doesNotMatch(`${subject}${text}${html}`, /\{\{|undefined/);
  }
});

test("values never become HTML, whatever they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const { html } = renderMail(
        none,
        frame,
        order("invitation", { org: value, link: value }),
        fail,
      );
      const plain = renderMail(none, frame, order("invitation", { org: "o", link: "l" }), fail);
      assert.equal(html.split("<").length, plain.html.split("<").length);
      assert.equal(html.split('"').length, plain.html.split('"').length);
    }),
  );
});

test("a script in an app's own HTML template's value is text", () => {
  const own = {
    read: (file: string) => (file === "magic-link.html" ? '<a href="{{link}}">in</a>' : null),
  };
  const link = 'https://x/"><script>alert(1)</script>';
  const { html } = renderMail(own, frame, order("magic-link", { link }), fail);
  assert.equal(html, '<a href="https://x/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">in</a>');
});

test("a value can't put a line into the subject", () => {
  const org = "Club\r\nBcc: everybody@example.com\u2028X: y";
  const { subject } = renderMail(none, frame, order("invitation", { org }), fail);
  assert.equal(subject, "You are invited to Club Bcc: everybody@example. com X: y at The Keel");
});

test("a value that names a placeholder stays what it is", () => {
  const { text } = renderMail(none, frame, order("invitation", { org: "{{link}}" }), fail);
  assert.match(text, /invites you to \{\{link\}\} at/);
});

test("a name that somebody chose can't bring a link of its own", () => {
  for (const inviter of ["Win at https://evil.example", "www.evil.example", "evil.example/win"]) {
    const { text } = renderMail(none, frame, order("invitation", { inviter }), fail);
    assert.match(text, /^Somebody invites you/);
  }
  // Without a scheme or a path, too; and one that turns the letter's own words around.
  const org =
    "Prizes at evil.example or me@evil.\u{0440}\u{0444}, evil\u{3002}example \u{202E}moc.knab";
  const bare = renderMail(none, frame, order("invitation", { org }), fail);
  for (const part of [bare.subject, bare.text, bare.html]) {
    assert.match(
      part,
      /Prizes at evil\. example or me@evil\. \u{0440}\u{0444}, evil\. example moc\. knab/v,
    );
  }
  const { text } = renderMail(none, frame, order("invitation", { inviter: "Dr. J. O'Neil" }), fail);
  assert.match(text, /^Dr\. J\. O'Neil invites you/);
});

test("a list, a name or a quoted address is no recipient", () => {
  const refused = [
    "a@example.com, b@example.com",
    "Ada <ada@example.com>",
    '"b@evil.example x"@example.com',
    "ada@example.com\r\nBcc: b@example.com",
    "ada@example.com\n",
    "ada(comment)@example.com",
    "ada@@example.com",
    "ada@",
    "@example.com",
    "ada..b@example.com",
    "ada@-example.com",
    "ada@[127.0.0.1]",
    `${"a".repeat(65)}@example.com`,
    `a@${"b.".repeat(130)}com`,
    "",
  ];
  for (const to of refused) {
    assert.equal(isMailAddress(to), false, to);
    assert.throws(
      () => renderMail(none, frame, { ...order("email-code"), to }, fail),
      TypeError,
      to,
    );
  }
  for (const to of [
    "ada@example.com",
    "a.b+c@mail.example.co.uk",
    "zoë@exämple.de",
    "o'neil@localhost",
  ]) {
    assert.equal(isMailAddress(to), true, to);
  }
});

test("an app's own words are used, and what is wrong with them is told", () => {
  const told: MailTemplateProblem[] = [];
  const files: Record<string, string> = {
    "magic-link.txt": "Subject: Hello from {{app}}\n\nGo: {{link}} ({{minutes}} min)\n",
    "email-code.txt": "Your code: {{code}}",
    "reset-password.txt": "Subject: New password\n\nDear {{friend}}, {{link}}",
    "invitation.html": "<p>You are invited to {{org}}</p>",
  };
  const own = { read: (file: string) => files[file] ?? null };
  const render = (name: MailTemplate) =>
    renderMail(own, frame, order(name), (one) => told.push(one));
  const mail = render("magic-link");
  assert.equal(mail.subject, "Hello from The Keel");
  assert.equal(mail.text, "Go: <link> (<minutes> min)");
  assert.match(mail.html, /&lt;link&gt;/);
  assert.match(render("email-code").subject, /is your code for The Keel/);
  assert.match(render("reset-password").text, /Choose a new password/);
  assert.match(render("invitation").html, /Accept or decline/);
  assert.deepEqual(
    told.map(({ file, problem }) => `${file}: ${problem}`),
    [
      'email-code.txt: its first line must be "Subject: " and the subject',
      "reset-password.txt: {{friend}} is not known here: app, url, to, when, link, minutes are",
      "invitation.html: it has no {{link}}: it would lead nowhere",
    ],
  );
});
