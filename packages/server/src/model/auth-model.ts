// The settings of identity, complete: nobody behind the manifest looks for an absent one.

interface ProviderBasics {
  readonly clientId: string;
  /** Environment variable; null: a public client. */
  readonly secret: string | null;
  readonly scopes: readonly string[];
  readonly label: string;
}

/** A provider that speaks OpenID Connect, complete. */
export interface OpenIdProvider extends ProviderBasics {
  readonly kind: "openid";
  readonly issuer: string;
  /** Whether its answer comes as a form that its page posts, and not in the address. */
  readonly isFormPost: boolean;
  /** Set: the secret is a private key (PKCS #8), and what is shown is signed with it each time. */
  readonly signer: { readonly team: string; readonly key: string } | null;
}

/** A provider that speaks OAuth 2.0 only, complete. */
export interface OAuthProvider extends ProviderBasics {
  readonly kind: "oauth";
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint: string;
  /** Null: userinfo tells the address. */
  readonly emailsEndpoint: string | null;
  readonly secretIn: "header" | "body";
  /** Fields of userinfo, with dots; null: it does not tell. */
  readonly claims: {
    readonly id: string;
    readonly email: string | null;
    readonly emailVerified: string | null;
    readonly name: string | null;
  };
}

/** A provider, complete. */
export type AuthProvider = OpenIdProvider | OAuthProvider;

/** A client, complete. */
export interface AuthClient {
  readonly name: string;
  readonly redirects: readonly string[];
  readonly secret: string | null;
  readonly consent: boolean;
  readonly scopes: readonly string[];
  readonly logoutRedirects: readonly string[];
}

/** The settings of identity. */
export interface AuthModel {
  readonly signUp: "open" | "closed";
  readonly signUpFields: readonly string[];
  /** Null: no sign-in by password. */
  readonly password: { readonly min: number } | null;
  readonly magicLink: boolean;
  readonly emailCode: boolean;
  readonly guests: boolean;
  readonly passkeys: boolean;
  readonly totp: boolean;
  readonly secondFactorFor: readonly string[];
  readonly keys: boolean;
  /** Null: there are none. Most powerful role first. */
  readonly organisations: { readonly roles: readonly string[] } | null;
  readonly providers: Readonly<Record<string, AuthProvider>>;
  /** Lower case, without a port: names of providers that may lead to private addresses. */
  readonly internalHosts: readonly string[];
  readonly clients: Readonly<Record<string, AuthClient>>;
  /** Addresses under which people may be sent, ending in a slash. */
  readonly redirects: readonly string[];
  /** Lower case, without bearer. */
  readonly schemes: readonly string[];
  /** Scheme, host and port that people reach the app at; null: what the server is started with. */
  readonly url: string | null;
  readonly name: string;
}

/** The settings of an app that says nothing. */
export const defaultAuth: AuthModel = Object.freeze({
  signUp: "open",
  signUpFields: ["name"],
  password: { min: 10 },
  magicLink: true,
  emailCode: true,
  guests: false,
  passkeys: true,
  totp: true,
  secondFactorFor: [],
  keys: false,
  organisations: null,
  providers: {},
  internalHosts: [],
  clients: {},
  redirects: [],
  schemes: [],
  url: null,
  name: "this app",
});
