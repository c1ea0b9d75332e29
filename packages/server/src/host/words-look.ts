// What is wrong with the app's own words, said before anybody asks for them: templates of identity's letters and the
// sheet of its pages. What else is in keelson/mail is for functions that name it: it is looked at when they send it.
import { join } from "node:path";
import { mailTemplateProblem } from "../auth/mail/mail-render.ts";
import { mailNames } from "../auth/mail/mail.ts";
import type { MailTemplate } from "../auth/mail-port.ts";
import { themeProblem } from "../auth/pages/page-theme.ts";
import { nearestName } from "../model/rule-suggest.ts";
import { openAuthTheme } from "./auth-theme.ts";
import { openMailTemplates } from "./mail-templates.ts";
import { realDisk } from "./real-disk.ts";

const templateFile = /^([^.]+)\.(?:txt|html)$/;

/** An app whose words are looked at. */
export interface WordsOf {
  /** Absolute. */
  readonly appDir: string;
  /** The app's code: a template whose name stands there is a function's letter. */
  readonly code: string;
}

/** A file of words that is not used. */
export interface WordsProblem {
  /** Relative to the app's folder, with slashes. */
  readonly file: string;
  /** Why, as it is reported when the file is needed. */
  readonly problem: string;
}

/** Finds it. */
export function wordsProblems({ appDir, code }: WordsOf): readonly WordsProblem[] {
  const told: WordsProblem[] = [];
  const sheet = openAuthTheme(realDisk, { appDir, mode: "development" })();
  const problem = sheet === null ? null : themeProblem(sheet);
  if (problem !== null) told.push({ file: "keelson/auth.css", problem });
  const templates = openMailTemplates(realDisk, appDir);
  const entries = realDisk.list(join(appDir, "keelson", "mail"));
  for (const { name: file } of entries.filter(({ kind }) => kind === "file")) {
    const [, name = ""] = templateFile.exec(file) ?? [];
    const wrong = isLetter(name)
      ? mailTemplateProblem(name, file, templates.read(file) ?? "")
      : misspelt(name, code);
    if (wrong !== null) told.push({ file: `keelson/mail/${file}`, problem: wrong });
  }
  return told;
}

function isLetter(name: string): name is MailTemplate {
  return Object.hasOwn(mailNames, name);
}

/** A function may send letters of any name, but then its code says it. */
function misspelt(name: string, code: string): string | null {
  const near =
    name === "" || code.includes(name) ? null : nearestName(name, Object.keys(mailNames));
  return near === null ? null : `no letter is called ${name}. Did you mean ${near}?`;
}
