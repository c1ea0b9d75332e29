// Where mail leaves, as the environment says it: KEELSON_SMTP_URL and KEELSON_MAIL_FROM. Checked at the start, so that
// a mistake is told then and not when the first person waits for a link.
import { isMailAddress } from "../auth/mail/mail-address.ts";
import { PlatformError } from "../base/platform-error.ts";

/** How mail leaves. Structured-cloneable. */
export interface SmtpSettings {
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly secure: boolean;
    readonly requireTLS?: true;
    readonly ignoreTLS?: boolean;
    readonly auth?: { readonly user: string; readonly pass: string };
  };
  readonly from: { readonly name: string; readonly address: string };
}

/**
 * Reads the settings. KEELSON_SMTP_URL: `smtps://user:password@mail.example.com:465`, or `smtp://...:587`, which turns
 * to TLS before it says anything; KEELSON_MAIL_FROM: `The Keel <tickets@example.com>`.
 * @returns null when there are none. @throws MAIL_SETTINGS_INVALID.
 */
export function smtpSettings(
  env: Readonly<Record<string, string | undefined>>,
): SmtpSettings | null {
  const url = env["KEELSON_SMTP_URL"] ?? "";
  if (url === "") return null;
  return { server: serverOf(url), from: senderOf(env["KEELSON_MAIL_FROM"] ?? "") };
}

function serverOf(text: string): SmtpSettings["server"] {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    (url.protocol !== "smtp:" && url.protocol !== "smtps:") ||
    url.hostname === ""
  ) {
    throw invalid("KEELSON_SMTP_URL", "smtp://user:password@host:587 or smtps://...");
  }
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[(.*)\]$/v, "$1");
  const usual = secure ? 465 : 587;
  const port = url.port === "" ? usual : Number(url.port);
  const isHere = /^(?:localhost|::1|127(?:\.\d+){3})$/v.test(host);
  const auth =
    url.username === ""
      ? {}
      : {
          auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
        };
  // Without TLS only on this machine: a password and sign-in links would cross the network in clear.
  return {
    host,
    port,
    secure,
    ...auth,
    ...(isHere ? { ignoreTLS: !secure } : { requireTLS: true }),
  };
}

function senderOf(text: string): { readonly name: string; readonly address: string } {
  const [, name = "", inner] = /^([^<>\p{Cc}]*)<([^<>]+)>$/v.exec(text.trim()) ?? [
    null,
    "",
    text.trim(),
  ];
  const address = inner ?? "";
  if (!isMailAddress(address)) throw invalid("KEELSON_MAIL_FROM", "Name <address@example.com>");
  return { name: name.trim(), address };
}

function invalid(setting: string, form: string): PlatformError {
  return new PlatformError("MAIL_SETTINGS_INVALID", { setting, form });
}
