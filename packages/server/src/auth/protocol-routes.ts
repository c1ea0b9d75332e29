// Addresses of the protocols: second factor, passkeys, other providers, being a provider, organisations.
import type { AuthRoute } from "./auth-route.ts";
import { oidcClientRoutes } from "./oidc-client/foreign-routes.ts";
import { consentRoutes } from "./oidc-provider/consent-routes.ts";
import { oidcProviderRoutes } from "./oidc-provider/provider-routes.ts";
import { orgRoutes } from "./org/org-routes.ts";
import { passkeyRoutes } from "./passkey/passkey-routes.ts";
import { totpRoutes } from "./totp/totp-routes.ts";

/** All of them. */
export const protocolRoutes: readonly AuthRoute[] = [
  ...totpRoutes,
  ...passkeyRoutes,
  ...oidcClientRoutes,
  ...oidcProviderRoutes,
  ...consentRoutes,
  ...orgRoutes,
];
