// Which route answers, and whether who asks may ask it. The door and the pages (which call the API) use the same two.
import { PlatformError } from "../base/platform-error.ts";
import { msOfTime } from "../model/field-time.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthAsk, AuthRoute } from "./auth-route.ts";
import { lacksSecondFactor } from "./protocol-caller.ts";

/** A route and the parts of the path that it names. */
export interface RouteMatch {
  readonly route: AuthRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** The first route of that method whose path fits; null when none does. @param path without a query. */
export function matchRoute(
  routes: readonly AuthRoute[],
  method: string,
  path: string,
): RouteMatch | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = paramsOf(route.path, path);
    if (params !== null) return { route, params };
  }
  return null;
}

/**
 * @throws SIGN_IN_REQUIRED, SECOND_FACTOR_REQUIRED, FRESH_SIGN_IN_REQUIRED, or why the credentials that came do not hold.
 */
export function assertAccess(
  route: Pick<AuthRoute, "access" | "takesWeak">,
  ask: Pick<AuthAsk, "caller" | "session" | "credentialError" | "nowMs">,
  desk: Pick<AuthDesk, "settings" | "limits">,
): void {
  if (route.access === "anyone") return;
  // A key or a token without a session is for an app's own addresses: it must not make more of itself here.
  if (ask.caller.id === null || ask.session === null) {
    if (ask.credentialError !== null) throw ask.credentialError;
    throw new PlatformError("SIGN_IN_REQUIRED");
  }
  if (route.takesWeak !== true && lacksSecondFactor(ask, desk)) {
    throw new PlatformError("SECOND_FACTOR_REQUIRED");
  }
  if (route.access === "signed-in") return;
  const provedAt = ask.session["authenticatedAt"];
  const isFresh =
    typeof provedAt === "string" && ask.nowMs - msOfTime(provedAt) <= desk.limits.authFreshMs;
  if (!isFresh) throw new PlatformError("FRESH_SIGN_IN_REQUIRED");
}

function paramsOf(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = Object.create(null);
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) {
      if (value === "") return null;
      params[part.slice(1)] = value;
    } else if (part !== value) {
      return null;
    }
  }
  return params;
}
