// Who asks at an address of the protocols.
import { PlatformError } from "../base/platform-error.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthAsk } from "./auth-route.ts";
import { isStrongSession } from "./caller-build.ts";

/** The user who is signed in. @throws SIGN_IN_REQUIRED. */
export function userOf({ caller }: Pick<AuthAsk, "caller">): string {
  if (caller.id === null) throw new PlatformError("SIGN_IN_REQUIRED");
  return caller.id;
}

/** Whether the caller's role asks for a second factor that the session has not shown: then it sets one up, and no more. */
export function lacksSecondFactor(
  { caller, session }: Pick<AuthAsk, "caller" | "session">,
  { settings }: Pick<AuthDesk, "settings">,
): boolean {
  const asks = caller.role !== null && settings.secondFactorFor.includes(caller.role);
  return asks && session !== null && !isStrongSession(session);
}
