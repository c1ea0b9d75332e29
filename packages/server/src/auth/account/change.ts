// Changing what one signs in with: the password, the address. Both ask for a fresh proof of who one is, both are told by
// letter to the address that was there before, and a changed password ends all other sessions.
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Row } from "../../store/store.ts";
import { accountOf, accountOfEmail } from "../account-find.ts";
import { bodyOf } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { dropTickets, issueTicket, takeTicket } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { linkOf } from "../letter-link.ts";
import { userOf } from "../protocol-caller.ts";
import { endSessionsOf } from "../session-end.ts";
import { strengthenSession } from "../session-strengthen.ts";
import { readTicketText, sessionCookie, sessionRow, ticketText } from "../sign-in-answer.ts";
import { emailField } from "./account-make.ts";
import { admitLetter } from "./letter-rates.ts";
import { chosenPassword } from "./password-rule.ts";
import { storePassword } from "./password-store.ts";

const purpose = "changeEmail";

type PasswordInput = {
  readonly user: string;
  readonly session: string;
  readonly passwordHash: string;
  readonly place: AuthPlace;
};

/** @returns the address to tell it to. */
const changePassword: AuthProcedure<PasswordInput, { readonly email: string | null }> = {
  name: "auth.changePassword",
  async run(scope, { user, session, passwordHash, place }) {
    const account = await accountOf(scope, user);
    await storePassword(scope, account, passwordHash);
    await endSessionsOf(scope, user, session);
    await strengthenSession(scope, session, []);
    await audit(scope, { kind: "passwordChanged", user, session, ...place });
    return { email: account["email"] as string | null };
  },
};

type AskEmailInput = { readonly user: string; readonly email: string; readonly digest: string };

const askEmail: AuthProcedure<
  AskEmailInput,
  { readonly ticket: string; readonly isTaken: boolean }
> = {
  name: "auth.askEmail",
  async run(scope, { user, email, digest }) {
    assertHasAddress(await accountOf(scope, user));
    const isTaken = (await accountOfEmail(scope, email)) !== null;
    const ticket = await issueTicket(scope, {
      purpose: isTaken ? "void" : purpose,
      user,
      subject: email,
      digest,
      ttlMs: scope.run.app.limits.authLinkMs,
    });
    return { ticket, isTaken };
  },
};

type EmailInput = {
  readonly user: string;
  readonly id: string;
  readonly digest: string;
  readonly place: AuthPlace;
};

/**
 * Only who is signed in to the account gives it another address: an account that somebody gives the address of another, who
 * only presses the button in the letter, would be opened by both from then on. @returns the address before.
 */
const changeEmail: AuthProcedure<
  EmailInput,
  { readonly before: string | null; readonly email: string }
> = {
  name: "auth.changeEmail",
  async run(scope, { user, id, digest, place }) {
    const ticket = await takeTicket(scope, { purpose, id, digest });
    if (ticket["user"] !== user) throw new PlatformError("TICKET_INVALID");
    const email = ticket["subject"] as string;
    if ((await accountOfEmail(scope, email)) !== null) throw new PlatformError("TICKET_INVALID");
    const account = await accountOf(scope, user);
    await storeEmail(scope, account, { email, isProven: true });
    await audit(scope, { kind: "emailChanged", user, ...place });
    return { before: account["email"] as string | null, email };
  },
};

type SetEmailInput = {
  readonly user: string;
  readonly email: string;
  /** Whether the app says that it is the user's. */
  readonly isProven: boolean;
  readonly place: AuthPlace;
};

/**
 * Another address, by the app. @returns the address before; null: there was none, or it is the same.
 * @throws USER_NOT_FOUND, UNIQUE_TAKEN; CONFLICT for a guest or a service, who have none, and for an address that is not
 * proven where there is a second factor.
 */
export const setEmail: AuthProcedure<SetEmailInput, { readonly before: string | null }> = {
  name: "auth.appSetEmail",
  async run(scope, { user, email, isProven, place }) {
    const account = await accountOf(scope, user);
    assertHasAddress(account);
    const before = account["email"] as string | null;
    if (before === email) {
      if (!isProven || account["emailVerified"] === true) return { before: null };
      const verified = { emailVerified: true };
      await scope.tx.update("authAccount", account["id"] as string, verified);
      await audit(scope, { kind: "emailVerified", user, ...place });
      return { before: null };
    }
    // Whoever proves an address that nobody had gets its account, without the factor: it must not become so by a mistake.
    if (!isProven && account["hasSecondFactor"] === true) {
      const problem = "an account with a second factor takes a proven address only";
      throw new PlatformError("CONFLICT", { problem });
    }
    if ((await accountOfEmail(scope, email)) !== null) {
      throw new PlatformError("UNIQUE_TAKEN", { fields: ["email"] });
    }
    await storeEmail(scope, account, { email, isProven });
    await audit(scope, { kind: "emailChanged", user, ...place });
    return { before };
  },
};

/** @throws CONFLICT: guests sign up, which gives them one and takes their account out of other hands. */
function assertHasAddress(account: Row): void {
  if (account["isGuest"] === true || account["isService"] === true) {
    throw new PlatformError("CONFLICT", { problem: "guests and services have no address" });
  }
}

/** Puts another address in the place of an account's, and of the row that the app has of the user. */
async function storeEmail(
  scope: ProcedureScope,
  account: Row,
  { email, isProven }: { readonly email: string; readonly isProven: boolean },
): Promise<void> {
  const user = account["user"] as string;
  const changed = { email, emailVerified: isProven };
  await scope.tx.update("authAccount", account["id"] as string, changed);
  const value = emailField(scope, email);
  if (value.email !== undefined) await scope.db.update("user", user, value, "system");
  // Letters to the address before open nothing any more.
  for (const other of ["resetPassword", "magicLink", "emailCode", purpose]) {
    await dropTickets(scope, user, other);
  }
}

async function handlePassword(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["password"]);
  const { caller, session } = ask;
  const user = caller.id;
  if (user === null || session === null) throw new PlatformError("SIGN_IN_REQUIRED");
  const own = ["email", "name"]
    .map((name) => caller.me[name])
    .filter((value) => typeof value === "string");
  const password = chosenPassword(desk, body["password"], [...own, desk.settings.name]);
  const passwordHash = await desk.passwords.hash(password);
  const id = session["id"] as string;
  const input = { user, session: id, passwordHash, place: placeOf(ask) };
  const { email } = await desk.run(changePassword, input, ask);
  if (email !== null) {
    desk.mail.send({ to: email, template: "password-changed", data: { app: desk.settings.name } });
  }
  const row = await sessionRow(desk, id);
  return { json: { session: id }, cookies: [sessionCookie(ask, desk, row)] };
}

async function handleAskEmail(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const email = normalEmail(bodyOf(ask, ["email"])["email"]);
  const user = userOf(ask);
  admitLetter(desk, ask, { email });
  const secret = desk.secrets.draw();
  const input = { user, email, digest: desk.secrets.digest(secret) };
  const { ticket, isTaken } = await desk.run(askEmail, input, ask);
  const app = desk.settings.name;
  const text = ticketText(ticket, secret);
  const link = linkOf(desk, ask, "/auth/email/confirm", { ticket: text });
  const minutes = Math.round(desk.limits.authLinkMs / 60_000);
  if (isTaken) {
    const link = linkOf(desk, ask, "/auth/sign-in", {});
    desk.mail.send({ to: email, template: "already-registered", data: { app, link } });
  } else {
    desk.mail.send({ to: email, template: "change-email", data: { app, link, minutes } });
  }
  return { status: 202, json: {} };
}

async function handleEmail(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { id, secret } = readTicketText(bodyOf(ask, ["ticket"])["ticket"]);
  const digest = desk.secrets.digest(secret);
  const input = { user: userOf(ask), id, digest, place: placeOf(ask) };
  const { before, email } = await desk.run(changeEmail, input, ask);
  if (before !== null) {
    const data = { app: desk.settings.name, address: email };
    desk.mail.send({ to: before, template: "email-changed", data });
  }
  return { json: { email } };
}

/** Their procedures. */
export const changeProcedures = [changePassword, askEmail, changeEmail, setEmail] as const;

/** Their addresses. */
export const changeRoutes: readonly AuthRoute[] = [
  {
    method: "POST",
    path: "/auth/password",
    access: "fresh",
    isOn: ({ password }) => password !== null,
    handle: handlePassword,
  },
  { method: "POST", path: "/auth/email", access: "fresh", handle: handleAskEmail },
  { method: "POST", path: "/auth/email/confirm", access: "signed-in", handle: handleEmail },
];
