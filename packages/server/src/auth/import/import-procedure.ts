// Takes on one user from elsewhere: the row in `user`, the account, the accounts at other providers; one transaction. A user
// whom the operator of another Keelson made has no account there: the row waits here too.
// A user who is here already (by address, or by an account elsewhere) is left as they are.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Json } from "../../base/json.ts";
import { createAccount, createWaitingUser, usersOfEmail } from "../account/account-make.ts";
import { accountOf, accountOfEmail, findIdentity } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit } from "../auth-event.ts";
import { isForeignHash } from "./foreign-hash.ts";
import { importAccess } from "./imported-access.ts";
import type { ImportedUser } from "./imported-user.ts";

/** A user to take on. */
export type ImportInput = {
  /** Where from: `auth0`. */
  readonly source: string;
  readonly user: ImportedUser;
  /** Values of the app's own fields of `user`, validated here. */
  readonly fields: { readonly [name: string]: Json };
};

/** What came of it. */
export type ImportOutcome = { readonly kind: "created" | "there"; readonly user: string };

/** @throws VALUE_INVALID when the app's table can't hold the user; UNIQUE_TAKEN. */
export const importUser: AuthProcedure<ImportInput, ImportOutcome> = {
  name: "auth.importUser",
  async run(scope, { source, user, fields }) {
    const { email, emailVerified, passwordHash, identities } = user;
    const here = await userHere(scope, user);
    if (here !== null) return { kind: "there", user: here };
    if (passwordHash !== null && !isForeignHash(passwordHash)) {
      throw new PlatformError("VALUE_INVALID", {
        issues: [{ path: "passwordHash", problem: "is of no known kind" }],
      });
    }
    const wanted = { email, fields: { ...nameField(scope, user), ...fields } };
    const made =
      user.withoutAccount === true
        ? await createWaitingUser(scope, wanted)
        : await createAccount(scope, { ...wanted, emailVerified, passwordHash });
    const now = timeText(scope.run.nowMs);
    if (user.disabled) {
      const account = await accountOf(scope, made.user);
      await scope.tx.update("authAccount", account["id"] as string, { disabledAt: now });
    }
    for (const { provider, subject } of identities) {
      await scope.tx.insert("authIdentity", {
        id: scope.run.app.newId("authIdentity"),
        user: made.user,
        provider,
        subject,
        email,
        emailVerified,
        isPrivateEmail: null,
        createdAt: now,
        lastSignInAt: null,
      });
    }
    await importAccess(scope, made.user, { keys: user.keys ?? [], consents: user.consents ?? [] });
    const details = { source, id: user.sourceId };
    await audit(scope, {
      kind: "imported",
      user: made.user,
      details,
      address: null,
      userAgent: null,
    });
    return { kind: "created", user: made.user };
  },
};

/** The user who has the address (as the app has it, when there is no account to come) or one of the accounts elsewhere; null: nobody. */
async function userHere(scope: ProcedureScope, user: ImportedUser): Promise<string | null> {
  const account = user.email === null ? null : await accountOfEmail(scope, user.email);
  if (account !== null) return account["user"] as string;
  if (user.withoutAccount === true && user.email !== null) {
    const [waiting] = await usersOfEmail(scope, user.email);
    return waiting === undefined ? null : (waiting["id"] as string);
  }
  for (const identity of user.identities) {
    const row = await findIdentity(scope, identity);
    if (row !== null) return row["user"] as string;
  }
  return null;
}

/** The name, where users have one; what stands before the @ where they must have one and the file tells none. */
function nameField(
  { run }: ProcedureScope,
  { name, email }: ImportedUser,
): { readonly name?: string } {
  const field = run.app.tables.get("user")?.model.fields["name"];
  if (field?.kind !== "text") return {};
  const isNeeded = field.optional !== true && field.default === undefined;
  const known = name ?? (isNeeded && email !== null ? email.slice(0, email.indexOf("@")) : null);
  return known === null ? {} : { name: known.slice(0, field.max) };
}
