// What a browser carries while it is at another provider: sealed in a cookie of its own, so that an answer counts only
// in the browser that asked (OAuth 2.1, 7.12: forged and swapped answers).
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthAsk, AuthCookie } from "../auth-route.ts";

/** A sign-in under way. */
export interface ForeignState {
  readonly provider: string;
  /** Where it was sent from, and so where it must come back to. */
  readonly redirectUri: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where to go on. */
  readonly target: string;
  /** Who adds this way to sign in to their account; null: somebody signs in. */
  readonly linksTo: string | null;
  readonly atMs: number;
}

/** How long somebody may take at the other provider. */
const stateMs = 600_000;
const stateSeconds = stateMs / 1_000;
const label = "foreign sign-in";
/** The cookie of each has part of its state in its name: two tabs don't disturb each other. */
const nameChars = 16;

function cookieName(state: string): string {
  return `keelson_at_${state.slice(0, nameChars)}`;
}

/** Begins: the `state` that travels to the provider, and the cookie that stays. */
export function sealState(
  { secrets }: Pick<AuthDesk, "secrets">,
  state: ForeignState,
): { readonly state: string; readonly cookie: AuthCookie } {
  const text = secrets.draw();
  const value = secrets.seal(`${label} ${text}`, JSON.stringify(state));
  return { state: text, cookie: { name: cookieName(text), value, maxAgeSeconds: stateSeconds } };
}

/**
 * Reads what this browser carried for that `state`.
 * @returns it with a cookie that deletes it. @throws TICKET_INVALID when it carries none, or not for this.
 */
export function openState(
  ask: Pick<AuthAsk, "cookie" | "nowMs">,
  { secrets }: Pick<AuthDesk, "secrets">,
  shown: { readonly state: string | null; readonly provider: string },
): { readonly carried: ForeignState; readonly cookie: AuthCookie } {
  const { state, provider } = shown;
  if (state === null || !/^[\w\-]{43}$/v.test(state)) throw new PlatformError("TICKET_INVALID");
  const name = cookieName(state);
  const sealed = ask.cookie(name);
  if (sealed === null) throw new PlatformError("TICKET_INVALID");
  let carried: ForeignState;
  try {
    carried = JSON.parse(secrets.unseal(`${label} ${state}`, sealed)) as ForeignState;
  } catch (cause) {
    throw new PlatformError("TICKET_INVALID", {}, { cause });
  }
  const isGood = carried.provider === provider && ask.nowMs - carried.atMs <= stateMs;
  if (!isGood) throw new PlatformError("TICKET_INVALID");
  return { carried, cookie: { name, value: null, maxAgeSeconds: 0 } };
}
