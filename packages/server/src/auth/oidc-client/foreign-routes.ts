// Addresses of signing in at another provider: off to it, back from it, and the list of those that an account has.
import { PlatformError } from "../../base/platform-error.ts";
import { findAll } from "../account-find.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";
import { normalEmail } from "../email-address.ts";
import { userOf } from "../protocol-caller.ts";
import { redirectTarget } from "../redirect-target.ts";
import { answerSignIn, draftSignIn, ticketText } from "../sign-in-answer.ts";
import { pkceChallenge } from "../oidc-provider/pkce.ts";
import { failed } from "./foreign-document.ts";
import type { ForeignClaims } from "./foreign-id-token.ts";
import { foreignProvider, type ForeignProvider } from "./foreign-provider.ts";
import {
  linkForeign,
  signInForeign,
  unlinkForeign,
  type ForeignPerson,
} from "./foreign-sign-in.ts";
import { openState, sealState, type ForeignState } from "./foreign-state.ts";

/** Each makes this server ask another one. */
const returns: AuthRate = { name: "sign-ins elsewhere of a network", quota: "60/minute" };
const identitiesMax = 100;

const isOn = ({ providers }: AuthDesk["settings"]): boolean => Object.keys(providers).length > 0;

/** The addresses. */
export const oidcClientRoutes: readonly AuthRoute[] = [
  { method: "GET", path: "/auth/providers", access: "anyone", handle: list },
  {
    method: "GET",
    path: "/auth/providers/:name/start",
    access: "anyone",
    kind: "page",
    isOn,
    handle: start,
  },
  {
    method: "GET",
    path: "/auth/providers/:name/callback",
    access: "anyone",
    kind: "page",
    isOn,
    handle: callback,
  },
  { method: "POST", path: "/auth/providers/:name/link", access: "fresh", isOn, handle: link },
  { method: "GET", path: "/auth/identities", access: "signed-in", handle: identities },
  { method: "DELETE", path: "/auth/identities/:id", access: "fresh", handle: unlink },
];

/** `{ providers: [{ name, label }] }`. */
function list(_: AuthAsk, { settings }: AuthDesk): AuthAnswer {
  const providers = Object.entries(settings.providers).map(([name, { label }]) => ({
    name,
    label,
  }));
  return { json: { providers } };
}

function providerOf(
  ask: AuthAsk,
  desk: AuthDesk,
): { readonly name: string; readonly provider: ForeignProvider } {
  const { name = "" } = ask.params;
  const provider = foreignProvider(desk, name);
  if (provider === null) throw new PlatformError("NOT_FOUND");
  return { name, provider };
}

function start(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  return leave(ask, desk, { target: ask.query.get("next"), linksTo: null });
}

/** `{ next? }`: to add this way to sign in to the account of whoever asks. Answers `{ location }`, a form goes there. */
async function link(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { next = null } = ask.body;
  const answer = await leave(ask, desk, {
    target: typeof next === "string" ? next : null,
    linksTo: userOf(ask),
  });
  if (ask.isForm) return answer;
  const { location = "", cookies = [] } = answer;
  return { json: { location }, cookies };
}

async function leave(
  ask: AuthAsk,
  desk: AuthDesk,
  { target, linksTo }: { readonly target: string | null; readonly linksTo: string | null },
): Promise<AuthAnswer> {
  const { name, provider } = providerOf(ask, desk);
  const { settings, manifest, secrets } = desk;
  const { authorizationEndpoint } = await provider.document();
  const { origin } = ask;
  const carried: ForeignState = {
    provider: name,
    redirectUri: `${origin}/auth/providers/${name}/callback`,
    nonce: secrets.draw(),
    verifier: secrets.draw(),
    target: redirectTarget(target, { origin, cors: manifest.cors, settings }),
    linksTo,
    atMs: ask.nowMs,
  };
  const { state, cookie } = sealState(desk, carried);
  const url = new URL(authorizationEndpoint);
  const { clientId, scopes } = provider.settings;
  const query = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: carried.redirectUri,
    scope: [...new Set(["openid", ...scopes])].join(" "),
    state,
    nonce: carried.nonce,
    code_challenge: pkceChallenge(carried.verifier),
    code_challenge_method: "S256",
  };
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return { status: 303, location: url.href, cookies: [cookie] };
}

async function callback(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  desk.rates.take(returns, networkKey(ask.address));
  const { name, provider } = providerOf(ask, desk);
  const { query } = ask;
  const { carried, cookie } = openState(ask, desk, { state: query.get("state"), provider: name });
  await assertIssuer(provider, query.get("iss"));
  if (query.get("error") === "access_denied") {
    // The person changed their mind.
    const query = new URLSearchParams([["next", carried.target]]).toString();
    return { location: `/auth/sign-in?${query}`, cookies: [cookie] };
  }
  const code = query.get("code");
  if (code === null) throw failed(`it answers ${(query.get("error") ?? "nothing").slice(0, 60)}`);
  const { redirectUri, verifier, nonce } = carried;
  const claims = await provider.redeem({ code, redirectUri, verifier, nonce });
  const person = personOf(name, claims);
  const answer =
    carried.linksTo === null
      ? await signIn(ask, desk, person, carried.target)
      : await addTo(ask, desk, person, carried);
  return { ...answer, cookies: [cookie, ...(answer.cookies ?? [])] };
}

/** An answer of another server than the one asked (RFC 9207): some providers name themselves, none names another. */
async function assertIssuer(provider: ForeignProvider, iss: string | null): Promise<void> {
  const { issuer, namesIssuer } = await provider.document();
  if (iss === null ? namesIssuer : iss !== issuer) throw failed("another issuer answers");
}

function personOf(
  provider: string,
  { subject, email, emailVerified, name }: ForeignClaims,
): ForeignPerson {
  return { provider, subject, email: emailVerified ? keptEmail(email) : null, name };
}

function keptEmail(email: string | null): string | null {
  try {
    return email === null ? null : normalEmail(email);
  } catch {
    return null;
  }
}

async function signIn(
  ask: AuthAsk,
  desk: AuthDesk,
  person: ForeignPerson,
  target: string,
): Promise<AuthAnswer> {
  const draft = draftSignIn(ask, desk);
  const mayCreate = desk.settings.signUp === "open";
  // Whether it is a guest's is asked in the transaction.
  const guest = ask.caller.id;
  const outcome = await desk.run(
    signInForeign,
    { person, guest, mayCreate, device: draft.device },
    ask,
  );
  if (outcome.kind === "secondFactor") {
    const ticket = ticketText(outcome.ticket, draft.secret);
    const query = new URLSearchParams([
      ["ticket", ticket],
      ["next", target],
    ]);
    return { location: `/auth/second-factor?${query.toString()}` };
  }
  const { cookies = [] } = await answerSignIn(ask, desk, { outcome, draft });
  return { location: target, cookies };
}

async function addTo(
  ask: AuthAsk,
  desk: AuthDesk,
  person: ForeignPerson,
  { linksTo, target }: ForeignState,
): Promise<AuthAnswer> {
  // Who asked is still who is signed in at this browser.
  if (linksTo === null || ask.caller.id !== linksTo) throw new PlatformError("TICKET_INVALID");
  await desk.run(linkForeign, { ...placeOf(ask), person, user: linksTo }, ask);
  return { location: target };
}

/** `{ identities: [{ id, provider, label, email, createdAt, lastSignInAt }] }`. */
async function identities(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const rows = await desk.store.read((tx) =>
    findAll({ tx }, "authIdentity", "user", user, identitiesMax),
  );
  const identities = rows.map(
    ({ id = null, provider, email = null, createdAt = null, lastSignInAt = null }) => {
      const name = provider as string;
      const { providers } = desk.settings;
      const label = Object.hasOwn(providers, name) ? (providers[name]?.label ?? name) : name;
      return { id, provider: name, label, email, createdAt, lastSignInAt };
    },
  );
  return { json: { identities } };
}

async function unlink(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const input = { ...placeOf(ask), user: userOf(ask), identity: ask.params["id"] ?? "" };
  const outcome = await desk.run(unlinkForeign, input, ask);
  if (outcome === "none") throw new PlatformError("NOT_FOUND");
  if (outcome === "last") {
    throw new PlatformError("CONFLICT", {
      problem: "this is the last way to sign in to the account",
    });
  }
  return {};
}
