// The session cookie: the session's id, its epoch and the server's mark on both. What it can't say is whether the
// session still is: that is asked of the data.
import type { Row } from "../store/store.ts";
import type { AuthSecrets } from "./auth-secrets.ts";

/** Its name, without the prefix that https adds. */
export const sessionCookieName = "keelson_session";
/** What browsers hold to: set by this very host, over https, for all of it (RFC 6265bis). */
export const hostPrefix = "__Host-";

const label = "session cookie";
const pattern = /^(auth_session_[0-9a-z]{26})\.(\d{1,9})\.([\w-]{43})$/;

/** Which session a cookie is of. */
export interface SessionClaim {
  readonly session: string;
  readonly epoch: number;
}

/** The cookie of a session as it is now. */
export function sessionCookieOf(secrets: AuthSecrets, session: Row): string {
  const text = `${session["id"] as string}.${session["cookieEpoch"] as number}`;
  return `${text}.${secrets.mark(label, text)}`;
}

/** Reads a cookie's value. @returns null when it was not made here. */
export function readSessionCookie(secrets: AuthSecrets, value: string): SessionClaim | null {
  const found = pattern.exec(value);
  if (found === null) return null;
  const [, session = "", epoch = "", mark = ""] = found;
  if (!secrets.isMark(label, `${session}.${epoch}`, mark)) return null;
  return { session, epoch: Number(epoch) };
}

/**
 * The value of a cookie in a Cookie header; null when it is not there. One with the prefix counts more than one without,
 * which a page of a neighbouring host may have put there.
 * @param isSecure whether people reach this server by https only: then there is no other.
 */
export function cookieValue(header: string, name: string, isSecure = false): string | null {
  let plain: string | null = null;
  let from = 0;
  while (from < header.length) {
    const semicolon = header.indexOf(";", from);
    const end = semicolon === -1 ? header.length : semicolon;
    let start = from;
    while (header.charCodeAt(start) === space) start += 1;
    if (header.startsWith(hostPrefix, start)) {
      const value = valueAt(header, start + hostPrefix.length, end, name);
      if (value !== null) return value;
    } else if (plain === null) {
      plain = valueAt(header, start, end, name);
    }
    from = end + 1;
  }
  return isSecure ? null : plain;
}

/** A cookie as it is set: for this host alone, out of reach of scripts, not sent by forms of other sites. */
export function setCookieText(
  cookie: {
    readonly name: string;
    /** Null deletes it. */
    readonly value: string | null;
    /** Null: until the browser ends. */
    readonly maxAgeSeconds: number | null;
  },
  isSecure: boolean,
): string {
  const { name, value, maxAgeSeconds } = cookie;
  const prefix = isSecure ? hostPrefix : "";
  const parts = [`${prefix}${name}=${value ?? ""}`, "Path=/", "HttpOnly", "SameSite=Lax"];
  if (isSecure) parts.push("Secure");
  if (value === null) parts.push("Max-Age=0");
  else if (maxAgeSeconds !== null) parts.push(`Max-Age=${maxAgeSeconds}`);
  return parts.join("; ");
}

const space = 32;
const equals = 61;

function valueAt(header: string, start: number, end: number, name: string): string | null {
  if (!header.startsWith(name, start) || header.charCodeAt(start + name.length) !== equals)
    return null;
  return header.slice(start + name.length + 1, end).trimEnd();
}
