// A code becomes tokens (RFC 6749, 4.1.3), by showing the client's secret: in the header, in the form, or as a token
// that is signed with a private key, which is how Apple has it.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { AuthProvider } from "../../model/auth-model.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { askForeign, type ForeignJson } from "./foreign-ask.ts";
import { failed } from "./foreign-document.ts";

/** A code that came back, and what it was asked for with. */
export interface ForeignExchange {
  readonly code: string;
  readonly redirectUri: string;
  readonly verifier: string;
  readonly nonce: string;
}

/** Where codes are exchanged. */
export interface ForeignTokenEndpoint {
  readonly url: string;
  readonly secretIn: "header" | "body";
}

/** A signed secret is for this exchange only. */
const signedSeconds = 300;

/** Exchanges a code. @returns what the provider answers, unread. @throws PROVIDER_FAILED. */
export async function exchangeCode(
  desk: AuthDesk,
  settings: AuthProvider,
  endpoint: ForeignTokenEndpoint,
  { code, redirectUri, verifier }: Omit<ForeignExchange, "nonce">,
): Promise<ForeignJson> {
  const { clientId } = settings;
  const secret = await secretOf(desk, settings);
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
  if (secret !== null && endpoint.secretIn === "header") {
    const pair = `${formCoded(clientId)}:${formCoded(secret)}`;
    headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
  } else {
    form.set("client_id", clientId);
    if (secret !== null) form.set("client_secret", secret);
  }
  return askForeign(desk, endpoint.url, { method: "POST", headers, body: form.toString() });
}

async function secretOf(desk: AuthDesk, settings: AuthProvider): Promise<string | null> {
  const { secret: name, clientId } = settings;
  if (name === null) return null;
  const secret = desk.secret(name);
  if (secret === null) throw failed(`the secret ${name} is not set where this server runs`);
  if (settings.kind === "oauth" || settings.signer === null) return secret;
  const { team, key } = settings.signer;
  const issuedAt = Math.floor(desk.clock.nowMs() / 1_000);
  return new SignJWT()
    .setProtectedHeader({ alg: "ES256", kid: key })
    .setIssuer(team)
    .setSubject(clientId)
    .setAudience(settings.issuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + signedSeconds)
    .sign(signingKey(secret, name));
}

function signingKey(pem: string, name: string): KeyObject {
  let key: KeyObject;
  try {
    // An environment often holds no line breaks but `\n` as it is written.
    key = createPrivateKey(pem.replaceAll("\\n", "\n"));
  } catch {
    // Its error may quote what it read.
    throw failed(`the secret ${name} is no private key`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw failed(`the secret ${name} is no key for ES256`);
  }
  return key;
}

/** As `application/x-www-form-urlencoded` writes it (RFC 6749, 2.3.1). */
function formCoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
