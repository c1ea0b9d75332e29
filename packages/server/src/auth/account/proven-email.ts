// Whoever showed that an address is theirs, by following a letter or typing its code, is the user with this address:
// the one there is, or a new one.
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { accountOfEmail } from "../account-find.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { createAccount } from "./account-make.ts";

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
  if (account["emailVerified"] !== true) {
    // Whoever set a password before did not own the address: theirs does not open it any more.
    await scope.tx.update("authAccount", account["id"] as string, {
      emailVerified: true,
      passwordHash: null,
    });
  }
  return account["user"] as string;
}
