// A letter that a function of the app sends: `ctx.mail.send`. Its words are the app's own, keelson/mail/<name>.txt and
// .html, in the language of identity's letters and escaped as they are. What comes in was built by user code, and is
// checked like any stranger's: one plain address, no line of its own in a header.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { bodyOf, invalidField, textField } from "../ask-body.ts";
import { isMailAddress } from "./mail-address.ts";
import type { MailMessage } from "./mail.ts";
import { mailNames } from "./mail.ts";
import {
  placeholdersOf,
  subjectProblem,
  writtenMail,
  type MailFrame,
  type MailTemplateSource,
} from "./mail-render.ts";

const namePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/v;
const valuePattern = /^[A-Za-z]{1,40}$/v;
const nameCharsMax = 50;
const addressCharsMax = 254;
const valueCharsMax = 2_000;
const valuesMax = 50;

/**
 * Puts a function's letter into words.
 * @param input `{ to, template, data? }`. @throws ARGUMENT_INVALID, MAIL_TEMPLATE_INVALID.
 */
export function appLetter(
  source: MailTemplateSource,
  frame: MailFrame,
  input: { readonly [key: string]: Json },
): MailMessage {
  const body = bodyOf({ body: input }, ["to", "template", "data"]);
  const to = textField(body, "to", addressCharsMax);
  if (!isMailAddress(to)) throw invalidField("to", "is not one plain e-mail address");
  const template = textField(body, "template", nameCharsMax);
  if (!namePattern.test(template)) throw invalidField("template", "is not a name like `ticket`");
  if (Object.hasOwn(mailNames, template)) {
    throw invalidField("template", "is the name of a letter that identity sends");
  }
  const values = { ...dataOf(body["data"]), ...frame, to };
  const text = source.read(`${template}.txt`);
  if (text === null) throw unusable(`${template}.txt`, "is not there");
  const problem = subjectProblem(text);
  if (problem !== null) throw unusable(`${template}.txt`, problem);
  const html = source.read(`${template}.html`);
  for (const [kind, words] of [["txt", text] as const, ["html", html ?? ""] as const]) {
    const unknown = placeholdersOf(words).find((name) => !Object.hasOwn(values, name));
    if (unknown !== undefined) {
      throw unusable(`${template}.${kind}`, `{{${unknown}}} was not given in \`data\``);
    }
  }
  return writtenMail({ to, template }, { text, html }, values);
}

function dataOf(data: Json | undefined): Record<string, string> {
  if (data === undefined || data === null) return {};
  if (typeof data !== "object" || Array.isArray(data)) throw invalidField("data", "is no object");
  const given = Object.entries(data);
  if (given.length > valuesMax) throw invalidField("data", `has more than ${valuesMax} values`);
  const values: Record<string, string> = {};
  for (const [name, value] of given) {
    const path = `data.${name.slice(0, 64)}`;
    if (!valuePattern.test(name)) throw invalidField(path, "is not a name of letters alone");
    if (typeof value !== "string" && typeof value !== "number") {
      throw invalidField(path, "is no text and no number");
    }
    const text = String(value);
    if (text.length > valueCharsMax) {
      throw invalidField(path, `is longer than ${valueCharsMax} characters`);
    }
    values[name] = text;
  }
  return values;
}

function unusable(file: string, problem: string): PlatformError {
  return new PlatformError("MAIL_TEMPLATE_INVALID", { file: `keelson/mail/${file}`, problem });
}
