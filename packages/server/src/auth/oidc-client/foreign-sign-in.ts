// Somebody whom another provider vouches for becomes a user of this app, in one transaction. Who they are there
// (provider and subject) decides; an e-mail address only ever adds an identity to an account when both sides have
// verified it: a provider's word for an address that it never checked would open other people's accounts, and an
// account that somebody made with the address of another would get its owner's sign-ins.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { createAccount, mayBecomeUser, upgradeGuest } from "../account/account-make.ts";
import { accountOf, accountOfEmail, accountOfUser, findIdentity } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";

/** Somebody at a provider. */
export type ForeignPerson = {
  readonly provider: string;
  readonly subject: string;
  /** As it is kept; null unless the provider verified it. */
  readonly email: string | null;
  readonly name: string | null;
  /** Whether that address only passes letters on. */
  readonly isPrivateEmail: boolean;
};

/** Signs in, or up. @throws ACCOUNT_EXISTS, SIGN_UP_CLOSED, SIGN_UP_INCOMPLETE, ACCOUNT_DISABLED. */
export const signInForeign: AuthProcedure<
  {
    readonly person: ForeignPerson;
    /** A guest at this browser, who goes on as this person if they are new; null: none. */
    readonly guest: string | null;
    readonly mayCreate: boolean;
    readonly device: SignInDevice;
  },
  SignInOutcome
> = {
  name: "auth.foreignSignIn",
  async run(scope, { person, guest, mayCreate, device }) {
    const { run, tx } = scope;
    const known = await findIdentity(scope, person);
    let user: string;
    if (known === null) {
      user = await userFor(scope, { person, guest, mayCreate });
      await addIdentity(scope, { ...placeOf(device), person, user });
    } else {
      user = known["user"] as string;
    }
    const identity = known ?? (await findIdentity(scope, person));
    const id = identity?.["id"] as string;
    const lastSignInAt = timeText(run.nowMs);
    const { email, isPrivateEmail } = person;
    const emailVerified = email !== null;
    const patch = { email, emailVerified, isPrivateEmail, lastSignInAt };
    await tx.update("authIdentity", id, patch);
    return finishSignIn(scope, { user, methods: ["fed"], isStrong: false }, device);
  },
};

/** The user of somebody whom we have not seen before. */
async function userFor(
  scope: ProcedureScope,
  asked: {
    readonly person: ForeignPerson;
    readonly guest: string | null;
    readonly mayCreate: boolean;
  },
): Promise<string> {
  const { person, guest, mayCreate } = asked;
  const { email } = person;
  const holder = email === null ? null : await accountOfEmail(scope, email);
  if (holder !== null) {
    if (holder["emailVerified"] !== true) throw new PlatformError("ACCOUNT_EXISTS");
    return holder["user"] as string;
  }
  if (!mayCreate) throw new PlatformError("SIGN_UP_CLOSED");
  const made = { email, emailVerified: email !== null, fields: await fieldsOf(scope, person) };
  const guestAccount = guest === null ? null : await accountOfUser(scope, guest);
  if (guest === null || guestAccount?.["isGuest"] !== true) {
    return (await createAccount(scope, made)).user;
  }
  await upgradeGuest(scope, guest, made);
  return guest;
}

/** What the provider's word fills in; a name that does not fit is left out where it may be. @throws SIGN_UP_INCOMPLETE. */
async function fieldsOf(
  scope: ProcedureScope,
  { email, name }: ForeignPerson,
): Promise<{ readonly name?: string }> {
  for (const fields of [nameField(scope, name), {}]) {
    if (await mayBecomeUser(scope, { email, fields })) return fields;
  }
  throw new PlatformError("SIGN_UP_INCOMPLETE");
}

function nameField({ run }: ProcedureScope, name: string | null): { readonly name?: string } {
  const field = run.app.manifest.tables["user"]?.fields["name"];
  if (name === null || field?.kind !== "text") return {};
  return { name: name.slice(0, field.max) };
}

/** Adds an identity to the account of somebody who is signed in. @throws IDENTITY_TAKEN when it signs in another user. */
export const linkForeign: AuthProcedure<
  AuthPlace & { readonly person: ForeignPerson; readonly user: string },
  null
> = {
  name: "auth.foreignLink",
  async run(scope, { person, user, ...place }) {
    const account = await accountOf(scope, user);
    if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
    const known = await findIdentity(scope, person);
    if (known !== null && known["user"] !== user) throw new PlatformError("IDENTITY_TAKEN");
    if (known === null) await addIdentity(scope, { ...place, person, user });
    return null;
  },
};

/** Takes an identity away, but never the last way to sign in. @returns whether the user had it. */
export const unlinkForeign: AuthProcedure<
  AuthPlace & { readonly user: string; readonly identity: string },
  "gone" | "none" | "last"
> = {
  name: "auth.foreignUnlink",
  async run(scope, { user, identity, ...place }) {
    const { tx } = scope;
    const row = await tx.get("authIdentity", identity, null);
    if (row?.["user"] !== user) return "none";
    if (!(await hasAnotherWay(scope, user, identity))) return "last";
    await tx.delete("authIdentity", identity);
    const { provider = null } = row;
    await audit(scope, { ...place, kind: "identityRemoved", user, details: { provider } });
    return "gone";
  },
};

async function hasAnotherWay(
  scope: ProcedureScope,
  user: string,
  identity: string,
): Promise<boolean> {
  const account = await accountOf(scope, user);
  if (account["passwordHash"] !== null) return true;
  // An address of one's own gets links, codes and new passwords.
  if (account["email"] !== null && account["emailVerified"] === true) return true;
  for (const table of ["authPasskey", "authIdentity"]) {
    const { rows } = await scope.tx.list(
      {
        kind: "list",
        from: table,
        where: { kind: "field", field: "user", condition: { eq: user } },
        orderBy: [{ field: "id", descending: false }],
        limit: 2,
      },
      null,
    );
    if (rows.some(({ id }) => id !== identity)) return true;
  }
  return false;
}

async function addIdentity(
  scope: ProcedureScope,
  added: AuthPlace & { readonly person: ForeignPerson; readonly user: string },
): Promise<void> {
  const { run, tx } = scope;
  const { person, user } = added;
  const { provider, subject, email, isPrivateEmail } = person;
  await tx.insert("authIdentity", {
    id: run.app.newId("authIdentity"),
    user,
    provider,
    subject,
    email,
    emailVerified: email !== null,
    isPrivateEmail,
    createdAt: timeText(run.nowMs),
    lastSignInAt: null,
  });
  await audit(scope, { ...placeOf(added), kind: "identityAdded", user, details: { provider } });
}
