// Every page of identity, as routes.
import type { AuthRoute } from "../auth-route.ts";
import { accountPages } from "./account-page.ts";
import { consentPage } from "./consent-page.ts";
import { keyPages } from "./key-pages.ts";
import { mailPages } from "./mail-pages.ts";
import { orgPages } from "./org-pages.ts";
import { routesOfPage, type Page } from "./page-route.ts";
import { securityPages } from "./security-page.ts";
import { sessionPages } from "./session-pages.ts";
import { secondFactorPage, signInPage } from "./sign-in-page.ts";
import { signUpPage } from "./sign-up-page.ts";
import { totpPages } from "./totp-page.ts";

const pages: readonly Page[] = [
  signInPage,
  secondFactorPage,
  signUpPage,
  ...mailPages,
  ...accountPages,
  ...securityPages,
  ...totpPages,
  ...sessionPages,
  ...orgPages,
  ...keyPages,
  consentPage,
];

/** @param api the routes that pages work through. */
export function pageRoutes(api: readonly AuthRoute[]): readonly AuthRoute[] {
  return pages.flatMap((page) => routesOfPage(page, api));
}
