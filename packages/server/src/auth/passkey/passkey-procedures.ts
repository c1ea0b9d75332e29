// Passkeys as rows: added, used, renamed, removed, each in one transaction with the challenge that allowed it.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import { accountOf, findAll, findOne } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { spendChallenge } from "./passkey-challenge.ts";

/** Keeps a new passkey. @returns its id. @throws PASSKEY_INVALID, CONFLICT when it is kept already or there are too many. */
export const addPasskey: AuthProcedure<
  AuthPlace & {
    readonly user: string;
    readonly challenge: string;
    readonly name: string;
    readonly made: {
      readonly credential: string;
      readonly publicKey: string;
      readonly counter: number;
      readonly transports: readonly string[];
      readonly backedUp: boolean;
    };
  },
  string
> = {
  name: "auth.passkeyAdd",
  async run(scope, { user, challenge, name, made, ...place }) {
    const { run, tx } = scope;
    await accountOf(scope, user);
    await spendChallenge(scope, challenge);
    const { authPasskeysMax } = run.app.limits;
    const kept = await findAll(scope, "authPasskey", "user", user, authPasskeysMax);
    if (kept.length >= authPasskeysMax) {
      throw new PlatformError("CONFLICT", { limit: "authPasskeysMax", max: authPasskeysMax });
    }
    if ((await findOne(scope, "authPasskey", "credential", made.credential)) !== null) {
      throw new PlatformError("CONFLICT", { problem: "this passkey is known already" });
    }
    const id = run.app.newId("authPasskey");
    const createdAt = timeText(run.nowMs);
    await tx.insert("authPasskey", { id, user, ...made, name, createdAt, lastUsedAt: null });
    await audit(scope, { ...place, kind: "passkeyAdded", user, details: { passkey: id } });
    return id;
  },
};

/** Signs in with a passkey that was checked. @returns a session, or null when its counter says that it was copied. */
export const signInByPasskey: AuthProcedure<
  {
    readonly passkey: string;
    readonly challenge: string;
    readonly counter: number;
    readonly backedUp: boolean;
    readonly device: SignInDevice;
  },
  SignInOutcome | null
> = {
  name: "auth.passkeySignIn",
  async run(scope, { passkey: id, challenge, counter, backedUp, device }) {
    const { run, tx } = scope;
    await spendChallenge(scope, challenge);
    const row = await tx.get("authPasskey", id, null);
    if (row === null) throw new PlatformError("PASSKEY_INVALID");
    const user = row["user"] as string;
    // Many authenticators do not count; one that does never goes back (WebAuthn Level 3, 6.1.1).
    const before = row["counter"] as number;
    if ((counter > 0 || before > 0) && counter <= before) {
      await audit(scope, {
        ...placeOf(device),
        kind: "passkeyCopied",
        user,
        details: { passkey: id },
      });
      return null;
    }
    await tx.update("authPasskey", id, { counter, backedUp, lastUsedAt: timeText(run.nowMs) });
    return finishSignIn(scope, { user, methods: ["swk", "mfa"], isStrong: true }, device);
  },
};

/** Names a passkey. @returns whether the user has it. */
export const renamePasskey: AuthProcedure<
  { readonly user: string; readonly passkey: string; readonly name: string },
  boolean
> = {
  name: "auth.passkeyRename",
  async run({ tx }, { user, passkey, name }) {
    const row = await tx.get("authPasskey", passkey, null);
    if (row?.["user"] !== user) return false;
    await tx.update("authPasskey", passkey, { name });
    return true;
  },
};

/** Removes a passkey. @returns whether the user had it. */
export const removePasskey: AuthProcedure<
  AuthPlace & { readonly user: string; readonly passkey: string },
  boolean
> = {
  name: "auth.passkeyRemove",
  async run(scope, { user, passkey, ...place }) {
    const { tx } = scope;
    const row = await tx.get("authPasskey", passkey, null);
    if (row?.["user"] !== user) return false;
    await tx.delete("authPasskey", passkey);
    const { name = null } = row;
    await audit(scope, { ...place, kind: "passkeyRemoved", user, details: { passkey, name } });
    return true;
  },
};
