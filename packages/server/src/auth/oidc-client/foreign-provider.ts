// A provider to sign in at, whatever it speaks: where a browser is sent, and who somebody is for the code it brings.
import type { AuthDesk } from "../auth-desk.ts";
import { ForeignOAuth } from "./foreign-oauth.ts";
import { ForeignOpenId } from "./foreign-openid.ts";

/** A provider. */
export type ForeignProvider = ForeignOAuth | ForeignOpenId;

const opened = new WeakMap<AuthDesk, Map<string, ForeignProvider>>();

/** The provider of that name; null when the app names none such. */
export function foreignProvider(desk: AuthDesk, name: string): ForeignProvider | null {
  const { providers } = desk.settings;
  const settings = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (settings === undefined) return null;
  const all = opened.get(desk) ?? new Map<string, ForeignProvider>();
  opened.set(desk, all);
  const provider =
    all.get(name) ??
    (settings.kind === "oauth"
      ? new ForeignOAuth(desk, settings)
      : new ForeignOpenId(desk, settings));
  all.set(name, provider);
  return provider;
}
