// What an app's own actions and http functions may ask of identity: `ctx.auth`. For apps with an API shape of their own:
// they make users, check passwords and open sessions by the same transactions as the addresses under /auth, with the
// same limits on guessing. What comes in is checked like any stranger's: user code built it.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Run } from "../gate/gate-app.ts";
import { timeOfMs } from "../model/field-time.ts";
import { accountOf } from "./account-find.ts";
import { setEmail } from "./account/change.ts";
import { createAccount } from "./account/account-make.ts";
import { removeUser } from "./account/delete.ts";
import { chosenPassword } from "./account/password-rule.ts";
import { storePassword } from "./account/password-store.ts";
import { endSession } from "./account/sessions.ts";
import { provePassword } from "./account/sign-in.ts";
import {
  causeOfRun,
  inputOf,
  isAbsent,
  placeOfRun,
  userIdOf,
  type AuthFunction,
} from "./app-call.ts";
import { invalidField, textField } from "./ask-body.ts";
import type { AuthProcedure } from "./auth-desk.ts";
import { audit, type AuthPlace } from "./auth-event.ts";
import { normalEmail } from "./email-address.ts";
import { orgFunctions } from "./org/org-functions.ts";
import { sessionCookieName, sessionCookieOf, setCookieText } from "./session-cookie.ts";
import { endSessionsOf } from "./session-end.ts";
import { openSession } from "./session-open.ts";
import { sessionRow, tokensOf } from "./sign-in-answer.ts";
import { deviceMark } from "./sign-in-guard.ts";
import { signToken } from "./token-sign.ts";

const secondsMax = 31_536_000;
const deviceCharsMax = 100;

type CreateInput = {
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly fields: { readonly [name: string]: Json };
  readonly passwordHash: string | null;
  readonly place: AuthPlace;
};

const createUser: AuthProcedure<CreateInput, { readonly user: string }> = {
  name: "auth.appCreateUser",
  async run(scope, { place, ...made }) {
    const { user } = await createAccount(scope, made);
    await audit(scope, { kind: "madeByApp", user, ...place });
    return { user };
  },
};

type OpenInput = {
  readonly user: string;
  /** Until when it lasts at most; null: as any session. */
  readonly endsAt: string | null;
  readonly place: AuthPlace;
};

/** @returns the address of the account, too: a mark of a device is made for it. */
const openForUser: AuthProcedure<
  OpenInput,
  { readonly session: string; readonly email: string | null }
> = {
  name: "auth.appOpenSession",
  async run(scope, { user, endsAt, place }) {
    const account = await accountOf(scope, user);
    if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
    const device = { ...place, client: null };
    const session = (await openSession(scope, { user, methods: ["app"], device }))["id"] as string;
    if (endsAt !== null) {
      await scope.tx.update("authSession", session, { endsAt, expiresAt: endsAt });
    }
    await audit(scope, { kind: "signIn", user, session, details: { methods: ["app"] }, ...place });
    return { session, email: account["email"] as string | null };
  },
};

type PasswordInput = {
  readonly user: string;
  readonly passwordHash: string;
  readonly place: AuthPlace;
};

const setPassword: AuthProcedure<PasswordInput, null> = {
  name: "auth.appSetPassword",
  async run(scope, { user, passwordHash, place }) {
    await storePassword(scope, await accountOf(scope, user), passwordHash);
    await endSessionsOf(scope, user, null);
    await audit(scope, { kind: "passwordChanged", user, ...place });
    return null;
  },
};

/** Their procedures. */
export const functionProcedures = [createUser, openForUser, setPassword] as const;

/** `auth.createUser` and the others, by name. */
export const authFunctions: Readonly<Record<string, AuthFunction>> = Object.freeze({
  "auth.createUser": async (desk, run, input) => {
    const body = inputOf(input, ["email", "password", "emailVerified", "fields"]);
    const email = isAbsent(body["email"]) ? null : normalEmail(body["email"]);
    const fields = objectOf(body["fields"]);
    const given = body["password"];
    const name = typeof fields["name"] === "string" ? fields["name"] : null;
    const password = isAbsent(given) ? null : chosenPassword(desk, given, [email, name]);
    const passwordHash = password === null ? null : await desk.passwords.hash(password);
    const emailVerified = body["emailVerified"] === true;
    const made = { email, emailVerified, fields, passwordHash, place: placeOfRun(run) };
    return (await desk.run(createUser, made, causeOfRun(desk, run))).user;
  },
  "auth.verifyPassword": async (desk, run, input) => {
    const body = inputOf(input, ["email", "password", "device"]);
    const email = normalEmail(body["email"]);
    const password = textField(body, "password", desk.limits.passwordCharsMax);
    const device = isAbsent(body["device"]) ? null : textField(body, "device", deviceCharsMax);
    // A program keeps the mark that a browser has as a cookie.
    const ask = { ...causeOfRun(desk, run), ...placeOfAsk(run), cookie: () => device };
    return (await provePassword(desk, ask, { email, password }))?.user ?? null;
  },
  "auth.setPassword": async (desk, run, input) => {
    const body = inputOf(input, ["user", "password"]);
    const user = userIdOf(body["user"]);
    const password = chosenPassword(desk, body["password"], []);
    const passwordHash = await desk.passwords.hash(password);
    return desk.run(
      setPassword,
      { user, passwordHash, place: placeOfRun(run) },
      causeOfRun(desk, run),
    );
  },
  "auth.setEmail": async (desk, run, input) => {
    const body = inputOf(input, ["user", "email", "emailVerified"]);
    const user = userIdOf(body["user"]);
    const email = normalEmail(body["email"]);
    const isProven = body["emailVerified"] === true;
    const change = { user, email, isProven, place: placeOfRun(run) };
    const { before } = await desk.run(setEmail, change, causeOfRun(desk, run));
    if (before !== null) {
      const data = { app: desk.settings.name, address: email };
      desk.mail.send({ to: before, template: "email-changed", data });
    }
    return null;
  },
  "auth.deleteUser": async (desk, run, input) => {
    const body = inputOf(input, ["user"]);
    const gone = { user: userIdOf(body["user"]), place: placeOfRun(run) };
    await removeUser(desk, gone, causeOfRun(desk, run));
    return null;
  },
  "auth.openSession": async (desk, run, input) => {
    const body = inputOf(input, ["user"]);
    const opening = { user: userIdOf(body["user"]), endsAt: null, place: placeOfRun(run) };
    const { session, email } = await desk.run(openForUser, opening, causeOfRun(desk, run));
    const row = await sessionRow(desk, session);
    const told = desk.publicUrl ?? desk.settings.url;
    // As the door does it for identity's own addresses: where nobody told, the request tells.
    const isSecure = told === null ? run.isSecure === true : told.startsWith("https:");
    const cookie = setCookieText(
      {
        name: sessionCookieName,
        value: sessionCookieOf(desk.secrets, row),
        maxAgeSeconds: Math.floor(desk.limits.authSessionMs / 1_000),
      },
      isSecure,
    );
    const device = email === null ? null : deviceMark(desk, email);
    return { session, cookie, device, ...(await tokensOf(desk, row)) };
  },
  "auth.endSession": async (desk, run, input) => {
    const body = inputOf(input, ["session"]);
    const session = body["session"] ?? run.caller.session ?? null;
    if (typeof session !== "string") throw invalidField("session", "is no session");
    const row = await desk.store.read((tx) => tx.get("authSession", session, null));
    if (row === null) return false;
    const ending = {
      user: row["user"] as string,
      session,
      kind: "signOut",
      place: placeOfRun(run),
    } as const;
    return desk.run(endSession, ending, causeOfRun(desk, run));
  },
  "auth.issueToken": async (desk, run, input) => {
    const body = inputOf(input, ["user", "seconds"]);
    const user = userIdOf(body["user"]);
    const seconds = body["seconds"] ?? desk.limits.authAccessMs / 1_000;
    if (
      typeof seconds !== "number" ||
      !Number.isInteger(seconds) ||
      seconds < 10 ||
      seconds > secondsMax
    ) {
      throw invalidField("seconds", `is no whole number from 10 to ${secondsMax}`);
    }
    const nowMs = desk.clock.nowMs();
    const endsAt = timeOfMs(nowMs + seconds * 1_000);
    const opening = { user, endsAt, place: placeOfRun(run) };
    const { session } = await desk.run(openForUser, opening, causeOfRun(desk, run));
    return signToken(desk.keys, { user, role: null, session, ttlMs: seconds * 1_000 }, nowMs);
  },
  ...orgFunctions,
});

function objectOf(value: Json | undefined): { readonly [name: string]: Json } {
  if (isAbsent(value)) return {};
  if (typeof value === "object" && !Array.isArray(value))
    return value as { readonly [name: string]: Json };
  throw invalidField("fields", "is no object");
}

function placeOfAsk(run: Run): AuthPlace & { readonly address: string } {
  return { ...placeOfRun(run), address: run.address ?? "" };
}
