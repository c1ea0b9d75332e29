// Checks a provider's id_token: always its signature, with the provider's published keys and never with the client's
// secret; then everything of OpenID Connect Core 3.1.3.7.
import { errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { fitText, textProblem } from "../../model/field-format.ts";
import { failed, tenantWord, type ForeignDocument } from "./foreign-document.ts";

/** Signatures by a key that is published. No HMAC: whoever knows the client's secret could sign for anybody. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const skewSeconds = 60;
const subjectCharsMax = 255;

/** What is expected of a token. */
export interface ForeignExpectation {
  readonly document: Pick<ForeignDocument, "issuer">;
  readonly clientId: string;
  readonly nonce: string;
  readonly nowMs: number;
}

/** Somebody at another provider. */
export interface ForeignClaims {
  readonly subject: string;
  readonly email: string | null;
  /** What the provider says; its word counts for it alone. */
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** Whether the address only passes letters on, and is nobody's own (Apple). */
  readonly isPrivateEmail: boolean;
}

/**
 * Checks a token. @param keys finds the provider's key.
 * @throws PROVIDER_FAILED, with the reason.
 */
export async function verifyForeignIdToken(
  token: string,
  keys: JWTVerifyGetKey,
  { document, clientId, nonce, nowMs }: ForeignExpectation,
): Promise<ForeignClaims> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      audience: clientId,
      requiredClaims: ["iss", "sub", "aud", "exp", "iat"],
      clockTolerance: skewSeconds,
      // oxlint-disable-next-line no-restricted-globals -- jose takes the time of our clock as a Date
      currentDate: new Date(nowMs),
    });
    const { issuer } = document;
    const tenant =
      typeof payload["tid"] === "string" && /^[\w\-]+$/v.test(payload["tid"]) ? payload["tid"] : "";
    if (payload.iss !== issuer.replace(tenantWord, tenant))
      throw failed("its id_token is of another issuer");
    if (payload["nonce"] !== nonce) throw failed("its id_token is not for this sign-in");
    const { azp } = payload;
    const isForMany = Array.isArray(payload.aud) && payload.aud.length > 1;
    if (isForMany ? azp !== clientId : azp !== undefined && azp !== clientId) {
      throw failed("its id_token was issued to another client");
    }
    if ((payload.iat ?? 0) > Math.floor(nowMs / 1_000) + skewSeconds) {
      throw failed("its id_token is of the future");
    }
    const claims = readForeignClaims(payload);
    return isMicrosoft(issuer) ? { ...claims, emailVerified: isOwnDomain(payload) } : claims;
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw failed("its id_token does not hold", cause);
    throw cause;
  }
}

/** Reads claims of a token or of userinfo. @throws PROVIDER_FAILED without a subject. */
export function readForeignClaims(claims: Readonly<Record<string, unknown>>): ForeignClaims {
  const { sub, email, email_verified: verified, name, is_private_email: isPrivate } = claims;
  const isText = typeof sub === "string" && sub !== "" && sub.length <= subjectCharsMax;
  if (!isText || textProblem(sub) !== null) {
    throw failed("it does not tell who signed in");
  }
  return {
    subject: sub,
    email: typeof email === "string" && email !== "" ? email : null,
    emailVerified: isTrue(verified),
    name: typeof name === "string" && name !== "" ? fitText(name.slice(0, 200)) : null,
    isPrivateEmail: isTrue(isPrivate),
  };
}

/** Some providers write it as text. */
function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/** Whether a provider's word for an address (`email_verified`) is not looked at. */
export function isMicrosoft(issuer: string): boolean {
  return issuer.startsWith("https://login.microsoftonline.com/");
}

/** Whoever runs a tenant gives its people any address; this claim says that the address's domain is the tenant's. */
function isOwnDomain({ xms_edov: verified }: Readonly<Record<string, unknown>>): boolean {
  return isTrue(verified) || verified === 1 || verified === "1";
}
