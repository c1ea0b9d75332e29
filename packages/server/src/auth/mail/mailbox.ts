// The mailbox of a development server: every mail is kept here and goes nowhere. Shown at /_/mail.
import type { MailMessage, MailTransport } from "./mail.ts";

/** A mail as the mailbox keeps it. */
export interface MailboxEntry extends MailMessage {
  /** From 1 on, in the order in which they were sent. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** A mailbox. */
export interface Mailbox extends MailTransport {
  /** Newest first. */
  list(): readonly MailboxEntry[];
  find(number: number): MailboxEntry | null;
}

/** Opens a mailbox that keeps the last `max` mails. */
export function openMailbox(options: { readonly max: number; nowMs(): number }): Mailbox {
  const entries: MailboxEntry[] = [];
  let sent = 0;
  return {
    deliver: async (message) => {
      const entry = Object.freeze({ ...message, number: ++sent, atMs: options.nowMs() });
      entries.unshift(entry);
      entries.length = Math.min(entries.length, options.max);
    },
    list: () => entries,
    find: (number) => entries.find((entry) => entry.number === number) ?? null,
  };
}
