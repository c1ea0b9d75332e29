// A provider that speaks OpenID Connect: its document and keys, kept for a while, and who an id_token is about.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { OpenIdProvider } from "../../model/auth-model.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { askForeign } from "./foreign-ask.ts";
import {
  documentUrl,
  failed,
  readForeignDocument,
  type ForeignDocument,
} from "./foreign-document.ts";
import { exchangeCode, type ForeignExchange } from "./foreign-exchange.ts";
import {
  isMicrosoft,
  readForeignClaims,
  verifyForeignIdToken,
  type ForeignClaims,
} from "./foreign-id-token.ts";

/** How long what a provider said of itself is believed. */
const keptMs = 3_600_000;
/** A token with a key that is not known makes us look again, but not more often than this. */
const keysAgainMs = 30_000;

interface Kept<T> {
  readonly value: Promise<T>;
  readonly atMs: number;
}

/** A provider to sign in at. */
export class ForeignOpenId {
  readonly settings: OpenIdProvider;
  readonly #desk: AuthDesk;
  #document: Kept<ForeignDocument> | null = null;
  #keys: Kept<ReturnType<typeof createLocalJWKSet>> | null = null;

  constructor(desk: AuthDesk, settings: OpenIdProvider) {
    this.#desk = desk;
    this.settings = settings;
  }

  /** Where a browser goes, and with what beside what every provider is told. @throws PROVIDER_FAILED. */
  async way(
    nonce: string,
  ): Promise<{ readonly endpoint: string; readonly query: Readonly<Record<string, string>> }> {
    const { authorizationEndpoint } = await this.#documentNow();
    const { scopes, isFormPost } = this.settings;
    return {
      endpoint: authorizationEndpoint,
      query: {
        scope: [...new Set(["openid", ...scopes])].join(" "),
        nonce,
        ...(isFormPost ? { response_mode: "form_post" } : {}),
      },
    };
  }

  /**
   * An answer of another server than the one asked (RFC 9207): some providers name themselves, none names another.
   * @throws PROVIDER_FAILED.
   */
  async assertIssuer(iss: string | null): Promise<void> {
    const { issuer, namesIssuer } = await this.#documentNow();
    if (iss === null ? namesIssuer : iss !== issuer) throw failed("another issuer answers");
  }

  /** Exchanges a code, and checks who it is about. @throws PROVIDER_FAILED. */
  async redeem(exchange: ForeignExchange): Promise<ForeignClaims> {
    const document = await this.#documentNow();
    const endpoint = { url: document.tokenEndpoint, secretIn: document.secretIn };
    const tokens = await exchangeCode(this.#desk, this.settings, endpoint, exchange);
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
    const json = await askForeign(this.#desk, userinfoEndpoint, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const told = readForeignClaims(json);
    if (told.subject !== claims.subject) throw failed("its userinfo is about somebody else");
    // What vouches for Microsoft's addresses stands in the token only.
    const emailVerified = isMicrosoft(document.issuer) ? false : told.emailVerified;
    return { ...told, emailVerified, name: told.name ?? claims.name };
  }

  #documentNow(): Promise<ForeignDocument> {
    const { issuer } = this.settings;
    const nowMs = this.#desk.clock.nowMs();
    if (this.#document === null || nowMs - this.#document.atMs > keptMs) {
      const value = askForeign(this.#desk, documentUrl(issuer)).then((json) =>
        readForeignDocument(json, issuer, this.#desk.settings.internalHosts),
      );
      this.#document = { value, atMs: nowMs };
      value.catch(() => (this.#document = null));
    }
    return this.#document.value;
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
      const value = askForeign(this.#desk, jwksUri).then((json) =>
        createLocalJWKSet(json as unknown as JSONWebKeySet),
      );
      this.#keys = { value, atMs: nowMs };
      value.catch(() => (this.#keys = null));
    }
    return this.#keys.value;
  }
}
