// Users without a name: a session and a row in `user`, and nothing to sign in with again. Signing up from a guest's
// session gives the same user a name.
import { bodyOf, signInFields } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";
import { answerSignIn, draftSignIn } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { createAccount } from "./account-make.ts";

/** Guests from one network. */
const perNetwork: AuthRate = { name: "guests", quota: "100/hour" };

const openGuest: AuthProcedure<{ readonly device: SignInDevice }, SignInOutcome> = {
  name: "auth.openGuest",
  async run(scope, { device }) {
    const made = { email: null, emailVerified: false, fields: {}, isGuest: true };
    const { user } = await createAccount(scope, made);
    return finishSignIn(scope, { user, methods: ["guest"], isStrong: false }, device);
  },
};

async function handle(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  bodyOf(ask, signInFields);
  // Asked twice, it is the same guest: two tabs of one page.
  const { session } = ask;
  if (session !== null && ask.body["tokens"] !== true) {
    return { json: { user: ask.caller.id, session: session["id"] ?? null } };
  }
  desk.rates.take(perNetwork, networkKey(ask.address));
  const draft = draftSignIn(ask, desk);
  const outcome = await desk.run(openGuest, { device: draft.device }, ask);
  return answerSignIn(ask, desk, { outcome, draft });
}

/** Their procedures. */
export const guestProcedures = [openGuest] as const;

/** Their addresses. */
export const guestRoutes: readonly AuthRoute[] = [
  { method: "POST", path: "/auth/guest", access: "anyone", isOn: ({ guests }) => guests, handle },
];
