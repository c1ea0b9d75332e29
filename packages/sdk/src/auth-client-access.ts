// `api.auth` of what else may act as the caller: keys for programs, accounts elsewhere, and systems they signed in to.
import type { AuthAsk } from "./auth-client-ask.ts";
import type { Id } from "./id.ts";

/** A key for programs; the key itself was shown when it was made. */
export interface ClientKey {
  readonly id: Id<"authKey">;
  readonly name: string;
  /** Its first characters. */
  readonly hint: string;
  /** What it may do; empty: all that the caller may. */
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

/** An account elsewhere that signs the caller in. */
export interface ClientIdentity {
  readonly id: string;
  readonly provider: string;
  readonly label: string;
  readonly email: string | null;
  readonly createdAt: string;
  readonly lastSignInAt: string | null;
}

/** What the caller allowed another system. */
export interface ClientConsent {
  readonly client: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
}

/** Keys, accounts elsewhere and consents as a client uses them. */
export interface ClientAccess {
  keys(): Promise<readonly ClientKey[]>;
  /** Makes one. @param fields `scopes`: none for all that the caller may; `days`: how long it lasts. @throws FRESH_SIGN_IN_REQUIRED. */
  createKey(fields: {
    readonly name: string;
    readonly scopes?: readonly string[];
    readonly days?: number;
  }): Promise<{ readonly id: Id<"authKey">; readonly key: string }>;
  endKey(id: string): Promise<void>;
  /** The providers that one can sign in with. */
  providers(): Promise<readonly { readonly name: string; readonly label: string }[]>;
  identities(): Promise<readonly ClientIdentity[]>;
  /** Adds an account elsewhere: send the browser to `location`. @throws FRESH_SIGN_IN_REQUIRED. */
  linkProvider(
    provider: string,
    fields?: { readonly next?: string },
  ): Promise<{ readonly location: string }>;
  /** @throws FRESH_SIGN_IN_REQUIRED; CONFLICT for the last way to sign in. */
  removeIdentity(id: string): Promise<void>;
  consents(): Promise<readonly ClientConsent[]>;
  /** Takes one back: the system's sign-ins end. */
  withdrawConsent(client: string): Promise<void>;
}

/** Builds them. */
export function accessCalls(ask: AuthAsk): ClientAccess {
  const list = async <T>(path: string, name: string) =>
    (await ask<{ readonly [name: string]: readonly T[] }>("GET", path))[name] ?? [];
  const one = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`;
  return {
    keys: () => list<ClientKey>("/auth/keys", "keys"),
    createKey: (fields) => ask("POST", "/auth/keys", fields),
    endKey: (id) => ask("DELETE", one("/auth/keys", id)),
    providers: () => list("/auth/providers", "providers"),
    identities: () => list<ClientIdentity>("/auth/identities", "identities"),
    linkProvider: (provider, fields = {}) =>
      ask("POST", `${one("/auth/providers", provider)}/link`, fields),
    removeIdentity: (id) => ask("DELETE", one("/auth/identities", id)),
    consents: () => list<ClientConsent>("/auth/consents", "consents"),
    withdrawConsent: (client) => ask("DELETE", one("/auth/consents", client)),
  };
}
