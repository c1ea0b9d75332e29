// Other sides of OpenID Connect: providers that sign people in here, and clients that sign people in with this app.

/** Providers that are known by name. */
export type AuthProviderPreset = "apple" | "discord" | "github" | "gitlab" | "google" | "microsoft";

/**
 * A provider that signs people in to this app: one that is known by name, one that speaks OpenID Connect (`issuer`), or
 * one that speaks OAuth 2.0 only (`authorizationEndpoint`, `tokenEndpoint`, `userinfoEndpoint`, `claims`).
 */
export interface AuthProviderSpec {
  readonly clientId: string;
  /** Name of the environment variable that holds the client's secret; Apple's: the key. Default: a public client, PKCE only. */
  readonly secret?: string;
  /** What to ask for. Default: openid, email, profile; the preset's own; none with OAuth 2.0. */
  readonly scopes?: readonly string[];
  /** What its button says. Default: the preset's, or the name it has here. */
  readonly label?: string;
  /** Which one it is. Default: the name it has here, if that is one's and neither an issuer nor endpoints are given. */
  readonly preset?: AuthProviderPreset;
  /** OpenID Connect: its issuer, `https://accounts.google.com`. */
  readonly issuer?: string;
  /** Apple: the team that the key belongs to, ten characters. */
  readonly teamId?: string;
  /** Apple: the key's id, ten characters. */
  readonly keyId?: string;
  /** OAuth 2.0 only. */
  readonly authorizationEndpoint?: string;
  /** OAuth 2.0 only. */
  readonly tokenEndpoint?: string;
  /** OAuth 2.0 only: what tells who the owner of a token is, as a JSON object. */
  readonly userinfoEndpoint?: string;
  /** OAuth 2.0 only: a list of `{ email, primary, verified }`, as GitHub has it. Default: none. */
  readonly emailsEndpoint?: string;
  /** OAuth 2.0 only: where the client's secret is shown. Default: body. */
  readonly secretIn?: "header" | "body";
  /** OAuth 2.0 only: where userinfo says what. */
  readonly claims?: AuthProviderClaims;
}

/** Where an answer has what is asked of it: names of its fields, with dots between those of inner objects. */
export interface AuthProviderClaims {
  /** Who it is: never changes, and never becomes somebody else's. A text or a whole number. */
  readonly id: string;
  /** Default: no address is known. */
  readonly email?: string;
  /** Whether the address is verified: true there. Default: it is not, and counts for nothing. */
  readonly emailVerified?: string;
  /** Default: no name is known. */
  readonly name?: string;
}

/** A system that signs people in with this app. */
export interface AuthClientSpec {
  /** What people read when they are asked for consent. */
  readonly name: string;
  /** Exact addresses; no patterns. */
  readonly redirects: readonly string[];
  /** Name of the environment variable that holds its secret. Default: a public client. */
  readonly secret?: string;
  /** Whether people are asked before it gets anything. Default: true. */
  readonly consent?: boolean;
  /** Default: openid, email, profile, offline_access. */
  readonly scopes?: readonly string[];
  /** Exact addresses to go to after signing out. */
  readonly logoutRedirects?: readonly string[];
}
