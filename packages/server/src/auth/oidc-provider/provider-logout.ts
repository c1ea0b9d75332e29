// Signing out here, asked for by a client (OpenID Connect RP-Initiated Logout 1.0). A client that shows an id_token of
// whoever is signed in at this browser ends their session at once; any other is a link that anybody could have made, and
// the person is asked by a page. Nobody is sent to an address that the client did not declare.
import { decodeJwt, errors } from "jose";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import { endSession } from "../account/sessions.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { sessionCookieName } from "../session-cookie.ts";
import { findClient, type ProviderClient } from "./provider-client.ts";
import { providerKeys } from "./provider-keys.ts";
import { issuerOf, providerPaths } from "./provider-metadata.ts";
import { readIdTokenHint } from "./provider-tokens.ts";

const signOutPage = "/auth/sign-out";
const textCharsMax = 4_096;
const isOn: NonNullable<AuthRoute["isOn"]> = ({ clients }) => Object.keys(clients).length > 0;

/** The addresses. */
export const providerLogoutRoutes: readonly AuthRoute[] = [
  {
    method: "GET",
    path: providerPaths.logout,
    access: "anyone",
    kind: "page",
    isOn,
    handle: logout,
  },
  {
    // As with authorize: a form of another site brings no cookie along, so it comes again by GET.
    method: "POST",
    path: providerPaths.logout,
    access: "anyone",
    kind: "protocol",
    isOn,
    handle: ({ body }) => {
      const query = new URLSearchParams(
        Object.entries(body).map(([name, value]) => [name, String(value)]),
      );
      return { status: 303, location: `${providerPaths.logout}?${query.toString()}` };
    },
  },
];

async function logout(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const hinted = await readHint(ask, desk);
  const user = ask.session === null ? null : ask.caller.id;
  // Without a session there is nothing to end, and nothing to ask.
  if (hinted === null || (user !== null && user !== hinted.user)) return { location: signOutPage };
  const location = backOf(ask, hinted.client) ?? signOutPage;
  if (user === null || ask.session === null) return { location };
  const session = ask.session["id"] as string;
  await desk.run(endSession, { user, session, kind: "signOut", place: placeOf(ask) }, ask);
  return { location, cookies: [{ name: sessionCookieName, value: null, maxAgeSeconds: null }] };
}

/** Who a client says is signed in, by a token that we gave it. */
async function readHint(
  ask: AuthAsk,
  desk: AuthDesk,
): Promise<{ readonly client: ProviderClient; readonly user: string } | null> {
  const hint = ask.query.get("id_token_hint") ?? "";
  if (hint === "" || hint.length > textCharsMax) return null;
  const client = findClient(desk.settings.clients, audienceOf(hint));
  const named = ask.query.get("client_id");
  if (client === null || (named !== null && named !== client.id)) return null;
  const { published } = await providerKeys(desk, ask.requestId);
  const expected = { issuer: issuerOf(ask), client: client.id };
  const user = await readIdTokenHint(published, hint, expected);
  return user === null ? null : { client, user };
}

/** Whom a token says that it is for; checked after that. */
function audienceOf(token: string): string {
  try {
    const { aud } = decodeJwt(token);
    return typeof aud === "string" ? aud : "";
  } catch (error) {
    if (error instanceof errors.JOSEError) return "";
    throw error;
  }
}

function backOf({ query }: AuthAsk, client: ProviderClient): string | null {
  const target = query.get("post_logout_redirect_uri");
  if (target === null || !client.logoutRedirects.includes(target)) return null;
  const url = new URL(target);
  const state = query.get("state");
  if (state !== null && state.length <= textCharsMax) url.searchParams.set("state", state);
  return url.href;
}
