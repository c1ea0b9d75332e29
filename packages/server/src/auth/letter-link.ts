// Links in letters. Their origin is what the app or the server was told, never what a request claims: who asks for a
// letter to somebody else must not choose where its link leads.
import { PlatformError } from "../base/platform-error.ts";
import type { AuthDesk } from "./auth-desk.ts";

/** Where it was asked; a function of the app has no origin. */
interface Asked {
  readonly origin: string | null;
}

/**
 * The address of a page with a ticket. @param path `/auth/magic-link/confirm`. @param query what it is asked with.
 * @throws PUBLIC_URL_MISSING when nobody said where the app is reached, and it is not this machine.
 */
export function linkOf(
  desk: AuthDesk,
  ask: Asked,
  path: string,
  query: Readonly<Record<string, string>>,
): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return `${letterOrigin(desk, ask)}${path}?${search.toString()}`;
}

/** Where letters say that the app is. @throws PUBLIC_URL_MISSING. */
export function letterOrigin(desk: AuthDesk, ask: Asked): string {
  const told = desk.publicUrl ?? desk.settings.url;
  if (told !== null) return told;
  const origin = ask.origin ?? desk.ownUrl?.() ?? null;
  if (origin === null || !isThisMachine(origin)) throw new PlatformError("PUBLIC_URL_MISSING");
  return origin;
}

/** A name that only this machine answers to: a letter that leads there harms nobody elsewhere. */
function isThisMachine(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
