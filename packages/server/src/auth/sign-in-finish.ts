// The last step of every way to sign in, inside its transaction: whoever proved to be a user gets a session, or, with a
// second factor, a ticket to go on with. No way to sign in opens a session on its own.
import { PlatformError } from "../base/platform-error.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { Row } from "../store/store.ts";
import { accountOf } from "./account-find.ts";
import { audit, placeOf } from "./auth-event.ts";
import { issueTicket } from "./auth-ticket.ts";
import { openSession } from "./session-open.ts";
import type { SignInDevice, SignInOutcome, SignInProof } from "./sign-in-proof.ts";

/** Opens the session, or asks for the second factor. @throws ACCOUNT_DISABLED. */
export async function finishSignIn(
  scope: ProcedureScope,
  proof: SignInProof,
  device: SignInDevice,
): Promise<SignInOutcome> {
  const { run, tx } = scope;
  const { user, methods, isStrong } = proof;
  const account: Row = await accountOf(scope, user);
  if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
  if (account["hasSecondFactor"] === true && !isStrong) {
    const ticket = await issueTicket(scope, {
      purpose: "secondFactor",
      user,
      subject: null,
      digest: device.secondFactorDigest,
      ttlMs: run.app.limits.authCodeMs,
      data: { methods, client: device.client },
    });
    return { kind: "secondFactor", ticket, user };
  }
  const session = await openSession(scope, { user, methods, device });
  await tx.update("authAccount", account["id"] as string, {
    lastSignInAt: session["createdAt"] ?? null,
  });
  const id = session["id"] as string;
  await audit(scope, {
    ...placeOf(device),
    kind: "signIn",
    user,
    session: id,
    details: { methods },
  });
  const told = proof.factorGone === undefined ? {} : { factorGone: proof.factorGone };
  return { kind: "session", session: id, user, ...told };
}
