// Mail as a server sends it: over SMTP where that is set, and into the mailbox of a development server. A server in
// production without SMTP says so for every mail that it can't send: silence would look like a delivery.
import { openMailQueue } from "../auth/mail/mail-queue.ts";
import { renderMail } from "../auth/mail/mail-render.ts";
import type { MailMessage, MailTransport } from "../auth/mail/mail.ts";
import { openMailbox, type Mailbox } from "../auth/mail/mailbox.ts";
import type { MailPort } from "../auth/mail-port.ts";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
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
  const transports: readonly MailTransport[] = [mailbox, server].filter((one) => one !== null);
  const queue = openMailQueue({
    clock,
    limits,
    transport: { deliver: (message) => deliverAll(transports, message) },
    render(letter) {
      if (transports.length === 0) {
        throw new Error(`the mail ${letter.template} was not sent: KEELSON_SMTP_URL is not set`);
      }
      const when = `${timeOfMs(clock.nowMs()).slice(0, 16).replace("T", " ")} UTC`;
      return renderMail(templates, { ...parts.frame(), when }, letter, ({ file, problem }) =>
        parts.report(new Error(`keelson/mail/${file} is not used: ${problem}`)),
      );
    },
    report: (error) => parts.report(error),
  });
  return {
    mailbox,
    send: (letter) => queue.send(letter),
    idle: () => queue.idle(),
    close() {
      queue.close();
      server?.close();
    },
  };
}

async function deliverAll(
  transports: readonly MailTransport[],
  message: MailMessage,
): Promise<void> {
  for (const transport of transports) await transport.deliver(message);
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
