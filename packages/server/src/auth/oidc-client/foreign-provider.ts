// Asks a provider: its document and keys, kept for a while, and the exchange of a code. All that goes over the network
// for signing in elsewhere is here.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { AuthProvider } from "../../model/auth-model.ts";
import type { AuthDesk } from "../auth-desk.ts";
import {
  documentUrl,
  failed,
  readForeignDocument,
  type ForeignDocument,
} from "./foreign-document.ts";
import { readForeignClaims, verifyForeignIdToken, type ForeignClaims } from "./foreign-id-token.ts";

/** How long what a provider said of itself is believed. */
const keptMs = 3_600_000;
/** A token with a key that is not known makes us look again, but not more often than this. */
const keysAgainMs = 30_000;
const answerCharsMax = 524_288;

interface Kept<T> {
  readonly value: Promise<T>;
  readonly atMs: number;
}

/** A provider to sign in at. */
export class ForeignProvider {
  readonly settings: AuthProvider;
  readonly #desk: AuthDesk;
  #document: Kept<ForeignDocument> | null = null;
  #keys: Kept<ReturnType<typeof createLocalJWKSet>> | null = null;

  constructor(desk: AuthDesk, settings: AuthProvider) {
    this.#desk = desk;
    this.settings = settings;
  }

  /** What it says of itself. @throws PROVIDER_FAILED. */
  document(): Promise<ForeignDocument> {
    const { issuer } = this.settings;
    const nowMs = this.#desk.clock.nowMs();
    if (this.#document === null || nowMs - this.#document.atMs > keptMs) {
      const value = this.#read(documentUrl(issuer)).then((json) =>
        readForeignDocument(json, issuer),
      );
      this.#document = { value, atMs: nowMs };
      value.catch(() => (this.#document = null));
    }
    return this.#document.value;
  }

  /**
   * Exchanges a code, and checks who it is about.
   * @throws PROVIDER_FAILED.
   */
  async redeem(exchange: {
    readonly code: string;
    readonly redirectUri: string;
    readonly verifier: string;
    readonly nonce: string;
  }): Promise<ForeignClaims> {
    const document = await this.document();
    const tokens = await this.#exchange(document, exchange);
    const { id_token: idToken, access_token: accessToken } = tokens;
    if (typeof idToken !== "string") throw failed("it sent no id_token");
    const claims = await verifyForeignIdToken(idToken, this.#keyFinder(document), {
      document,
      clientId: this.settings.clientId,
      nonce: exchange.nonce,
      nowMs: this.#desk.clock.nowMs(),
    });
    const { userinfoEndpoint } = document;
    if (claims.email !== null || userinfoEndpoint === null || typeof accessToken !== "string")
      return claims;
    // Many providers tell the address at userinfo only. It counts if it is about the same person (Core 5.3.2).
    const json = await this.#read(userinfoEndpoint, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const told = readForeignClaims(json);
    if (told.subject !== claims.subject) throw failed("its userinfo is about somebody else");
    return { ...told, name: told.name ?? claims.name };
  }

  async #exchange(
    { tokenEndpoint, secretIn }: ForeignDocument,
    {
      code,
      redirectUri,
      verifier,
    }: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
  ): Promise<Readonly<Record<string, unknown>>> {
    const { clientId, secret: name } = this.settings;
    const secret = name === null ? null : this.#desk.secret(name);
    if (name !== null && secret === null)
      throw failed(`the secret ${name} is not set where this server runs`);
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
    if (secret !== null && secretIn === "header") {
      const pair = `${formCoded(clientId)}:${formCoded(secret)}`;
      headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
    } else {
      form.set("client_id", clientId);
      if (secret !== null) form.set("client_secret", secret);
    }
    return this.#read(tokenEndpoint, { method: "POST", headers, body: form.toString() });
  }

  #keyFinder({ jwksUri }: ForeignDocument): JWTVerifyGetKey {
    return async (header, token) => {
      const { clock } = this.#desk;
      const known = await this.#keySet(jwksUri, keptMs);
      try {
        return await known(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const atMs = this.#keys?.atMs ?? 0;
        if (clock.nowMs() - atMs < keysAgainMs) throw error;
        return (await this.#keySet(jwksUri, 0))(header, token);
      }
    };
  }

  #keySet(jwksUri: string, ageMsMax: number): Promise<ReturnType<typeof createLocalJWKSet>> {
    const nowMs = this.#desk.clock.nowMs();
    if (this.#keys === null || nowMs - this.#keys.atMs > ageMsMax) {
      const value = this.#read(jwksUri).then((json) =>
        createLocalJWKSet(json as unknown as JSONWebKeySet),
      );
      this.#keys = { value, atMs: nowMs };
      value.catch(() => (this.#keys = null));
    }
    return this.#keys.value;
  }

  /** A JSON object from the provider. Redirects are not followed: they would carry secrets to wherever it says. */
  async #read(url: string, init: RequestInit = {}): Promise<Readonly<Record<string, unknown>>> {
    const headers = {
      accept: "application/json",
      ...(init.headers as Record<string, string> | undefined),
    };
    let text: string;
    let status: number;
    try {
      const response = await this.#desk.fetch(url, { ...init, headers, redirect: "manual" });
      ({ status } = response);
      text = await response.text();
    } catch (cause) {
      throw failed("it does not answer", cause);
    }
    if (status !== 200) throw failed(`it answers with ${status}`);
    try {
      const json: unknown = text.length > answerCharsMax ? null : JSON.parse(text);
      if (typeof json === "object" && json !== null)
        return json as Readonly<Record<string, unknown>>;
    } catch (cause) {
      throw failed("its answer is no JSON", cause);
    }
    throw failed("its answer is no object");
  }
}

/** As `application/x-www-form-urlencoded` writes it (RFC 6749, 2.3.1). */
function formCoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

const opened = new WeakMap<AuthDesk, Map<string, ForeignProvider>>();

/** The provider of that name; null when the app names none such. */
export function foreignProvider(desk: AuthDesk, name: string): ForeignProvider | null {
  const { providers } = desk.settings;
  const settings = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (settings === undefined) return null;
  const all = opened.get(desk) ?? new Map<string, ForeignProvider>();
  opened.set(desk, all);
  const provider = all.get(name) ?? new ForeignProvider(desk, settings);
  all.set(name, provider);
  return provider;
}
