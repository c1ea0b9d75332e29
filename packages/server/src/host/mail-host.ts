// Mail as a server sends it: over SMTP where that is set, and into the mailbox of a development server. A server in
// production without SMTP says so for every mail that it can't send: silence would look like a delivery.
import { openMailQueue } from "../auth/mail/mail-queue.ts";
import { renderMail } from "../auth/mail/mail-render.ts";
import { appLetter } from "../auth/mail/app-letter.ts";
import type { MailMessage, MailTransport } from "../auth/mail/mail.ts";
import { openMailbox, type Mailbox } from "../auth/mail/mailbox.ts";
import type { MailPort } from "../auth/mail-port.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeOfMs } from "../model/field-time.ts";
import { openMailTemplates } from "./mail-templates.ts";
import { realDisk } from "./real-disk.ts";
import type { SmtpMail } from "./smtp-mail.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

/** What sending mail needs. */
export interface HostMailParts {
  /** Absolute; keelson/mail/ in it holds the app's own words. */
  readonly appDir: string;
  readonly mode: "development" | "production";
  readonly smtp: SmtpSettings | null;
  readonly clock: Clock;
  readonly limits: Limits;
  /** What the app is called and where it is, asked when a mail is written. */
  frame(): { readonly app: string; readonly url: string };
  /** Told of mails that can't be sent, and of templates that can't be used. */
  report(error: unknown): void;
}

/** Mail at work. */
export interface HostMail extends MailPort {
  /** Null in production. */
  readonly mailbox: Mailbox | null;
  /**
   * Sends a letter of the app's, and resolves when it was taken. @param input as `ctx.mail.send` was given it.
   * @throws MAIL_FAILED, MAIL_TEMPLATE_INVALID, ARGUMENT_INVALID.
   */
  sendForApp(input: { readonly [key: string]: Json }): Promise<null>;
  /** Resolves when nothing waits to be sent. */
  idle(): Promise<void>;
  close(): void;
}

/** Opens it. */
export function openHostMail(parts: HostMailParts): HostMail {
  const { clock, limits, smtp, mode } = parts;
  const templates = openMailTemplates(realDisk, parts.appDir);
  const mailbox =
    mode === "production"
      ? null
      : openMailbox({
          max: limits.mailboxMax,
          nowMs: () => clock.nowMs(),
        });
  const server = smtp === null ? null : lazySmtp(smtp, limits.mailMsMax);
  const transports: readonly MailTransport[] = [
    mailbox === null ? null : onceEach(mailbox),
    server,
  ].filter((one) => one !== null);
  const frame = () => {
    const when = `${timeOfMs(clock.nowMs()).slice(0, 16).replace("T", " ")} UTC`;
    return { ...parts.frame(), when };
  };
  const admit = openMinuteCount(clock, limits.appMailsPerMinuteMax);
  const queue = openMailQueue({
    clock,
    limits,
    transport: { deliver: (message) => deliverAll(transports, message) },
    render(letter) {
      if (transports.length === 0) {
        throw new Error(`the mail ${letter.template} was not sent: KEELSON_SMTP_URL is not set`);
      }
      return renderMail(templates, frame(), letter, ({ file, problem }) =>
        parts.report(new Error(`keelson/mail/${file} is not used: ${problem}`)),
      );
    },
    report: (error) => parts.report(error),
    // Whoever develops waits for the letter now. In production servers of mail put strangers off, and take it later.
    ...(mode === "development" ? { delayed: (error: unknown) => parts.report(error) } : {}),
  });
  return {
    mailbox,
    send: (letter) => queue.send(letter),
    async sendForApp(input) {
      const message = appLetter(templates, frame(), input);
      if (transports.length === 0) throw notSent("KEELSON_SMTP_URL is not set");
      admit();
      try {
        await deliverAll(transports, message);
      } catch (error) {
        parts.report(new Error(`the mail ${message.template} was not delivered`, { cause: error }));
        throw notSent("the mail server did not take it");
      }
      return null;
    },
    idle: () => queue.idle(),
    close() {
      queue.close();
      server?.close();
    },
  };
}

function notSent(problem: string): PlatformError {
  return new PlatformError("MAIL_FAILED", { problem });
}

/** @returns counts one, and throws MAIL_FAILED when there were `max` in the minute that runs. */
function openMinuteCount(clock: Clock, max: number): () => void {
  const minuteUs = 60_000_000;
  let minute = 0;
  let count = 0;
  return () => {
    const now = Math.floor(clock.monotonicUs() / minuteUs);
    if (now !== minute) count = 0;
    minute = now;
    if (count >= max) throw notSent(`more than ${max} in a minute`);
    count += 1;
  };
}

async function deliverAll(
  transports: readonly MailTransport[],
  message: MailMessage,
): Promise<void> {
  for (const transport of transports) await transport.deliver(message);
}

/** A transport that has taken a mail is not given it again when another has not. */
function onceEach(transport: MailTransport): MailTransport {
  const taken = new WeakSet<MailMessage>();
  return {
    async deliver(message) {
      if (taken.has(message)) return;
      await transport.deliver(message);
      taken.add(message);
    },
  };
}

/** The library is loaded for the first mail: most starts send none. */
function lazySmtp(settings: SmtpSettings, timeoutMs: number): SmtpMail {
  let opened: Promise<SmtpMail> | null = null;
  return {
    async deliver(message) {
      opened ??= import("./smtp-mail.ts").then(({ openSmtpMail }) =>
        openSmtpMail(settings, timeoutMs),
      );
      await (await opened).deliver(message);
    },
    close: () => void opened?.then((mail) => mail.close()),
  };
}
