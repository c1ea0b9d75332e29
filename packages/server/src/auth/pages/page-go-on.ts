// Where a page leads when it is done: the place that the person came for, if it is one of this app's.
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthAnswer, AuthCookie } from "../auth-route.ts";
import { redirectTarget } from "../redirect-target.ts";
import type { PageContext } from "./page-call.ts";
import { nextOf } from "./page-route.ts";

/** Where people are who came for nothing in particular. */
export const accountPath = "/auth/account";

/** Goes on to `next`, or to `otherwise`. A place that is not allowed is as if there was none. */
export function goOn(
  context: PageContext,
  cookies: readonly AuthCookie[],
  otherwise: string = accountPath,
): AuthAnswer {
  return { location: targetOf(context) ?? otherwise, cookies };
}

/** The place to go on to; null when none was given, or one that is not allowed. */
export function targetOf({ ask, desk }: PageContext): string | null {
  const next = nextOf(ask);
  if (next === "") return null;
  try {
    const { origin } = ask;
    return redirectTarget(next, { origin, cors: desk.manifest.cors, settings: desk.settings });
  } catch (error) {
    if (error instanceof PlatformError && error.code === "REDIRECT_DENIED") return null;
    throw error;
  }
}
