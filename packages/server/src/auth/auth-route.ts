// How an address under `/auth/*` or `/.well-known/*` is declared: as data, told apart by method and path, answered by a
// function of what was asked. Nothing here knows sockets; doors/auth-http.ts carries it over HTTP.
import type { ErrorCode } from "../base/error-codes.ts";
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { Caller } from "../gate/identity.ts";
import type { Row } from "../store/store.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthModel } from "../model/auth-model.ts";

/** What was asked. */
export interface AuthAsk {
  readonly method: string;
  readonly path: string;
  /** The parts that the route names: `:id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The fields of the body, a JSON object or a form (every value a text then); empty without one. */
  readonly body: { readonly [name: string]: Json };
  /** Whether the body was a form: somebody looks at a page. */
  readonly isForm: boolean;
  /** Scheme, host and port that the caller sees: `https://example.com`. */
  readonly origin: string;
  readonly authorization: string | null;
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string;
  readonly nowMs: number;
  /** Who asks; anonymous without credentials, and with ones that do not hold (see `credentialError`). */
  readonly caller: Caller;
  /** The session of the caller; null: anonymous, a key, a token without a session. */
  readonly session: Row | null;
  /** Why credentials that came were not taken: TOKEN_INVALID, TOKEN_EXPIRED. Null: none came, or they hold. */
  readonly credentialError: unknown;
  header(name: string): string | null;
  /** @param name without prefix. */
  cookie(name: string): string | null;
}

/** A cookie to set. Always HttpOnly, SameSite=Lax, for the whole host; Secure over https. */
export interface AuthCookie {
  readonly name: string;
  /** Null deletes it. */
  readonly value: string | null;
  /** Null: until the browser ends. */
  readonly maxAgeSeconds: number | null;
}

/** An answer. One of `json`, `html`, `location`; none: 204. */
export interface AuthAnswer {
  /** Default: 200, 303 with `location`, 204 with nothing. */
  readonly status?: number;
  readonly json?: Json;
  readonly html?: string;
  /** A path of this server, or an address that `desk.redirects` let through. */
  readonly location?: string;
  readonly cookies?: readonly AuthCookie[];
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Why it is not what was asked for, when a page says so: for the log. */
  readonly refusal?: ErrorCode;
}

/** Who may ask: anybody, somebody signed in, or somebody who proved within limits.authFreshMs who they are. */
export type AuthAccess = "anyone" | "signed-in" | "fresh";

/** One address. */
export interface AuthRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/auth/sessions/:id`. */
  readonly path: string;
  readonly access: AuthAccess;
  /**
   * Whether it also answers a session that has not shown the second factor that its role asks for: only what shows or
   * sets one up. Default: no.
   */
  readonly takesWeak?: boolean;
  /**
   * `api` (default): JSON in and out. `page`: HTML for people; GET, and POST of forms. The same path may have both:
   * a form goes to the page, JSON to the API, and GET to the page unless JSON is asked for.
   * `protocol`: for other programs by a standard (token, userinfo, discovery): forms or JSON, any origin may read it,
   * cookies are not looked at.
   */
  readonly kind?: "api" | "page" | "protocol";
  /** Whether the app has it at all. Default: yes. */
  readonly isOn?: (settings: AuthModel) => boolean;
  /** What is thrown is answered as a refusal: problem details, or the page's way of showing one. */
  readonly handle: (ask: AuthAsk, desk: AuthDesk) => Later<AuthAnswer>;
}
