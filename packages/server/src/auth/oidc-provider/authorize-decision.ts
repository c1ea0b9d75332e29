// What an authorization request still needs before a code may be issued: somebody signed in, recently enough,
// who is the one expected and has consented. Pure: the same facts always give the same step.
import type { AuthorizeRequest } from "./authorize-request.ts";
import { OAuthError } from "./oauth-error.ts";
import type { ProviderClient } from "./provider-client.ts";

/** Somebody signed in at this browser. */
export interface SignedIn {
  readonly userId: string;
  /** When they last proved who they are, ms since the epoch. */
  readonly authAtMs: number;
}

/** What is known when deciding. */
export interface AuthorizeFacts {
  readonly request: AuthorizeRequest;
  readonly client: ProviderClient;
  /** When the request first arrived; whoever signed in since was asked because of it. */
  readonly arrivedMs: number;
  readonly nowMs: number;
  readonly signedIn: SignedIn | null;
  /** Whether the person said yes to this very request. */
  readonly consented: boolean;
  /** Scopes that the person let the client have before. */
  readonly granted: readonly string[];
  /** Who the id_token_hint is about; null without a hint. */
  readonly hinted: string | null;
}

/** What comes next. */
export type AuthorizeStep =
  | { readonly kind: "signIn" }
  | { readonly kind: "consent"; readonly scopes: readonly string[] }
  | { readonly kind: "issue"; readonly userId: string; readonly authAtMs: number }
  | { readonly kind: "refuse"; readonly error: OAuthError };

/** Decides the next step. */
export function decideAuthorize(facts: AuthorizeFacts): AuthorizeStep {
  const { request, signedIn } = facts;
  const isSilent = request.prompts.includes("none");
  if (signedIn === null || needsSignIn(facts, signedIn)) {
    return isSilent ? refuse("login_required", "nobody suitable is signed in") : { kind: "signIn" };
  }
  if (facts.hinted !== null && facts.hinted !== signedIn.userId) {
    return refuse("login_required", "somebody else signed in");
  }
  const scopes = scopesToAsk(facts);
  if (scopes.length > 0) {
    return isSilent
      ? refuse("consent_required", "the person has not consented yet")
      : { kind: "consent", scopes };
  }
  return { kind: "issue", ...signedIn };
}

function needsSignIn(facts: AuthorizeFacts, { userId, authAtMs }: SignedIn): boolean {
  const { request, arrivedMs, nowMs, hinted } = facts;
  if (hinted !== null && hinted !== userId && authAtMs < arrivedMs) return true;
  const asksAgain = request.prompts.includes("login") || request.prompts.includes("select_account");
  if (asksAgain && authAtMs < arrivedMs) return true;
  if (request.maxAgeSeconds === null) return false;
  // Somebody who signed in because of this request is recent enough, also for max_age 0.
  return authAtMs < arrivedMs && nowMs - authAtMs > request.maxAgeSeconds * 1_000;
}

/** Scopes to ask for: none when nothing needs asking. */
function scopesToAsk({ request, client, consented, granted }: AuthorizeFacts): readonly string[] {
  if (consented) return [];
  const isAsked = request.prompts.includes("consent");
  if (!client.consent) return isAsked ? request.scopes : [];
  const covered = request.scopes.every((scope) => granted.includes(scope));
  return covered && !isAsked ? [] : request.scopes;
}

function refuse(error: "login_required" | "consent_required", text: string): AuthorizeStep {
  return { kind: "refuse", error: new OAuthError(error, text) };
}
