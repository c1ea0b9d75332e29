// Reads a request of the authorization endpoint (OpenID Connect Core 3.1.2.1, OAuth 2.1 4.1.1). Three outcomes:
// one that may go on; one whose fault the client is told of at its redirect address; one that can't be trusted
// with any address and is shown to the person only. Invariant: nothing is ever sent to an address that the
// client did not declare.
import type { AuthModel } from "../../model/auth-model.ts";
import { OAuthError, type OAuthErrorName } from "./oauth-error.ts";
import { isPkceChallenge } from "./pkce.ts";
import { allowsRedirect, findClient, type ProviderClient } from "./provider-client.ts";

/** What a client may ask of the person in front of the browser. */
export type Prompt = "none" | "login" | "consent" | "select_account";

/** A request in order. Plain JSON. */
export interface AuthorizeRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  /** In the order asked, each once, `openid` among them; those that this client may have. */
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly nonce: string | null;
  /** S256. */
  readonly challenge: string;
  readonly prompts: readonly Prompt[];
  /** Seconds since the person last proved who they are, at most. */
  readonly maxAgeSeconds: number | null;
  readonly loginHint: string | null;
  /** An id_token from before: who is expected. */
  readonly idTokenHint: string | null;
}

/** What became of reading one. */
export type AuthorizeRead =
  | {
      readonly kind: "request";
      readonly request: AuthorizeRequest;
      readonly client: ProviderClient;
    }
  /** Told to the client. */
  | {
      readonly kind: "redirect";
      readonly redirectUri: string;
      readonly state: string | null;
      readonly error: OAuthError;
    }
  /** Shown to the person. */
  | { readonly kind: "shown"; readonly error: OAuthError };

const known: ReadonlySet<string> = new Set([
  "client_id",
  "code_challenge",
  "code_challenge_method",
  "id_token_hint",
  "login_hint",
  "max_age",
  "nonce",
  "prompt",
  "redirect_uri",
  "registration",
  "request",
  "request_uri",
  "response_mode",
  "response_type",
  "scope",
  "state",
]);
const promptNames: ReadonlySet<string> = new Set(["none", "login", "consent", "select_account"]);
const textCharsMax = 2_048;

/** Reads the parameters of a query or form. @param clients all that there are. */
export function readAuthorizeRequest(
  parameters: URLSearchParams,
  clients: AuthModel["clients"],
): AuthorizeRead {
  const clientId = soleValue(parameters, "client_id");
  const client = clientId === null ? null : findClient(clients, clientId);
  if (client === null) return shown("there is no such client");
  const redirectUri = soleValue(parameters, "redirect_uri");
  if (redirectUri === null || !allowsRedirect(client.redirects, redirectUri)) {
    return shown("redirect_uri is none that this client declared");
  }
  const state = soleValue(parameters, "state");
  try {
    const request = readRest(parameters, client, { redirectUri, state });
    return { kind: "request", request, client };
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return { kind: "redirect", redirectUri, state, error };
  }
}

function shown(description: string): AuthorizeRead {
  return { kind: "shown", error: new OAuthError("invalid_request", description) };
}

/** null also when it stands there more than once: which of them is meant? */
function soleValue(parameters: URLSearchParams, name: string): string | null {
  const values = parameters.getAll(name);
  const [value = ""] = values;
  return values.length === 1 && value !== "" && value.length <= textCharsMax ? value : null;
}

function readRest(
  parameters: URLSearchParams,
  client: ProviderClient,
  { redirectUri, state }: { readonly redirectUri: string; readonly state: string | null },
): AuthorizeRequest {
  const read = readKnown(parameters);
  refuseIf(read.has("request"), "request_not_supported", "request objects are not taken");
  refuseIf(read.has("request_uri"), "request_uri_not_supported", "request_uri is not taken");
  refuseIf(read.has("registration"), "registration_not_supported", "registration is not taken");
  const type = read.get("response_type");
  refuseIf(type === undefined, "invalid_request", "response_type is missing");
  refuseIf(type !== "code", "unsupported_response_type", "response_type must be code");
  const mode = read.get("response_mode") ?? "query";
  refuseIf(mode !== "query", "invalid_request", "response_mode must be query");
  return {
    clientId: client.id,
    redirectUri,
    state,
    scopes: scopesOf(read.get("scope") ?? "", client),
    nonce: read.get("nonce") ?? null,
    challenge: challengeOf(read),
    prompts: promptsOf(read.get("prompt") ?? ""),
    maxAgeSeconds: maxAgeOf(read.get("max_age")),
    loginHint: read.get("login_hint") ?? null,
    idTokenHint: read.get("id_token_hint") ?? null,
  };
}

/** Parameters that are known and not empty, each once (RFC 6749, 3.1); others are left aside. */
function readKnown(parameters: URLSearchParams): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  const names = new Set<string>();
  for (const [name, value] of parameters) {
    if (!known.has(name)) continue;
    refuseIf(names.has(name), "invalid_request", `${name} stands there more than once`);
    refuseIf(value.length > textCharsMax, "invalid_request", `${name} is too long`);
    names.add(name);
    if (value !== "") read.set(name, value);
  }
  return read;
}

function scopesOf(text: string, client: ProviderClient): readonly string[] {
  const scopes = [...new Set(text.split(" "))];
  refuseIf(!scopes.includes("openid"), "invalid_scope", "scope must hold openid");
  // What is not understood is left aside (OpenID Connect Core 3.1.2.1); the token's answer tells what was given.
  return scopes.filter((scope) => client.scopes.includes(scope));
}

function challengeOf(read: ReadonlyMap<string, string>): string {
  const challenge = read.get("code_challenge") ?? "";
  refuseIf(challenge === "", "invalid_request", "code_challenge is missing: PKCE is required");
  const method = read.get("code_challenge_method");
  refuseIf(method !== "S256", "invalid_request", "code_challenge_method must be S256");
  refuseIf(!isPkceChallenge(challenge), "invalid_request", "code_challenge is no S256 digest");
  return challenge;
}

function promptsOf(text: string): readonly Prompt[] {
  const names = [...new Set(text.split(" ").filter((name) => name !== ""))];
  refuseIf(!names.every(isPrompt), "invalid_request", "a prompt that is not known");
  const isMixed = names.includes("none") && names.length > 1;
  refuseIf(isMixed, "invalid_request", "prompt none goes with no other");
  return names.filter(isPrompt);
}

function isPrompt(name: string): name is Prompt {
  return promptNames.has(name);
}

function maxAgeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  refuseIf(!/^\d{1,9}$/v.test(text), "invalid_request", "max_age is no number of seconds");
  return Number(text);
}

function refuseIf(condition: boolean, error: OAuthErrorName, description: string): void {
  if (condition) throw new OAuthError(error, description);
}
