// Addresses of signing in at another provider: off to it, back from it, and the list of those that an account has.
import { PlatformError } from "../../base/platform-error.ts";
import { findAll } from "../account-find.ts";
import type { AuthProvider } from "../../model/auth-model.ts";
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
import { openFormPost, takeFormPost, type ForeignAnswer } from "./foreign-form-post.ts";
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
  {
    // A page of the provider posts it, from its own site (foreign-form-post.ts).
    method: "POST",
    path: "/auth/providers/:name/callback",
    access: "anyone",
    kind: "protocol",
    isOn: ({ providers }) => Object.values(providers).some(isFormPost),
    handle: formPost,
  },
  { method: "POST", path: "/auth/providers/:name/link", access: "fresh", isOn, handle: link },
  { method: "GET", path: "/auth/identities", access: "signed-in", handle: identities },
  { method: "DELETE", path: "/auth/identities/:id", access: "fresh", handle: unlink },
];

function isFormPost(settings: AuthProvider): boolean {
  return settings.kind === "openid" && settings.isFormPost;
}

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
  const way = await provider.way(carried.nonce);
  const url = new URL(way.endpoint);
  const query = {
    response_type: "code",
    client_id: provider.settings.clientId,
    redirect_uri: carried.redirectUri,
    ...way.query,
    state,
    code_challenge: pkceChallenge(carried.verifier),
    code_challenge_method: "S256",
  };
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return { status: 303, location: url.href, cookies: [cookie] };
}

function formPost(ask: AuthAsk, desk: AuthDesk): AuthAnswer {
  const { name, provider } = providerOf(ask, desk);
  if (!isFormPost(provider.settings)) throw new PlatformError("NOT_FOUND");
  return takeFormPost(ask, desk, name);
}

function answerOf(ask: AuthAsk, desk: AuthDesk, name: string, isForm: boolean): ForeignAnswer {
  if (isForm) return openFormPost(ask, desk, name);
  const at = (key: string) => ask.query.get(key);
  return { state: at("state"), code: at("code"), error: at("error"), iss: at("iss"), name: null };
}

async function callback(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  desk.rates.take(returns, networkKey(ask.address));
  const { name, provider } = providerOf(ask, desk);
  const answered = answerOf(ask, desk, name, isFormPost(provider.settings));
  const { code, error } = answered;
  const { carried, cookie } = openState(ask, desk, { state: answered.state, provider: name });
  await provider.assertIssuer(answered.iss);
  // Apple has a word of its own for it.
  if (error === "access_denied" || error === "user_cancelled_authorize") {
    // The person changed their mind.
    const query = new URLSearchParams([["next", carried.target]]).toString();
    return { location: `/auth/sign-in?${query}`, cookies: [cookie] };
  }
  if (code === null) throw failed(`it answers ${(error ?? "nothing").slice(0, 60)}`);
  const { redirectUri, verifier, nonce } = carried;
  const claims = await provider.redeem({ code, redirectUri, verifier, nonce });
  const person = personOf(name, { ...claims, name: claims.name ?? answered.name });
  const answer =
    carried.linksTo === null
      ? await signIn(ask, desk, person, carried.target)
      : await addTo(ask, desk, person, carried);
  return { ...answer, cookies: [cookie, ...(answer.cookies ?? [])] };
}

function personOf(
  provider: string,
  { subject, email, emailVerified, name, isPrivateEmail }: ForeignClaims,
): ForeignPerson {
  const kept = emailVerified ? keptEmail(email) : null;
  return { provider, subject, email: kept, name, isPrivateEmail: kept !== null && isPrivateEmail };
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
  const input = { person, guest, mayCreate, device: draft.device };
  const outcome = await desk.run(signInForeign, input, ask).catch((error: unknown) => {
    if (error instanceof PlatformError && error.code === "SIGN_UP_INCOMPLETE") return null;
    throw error;
  });
  if (outcome === null) return toSignUp(person, target);
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

/** Somebody new, of whom the app needs to know more: its form asks them, and their account opens from there the next time. */
function toSignUp({ provider, email }: ForeignPerson, target: string): AuthAnswer {
  const query = new URLSearchParams([
    ["from", provider],
    ["hint", email ?? ""],
    ["next", target],
  ]);
  return { location: `/auth/sign-up?${query.toString()}`, refusal: "SIGN_UP_INCOMPLETE" };
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

/** `{ identities: [{ id, provider, label, email, isPrivateEmail, createdAt, lastSignInAt }] }`. */
async function identities(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const rows = await desk.store.read((tx) =>
    findAll({ tx }, "authIdentity", "user", user, identitiesMax),
  );
  const identities = rows.map((row) => {
    const { id = null, provider, email = null, createdAt = null, lastSignInAt = null } = row;
    const name = provider as string;
    const { providers } = desk.settings;
    const label = Object.hasOwn(providers, name) ? (providers[name]?.label ?? name) : name;
    const isPrivateEmail = row["isPrivateEmail"] === true;
    return { id, provider: name, label, email, isPrivateEmail, createdAt, lastSignInAt };
  });
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
