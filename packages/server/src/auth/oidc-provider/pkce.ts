// Proof Key for Code Exchange (RFC 7636), by digest only: a `plain` challenge shows the verifier to whoever sees
// the request.
import { createHash } from "node:crypto";

/** Whether a text can be a challenge: a SHA-256 digest, base64url. */
export function isPkceChallenge(text: string): boolean {
  return /^[\w\-]{43}$/v.test(text);
}

/** The challenge of a verifier. */
export function pkceChallenge(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

/** Whether a text can be a verifier (RFC 7636, 4.1). */
export function isPkceVerifier(text: string): boolean {
  return /^[\w\-.~]{43,128}$/v.test(text);
}
