// From a letter to a message. Values are escaped where they land: HTML in the HTML part, one line in the subject.
// A template of the app that can't be used is reported, and the default goes out: a mail that somebody waits for
// matters more than its design.
import { isMailAddress } from "./mail-address.ts";
import { mailDefaults } from "./mail-defaults.ts";
import type { Letter, MailTemplate } from "../mail-port.ts";
import { mailNames, type MailMessage } from "./mail.ts";

/** Templates that the app brings. */
export interface MailTemplateSource {
  /** @param file `magic-link.txt` or `magic-link.html`. @returns null when the app has none. */
  read(file: string): string | null;
}

/** What all mails may name. */
export interface MailFrame {
  /** What the app is called. */
  readonly app: string;
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** `2026-01-31 20:15 UTC`. */
  readonly when: string;
}

/** What is wrong with a template. */
export interface MailTemplateProblem {
  readonly file: string;
  readonly problem: string;
}

const valueCharsMax = 2_000;
const personCharsMax = 80;
const placeholder = /\{\{\s*([A-Za-z]+)\s*\}\}/gv;
/** Values that other people chose: what looks like an address in them would be a link in most mail programs. */
const chosenByPeople = new Set(["org", "inviter", "role", "device"]);

/**
 * Puts a letter into words.
 * @param report told of templates that can't be used.
 * @throws TypeError when `to` is not one plain address: nothing is ever sent to what only looks like one.
 */
export function renderMail(
  source: MailTemplateSource,
  frame: MailFrame,
  letter: Letter,
  report: (problem: MailTemplateProblem) => void,
): MailMessage {
  if (!isMailAddress(letter.to)) throw new TypeError("The recipient is not one plain address.");
  const own = usable(source, letter.template, "txt", report);
  const text = own ?? mailDefaults[letter.template];
  const html = usable(source, letter.template, "html", report);
  return writtenMail(letter, { text, html }, valuesOf(frame, letter));
}

/** Fills a template. Values are escaped where they land. @param words.html null: made of the text. */
export function writtenMail(
  { to, template }: { readonly to: string; readonly template: string },
  { text, html }: { readonly text: string; readonly html: string | null },
  values: Readonly<Record<string, string>>,
): MailMessage {
  const { subject, body } = splitSubject(text);
  return {
    to,
    template,
    subject: oneLine(filled(subject, values)),
    text: filled(body, values),
    html: html === null ? htmlOf(body, values) : filled(html, escapedAll(values)),
  };
}

/** What is wrong with a template's text; null when it can be used. */
export function mailTemplateProblem(
  template: MailTemplate,
  file: string,
  text: string,
): string | null {
  const known = new Set<string>(["app", "url", "to", "when", ...mailNames[template]]);
  const named = placeholdersOf(text);
  const unknown = named.find((name) => !known.has(name));
  if (unknown !== undefined) {
    return `{{${unknown}}} is not known here: ${[...known].join(", ")} are`;
  }
  const ways: readonly string[] = mailNames[template].filter(
    (name) => name === "link" || name === "code",
  );
  if (ways.length > 0 && !named.some((name) => ways.includes(name))) {
    return `it has no ${ways.map((name) => `{{${name}}}`).join(" and no ")}: it would lead nowhere`;
  }
  return file.endsWith(".txt") ? subjectProblem(text) : null;
}

/** The names that a template's text shows. */
export function placeholdersOf(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, name = ""]) => name);
}

/** What is wrong with the first line of a template's text; null when nothing is. */
export function subjectProblem(text: string): string | null {
  if (/^Subject: *\S/v.test(text)) return null;
  return 'its first line must be "Subject: " and the subject';
}

function usable(
  source: MailTemplateSource,
  template: MailTemplate,
  kind: "txt" | "html",
  report: (problem: MailTemplateProblem) => void,
): string | null {
  const file = `${template}.${kind}`;
  const text = source.read(file);
  if (text === null) return null;
  const problem = mailTemplateProblem(template, file, text);
  if (problem === null) return text;
  report({ file, problem });
  return null;
}

function splitSubject(text: string): { readonly subject: string; readonly body: string } {
  const [first = "", ...rest] = text.split(/\r?\n/v);
  return { subject: first.replace(/^Subject: */v, ""), body: rest.join("\n").trim() };
}

type Values = Readonly<Record<string, string>>;

function valuesOf(frame: MailFrame, { to, data }: Letter): Values {
  const values: Record<string, string> = { ...frame, to };
  for (const [name, raw] of Object.entries(data)) {
    const value = typeof raw === "string" || typeof raw === "number" ? String(raw) : "";
    values[name] = chosenByPeople.has(name) ? harmless(value) : value.slice(0, valueCharsMax);
  }
  return values;
}

/** Marks that turn the order of what is read around: a name is not to change the words beside it. */
const bidiMarks = /[\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gv;

/** A name that somebody chose, unable to carry a message or a link of its own. */
function harmless(value: string): string {
  const line = oneLine(value.replaceAll(bidiMarks, "")).slice(0, personCharsMax);
  if (line === "" || /:\/\/|www\.|[\p{L}\p{N}]\.\p{L}{2,}\//v.test(line)) return "Somebody";
  // Mail programs make a link of a bare `evil.example`, and of no `evil. example`; names like Node.js can still be read.
  return line.replaceAll(/(?<=[\p{L}\p{N}])[.\u{3002}\u{FF0E}\u{FF61}](?=\p{L}{2})/gv, ". ");
}

function filled(template: string, values: Values): string {
  return template.replaceAll(placeholder, (_, name: string) => values[name] ?? "");
}

/** Without anything that could end a header (RFC 5322 forbids bare CR and LF in one). */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u{2028}\u{2029}]+/gv, " ").trim();
}

function escapedAll(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, escaped(value)]));
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A plain text as HTML: a paragraph each; one that is a link alone becomes a link, a code alone is set large. */
function htmlOf(body: string, values: Values): string {
  const safe = escapedAll(values);
  const parts = body.split(/\n{2,}/v).map((paragraph) => {
    const inner = filled(escaped(paragraph), safe);
    if (/^\{\{(?:link|url)\}\}[\/\-a-z]*$/v.test(paragraph))
      return `<p><a href="${inner}" style="color:#0b57d0;overflow-wrap:anywhere">${inner}</a></p>`;
    if (paragraph === "{{code}}") {
      return `<p style="font-size:28px;letter-spacing:4px;font-family:monospace">${inner}</p>`;
    }
    return `<p>${inner}</p>`;
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${safe["app"] ?? ""}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1f2328;background:#ffffff">
<div style="max-width:36em;margin:0 auto">
${parts.join("\n")}
</div>
</body>
</html>
`;
}
