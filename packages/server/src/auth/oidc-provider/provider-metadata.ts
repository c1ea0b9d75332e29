// What clients read first: where everything is and what is spoken (OpenID Connect Discovery 3, RFC 8414).
import type { Json } from "../../base/json.ts";
import type { AuthAsk } from "../auth-route.ts";
import { claimsOfScope } from "./provider-claims.ts";

/** Addresses of the provider, below its issuer. */
export const providerPaths = {
  authorize: "/auth/oidc/authorize",
  continue: "/auth/oidc/continue",
  consent: "/auth/oidc/consent",
  token: "/auth/oidc/token",
  userinfo: "/auth/oidc/userinfo",
  revoke: "/auth/oidc/revoke",
  logout: "/auth/oidc/logout",
  keys: "/auth/oidc/keys",
  discovery: "/.well-known/openid-configuration",
} as const;

/** The provider's name: where people reach it. The door knows: as it was told; else where this request came. */
export function issuerOf({ origin }: Pick<AuthAsk, "origin">): string {
  return origin;
}

/** The document. @param issuer `https://example.com`. */
export function providerMetadata(issuer: string): { readonly [name: string]: Json } {
  const clientMethods = ["client_secret_basic", "client_secret_post", "none"];
  return {
    issuer,
    authorization_endpoint: issuer + providerPaths.authorize,
    token_endpoint: issuer + providerPaths.token,
    userinfo_endpoint: issuer + providerPaths.userinfo,
    revocation_endpoint: issuer + providerPaths.revoke,
    end_session_endpoint: issuer + providerPaths.logout,
    jwks_uri: issuer + providerPaths.keys,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: clientMethods,
    revocation_endpoint_auth_methods_supported: clientMethods,
    code_challenge_methods_supported: ["S256"],
    scopes_supported: Object.keys(claimsOfScope),
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "auth_time", "amr", "nonce", ...claims()],
    prompt_values_supported: ["none", "login", "consent", "select_account"],
    authorization_response_iss_parameter_supported: true,
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}

function claims(): readonly string[] {
  return Object.values(claimsOfScope)
    .flat()
    .filter((claim) => claim !== "sub");
}
