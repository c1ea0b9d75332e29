// Other sides of OpenID Connect: providers that sign people in here, and clients that sign people in with this app.

/** A provider that signs people in to this app. */
export interface AuthProviderSpec {
  /** Its issuer: `https://accounts.google.com`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Name of the environment variable that holds the client's secret. Default: a public client, PKCE only. */
  readonly secret?: string;
  /** Default: openid, email, profile. */
  readonly scopes?: readonly string[];
  /** What its button says. Default: the name it has here. */
  readonly label?: string;
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
