// Whoever showed that an address is theirs, by following a letter or typing its code, is the user with this address:
// the one there is, or a new one.
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { defaultAuth } from "../../model/auth-model.ts";
import type { Row } from "../../store/store.ts";
import { accountOfEmail, findAll } from "../account-find.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { asksSecondFactor } from "../caller-build.ts";
import { endSessionsOf } from "../session-end.ts";
import { createAccount } from "./account-make.ts";

/** More than one user has of anything. */
const rowsMax = 10_000;

/** What a proof of an address found. */
export interface ProvenUser {
  readonly user: string;
  /** As `handOver` gives it. */
  readonly factorGone?: string;
}

/** @throws ACCOUNT_DISABLED; VALUE_INVALID when users need more than an address. */
export async function userByProvenEmail(
  scope: ProcedureScope,
  email: string,
  place: AuthPlace,
): Promise<ProvenUser> {
  const account = await accountOfEmail(scope, email);
  if (account === null) {
    const { user } = await createAccount(scope, { email, emailVerified: true, fields: {} });
    await audit(scope, { kind: "signUp", user, ...placeOf(place) });
    return { user };
  }
  if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
  return { user: account["user"] as string, ...(await handOver(scope, account, place)) };
}

/**
 * Gives an account to whoever showed that its address is theirs. While nobody had, somebody else may have made it and have
 * waited for them: their password, sessions, keys, passkeys, accounts elsewhere and second factor count no more. Where the
 * user's role must have a second factor, that one stays: the app gave the role to a person, and asks them for both.
 * @returns the address to tell it to, when a second factor was there.
 */
export async function handOver(
  scope: ProcedureScope,
  account: Row,
  place: AuthPlace,
): Promise<Pick<ProvenUser, "factorGone">> {
  if (account["emailVerified"] === true) return {};
  const user = account["user"] as string;
  await endSessionsOf(scope, user, null);
  const hasFactor = account["hasSecondFactor"] === true;
  const isKept = hasFactor && (await mustHaveFactor(scope, user));
  const factor = isKept ? [] : ["authTotp", "authRecovery"];
  for (const table of ["authKey", "authPasskey", "authIdentity", ...factor]) {
    const rows = await findAll(scope, table, "user", user, rowsMax);
    for (const { id } of rows) await scope.tx.delete(table, id as string);
  }
  await scope.tx.update("authAccount", account["id"] as string, {
    emailVerified: true,
    passwordHash: null,
    hasSecondFactor: isKept,
  });
  if (!hasFactor || isKept) return {};
  const details = { reason: "emailProven" };
  await audit(scope, { kind: "totpRemoved", user, details, ...placeOf(place) });
  return { factorGone: account["email"] as string };
}

async function mustHaveFactor({ run, tx }: ProcedureScope, user: string): Promise<boolean> {
  const role = (await tx.get("user", user, null))?.["role"];
  return asksSecondFactor(
    run.app.manifest.auth ?? defaultAuth,
    typeof role === "string" ? role : null,
  );
}
