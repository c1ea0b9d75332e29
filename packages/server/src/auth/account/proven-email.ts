// Whoever showed that an address is theirs, by following a letter or typing its code, is the user with this address:
// the one there is, or a new one.
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { accountOfEmail, findAll } from "../account-find.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { endSessionsOf } from "../session-end.ts";
import { createAccount } from "./account-make.ts";

/** More than one user has of anything. */
const rowsMax = 10_000;

/** @returns the user's id. @throws ACCOUNT_DISABLED; VALUE_INVALID when users need more than an address. */
export async function userByProvenEmail(
  scope: ProcedureScope,
  email: string,
  place: AuthPlace,
): Promise<string> {
  const account = await accountOfEmail(scope, email);
  if (account === null) {
    const { user } = await createAccount(scope, { email, emailVerified: true, fields: {} });
    await audit(scope, { kind: "signUp", user, ...placeOf(place) });
    return user;
  }
  if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
  await handOver(scope, account);
  return account["user"] as string;
}

/**
 * Gives an account to whoever showed that its address is theirs. While nobody had, somebody else may have made it and have
 * waited for them: their password, sessions, keys, passkeys and accounts elsewhere open it no more. A second factor stays:
 * it is asked for, so nobody comes in who is not its owner as well.
 */
export async function handOver(scope: ProcedureScope, account: Row): Promise<void> {
  if (account["emailVerified"] === true) return;
  const user = account["user"] as string;
  await endSessionsOf(scope, user, null);
  for (const table of ["authKey", "authPasskey", "authIdentity"]) {
    const rows = await findAll(scope, table, "user", user, rowsMax);
    for (const { id } of rows) await scope.tx.delete(table, id as string);
  }
  const id = account["id"] as string;
  await scope.tx.update("authAccount", id, { emailVerified: true, passwordHash: null });
}
