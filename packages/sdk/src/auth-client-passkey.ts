// Passkeys of this browser: the standard's own JSON forms of options and credentials (WebAuthn Level 3).
import { KeelsonError } from "./client-error.ts";

interface PasskeyClass {
  parseCreationOptionsFromJSON?(options: unknown): unknown;
  parseRequestOptionsFromJSON?(options: unknown): unknown;
}

interface Credentials {
  create(options: { readonly publicKey: unknown }): Promise<{ toJSON(): unknown } | null>;
  get(options: { readonly publicKey: unknown }): Promise<{ toJSON(): unknown } | null>;
}

/** Makes a passkey. @param options PublicKeyCredentialCreationOptionsJSON. @returns RegistrationResponseJSON. */
export async function createPasskey(options: unknown): Promise<unknown> {
  const { PublicKey, credentials } = browser();
  const publicKey = PublicKey.parseCreationOptionsFromJSON?.(options);
  return made(await credentials.create({ publicKey }));
}

/** Signs in with one. @param options PublicKeyCredentialRequestOptionsJSON. @returns AuthenticationResponseJSON. */
export async function usePasskey(options: unknown): Promise<unknown> {
  const { PublicKey, credentials } = browser();
  const publicKey = PublicKey.parseRequestOptionsFromJSON?.(options);
  return made(await credentials.get({ publicKey }));
}

function browser(): { readonly PublicKey: PasskeyClass; readonly credentials: Credentials } {
  const { PublicKeyCredential: PublicKey, navigator } = globalThis as {
    readonly PublicKeyCredential?: PasskeyClass;
    readonly navigator?: { readonly credentials?: Credentials };
  };
  const credentials = navigator?.credentials;
  if (PublicKey?.parseRequestOptionsFromJSON !== undefined && credentials !== undefined) {
    return { PublicKey, credentials };
  }
  throw new KeelsonError({
    code: "PASSKEYS_MISSING",
    message: "This browser has no passkeys.",
    status: 0,
    isSent: false,
  });
}

function made(credential: { toJSON(): unknown } | null): unknown {
  if (credential !== null) return credential.toJSON();
  throw new KeelsonError({
    code: "PASSKEY_NONE",
    message: "No passkey was used.",
    status: 0,
    isSent: false,
  });
}
