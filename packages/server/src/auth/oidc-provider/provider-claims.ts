// What clients are told of a person, by scope (OpenID Connect Core 5.4).
import type { Json } from "../../base/json.ts";
import type { ReadTx } from "../../store/store.ts";
import { accountOfUser } from "../account-find.ts";

/** What every scope gives. `openid`: the user's id, as `sub`. */
export const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
  openid: ["sub"],
  profile: ["name"],
  email: ["email", "email_verified"],
  offline_access: [],
};

/** The claims of a user under these scopes; null when there is no such user, or its account is closed. */
export async function claimsOf(
  tx: Pick<ReadTx, "get" | "list">,
  user: string,
  scopes: readonly string[],
): Promise<{ readonly [claim: string]: Json } | null> {
  const account = await accountOfUser({ tx }, user);
  const row = await tx.get("user", user, null);
  if (row === null || account === null || account["disabledAt"] !== null) return null;
  const claims: { [claim: string]: Json } = { sub: user };
  if (scopes.includes("profile") && typeof row["name"] === "string") claims["name"] = row["name"];
  const { email = null } = account;
  if (scopes.includes("email") && email !== null) {
    claims["email"] = email;
    claims["email_verified"] = account["emailVerified"] === true;
  }
  return claims;
}
