import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { appLetter } from "./app-letter.ts";

const frame = { app: "The Keel", url: "https://keel.example", when: "2026-01-31 20:15 UTC" };
const files: Readonly<Record<string, string>> = {
  "ticket.txt": "Subject: Seat {{seat}}\n\nSeat {{seat}} at {{app}}, {{url}}.",
  "fancy.txt": "Subject: Fancy\n\nHello",
  "fancy.html": "<b>{{seat}}</b>",
  "bare.txt": "Hello",
};
const source = { read: (file: string) => files[file] ?? null };
const letter = (input: { readonly [key: string]: Json }) => appLetter(source, frame, input);
const ticket = { to: "ada@example.com", template: "ticket", data: { seat: "F7" } };

function isRefused(code: string, word: string) {
  return (error: unknown) =>
    error instanceof PlatformError &&
    error.code === code &&
    JSON.stringify(error.details).includes(word);
}

test("a letter is the template with its values, in text and in HTML", () => {
  const mail = letter(ticket);
  assert.deepEqual([mail.to, mail.subject], ["ada@example.com", "Seat F7"]);
  assert.equal(mail.text, "Seat F7 at The Keel, https://keel.example.");
  assert.match(mail.html, /<p>Seat F7 at The Keel/);
});

test("values are text in HTML, one line in the subject, and never another sender's words", () => {
  const seat = "<script>\r\nBcc: everybody@example.com";
  assert.equal(
    letter({ ...ticket, data: { seat } }).subject,
    "Seat <script> Bcc: everybody@example.com",
  );
  assert.doesNotMatch(letter({ ...ticket, template: "fancy", data: { seat } }).html, /<script>/);
  const { text } = letter({ ...ticket, data: { seat: "{{url}}", url: "https://evil.example" } });
  assert.equal(text, "Seat {{url}} at The Keel, https://keel.example.");
});

test("what is no letter is refused, by its field", () => {
  const refused: readonly (readonly [object, string])[] = [
    [{ ...ticket, to: "ada@example.com\r\nBcc: bob@example.com" }, "to"],
    [{ ...ticket, to: "ada@example.com, bob@example.com" }, "to"],
    [{ ...ticket, to: 7 }, "to"],
    [{ ...ticket, template: "../app" }, "template"],
    [{ ...ticket, template: "verify-email" }, "template"],
    [{ ...ticket, data: { seat: { deep: 1 } } }, "data.seat"],
    [{ ...ticket, data: { "seat no": "1" } }, "data.seat no"],
    [{ ...ticket, data: { seat: "x".repeat(2_001) } }, "data.seat"],
    [{ ...ticket, cc: "bob@example.com" }, "cc"],
  ];
  for (const [input, field] of refused) {
    assert.throws(
      () => letter(input as never),
      isRefused("ARGUMENT_INVALID", `"path":"${field}"`),
      field,
    );
  }
});

test("a template that is not there, names what it was not given or has no subject is told", () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ ...ticket, template: "other" }, "is not there"],
    [{ ...ticket, data: {} }, "{{seat}}"],
    [{ ...ticket, template: "fancy", data: {} }, "fancy.html"],
    [{ ...ticket, template: "bare" }, "first line"],
  ];
  for (const [input, word] of wrong) {
    assert.throws(() => letter(input as never), isRefused("MAIL_TEMPLATE_INVALID", word), word);
  }
});
