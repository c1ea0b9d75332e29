// Identity of one version of the app in one thread, put together: who calls, and the addresses under `/auth/*`. It is
// loaded when the first credentials or the first such request come: most servers start with anonymous requests.
import { assert } from "../base/assert.ts";
import type { Json } from "../base/json.ts";
import type { Run } from "../gate/gate-app.ts";
import { authFunctions } from "./auth-functions.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AppIdentity } from "./app-identity.ts";
import { authRoutes } from "./auth-routes.ts";
import type { AuthRoute } from "./auth-route.ts";

/** Identity at a door. */
export interface AuthService {
  readonly identity: AppIdentity;
  readonly desk: AuthDesk;
  /** Those that the app has, for somebody who looks at a page: its forms and its GETs come first. */
  readonly forPeople: readonly AuthRoute[];
  /** The same, for programs. */
  readonly forPrograms: readonly AuthRoute[];
  /** Answers `ctx.auth` of a function. @param name `auth.createUser`. */
  callFunction(name: string, run: Run, input: { readonly [key: string]: Json }): Promise<Json>;
}

/** Puts it together. */
export function openAuthService(identity: AppIdentity, desk: AuthDesk): AuthService {
  const own = authRoutes.filter(({ isOn }) => isOn === undefined || isOn(desk.settings));
  const pages = own.filter(({ kind }) => kind === "page");
  const others = own.filter(({ kind }) => kind !== "page");
  return {
    identity,
    desk,
    forPeople: [...pages, ...others],
    forPrograms: [...others, ...pages.filter(({ method }) => method === "GET")],
    callFunction(name, run, input) {
      const found = authFunctions[name];
      assert(found !== undefined, `${name} is a function of identity`);
      return found(desk, run, input);
    },
  };
}
