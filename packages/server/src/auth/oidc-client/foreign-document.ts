// What a provider says of itself (OpenID Connect Discovery 3 and 4), checked before anything is sent to an address in it.
// Invariant: the issuer is the one that the app names, and no address leads to a place of this machine or of a private
// network, unless the issuer itself is there.
import { isIP } from "node:net";
import { PlatformError } from "../../base/platform-error.ts";

/** A provider, as it described itself. */
export interface ForeignDocument {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | null;
  /** How it wants to be shown the client's secret. */
  readonly secretIn: "header" | "body";
  /** Whether every answer of it names its issuer (RFC 9207). */
  readonly namesIssuer: boolean;
}

/** Microsoft's issuer for accounts of all tenants stands with this word in the document, with the tenant in tokens. */
export const tenantWord = "{tenantid}";
const microsoft =
  /^https:\/\/login\.microsoftonline\.com\/(?:common|organizations|consumers)\/v2\.0$/v;
/** The tenant of all personal accounts, which is the one that `consumers` names. */
const consumers = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";

/** Where the document of an issuer is. */
export function documentUrl(issuer: string): string {
  return `${issuer.replace(/\/$/v, "")}/.well-known/openid-configuration`;
}

/**
 * Reads a document. @param value untrusted. @param issuer as the app names it. @param internalHosts of the app's settings:
 * only a provider that is at one of them leads there. @throws PROVIDER_FAILED.
 */
export function readForeignDocument(
  value: unknown,
  issuer: string,
  internalHosts: readonly string[] = [],
): ForeignDocument {
  if (typeof value !== "object" || value === null) throw failed("its document is no object");
  const given = value as Readonly<Record<string, unknown>>;
  const named = given["issuer"];
  const isTenants =
    microsoft.test(issuer) &&
    typeof named === "string" &&
    (named.includes(tenantWord) || named === consumers);
  if (named !== issuer && !isTenants) throw failed("its document is of another issuer");
  const methods = given["token_endpoint_auth_methods_supported"];
  const takesHeader = !Array.isArray(methods) || methods.includes("client_secret_basic");
  const at = (name: string) => addressOf(given[name], name, { issuer, internalHosts });
  return {
    issuer: named,
    authorizationEndpoint: at("authorization_endpoint"),
    tokenEndpoint: at("token_endpoint"),
    jwksUri: at("jwks_uri"),
    userinfoEndpoint: given["userinfo_endpoint"] === undefined ? null : at("userinfo_endpoint"),
    secretIn: takesHeader ? "header" : "body",
    namesIssuer: given["authorization_response_iss_parameter_supported"] === true,
  };
}

function addressOf(
  value: unknown,
  name: string,
  of: { readonly issuer: string; readonly internalHosts: readonly string[] },
): string {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : null;
  const home = new URL(of.issuer);
  if (url === null || url.username !== "" || url.password !== "")
    throw failed(`its ${name} is no address`);
  if (url.host === home.host && url.protocol === home.protocol) return url.href;
  const hostname = url.hostname.replace(/^\[(.*)\]$/v, "$1");
  const isNamed = hostname.includes(".") && isIP(hostname) === 0;
  const isOutside =
    of.internalHosts.includes(hostname) && !of.internalHosts.includes(home.hostname);
  if (url.protocol !== "https:" || !isNamed || isOutside)
    throw failed(`its ${name} is no public https address`);
  return url.href;
}

/** The failure of a provider. @param reason for whoever runs the app: it names no secret. */
export function failed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("PROVIDER_FAILED", { reason }, { cause });
}
