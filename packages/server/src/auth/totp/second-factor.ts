// The second step of a sign-in: a ticket of the first, and a code. One transaction: the ticket is taken, the code's
// step or the recovery code is spent, the session opens. A wrong code is counted and answered, never thrown: what
// was thrown would be undone, the count too.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { findAll, findOne } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf } from "../auth-event.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInMethod, SignInOutcome } from "../sign-in-proof.ts";
import { recoveryCodesCount } from "./recovery-code.ts";

/** The purpose of the ticket that the first step gives. */
export const secondFactorPurpose = "secondFactor";

/** What somebody shows as the second factor. */
export type SecondFactorShown =
  /** The step whose code it is, of that app; null: no code of it counts now. */
  | { readonly kind: "totp"; readonly totp: string; readonly step: number | null }
  | { readonly kind: "recovery"; readonly digest: string };

/** What came of it. */
export type SecondFactorOutcome = SignInOutcome | { readonly kind: "wrong"; readonly user: string };

/** Finishes a sign-in. @throws TICKET_INVALID when the ticket is none, too old, or was tried too often. */
export const finishSecondFactor: AuthProcedure<
  {
    readonly ticket: string;
    readonly digest: string;
    readonly shown: SecondFactorShown;
    readonly device: SignInDevice;
  },
  SecondFactorOutcome
> = {
  name: "auth.secondFactor",
  async run(scope, { ticket: id, digest, shown, device }) {
    const { run, tx } = scope;
    const ticket = await tx.get("authTicket", id, null);
    if (
      ticket === null ||
      ticket["purpose"] !== secondFactorPurpose ||
      ticket["digest"] !== digest ||
      (ticket["expiresAt"] as string) <= timeText(run.nowMs)
    ) {
      throw new PlatformError("TICKET_INVALID");
    }
    const user = ticket["user"] as string;
    if (!(await spend(scope, user, shown))) {
      await countWrong(scope, ticket, device);
      return { kind: "wrong", user };
    }
    await tx.delete("authTicket", id);
    const first = ticket["data"] as { methods: readonly SignInMethod[]; client: string | null };
    const methods: readonly SignInMethod[] = [...first.methods, "otp", "mfa"];
    const proof = { user, methods, isStrong: true };
    return finishSignIn(scope, proof, { ...device, client: first.client });
  },
};

async function countWrong(scope: ProcedureScope, ticket: Row, device: SignInDevice): Promise<void> {
  const { run, tx } = scope;
  const id = ticket["id"] as string;
  const tries = (ticket["tries"] as number) + 1;
  if (tries >= run.app.limits.authCodeTriesMax) await tx.delete("authTicket", id);
  else await tx.update("authTicket", id, { tries });
  const user = ticket["user"] as string;
  await audit(scope, { ...placeOf(device), kind: "secondFactorFailed", user });
}

/** Spends a code. @returns whether it was good. */
export async function spend(
  scope: ProcedureScope,
  user: string,
  shown: SecondFactorShown,
): Promise<boolean> {
  const { tx } = scope;
  if (shown.kind === "totp") {
    const { totp, step } = shown;
    const row = await findOne(scope, "authTotp", "user", user);
    if (row === null || row["id"] !== totp || row["confirmedAt"] === null) return false;
    // Compared again here: of two with the same code at the same time, the second one is too late.
    if (step === null || step <= (row["lastStep"] as number)) return false;
    await tx.update("authTotp", totp, { lastStep: step });
    return true;
  }
  const rows = await findAll(scope, "authRecovery", "user", user, recoveryCodesCount * 2);
  const row = rows.find(({ digest }) => digest === shown.digest);
  if (row === undefined) return false;
  await tx.delete("authRecovery", row["id"] as string);
  return true;
}
