// What only the operator does: services, which have keys and no other way in, and closing an account.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import { accountOf, accountOfEmail } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit } from "../auth-event.ts";
import { dropTickets } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { dropAllInvitations } from "../org/invitation-drop.ts";
import { endSessionsOf } from "../session-end.ts";
import { createAccount } from "./account-make.ts";
import { makeKey } from "./keys.ts";

const nowhere = { address: null, userAgent: null };

type ServiceInput = {
  /** The service that there is already; null: it is made. */
  readonly user: string | null;
  readonly fields: { readonly [name: string]: Json };
  readonly name: string;
  readonly hint: string;
  readonly digest: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
};

/** A key for a service. @throws USER_NOT_FOUND when the user is no service: nobody gets keys in a person's name. */
const makeServiceKey: AuthProcedure<ServiceInput, { readonly user: string; readonly key: string }> =
  {
    name: "auth.makeServiceKey",
    async run(scope, { user, fields, ...made }) {
      const service = user ?? (await makeService(scope, fields));
      if ((await accountOf(scope, service))["isService"] !== true) {
        throw new PlatformError("USER_NOT_FOUND", { id: service });
      }
      const more = { user: service, isStrong: false, place: nowhere };
      const { id } = await makeKey.run(scope, { ...made, ...more });
      return { user: service, key: id };
    },
  };

async function makeService(
  scope: Parameters<typeof makeServiceKey.run>[0],
  fields: ServiceInput["fields"],
): Promise<string> {
  const made = { email: null, emailVerified: false, fields, isService: true };
  return (await createAccount(scope, made)).user;
}

type CloseInput = {
  /** Its id, or the address that they sign in with. */
  readonly user: string;
  readonly isClosed: boolean;
};

/**
 * Closes an account, or opens it again. A closed one is nobody at once: its sessions end, its keys are not taken, and what was
 * asked for before opens nothing, also once it is open again.
 */
export const closeAccount: AuthProcedure<CloseInput, { readonly user: string }> = {
  name: "auth.closeAccount",
  async run(scope, { user: named, isClosed }) {
    const account = named.includes("@")
      ? await accountOfEmail(scope, normalEmail(named))
      : await accountOf(scope, named);
    if (account === null) throw new PlatformError("USER_NOT_FOUND", { email: named });
    const user = account["user"] as string;
    const disabledAt = isClosed ? timeText(scope.run.nowMs) : null;
    await scope.tx.update("authAccount", account["id"] as string, { disabledAt });
    if (isClosed) {
      await endSessionsOf(scope, user, null);
      await dropTickets(scope, user, null);
      await dropAllInvitations(scope, user);
    }
    await audit(scope, { kind: isClosed ? "accountClosed" : "accountOpened", user, ...nowhere });
    return { user };
  },
};

/** Their procedures. */
export const operatorProcedures = [makeServiceKey, closeAccount] as const;
