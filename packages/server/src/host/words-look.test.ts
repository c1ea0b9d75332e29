import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { wordsProblems } from "./words-look.ts";

/** What is said of an app with these files in its keelson folder. */
function problems(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  code = "",
): readonly string[] {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-words-"));
  context.after(() => rmSync(appDir, { recursive: true }));
  mkdirSync(join(appDir, "keelson", "mail"), { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(appDir, "keelson", name), text);
  return wordsProblems({ appDir, code }).map(({ file, problem }) => `${file}: ${problem}`);
}

test("nothing is said of an app without words, or with good ones", (context) => {
  assert.deepEqual(problems(context, {}), []);
  const good = {
    "auth.css": ":root { --radius: 2px; }",
    "mail/verify-email.txt": "Subject: Ahoy\n\n{{link}}",
    "mail/verify-email.html": "<a href='{{link}}'>{{app}}</a>",
    "mail/ticket.txt": "whatever {{seat}}",
    "mail/notes.md": "x",
  };
  assert.deepEqual(problems(context, good), []);
});

test("templates and sheets that can't be used are named with why", (context) => {
  const told = problems(context, {
    "auth.css": "</style>",
    "mail/email-code.html": "<p>no code</p>",
    "mail/verify-email.txt": "broken {{nope}}",
  });
  assert.deepEqual(
    told.map((text) => text.slice(0, 48)),
    [
      'keelson/auth.css: "</" would end its element',
      "keelson/mail/email-code.html: it has no {{code}}",
      "keelson/mail/verify-email.txt: {{nope}} is not k",
    ],
  );
});

test("a name that is nearly a letter's is asked about, unless the app's code has it", (context) => {
  const files = { "mail/verify-emial.txt": "Subject: Ahoy\n\n{{link}}" };
  assert.deepEqual(problems(context, files), [
    "keelson/mail/verify-emial.txt: no letter is called verify-emial. Did you mean verify-email?",
  ]);
  assert.deepEqual(problems(context, files, 'send({ template: "verify-emial" })'), []);
});
