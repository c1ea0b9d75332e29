// The authorization endpoint: what a person's browser walks through between a client's request and the code. The
// request is checked anew at each step; between two steps it travels sealed, with the time it first came, so that
// nobody can change it and "sign in again" is asked once.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { msOfTime } from "../../model/field-time.ts";
import { accountOfUser } from "../account-find.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { lacksSecondFactor } from "../protocol-caller.ts";
import { ticketText } from "../sign-in-answer.ts";
import { decideAuthorize, type AuthorizeStep } from "./authorize-decision.ts";
import { readAuthorizeRequest, type AuthorizeRead } from "./authorize-request.ts";
import { OAuthError } from "./oauth-error.ts";
import { findConsent, issueCode } from "./provider-code.ts";
import type { ProviderClient } from "./provider-client.ts";
import { providerKeys } from "./provider-keys.ts";
import { issuerOf, providerPaths } from "./provider-metadata.ts";
import { readIdTokenHint } from "./provider-tokens.ts";

/** A request on its way through pages. */
interface Carried {
  /** The client's parameters, as a query. */
  readonly query: string;
  readonly arrivedMs: number;
  /** Whose consent it asks for; null before that. */
  readonly user: string | null;
}

const sealLabel = "oidc authorize";
/** How long somebody may take to sign in and consent. */
const carriedMs = 3_600_000;
const queryCharsMax = 8_192;
/** Of an e-mail address (RFC 5321). */
const hintCharsMax = 254;
/** The page that asks for consent. */
const consentPage = "/auth/consent";
const signInPage = "/auth/sign-in";

const isOn: NonNullable<AuthRoute["isOn"]> = ({ clients }) => Object.keys(clients).length > 0;

/** Addresses of the endpoint. */
export const providerAuthorizeRoutes: readonly AuthRoute[] = [
  {
    method: "GET",
    path: providerPaths.authorize,
    access: "anyone",
    kind: "page",
    isOn,
    handle: (ask, desk) =>
      step(ask, desk, { query: ask.query.toString(), arrivedMs: ask.nowMs, user: null }, "unasked"),
  },
  {
    // A page of the client posts it from another site: browsers bring no cookie along, so it comes again by GET.
    method: "POST",
    path: providerPaths.authorize,
    access: "anyone",
    kind: "protocol",
    isOn,
    handle: ({ body }) => {
      const query = new URLSearchParams(
        Object.entries(body).map(([name, value]) => [name, String(value)]),
      );
      return { status: 303, location: `${providerPaths.authorize}?${query.toString()}` };
    },
  },
  {
    method: "GET",
    path: providerPaths.continue,
    access: "anyone",
    kind: "page",
    isOn,
    handle: (ask, desk) =>
      step(ask, desk, carriedOf(desk, ask, ask.query.get("request")), "unasked"),
  },
  {
    method: "POST",
    path: providerPaths.consent,
    access: "signed-in",
    kind: "page",
    isOn,
    handle: (ask, desk) => {
      const carried = carriedOf(desk, ask, ask.body["request"]);
      // Another person signed in meanwhile: they are asked themselves.
      const isTheirs = carried.user !== null && carried.user === ask.caller.id;
      const decision = ask.body["decision"] === "allow" ? "allowed" : "denied";
      return step(ask, desk, carried, isTheirs ? decision : "unasked");
    },
  },
];

/** What the page that asks for consent shows. */
export interface ConsentAsk {
  readonly client: { readonly id: string; readonly name: string };
  /** Where the answer goes. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

/** Reads the `request` of the consent page. @throws TICKET_INVALID when it is none, too old, or somebody else's. */
export function readConsentAsk(ask: AuthAsk, desk: AuthDesk): ConsentAsk {
  const carried = carriedOf(desk, ask, ask.query.get("request"));
  const read = readAgain(desk, carried);
  if (read.kind !== "request" || carried.user === null || carried.user !== ask.caller.id) {
    throw new PlatformError("TICKET_INVALID");
  }
  const { client, request } = read;
  const { id, name } = client;
  return { client: { id, name }, redirectUri: request.redirectUri, scopes: request.scopes };
}

function seal(desk: AuthDesk, carried: Carried): string {
  return desk.secrets.seal(sealLabel, JSON.stringify(carried));
}

function carriedOf(desk: AuthDesk, ask: AuthAsk, sealed: Json | undefined): Carried {
  if (typeof sealed !== "string") throw new PlatformError("TICKET_INVALID");
  let carried: Carried;
  try {
    carried = JSON.parse(desk.secrets.unseal(sealLabel, sealed)) as Carried;
  } catch (cause) {
    throw new PlatformError("TICKET_INVALID", {}, { cause });
  }
  if (ask.nowMs - carried.arrivedMs > carriedMs) throw new PlatformError("TICKET_INVALID");
  return carried;
}

function readAgain(desk: AuthDesk, { query }: Carried): AuthorizeRead {
  return readAuthorizeRequest(new URLSearchParams(query), desk.settings.clients);
}

/** One step on the way. @param consent what the person said to being asked, if it was asked. */
async function step(
  ask: AuthAsk,
  desk: AuthDesk,
  carried: Carried,
  consent: "unasked" | "allowed" | "denied",
): Promise<AuthAnswer> {
  const read = readAgain(desk, carried);
  const issuer = issuerOf(ask);
  if (read.kind === "shown")
    throw new PlatformError("REQUEST_INVALID", { problem: read.error.message });
  if (read.kind === "redirect") return toClient(issuer, read, { kind: "error", error: read.error });
  const { request } = read;
  if (consent === "denied") {
    const error = new OAuthError("access_denied", "the person said no");
    return toClient(issuer, request, { kind: "error", error });
  }
  if (carried.query.length > queryCharsMax) {
    const error = new OAuthError("invalid_request", "the request is too long");
    return toClient(issuer, request, { kind: "error", error });
  }
  const next = await decided(ask, desk, { carried, read, consented: consent === "allowed" });
  switch (next.kind) {
    case "refuse":
      return toClient(issuer, request, { kind: "error", error: next.error });
    case "signIn": {
      const goOn = `${providerPaths.continue}?request=${seal(desk, { ...carried, user: null })}`;
      const query = new URLSearchParams([["next", goOn]]);
      if (ask.session !== null) query.set("again", "1");
      const { loginHint } = request;
      if (loginHint !== null && loginHint.length <= hintCharsMax) query.set("hint", loginHint);
      return { location: `${signInPage}?${query.toString()}` };
    }
    case "consent": {
      const asked = seal(desk, { ...carried, user: ask.caller.id });
      return { location: `${consentPage}?request=${asked}` };
    }
    case "issue": {
      const consents = consent === "allowed" && read.client.consent;
      return toClient(issuer, request, {
        kind: "code",
        code: await codeFor(ask, desk, read, consents),
      });
    }
    default:
      return next satisfies never;
  }
}

type ReadRequest = AuthorizeRead & { readonly kind: "request" };

async function decided(
  ask: AuthAsk,
  desk: AuthDesk,
  of: { readonly carried: Carried; readonly read: ReadRequest; readonly consented: boolean },
): Promise<AuthorizeStep> {
  const { request, client } = of.read;
  const { arrivedMs } = of.carried;
  const { idTokenHint } = request;
  let hinted: string | null = null;
  if (idTokenHint !== null) {
    const { published } = await providerKeys(desk, ask.requestId);
    hinted = await readIdTokenHint(published, idTokenHint, {
      issuer: issuerOf(ask),
      client: client.id,
    });
    if (hinted === null) {
      return {
        kind: "refuse",
        error: new OAuthError("invalid_request", "id_token_hint is none of ours"),
      };
    }
  }
  const who = await signedInAt(ask, desk, client);
  const lacks = who !== null && lacksSecondFactor(ask, desk);
  // The page that refuses leads to where one is set up; who may see no page is told that nobody suitable is here.
  if (lacks && !request.prompts.includes("none")) throw new PlatformError("SECOND_FACTOR_REQUIRED");
  return decideAuthorize({
    request,
    client,
    arrivedMs,
    nowMs: ask.nowMs,
    signedIn: lacks ? null : (who?.signedIn ?? null),
    consented: of.consented,
    granted: who?.granted ?? [],
    hinted,
  });
}

/** Who is signed in at this browser, and what they let this client have. Guests are nobody to others. */
async function signedInAt({ session }: AuthAsk, desk: AuthDesk, client: ProviderClient) {
  if (session === null || session["client"] !== null) return null;
  const userId = session["user"] as string;
  return desk.store.read(async (tx) => {
    const account = await accountOfUser({ tx }, userId);
    if (account === null || account["isGuest"] === true || account["disabledAt"] !== null)
      return null;
    const consent = await findConsent({ tx }, userId, client.id);
    const authAtMs = msOfTime(session["authenticatedAt"] as string);
    return {
      signedIn: { userId, authAtMs },
      granted: (consent?.["scopes"] ?? []) as readonly string[],
    };
  });
}

async function codeFor(
  ask: AuthAsk,
  desk: AuthDesk,
  { request, client }: ReadRequest,
  consents: boolean,
): Promise<string> {
  const secret = desk.secrets.draw();
  const { redirectUri, scopes, nonce, challenge } = request;
  const input = {
    ...placeOf(ask),
    facts: { client: client.id, redirectUri, scopes, nonce, challenge },
    session: ask.session?.["id"] as string,
    digest: desk.secrets.digest(secret),
    consents,
  };
  return ticketText(await desk.run(issueCode, input, ask), secret);
}

type ClientAnswer =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "error"; readonly error: OAuthError };

/** Back to the client, to an address that it declared. `iss` tells it who answers (RFC 9207). */
function toClient(
  issuer: string,
  { redirectUri, state }: { readonly redirectUri: string; readonly state: string | null },
  answer: ClientAnswer,
): AuthAnswer {
  const url = new URL(redirectUri);
  if (answer.kind === "code") url.searchParams.set("code", answer.code);
  else {
    url.searchParams.set("error", answer.error.error);
    url.searchParams.set("error_description", answer.error.message);
  }
  if (state !== null) url.searchParams.set("state", state);
  url.searchParams.set("iss", issuer);
  return { status: 303, location: url.href };
}
