// The port to e-mail. Who sends names a template and what goes into it; how it looks is the app's, how it travels is
// the host's. A letter may be lost with the process: whoever waits for one asks again.
import type { Json } from "../base/json.ts";

/** The letters that identity writes. */
export type MailTemplate =
  | "verify-email"
  | "reset-password"
  | "magic-link"
  | "email-code"
  | "change-email"
  | "email-changed"
  | "password-changed"
  | "account-deleted"
  | "already-registered"
  | "no-account"
  | "new-sign-in"
  | "second-factor-changed"
  | "invitation";

/** One letter. */
export interface Letter {
  /** One address, checked: no line ends, no commas. */
  readonly to: string;
  readonly template: MailTemplate;
  /** What the template may show: `link`, `code`, `minutes`, `app`, `name`... */
  readonly data: { readonly [name: string]: Json };
}

/** Sends letters. */
export interface MailPort {
  /** Takes a letter and returns at once: how long a server of mail takes must not tell who has an account. */
  send(letter: Letter): void;
}
