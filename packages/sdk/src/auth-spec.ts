// How people sign in to an app: `app({ auth: { ... } })`. Everything has a default, so an app that says nothing has
// sign-up by e-mail and password, links and codes by e-mail, passkeys and a second factor. Shapes only.
import type { AuthClientSpec, AuthProviderSpec } from "./auth-oidc-spec.ts";

/** What an app says of identity. All of it is optional. */
export interface AuthSpec {
  /** `open` (default): whoever comes may sign up. `closed`: users are made by the app, by import or by invitation. */
  readonly signUp?: "open" | "closed";
  /** Fields of the table `user` that people may fill in when they sign up. Default: `name`, if there is one. */
  readonly signUpFields?: readonly string[];
  /** Sign-in by e-mail and password. `min`: characters, 8 to 64. Default: on, with 10. */
  readonly password?: boolean | { readonly min?: number };
  /** Sign-in by a link sent by e-mail. Default: on. */
  readonly magicLink?: boolean;
  /** Sign-in by a code sent by e-mail. Default: on. */
  readonly emailCode?: boolean;
  /** Users without a name: `POST /auth/guest`. They keep their rows when they sign up. Default: off. */
  readonly guests?: boolean;
  /** Default: on. */
  readonly passkeys?: boolean;
  /** Codes of an authenticator app as a second factor. Default: on. */
  readonly totp?: boolean;
  /** Roles that must have a second factor: without one, they may do nothing but set it up. Default: none. */
  readonly secondFactorFor?: readonly string[];
  /** Whether people may make keys for programs in their name. Default: off. */
  readonly keys?: boolean;
  /** Organisations with members. `roles`: most powerful first; whoever makes one gets the first. Default: off. */
  readonly organisations?: boolean | { readonly roles?: readonly string[] };
  /** Sign-in by other providers, by name. Default: none. */
  readonly providers?: { readonly [name: string]: AuthProviderSpec };
  /**
   * Hosts of providers that are in a network of one's own under a name with dots: `["id.corp.example"]`. Such a name may
   * lead to a private address; any other name may not. Default: none.
   */
  readonly internalHosts?: readonly string[];
  /** Other systems that sign in with this app's users, by client id. Default: none. */
  readonly clients?: { readonly [id: string]: AuthClientSpec };
  /** Where people may be sent after they signed in, beside this server and the origins of `cors`: `https://example.com/app/`. */
  readonly redirects?: readonly string[];
  /** More schemes of the Authorization header that carry a token, beside Bearer: `["Token"]`. Default: none. */
  readonly schemes?: readonly string[];
  /** The address that people reach the app at, for links in letters: `https://tickets.example.com`. Default: what the server is started with. */
  readonly url?: string;
  /** What the app is called in letters and on pages. Default: "this app". */
  readonly name?: string;
}
