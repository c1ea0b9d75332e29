// The provider's addresses for clients (OAuth 2.1, OpenID Connect Core, RFC 7009, Discovery). They answer in OAuth's
// own words, never look at cookies, and hold nobody's session but that of the client's own sign-in.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { msOfTime } from "../../model/field-time.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { lacksFactorNow } from "../caller-build.ts";
import { networkKey } from "../caller-network.ts";
import { readTicketText } from "../sign-in-answer.ts";
import { OAuthError } from "./oauth-error.ts";
import { isPkceVerifier, pkceChallenge } from "./pkce.ts";
import { providerAuthorizeRoutes } from "./provider-authorize.ts";
import { claimsOf } from "./provider-claims.ts";
import { authenticateClient, type ProviderClient } from "./provider-client.ts";
import {
  endClientSession,
  redeemCode,
  refreshClient,
  type ClientOutcome,
  type ClientSession,
} from "./provider-code.ts";
import { providerKeys } from "./provider-keys.ts";
import { providerLogoutRoutes } from "./provider-logout.ts";
import { issuerOf, providerMetadata, providerPaths } from "./provider-metadata.ts";
import {
  openProviderRefresh,
  readProviderAccess,
  sealProviderRefresh,
  signIdToken,
  signProviderAccess,
} from "./provider-tokens.ts";
import {
  readClientCredentials,
  readRevocation,
  readTokenGrant,
  type TokenGrant,
} from "./token-request.ts";

/** Wrong credentials of clients, from one address. */
const wrongClients: AuthRate = { name: "wrong clients", quota: "30/minute" };

const isOn: NonNullable<AuthRoute["isOn"]> = ({ clients }) => Object.keys(clients).length > 0;

/** An address for programs, whose refusals are OAuth's. */
function protocol(method: "GET" | "POST", path: string, handle: AuthRoute["handle"]): AuthRoute {
  return {
    method,
    path,
    access: "anyone",
    kind: "protocol",
    isOn,
    handle: async (ask, desk) => {
      try {
        return await handle(ask, desk);
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error;
        return refusal(error, ask);
      }
    },
  };
}

/** Addresses of the provider. */
export const oidcProviderRoutes: readonly AuthRoute[] = [
  ...providerAuthorizeRoutes,
  ...providerLogoutRoutes,
  protocol("GET", providerPaths.discovery, (ask) => ({
    json: providerMetadata(issuerOf(ask)),
  })),
  protocol("GET", providerPaths.keys, async ({ requestId }, desk) => {
    const { published } = await providerKeys(desk, requestId);
    return { json: { keys: published.map(({ jwk }) => jwk as Json) } };
  }),
  protocol("POST", providerPaths.token, token),
  protocol("GET", providerPaths.userinfo, userinfo),
  protocol("POST", providerPaths.userinfo, userinfo),
  protocol("POST", providerPaths.revoke, revoke),
];

const unstored: AuthAnswer["headers"] = [["cache-control", "no-store"]];

function refusal(error: OAuthError, { authorization }: AuthAsk): AuthAnswer {
  const headers: (readonly [string, string])[] = [...(unstored ?? [])];
  const { status } = error;
  if (error.error === "invalid_client" && authorization !== null) {
    headers.push(["www-authenticate", 'Basic realm="oidc"']);
  }
  if (error.error === "invalid_token") {
    headers.push([
      "www-authenticate",
      `Bearer error="invalid_token", error_description="${error.message}"`,
    ]);
  }
  return { status, json: error.toJson(), headers };
}

function formOf({ body }: AuthAsk): URLSearchParams {
  const texts = Object.entries(body).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return new URLSearchParams(texts);
}

function clientOf(ask: AuthAsk, desk: AuthDesk, form: URLSearchParams): ProviderClient {
  const network = networkKey(ask.address);
  if (!desk.rates.passes(wrongClients, network)) desk.rates.take(wrongClients, network);
  try {
    const credentials = readClientCredentials(form, ask.authorization);
    return authenticateClient(desk.settings.clients, credentials, (name) => desk.secret(name));
  } catch (error) {
    desk.rates.take(wrongClients, network);
    throw error;
  }
}

async function token(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const form = formOf(ask);
  const client = clientOf(ask, desk, form);
  const grant = readTokenGrant(form);
  const { of, scopes } =
    grant.kind === "code"
      ? await redeemed(ask, desk, client, grant)
      : await refreshed(ask, desk, client, grant);
  return { json: await tokensOf(ask, desk, { client, of, scopes }), headers: unstored ?? [] };
}

interface Granted {
  readonly of: ClientSession;
  /** Of the access token. */
  readonly scopes: readonly string[];
}

async function redeemed(
  ask: AuthAsk,
  desk: AuthDesk,
  client: ProviderClient,
  { code, redirectUri, verifier }: TokenGrant & { readonly kind: "code" },
): Promise<Granted> {
  const { id, secret } = codeOf(code);
  if (!isPkceVerifier(verifier)) throw new OAuthError("invalid_grant", "code_verifier is none");
  const outcome = await desk.run(
    redeemCode,
    {
      ...placeOf(ask),
      ticket: id,
      digest: desk.secrets.digest(secret),
      client: client.id,
      redirectUri,
      challenge: pkceChallenge(verifier),
      accessMs: desk.limits.authAccessMs,
      factorRoles: desk.settings.secondFactorFor,
    },
    ask,
  );
  const of = sessionOf(outcome);
  return { of, scopes: of.scopes };
}

function codeOf(code: string): { readonly id: string; readonly secret: string } {
  try {
    return readTicketText(code);
  } catch (error) {
    if (error instanceof PlatformError)
      throw new OAuthError("invalid_grant", "the code is not valid");
    throw error;
  }
}

async function refreshed(
  ask: AuthAsk,
  desk: AuthDesk,
  client: ProviderClient,
  grant: TokenGrant & { readonly kind: "refresh" },
): Promise<Granted> {
  const refresh = openProviderRefresh(desk.secrets, grant.token);
  if (refresh === null || refresh.client !== client.id) {
    throw new OAuthError("invalid_grant", "the refresh token is not valid");
  }
  const { session, count, scopes } = refresh;
  const asked = grant.scopes ?? scopes;
  if (!asked.every((scope) => scopes.includes(scope))) {
    throw new OAuthError("invalid_scope", "more than was granted");
  }
  const factorRoles = desk.settings.secondFactorFor;
  const input = { ...placeOf(ask), session, count, client: client.id, factorRoles };
  const of = sessionOf(await desk.run(refreshClient, input, ask));
  return { of: { ...of, scopes }, scopes: asked };
}

function sessionOf(outcome: ClientOutcome): ClientSession {
  if (outcome.kind === "refused") throw new OAuthError("invalid_grant", outcome.why);
  return outcome.of;
}

async function tokensOf(
  ask: AuthAsk,
  desk: AuthDesk,
  { client, of, scopes }: Granted & { readonly client: ProviderClient },
): Promise<Json> {
  const { user, session, count } = of;
  const moment = { issuer: issuerOf(ask), nowMs: ask.nowMs };
  const claims = await desk.store.read((tx) => claimsOf(tx, user, scopes));
  if (claims === null) throw new OAuthError("invalid_grant", "there is no such user any more");
  const ttlMs = desk.limits.authAccessMs;
  const access = { user, session, client: client.id, scopes };
  const accessToken = await signProviderAccess(desk.keys, access, { ...moment, ttlMs });
  const { signing } = await providerKeys(desk, ask.requestId);
  const idToken = await signIdToken(
    signing,
    {
      client: client.id,
      nonce: of.nonce,
      authAtMs: msOfTime(of.authAt),
      methods: of.methods,
      accessToken,
      claims,
    },
    moment,
  );
  const refresh = { session, count, client: client.id, scopes: of.scopes };
  return {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: Math.floor(ttlMs / 1_000),
    scope: scopes.join(" "),
    id_token: idToken,
    ...(of.scopes.includes("offline_access")
      ? { refresh_token: sealProviderRefresh(desk.secrets, refresh) }
      : {}),
  };
}

async function userinfo(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const text = /^Bearer +([\w.\-]+)$/iv.exec(ask.authorization ?? "")?.[1];
  const access = text === undefined ? null : await readProviderAccess(desk.keys, text, ask.nowMs);
  const claims =
    access === null
      ? null
      : await desk.store.read(async (tx) => {
          const session = await tx.get("authSession", access.session, null);
          if (session === null || session["client"] !== access.client) return null;
          if (await lacksFactorNow(tx, desk.settings.secondFactorFor, session)) return null;
          return claimsOf(tx, access.user, access.scopes);
        });
  if (claims === null) throw new OAuthError("invalid_token", "the access token is not valid");
  return { json: claims, headers: unstored ?? [] };
}

async function revoke(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const form = formOf(ask);
  const client = clientOf(ask, desk, form);
  const text = readRevocation(form);
  const refresh = openProviderRefresh(desk.secrets, text);
  const found = refresh ?? (await readProviderAccess(desk.keys, text, ask.nowMs));
  // A token of somebody else, or none at all, is as good as revoked (RFC 7009, 2.2).
  if (found !== null && found.client === client.id) {
    await desk.run(
      endClientSession,
      { ...placeOf(ask), session: found.session, client: client.id },
      ask,
    );
  }
  return { status: 200, json: {} };
}
