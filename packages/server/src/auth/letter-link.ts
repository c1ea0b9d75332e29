// Links in letters. Their origin is what the app or the server was told, never what a request claims: who asks for a
// letter to somebody else must not choose where its link leads.
import { PlatformError } from "../base/platform-error.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthAsk } from "./auth-route.ts";

/**
 * The address of a page with a ticket. @param path `/auth/magic-link/confirm`. @param query what it is asked with.
 * @throws PUBLIC_URL_MISSING when nobody said where the app is reached, and it is not this machine.
 */
export function linkOf(
  desk: AuthDesk,
  ask: Pick<AuthAsk, "origin">,
  path: string,
  query: Readonly<Record<string, string>>,
): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return `${letterOrigin(desk, ask)}${path}?${search.toString()}`;
}

/** Where letters say that the app is. @throws PUBLIC_URL_MISSING. */
export function letterOrigin(desk: AuthDesk, ask: Pick<AuthAsk, "origin">): string {
  const told = desk.publicUrl ?? desk.settings.url;
  if (told !== null) return told;
  if (!isThisMachine(ask.origin)) throw new PlatformError("PUBLIC_URL_MISSING");
  return ask.origin;
}

/** A name that only this machine answers to: a letter that leads there harms nobody elsewhere. */
function isThisMachine(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
