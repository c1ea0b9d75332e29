// The mailbox of a development server as pages: /_/mail lists what was sent, newest first; /_/mail/{n} shows one, with
// its HTML in a frame that may do nothing. `accept: application/json` gets the same as JSON, for tests of apps. A
// server in production has no such address; one in development answers only this machine.
import { Html, html } from "../auth/pages/html.ts";
import { policyOf } from "../auth/pages/page-policy.ts";
import { pageStyle } from "../auth/pages/page-style.ts";
import type { Mailbox, MailboxEntry } from "../auth/mail/mailbox.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeOfMs } from "../model/field-time.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { isFromLocalPage, isLocal } from "./http-local.ts";

/** Where it is. */
export const mailboxPath = "/_/mail";

/** Whether a path is the mailbox's. */
export function isMailboxPath(path: string): boolean {
  return path === mailboxPath || path.startsWith(`${mailboxPath}/`);
}

/** Answers `/_/mail`, `/_/mail/{n}` and `/_/mail/{n}/html`. @throws NOT_FOUND, METHOD_NOT_ALLOWED. */
export function answerMailbox(
  { answerer, mailbox }: { readonly answerer: HttpAnswerer; readonly mailbox: Mailbox },
  exchange: HttpExchange,
  asked: { readonly method: string; readonly path: string },
): void {
  if (!isLocal(exchange) || !isFromLocalPage(exchange)) throw new PlatformError("NOT_FOUND");
  if (asked.method !== "GET") {
    answerer.refuse(exchange, new PlatformError("METHOD_NOT_ALLOWED"), ["allow", "GET"]);
    return;
  }
  const [, number, part] = /^\/_\/mail(?:\/(\d{1,9})(?:\/(html))?)?$/v.exec(asked.path) ?? [
    null,
    "0",
  ];
  const wantsJson = exchange.head.accept?.includes("application/json") === true;
  if (number === undefined) {
    if (wantsJson)
      answerer.json(exchange, 200, JSON.stringify({ mails: mailbox.list().map(shown) }));
    else send(answerer, exchange, listPage(mailbox.list()));
    return;
  }
  const entry = mailbox.find(Number(number));
  if (entry === null) throw new PlatformError("NOT_FOUND");
  if (part === "html") sendMail(answerer, exchange, entry);
  else if (wantsJson) answerer.json(exchange, 200, JSON.stringify(shown(entry)));
  else send(answerer, exchange, mailPage(entry));
}

function shown({ number, atMs, to, template, subject, text, html }: MailboxEntry) {
  return { number, at: timeOfMs(atMs), to, template, subject, text, html };
}

function listPage(entries: readonly MailboxEntry[]): Html {
  const rows = entries.map(
    (entry) =>
      html`<li>
        <span class="what"
          ><a href="${mailboxPath}/${entry.number}">${entry.subject}</a><br />
          <span class="quiet">to ${entry.to} · ${entry.template}</span></span
        >
        <time class="quiet" datetime="${timeOfMs(entry.atMs)}">${timeOfMs(entry.atMs)}</time>
      </li>`,
  );
  const list =
    rows.length === 0
      ? html`<p>Nothing was sent since this server started.</p>`
      : html`<ul class="rows">
          ${rows}
        </ul>`;
  return frame(
    "Mailbox",
    html`<h1>Mailbox</h1>
      <p class="quiet">
        What this development server sent: nothing leaves this machine unless KEELSON_SMTP_URL is
        set.
      </p>
      ${list}`,
  );
}

function mailPage(entry: MailboxEntry): Html {
  return frame(
    entry.subject,
    html`<p><a href="${mailboxPath}">Mailbox</a></p>
      <h1>${entry.subject}</h1>
      <p class="quiet">to ${entry.to} · ${timeOfMs(entry.atMs)} · template ${entry.template}</p>
      <h2>Text</h2>
      <pre>${linked(entry.text)}</pre>
      <h2>HTML</h2>
      <iframe title="The HTML part" src="${mailboxPath}/${entry.number}/html" sandbox=""></iframe>`,
  );
}

/** Web addresses as links: to be followed by whoever tries the app out. */
function linked(text: string): readonly Html[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/v)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : html`${part}`));
}

const style = `${pageStyle}
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { width: 100%; height: 24rem; border: 1px solid var(--line); background: #fff; }
`;

function frame(title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${Html.element("style", style)}
      </head>
      <body>
        <main class="wide"><div class="card">${body}</div></main>
      </body>
    </html> `;
}

function send(answerer: HttpAnswerer, exchange: HttpExchange, page: Html): void {
  const policy = policyOf({ styles: [style], frames: true });
  answerer.raw(exchange, 200, [...htmlHeaders, "content-security-policy", policy], page.text);
}

/** Somebody else's words may be in it: it gets no script, no network and no origin. */
function sendMail(answerer: HttpAnswerer, exchange: HttpExchange, entry: MailboxEntry): void {
  const policy =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
  answerer.raw(exchange, 200, [...htmlHeaders, "content-security-policy", policy], entry.html);
}

const htmlHeaders = ["content-type", "text/html; charset=utf-8", "cache-control", "no-store"];
