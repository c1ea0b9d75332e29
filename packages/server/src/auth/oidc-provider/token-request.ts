// Reads requests of the token and revocation endpoints (OAuth 2.1 3.2, RFC 7009). The client shows who it is by
// one method only: a request with two is refused (RFC 6749, 2.3).
import { OAuthError } from "./oauth-error.ts";
import type { ClientCredentials } from "./provider-client.ts";

/** A grant to exchange for tokens. */
export type TokenGrant =
  | {
      readonly kind: "code";
      readonly code: string;
      readonly redirectUri: string;
      readonly verifier: string;
    }
  | {
      readonly kind: "refresh";
      readonly token: string;
      /** Fewer than before; null: the same. */
      readonly scopes: readonly string[] | null;
    };

const textCharsMax = 4_096;

/** The client of a request. @param authorization the header as it came. @throws OAuthError invalid_client, invalid_request. */
export function readClientCredentials(
  form: URLSearchParams,
  authorization: string | null,
): ClientCredentials {
  const id = optional(form, "client_id");
  const secret = optional(form, "client_secret");
  if (authorization === null) {
    if (id === null) throw new OAuthError("invalid_client", "the client does not say who it is");
    return { id, secret };
  }
  if (secret !== null) {
    throw new OAuthError("invalid_request", "the client shows who it is in two ways");
  }
  const basic = readBasic(authorization);
  if (id !== null && id !== basic.id) {
    throw new OAuthError("invalid_request", "client_id is not that of the header");
  }
  return basic;
}

/** `Basic` with both parts form-encoded (RFC 6749, 2.3.1). */
function readBasic(authorization: string): { readonly id: string; readonly secret: string } {
  const coded = /^Basic +([A-Za-z0-9+\/]+={0,2})$/iv.exec(authorization)?.[1];
  const text = coded === undefined ? "" : Buffer.from(coded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  const id = formDecoded(text.slice(0, Math.max(0, colon)));
  const secret = formDecoded(text.slice(colon + 1));
  if (colon > 0 && id !== null && secret !== null) return { id, secret };
  throw new OAuthError("invalid_client", "the Authorization header is no Basic credential");
}

function formDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/** The grant of a request. @throws OAuthError invalid_request, unsupported_grant_type. */
export function readTokenGrant(form: URLSearchParams): TokenGrant {
  const type = required(form, "grant_type");
  if (type === "authorization_code") {
    return {
      kind: "code",
      code: required(form, "code"),
      redirectUri: required(form, "redirect_uri"),
      verifier: required(form, "code_verifier"),
    };
  }
  if (type === "refresh_token") {
    const scope = optional(form, "scope");
    return {
      kind: "refresh",
      token: required(form, "refresh_token"),
      scopes: scope === null ? null : scope.split(" ").filter((name) => name !== ""),
    };
  }
  throw new OAuthError("unsupported_grant_type", "authorization_code and refresh_token are taken");
}

/** The token to revoke. @throws OAuthError invalid_request. */
export function readRevocation(form: URLSearchParams): string {
  optional(form, "token_type_hint");
  return required(form, "token");
}

function required(form: URLSearchParams, name: string): string {
  const value = optional(form, name);
  if (value === null) throw new OAuthError("invalid_request", `${name} is missing`);
  return value;
}

function optional(form: URLSearchParams, name: string): string | null {
  const values = form.getAll(name);
  if (values.length > 1) {
    throw new OAuthError("invalid_request", `${name} stands there more than once`);
  }
  const [value = ""] = values;
  if (value.length > textCharsMax) throw new OAuthError("invalid_request", `${name} is too long`);
  return value === "" ? null : value;
}
