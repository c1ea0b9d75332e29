// Who asks at an address of the protocols.
import { PlatformError } from "../base/platform-error.ts";
import { findAll, findOne } from "./account-find.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthAsk } from "./auth-route.ts";
import { asksSecondFactor, isStrongSession } from "./caller-build.ts";

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
  const asks = asksSecondFactor(settings, caller.role);
  return asks && session !== null && !isStrongSession(session);
}

/**
 * Only who has no second factor yet sets up the first one without showing any: else a stolen password would make its
 * own. @throws SECOND_FACTOR_REQUIRED: sign in again, with the one that there is.
 */
export async function assertFirstFactor(
  ask: Pick<AuthAsk, "caller" | "session">,
  desk: Pick<AuthDesk, "settings" | "store">,
): Promise<void> {
  if (!lacksSecondFactor(ask, desk)) return;
  const user = userOf(ask);
  const hasOne = await desk.store.read(async (tx) => {
    const totp = await findOne({ tx }, "authTotp", "user", user);
    const passkeys = await findAll({ tx }, "authPasskey", "user", user, 1);
    return (totp !== null && totp["confirmedAt"] !== null) || passkeys.length > 0;
  });
  if (hasOne) throw new PlatformError("SECOND_FACTOR_REQUIRED");
}
