// How somebody becomes a user: a row in the app's table `user`, and an account beside it. Inside a transaction.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { accountOf, accountOfEmail, accountOfUser, findAll } from "../account-find.ts";
import { clearAccess } from "./account-clear.ts";

/** Who it is to be. */
export interface NewAccount {
  /** As `normalEmail` gives it; null: none. */
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** Fields of `user`; validated here. */
  readonly fields: { readonly [name: string]: Json };
  /** Default: none. */
  readonly passwordHash?: string | null;
  /** Default: false. */
  readonly isGuest?: boolean;
  /** Default: false. */
  readonly isService?: boolean;
}

/**
 * Makes a user with an account. When the address was verified and one user of the app has it already, without an
 * account (the operator made the row), that user gets it.
 * @throws UNIQUE_TAKEN when an account has the address; VALUE_INVALID when the fields don't fit.
 */
export async function createAccount(
  scope: ProcedureScope,
  made: NewAccount,
): Promise<{ readonly user: string }> {
  const { email, emailVerified, passwordHash = null } = made;
  if (email !== null && (await accountOfEmail(scope, email)) !== null) throw taken();
  const waiting = email !== null && emailVerified ? await userWithoutAccount(scope, email) : null;
  const user = waiting ?? (await makeUser(scope, made));
  await scope.tx.insert("authAccount", {
    id: scope.run.app.newId("authAccount"),
    user,
    email,
    emailVerified,
    isGuest: made.isGuest ?? false,
    isService: made.isService ?? false,
    passwordHash,
    passwordChangedAt: passwordHash === null ? null : timeText(scope.run.nowMs),
    hasSecondFactor: false,
    disabledAt: null,
    createdAt: timeText(scope.run.nowMs),
    lastSignInAt: null,
  });
  return { user };
}

/**
 * Makes a user without an account, as the operator does: who proves the address gets it.
 * @throws VALUE_INVALID when the fields don't fit, or users have no address to wait for.
 */
export async function createWaitingUser(
  scope: ProcedureScope,
  made: Pick<NewAccount, "email" | "fields">,
): Promise<{ readonly user: string }> {
  if (emailField(scope, made.email).email === undefined) {
    const issues = [{ path: "email", problem: "is no field of user: nobody could get this row" }];
    throw new PlatformError("VALUE_INVALID", { issues });
  }
  return { user: await makeUser(scope, made) };
}

/**
 * Gives a guest a name: the same user, with all that is theirs, and a session of its own to begin. Whoever else holds the
 * guest's session, because they planted it here, is not this person: nor by a key, a passkey or a letter that they made of it.
 * @throws UNIQUE_TAKEN; TICKET_INVALID when it is no guest.
 */
export async function upgradeGuest(
  scope: ProcedureScope,
  user: string,
  made: Omit<NewAccount, "isGuest" | "isService">,
): Promise<void> {
  const account = await accountOf(scope, user);
  if (account["isGuest"] !== true) throw new PlatformError("TICKET_INVALID");
  const { email, passwordHash = null } = made;
  if (email !== null && (await accountOfEmail(scope, email)) !== null) throw taken();
  const { hasSecondFactor } = await clearAccess(scope, account);
  const value = { ...made.fields, ...emailField(scope, email) };
  if (Object.keys(value).length > 0) await scope.db.update("user", user, value, "system");
  await scope.tx.update("authAccount", account["id"] as string, {
    email,
    emailVerified: made.emailVerified,
    isGuest: false,
    hasSecondFactor,
    passwordHash,
    passwordChangedAt: passwordHash === null ? null : timeText(scope.run.nowMs),
  });
}

/** Whether what a person filled in makes a user, before anything is made. @throws VALUE_INVALID. */
export function checkUserFields(
  scope: ProcedureScope,
  { email, fields }: Pick<NewAccount, "email" | "fields">,
): void {
  const table = scope.run.app.tables.get("user");
  table?.validator("create", "system")(
    { ...fields, ...emailField(scope, email) },
    timeText(scope.run.nowMs),
  );
}

/**
 * Whether a letter may bring in whoever has an address: by the account that it has, or, where people may join, as a new
 * user. Both are looked at for every address, so that one with an account takes no other time.
 * @param who.account of the address, or null.
 */
export async function hasWayIn(
  scope: ProcedureScope,
  who: { readonly email: string; readonly account: Row | null; readonly mayJoin: boolean },
): Promise<boolean> {
  const isEnough = await mayBecomeUser(scope, { email: who.email, fields: {} });
  return who.account !== null || (who.mayJoin && isEnough);
}

/** Whether this much makes a user: of a row that waits for the address, or because users need no more. */
export async function mayBecomeUser(
  scope: ProcedureScope,
  known: Pick<NewAccount, "email" | "fields">,
): Promise<boolean> {
  if (known.email !== null && (await userWithoutAccount(scope, known.email)) !== null) return true;
  try {
    checkUserFields(scope, known);
    return true;
  } catch (error) {
    if (error instanceof PlatformError && error.code === "VALUE_INVALID") return false;
    throw error;
  }
}

/** The address as a field of `user`, when users have one. */
export function emailField(
  scope: ProcedureScope,
  email: string | null,
): { readonly email?: string } {
  const field = scope.run.app.tables.get("user")?.model.fields["email"];
  return email !== null && field?.kind === "text" ? { email } : {};
}

async function makeUser(
  scope: ProcedureScope,
  { email, fields }: Pick<NewAccount, "email" | "fields">,
): Promise<string> {
  const value = { ...fields, ...emailField(scope, email) };
  const row = await scope.db.create("user", value, "system");
  return row["id"] as string;
}

/** The users whose row has the address, two at most. */
export async function usersOfEmail(scope: ProcedureScope, email: string): Promise<readonly Row[]> {
  const field = scope.run.app.tables.get("user")?.model.fields["email"];
  return field?.kind === "text" ? findAll(scope, "user", "email", email, 2) : [];
}

async function userWithoutAccount(scope: ProcedureScope, email: string): Promise<string | null> {
  const [only, other] = await usersOfEmail(scope, email);
  if (only === undefined || other !== undefined) return null;
  const id = only["id"] as string;
  return (await accountOfUser(scope, id)) === null ? id : null;
}

function taken(): PlatformError {
  return new PlatformError("UNIQUE_TAKEN", { fields: ["email"] });
}
