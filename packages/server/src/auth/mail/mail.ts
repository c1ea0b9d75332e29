// What stands behind the port to e-mail: which mails there are and what each may say, and how one looks on its way.
import type { MailTemplate } from "../mail-port.ts";

/** What each mail may name beside `app` (its name), `url` (its address), `to` and `when` (it was written). */
export const mailNames: Readonly<Record<MailTemplate, readonly string[]>> = Object.freeze({
  /** Proves that an address is its owner's. */
  "verify-email": ["link", "minutes"],
  /** Sets a new password. */
  "reset-password": ["link", "minutes"],
  /** Signs in by following it. */
  "magic-link": ["link", "minutes"],
  /** Signs in by typing it. */
  "email-code": ["code", "minutes"],
  /** To the new address: proves that it is the person's before it counts. */
  "change-email": ["link", "minutes"],
  /** To the address before. */
  "email-changed": ["address"],
  /** After the fact, so that a thief can't act in silence. */
  "password-changed": [],
  "account-deleted": [],
  /** Somebody signed up with an address that has an account: the page says nothing, the owner is told. */
  "already-registered": ["link"],
  /** Somebody asked for a link or a password with an address that has no account: the same, for strangers. */
  "no-account": [],
  "new-sign-in": ["address", "device"],
  /** A second factor or passkey was added or taken away. */
  "second-factor-changed": ["link"],
  invitation: ["org", "inviter", "role", "link", "days"],
});

/** A mail in its words, ready to travel. */
export interface MailMessage {
  readonly to: string;
  /** One of identity's, or of the app. */
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Carries mails: SMTP, or the mailbox of a development server. */
export interface MailTransport {
  /** @throws whatever went wrong; it is tried again. */
  deliver(message: MailMessage): Promise<void>;
}
