// Mail over SMTP by nodemailer. What is given to it is already rendered and checked; it gets addresses as objects,
// never as text to parse, and may read no file and no URL.
import { createTransport } from "nodemailer";
import type { MailMessage, MailTransport } from "../auth/mail/mail.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

/** A transport with an end. */
export interface SmtpMail extends MailTransport {
  close(): void;
}

/** Opens a transport; the first mail connects. */
export function openSmtpMail({ server, from }: SmtpSettings, timeoutMs: number): SmtpMail {
  const transport = createTransport({
    ...server,
    pool: true,
    maxConnections: 2,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async deliver({ to, subject, text, html }: MailMessage) {
      await transport.sendMail({
        from,
        to: { name: "", address: to },
        envelope: { from: from.address, to: [to] },
        subject,
        text,
        html,
        // No answers from out-of-office programs, and no thread with mails of other accounts.
        headers: { "Auto-Submitted": "auto-generated" },
      });
    },
    close: () => transport.close(),
  };
}
