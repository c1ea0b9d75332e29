// A provider that speaks OAuth 2.0 only: no token says who somebody is, so the provider is asked, with an access token
// that came straight from it for a code that this browser brought. Its addresses are the app's own words, not a document's.
import type { OAuthProvider } from "../../model/auth-model.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { askForeign, askForeignAny, type ForeignJson } from "./foreign-ask.ts";
import { failed } from "./foreign-document.ts";
import { exchangeCode, type ForeignExchange } from "./foreign-exchange.ts";
import { readForeignClaims, type ForeignClaims } from "./foreign-id-token.ts";

/** A provider to sign in at. */
export class ForeignOAuth {
  readonly settings: OAuthProvider;
  readonly #desk: AuthDesk;

  constructor(desk: AuthDesk, settings: OAuthProvider) {
    this.#desk = desk;
    this.settings = settings;
  }

  /** Where a browser goes, and with what beside what every provider is told. */
  way() {
    const { authorizationEndpoint, scopes } = this.settings;
    const query: Readonly<Record<string, string>> =
      scopes.length === 0 ? {} : { scope: scopes.join(" ") };
    return { endpoint: authorizationEndpoint, query };
  }

  /** It has no issuer to name: who answers is told apart by the address that it answers at (RFC 9700, 4.4.2.2). */
  assertIssuer(): void {}

  /** Exchanges a code, and asks who it is about. @throws PROVIDER_FAILED. */
  async redeem(exchange: ForeignExchange): Promise<ForeignClaims> {
    const desk = this.#desk;
    const { settings } = this;
    const { tokenEndpoint, secretIn, userinfoEndpoint, emailsEndpoint, claims } = settings;
    const endpoint = { url: tokenEndpoint, secretIn };
    const tokens = await exchangeCode(desk, settings, endpoint, exchange);
    const { access_token: token, token_type: type = "bearer" } = tokens;
    // GitHub answers 200 also when it refuses.
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/v.test(token)) {
      const { error } = tokens;
      throw failed(`it answers ${typeof error === "string" ? error.slice(0, 60) : "no token"}`);
    }
    if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
      throw failed("its token is of a kind that is not known");
    }
    const init = { headers: { authorization: `Bearer ${token}` } };
    const told = await askForeign(desk, userinfoEndpoint, init);
    const at = (path: string | null): unknown => (path === null ? undefined : valueAt(told, path));
    const address =
      emailsEndpoint === null
        ? { email: at(claims.email), email_verified: at(claims.emailVerified) === true }
        : primaryOf(await askForeignAny(desk, emailsEndpoint, init));
    return readForeignClaims({ sub: idText(at(claims.id)), name: at(claims.name), ...address });
  }
}

/** A number as text; one that a double can't hold would be somebody else's. */
function idText(id: unknown): unknown {
  return Number.isSafeInteger(id) ? String(id) : id;
}

function valueAt(json: ForeignJson, path: string): unknown {
  let value: unknown = json;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as ForeignJson)[name];
  }
  return value;
}

/** The one address that is primary and verified; the others are of accounts that somebody may have had once. */
function primaryOf(list: object): { readonly email?: unknown; readonly email_verified: boolean } {
  if (!Array.isArray(list)) throw failed("its addresses are no list");
  for (const each of list as readonly unknown[]) {
    if (typeof each !== "object" || each === null) continue;
    const { email, primary, verified } = each as ForeignJson;
    if (primary === true && verified === true) return { email, email_verified: true };
  }
  return { email_verified: false };
}
