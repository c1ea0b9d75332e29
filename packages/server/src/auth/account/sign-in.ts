// Signing in by address and password. Whatever is wrong, the answer, the work and the writes are the same: a password is
// hashed and a line is written down for an address that nobody has, too.
import { PlatformError } from "../../base/platform-error.ts";
import { accountOf, accountOfEmail } from "../account-find.ts";
import { bodyOf, signInFields, textField } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { normalEmail } from "../email-address.ts";
import { answerSignIn, draftSignIn } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import { admitSignIn } from "../sign-in-guard.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";

type SignInInput = {
  readonly user: string;
  /** The hash that the password was checked against: it must still be the one. */
  readonly checked: string;
  /** The same password hashed as today; null: it is. */
  readonly renewed: string | null;
  readonly device: SignInDevice;
};

/** Opens a session for a password that was right a moment ago. */
const signIn: AuthProcedure<SignInInput, SignInOutcome> = {
  name: "auth.signIn",
  async run(scope, { user, checked, renewed, device }) {
    const account = await accountOf(scope, user);
    if (account["passwordHash"] !== checked) throw new PlatformError("SIGN_IN_FAILED");
    if (renewed !== null) {
      await scope.tx.update("authAccount", account["id"] as string, { passwordHash: renewed });
    }
    return finishSignIn(scope, { user, methods: ["pwd"], isStrong: false }, device);
  },
};

type FailedInput = { readonly user: string | null; readonly place: AuthPlace };

/** Writes down a wrong password, also for nobody. */
const signInFailed: AuthProcedure<FailedInput, null> = {
  name: "auth.signInFailed",
  async run(scope, { user, place }) {
    await audit(scope, { kind: "signInFailed", user, ...place });
    return null;
  },
};

/** Whose password it is. */
export interface PasswordProof {
  readonly user: string;
  readonly hash: string;
  /** The same password hashed as today; null: it is. */
  readonly renewed: string | null;
}

/**
 * Checks the password of an address, with all that holds back who guesses.
 * @returns null when it is wrong, which is then written down. @throws RATE_LIMITED, OVERLOADED.
 */
export async function provePassword(
  desk: AuthDesk,
  ask: Pick<AuthAsk, "address" | "cookie" | "userAgent" | "requestId" | "nowMs">,
  tried: { readonly email: string; readonly password: string },
): Promise<PasswordProof | null> {
  const giveBack = admitSignIn(desk, { account: tried.email, ask });
  const account = await desk.store.read((tx) => accountOfEmail({ tx }, tried.email));
  const hash = account?.["passwordHash"] ?? null;
  const found = await desk.passwords.check(tried.password, hash as string | null);
  const user = account === null ? null : (account["user"] as string);
  if (!found.isRight || user === null || typeof hash !== "string") {
    await desk.run(signInFailed, { user, place: placeOf(ask) }, ask);
    return null;
  }
  giveBack();
  return { user, hash, renewed: found.isOld ? await desk.passwords.hash(tried.password) : null };
}

async function handleSignIn(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["email", "password", ...signInFields]);
  const email = normalEmail(body["email"]);
  const password = textField(body, "password", desk.limits.passwordCharsMax);
  const proof = await provePassword(desk, ask, { email, password });
  if (proof === null) throw new PlatformError("SIGN_IN_FAILED");
  const draft = draftSignIn(ask, desk);
  const { user, hash, renewed } = proof;
  const input: SignInInput = { user, checked: hash, renewed, device: draft.device };
  const outcome = await desk.run(signIn, input, ask);
  return answerSignIn(ask, desk, { outcome, draft });
}

/** Their procedures. */
export const signInProcedures = [signIn, signInFailed] as const;

/** Their addresses. */
export const signInRoutes: readonly AuthRoute[] = [
  {
    method: "POST",
    path: "/auth/sign-in",
    access: "anyone",
    isOn: ({ password }) => password !== null,
    handle: handleSignIn,
  },
];
