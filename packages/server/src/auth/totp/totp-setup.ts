// Setting up an authenticator app and recovery codes, and giving them up. An app counts from the moment that it gave a
// right code; with it, recovery codes are drawn, or a lost phone would be a lost account.
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { accountOf, findAll, findOne } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, type AuthPlace } from "../auth-event.ts";
import { recoveryCodesCount } from "./recovery-code.ts";

/** Begins: keeps a secret that counts for nothing yet. @returns whether it was kept; not while an app is set up. */
export const beginTotp: AuthProcedure<{ readonly user: string; readonly sealed: string }, boolean> =
  {
    name: "auth.totpBegin",
    async run(scope, { user, sealed }) {
      const { run, tx } = scope;
      await accountOf(scope, user);
      const found = await findOne(scope, "authTotp", "user", user);
      if (found !== null && found["confirmedAt"] !== null) return false;
      if (found !== null) await tx.delete("authTotp", found["id"] as string);
      await tx.insert("authTotp", {
        id: run.app.newId("authTotp"),
        user,
        secret: sealed,
        confirmedAt: null,
        lastStep: 0,
        createdAt: timeText(run.nowMs),
      });
      return true;
    },
  };

/** Confirms with the step whose code was right, and puts recovery codes in the place of those before. */
export const confirmTotp: AuthProcedure<
  AuthPlace & {
    readonly user: string;
    /** Where it was set up: it has shown a second factor now; null: by no session. */
    readonly session: string | null;
    /** The row that the code was held against. */
    readonly totp: string;
    readonly step: number;
    readonly recoveryDigests: readonly string[];
  },
  boolean
> = {
  name: "auth.totpConfirm",
  async run(scope, { user, session, totp, step, recoveryDigests, ...place }) {
    const { run, tx } = scope;
    const row = await tx.get("authTotp", totp, null);
    if (row === null || row["user"] !== user || row["confirmedAt"] !== null) return false;
    await tx.update("authTotp", totp, { confirmedAt: timeText(run.nowMs), lastStep: step });
    await putRecoveryDigests(scope, user, recoveryDigests);
    const account = await accountOf(scope, user);
    await tx.update("authAccount", account["id"] as string, { hasSecondFactor: true });
    await strengthen(scope, session);
    await audit(scope, { ...place, kind: "totpAdded", user, session });
    return true;
  },
};

/** Gives up the app and all recovery codes. @returns whether there was one. */
export const removeTotp: AuthProcedure<AuthPlace & { readonly user: string }, boolean> = {
  name: "auth.totpRemove",
  async run(scope, { user, ...place }) {
    const { tx } = scope;
    const found = await findOne(scope, "authTotp", "user", user);
    if (found === null) return false;
    await tx.delete("authTotp", found["id"] as string);
    await putRecoveryDigests(scope, user, []);
    const account = await accountOf(scope, user);
    await tx.update("authAccount", account["id"] as string, { hasSecondFactor: false });
    if (found["confirmedAt"] !== null) await audit(scope, { ...place, kind: "totpRemoved", user });
    return true;
  },
};

/** Puts new recovery codes in the place of those before. @returns false without a second factor: they would open nothing. */
export const renewRecovery: AuthProcedure<
  AuthPlace & { readonly user: string; readonly recoveryDigests: readonly string[] },
  boolean
> = {
  name: "auth.recoveryRenew",
  async run(scope, { user, recoveryDigests, ...place }) {
    const account = await accountOf(scope, user);
    if (account["hasSecondFactor"] !== true) return false;
    await putRecoveryDigests(scope, user, recoveryDigests);
    await audit(scope, { ...place, kind: "recoveryCodesDrawn", user });
    return true;
  },
};

async function strengthen({ tx }: ProcedureScope, session: string | null): Promise<void> {
  const row = session === null ? null : await tx.get("authSession", session, null);
  if (session === null || row === null) return;
  const methods = [...new Set([...(row["methods"] as readonly string[]), "otp", "mfa"])];
  await tx.update("authSession", session, { methods });
}

async function putRecoveryDigests(
  scope: ProcedureScope,
  user: string,
  digests: readonly string[],
): Promise<void> {
  const { run, tx } = scope;
  for (const row of await findAll(scope, "authRecovery", "user", user, recoveryCodesCount * 2)) {
    await tx.delete("authRecovery", row["id"] as string);
  }
  for (const digest of digests) {
    const id = run.app.newId("authRecovery");
    await tx.insert("authRecovery", { id, user, digest, createdAt: timeText(run.nowMs) });
  }
}
