// Where people may be sent: paths of this server, and addresses that the app lists. Everything else would make a link
// to this server a link to anywhere.
import { PlatformError } from "../base/platform-error.ts";
import type { AuthModel } from "../model/auth-model.ts";

/** A path that browsers can't take for another host, however they read it. */
const pathPattern = /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/;

/**
 * Checks a place to go on to. @param text as it came; null or empty: the start page. @param origin of this server.
 * @param cors the app's own other origins. @returns a path, or a whole address from the list.
 * @throws REDIRECT_DENIED.
 */
export function redirectTarget(
  text: string | null,
  where: {
    readonly origin: string;
    readonly cors: readonly string[];
    readonly settings: AuthModel;
  },
): string {
  if (text === null || text === "") return "/";
  if (pathPattern.test(text)) return pathOf(text, where.origin);
  const url = URL.canParse(text) ? new URL(text) : null;
  // `blob:` and its like have the origin of what they were made by.
  if (url === null || !/^https?:$/.test(url.protocol)) throw new PlatformError("REDIRECT_DENIED");
  if (url.username !== "" || url.password !== "") throw new PlatformError("REDIRECT_DENIED");
  if (url.origin === where.origin || where.cors.includes(url.origin)) return url.href;
  const isListed = where.settings.redirects.some(
    (listed) => url.href.startsWith(listed) || `${url.href}/` === listed,
  );
  if (!isListed) throw new PlatformError("REDIRECT_DENIED");
  return url.href;
}

/** `/..//evil.example` comes to `//evil.example`: whoever puts that path into a link leads elsewhere. */
function pathOf(text: string, origin: string): string {
  const url = new URL(text, origin);
  if (url.origin !== origin || url.pathname.startsWith("//")) {
    throw new PlatformError("REDIRECT_DENIED");
  }
  return text;
}
