// Every address of identity. The first whose method and path fit answers.
import { changeRoutes } from "./account/change.ts";
import { confirmRoutes } from "./account/confirm.ts";
import { deleteRoutes } from "./account/delete.ts";
import { emailCodeRoutes } from "./account/email-code.ts";
import { guestRoutes } from "./account/guest.ts";
import { jwksRoutes } from "./account/jwks.ts";
import { keyRoutes } from "./account/keys.ts";
import { magicLinkRoutes } from "./account/magic-link.ts";
import { refreshRoutes } from "./account/refresh.ts";
import { resetRoutes } from "./account/reset.ts";
import { sessionRoutes } from "./account/sessions.ts";
import { signInRoutes } from "./account/sign-in.ts";
import { signUpRoutes } from "./account/sign-up.ts";
import type { AuthRoute } from "./auth-route.ts";
import { pageRoutes } from "./pages/page-routes.ts";
import { protocolRoutes } from "./protocol-routes.ts";

const api: readonly AuthRoute[] = [
  ...sessionRoutes,
  ...refreshRoutes,
  ...signInRoutes,
  ...signUpRoutes,
  ...magicLinkRoutes,
  ...emailCodeRoutes,
  ...resetRoutes,
  ...guestRoutes,
  ...confirmRoutes,
  ...changeRoutes,
  ...deleteRoutes,
  ...keyRoutes,
  ...jwksRoutes,
  ...protocolRoutes,
];

/** All of them; pages work through the others. */
export const authRoutes: readonly AuthRoute[] = [...api, ...pageRoutes(api)];
