// Whoever showed that an address is theirs, by following a letter or typing its code, is the user with this address:
// the one there is, or a new one.
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { accountOfEmail } from "../account-find.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { clearAccess } from "./account-clear.ts";
import { createAccount } from "./account-make.ts";

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
 * waited for them: their password and all that `clearAccess` takes away count no more.
 * @returns the address to tell it to, when a second factor went with it.
 */
export async function handOver(
  scope: ProcedureScope,
  account: Row,
  place: AuthPlace,
): Promise<Pick<ProvenUser, "factorGone">> {
  if (account["emailVerified"] === true) return {};
  const user = account["user"] as string;
  const { hasSecondFactor } = await clearAccess(scope, account);
  const changed = { emailVerified: true, passwordHash: null, hasSecondFactor };
  await scope.tx.update("authAccount", account["id"] as string, changed);
  if (account["hasSecondFactor"] !== true || hasSecondFactor) return {};
  const details = { reason: "emailProven" };
  await audit(scope, { kind: "totpRemoved", user, details, ...placeOf(place) });
  return { factorGone: account["email"] as string };
}
