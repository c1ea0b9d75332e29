// The ceremonies of WebAuthn Level 3, by @simplewebauthn/server: what the browser is asked, and whether what it answers
// is true. No data is read or written here. Both ceremonies ask for user verification, so a passkey is two factors in
// one: something that the person has, and a finger, a face or a PIN.
import { PlatformError } from "../../base/platform-error.ts";
import type { Json } from "../../base/json.ts";

type Library = typeof import("@simplewebauthn/server");
type Registration = Parameters<Library["verifyRegistrationResponse"]>[0]["response"];
type Authentication = Parameters<Library["verifyAuthenticationResponse"]>[0]["response"];

/** ES256, RS256 and EdDSA: what every authenticator has one of. */
const algorithms = [-8, -7, -257];
const answerMs = 300_000;

/** Loaded when the first passkey is used: most of a server's life needs none of it. */
function library(): Promise<Library> {
  return import("@simplewebauthn/server");
}

/** This server as authenticators know it. */
export interface RelyingParty {
  /** The host's name, without port. */
  readonly id: string;
  readonly name: string;
  /** Pages that may ask: this server's, and the app's own on the same name. */
  readonly origins: readonly string[];
}

/** A passkey as it is kept. */
export interface KeptPasskey {
  readonly credential: string;
  /** COSE, base64url. */
  readonly publicKey: string;
  readonly transports: readonly string[];
}

/** What to ask the browser for a new passkey: `PublicKeyCredentialCreationOptionsJSON`. */
export async function registrationOptions(
  party: RelyingParty,
  asked: {
    readonly challenge: string;
    readonly user: string;
    /** What the person calls the account. */
    readonly account: string;
    readonly kept: readonly Pick<KeptPasskey, "credential" | "transports">[];
  },
): Promise<Json> {
  const { generateRegistrationOptions } = await library();
  const options = await generateRegistrationOptions({
    rpName: party.name,
    rpID: party.id,
    userID: Uint8Array.from(Buffer.from(asked.user)),
    userName: asked.account,
    userDisplayName: asked.account,
    challenge: Uint8Array.from(Buffer.from(asked.challenge)),
    timeout: answerMs,
    attestationType: "none",
    supportedAlgorithmIDs: algorithms,
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    excludeCredentials: asked.kept.map(({ credential, transports }) => ({
      id: credential,
      transports: [...transports],
    })),
  });
  return JSON.parse(JSON.stringify(options)) as Json;
}

/** What to ask the browser for signing in: any passkey of this server. */
export async function authenticationOptions(party: RelyingParty, challenge: string): Promise<Json> {
  const { generateAuthenticationOptions } = await library();
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    challenge: Uint8Array.from(Buffer.from(challenge)),
    timeout: answerMs,
    userVerification: "required",
  });
  return JSON.parse(JSON.stringify(options)) as Json;
}

/** A new passkey that a browser made. */
export interface MadePasskey extends KeptPasskey {
  readonly counter: number;
  readonly backedUp: boolean;
  /** As it stands in the answer, base64url. */
  readonly challenge: string;
}

/**
 * Checks the answer of a registration.
 * @param answer untrusted: `RegistrationResponseJSON`. @throws PASSKEY_INVALID.
 */
export async function verifyRegistration(
  party: RelyingParty,
  answer: Json,
  isChallenge: (coded: string) => boolean,
): Promise<MadePasskey> {
  const response = shapeOf(answer, [
    "clientDataJSON",
    "attestationObject",
  ]) as unknown as Registration;
  try {
    await assertUnattested(response.response.attestationObject);
    const { verifyRegistrationResponse } = await library();
    const expected = expectedOf(party, isChallenge);
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...expected.options,
      response,
      supportedAlgorithmIDs: algorithms,
    });
    if (!verified) throw new PlatformError("PASSKEY_INVALID");
    const { credential, credentialBackedUp } = registrationInfo;
    return {
      credential: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
      transports: transportsOf(response.response.transports),
      backedUp: credentialBackedUp,
      challenge: expected.challenge(),
    };
  } catch (cause) {
    throw new PlatformError("PASSKEY_INVALID", {}, { cause });
  }
}

/**
 * We ask for no attestation, and browsers take it out. Whoever sends one anyway would have us follow the addresses in
 * certificates of their own making.
 */
async function assertUnattested(coded: string): Promise<void> {
  const { decodeAttestationObject } = await import("@simplewebauthn/server/helpers");
  const decoded = decodeAttestationObject(Uint8Array.from(Buffer.from(coded, "base64url")));
  const format = decoded.get("fmt");
  const isSelf = format === "packed" && decoded.get("attStmt").get("x5c") === undefined;
  if (format !== "none" && !isSelf) throw new PlatformError("PASSKEY_INVALID");
}

/** Somebody who showed a passkey. */
export interface ShownPasskey {
  readonly counter: number;
  readonly backedUp: boolean;
  readonly challenge: string;
}

/**
 * Checks the answer of a sign-in.
 * @param answer untrusted: `AuthenticationResponseJSON`. @param kept the passkey that it names. @throws PASSKEY_INVALID.
 */
export async function verifyAuthentication(
  party: RelyingParty,
  asked: { readonly answer: Json; readonly kept: KeptPasskey },
  isChallenge: (coded: string) => boolean,
): Promise<ShownPasskey> {
  const { answer, kept } = asked;
  const response = shapeOf(answer, [
    "clientDataJSON",
    "authenticatorData",
    "signature",
  ]) as unknown as Authentication;
  try {
    const { verifyAuthenticationResponse } = await library();
    const expected = expectedOf(party, isChallenge);
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...expected.options,
      response,
      credential: {
        id: kept.credential,
        publicKey: Uint8Array.from(Buffer.from(kept.publicKey, "base64url")),
        // Compared in the transaction, against the newest and with a record of it: this one refuses nothing.
        counter: 0,
      },
    });
    if (!verified) throw new PlatformError("PASSKEY_INVALID");
    const { newCounter, credentialBackedUp } = authenticationInfo;
    return {
      counter: newCounter,
      backedUp: credentialBackedUp,
      challenge: expected.challenge(),
    };
  } catch (cause) {
    throw new PlatformError("PASSKEY_INVALID", {}, { cause });
  }
}

/** What every answer must be of, and the challenge that it was of: it stands inside what the library takes apart. */
function expectedOf(party: RelyingParty, isChallenge: (coded: string) => boolean) {
  let challenge = "";
  const options = {
    expectedChallenge(coded: string): boolean {
      challenge = coded;
      return isChallenge(coded);
    },
    expectedOrigin: [...party.origins],
    expectedRPID: party.id,
    requireUserVerification: true,
  };
  return { options, challenge: () => challenge };
}

/** The credential's id that an answer names. @throws PASSKEY_INVALID. */
export function credentialOf(answer: Json | undefined): string {
  const id = isObject(answer) ? answer["id"] : null;
  if (typeof id === "string" && /^[\w\-]{16,1400}$/v.test(id)) return id;
  throw new PlatformError("PASSKEY_INVALID");
}

/** The user's handle that an answer names: the user's id; null without one. */
export function userHandleOf(answer: Json): string | null {
  const response = isObject(answer) ? answer["response"] : undefined;
  const handle = isObject(response) ? response["userHandle"] : undefined;
  return typeof handle === "string" ? Buffer.from(handle, "base64url").toString("utf8") : null;
}

/** An answer whose texts are texts: what the library goes on to decode. */
function shapeOf(answer: Json, names: readonly string[]): { readonly [name: string]: Json } {
  if (!isObject(answer) || !isObject(answer["response"]))
    throw new PlatformError("PASSKEY_INVALID");
  const { response } = answer;
  const texts = [
    answer["id"],
    answer["rawId"],
    answer["type"],
    ...names.map((name) => response[name]),
  ];
  if (texts.every((text) => typeof text === "string")) {
    const clientExtensionResults = isObject(answer["clientExtensionResults"])
      ? answer["clientExtensionResults"]
      : {};
    return { ...answer, clientExtensionResults };
  }
  throw new PlatformError("PASSKEY_INVALID");
}

function transportsOf(given: unknown): readonly string[] {
  if (!Array.isArray(given)) return [];
  return given
    .filter((name): name is string => typeof name === "string" && /^[a-z\-]{1,40}$/v.test(name))
    .slice(0, 10);
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
