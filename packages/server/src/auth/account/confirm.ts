// Proving again who one is: by password, or by a code sent to one's address. What asks for it: routes of access "fresh".
import { PlatformError } from "../../base/platform-error.ts";
import { bodyOf, textField } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { issueTicket, takeTicketByCode } from "../auth-ticket.ts";
import { accountOfUser } from "../account-find.ts";
import { admitCode } from "../sign-in-guard.ts";
import { strengthenSession } from "../session-strengthen.ts";
import { sessionCookie, sessionRow } from "../sign-in-answer.ts";
import type { SignInMethod } from "../sign-in-proof.ts";
import { admitLetter } from "./letter-rates.ts";
import { provePassword } from "./sign-in.ts";

const purpose = "confirm";
const digits = 6;
const label = "confirm code";

type AskInput = { readonly user: string; readonly session: string; readonly digest: string };

const askConfirm: AuthProcedure<AskInput, { readonly ticket: string }> = {
  name: "auth.askConfirm",
  async run(scope, { user, session, digest }) {
    const ttlMs = scope.run.app.limits.authCodeMs;
    const ticket = await issueTicket(scope, { purpose, user, subject: session, digest, ttlMs });
    return { ticket };
  },
};

type ConfirmInput = {
  readonly session: string;
  readonly user: string;
  readonly method: SignInMethod;
  /** Null: the password was right. */
  readonly shown: { readonly id: string; readonly digest: string } | null;
  readonly place: AuthPlace;
};

/** False: a wrong code, which was counted. */
const confirmSession: AuthProcedure<ConfirmInput, boolean> = {
  name: "auth.confirmSession",
  async run(scope, { session, user, method, shown, place }) {
    if (shown !== null) {
      const { authCodeTriesMax } = scope.run.app.limits;
      const ticket = await takeTicketByCode(scope, { purpose, ...shown }, authCodeTriesMax);
      if (ticket === null) return false;
      if (ticket["subject"] !== session) throw new PlatformError("TICKET_INVALID");
    }
    await strengthenSession(scope, session, [method]);
    await audit(scope, { kind: "confirmed", user, session, ...place });
    return true;
  },
};

async function handleAsk(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  bodyOf(ask, []);
  const { user, session, email } = await whoAsks(ask, desk);
  if (email === null) throw new PlatformError("NOT_FOUND");
  admitLetter(desk, ask, { email });
  const code = desk.secrets.drawCode(digits);
  const input = { user, session, digest: desk.secrets.keyedDigest(label, code) };
  const { ticket } = await desk.run(askConfirm, input, ask);
  const minutes = Math.round(desk.limits.authCodeMs / 60_000);
  desk.mail.send({
    to: email,
    template: "email-code",
    data: { app: desk.settings.name, code, minutes },
  });
  return { status: 202, json: { ticket } };
}

async function handleConfirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["password", "ticket", "code"]);
  const { user, session, email } = await whoAsks(ask, desk);
  const place = placeOf(ask);
  if (body["password"] === undefined) {
    const id = textField(body, "ticket", 60);
    const digest = desk.secrets.keyedDigest(label, textField(body, "code", 20));
    const input: ConfirmInput = { session, user, method: "email", shown: { id, digest }, place };
    // Strangers have no part in this: it counts for the user, apart from codes that sign in.
    const giveBack = admitCode(desk, { account: `confirm ${user}`, ask });
    if (!(await desk.run(confirmSession, input, ask))) throw new PlatformError("CODE_WRONG");
    giveBack();
  } else {
    const password = textField(body, "password", desk.limits.passwordCharsMax);
    const proof = await provePassword(desk, ask, { email: email ?? "", password });
    if (proof?.user !== user) throw new PlatformError("SIGN_IN_FAILED");
    const input: ConfirmInput = { session, user, method: "pwd", shown: null, place };
    await desk.run(confirmSession, input, ask);
  }
  const row = await sessionRow(desk, session);
  return { json: { session }, cookies: [sessionCookie(ask, desk, row)] };
}

/** @throws SIGN_IN_REQUIRED: a key can't prove who holds it. */
async function whoAsks(
  ask: AuthAsk,
  desk: AuthDesk,
): Promise<{ readonly user: string; readonly session: string; readonly email: string | null }> {
  const user = ask.caller.id;
  if (user === null || ask.session === null) throw new PlatformError("SIGN_IN_REQUIRED");
  const account = await desk.store.read((tx) => accountOfUser({ tx }, user));
  const email = (account?.["email"] ?? null) as string | null;
  return { user, session: ask.session["id"] as string, email };
}

/** Their procedures. */
export const confirmProcedures = [askConfirm, confirmSession] as const;

/** Their addresses. */
export const confirmRoutes: readonly AuthRoute[] = [
  {
    method: "POST",
    path: "/auth/confirm/code",
    access: "signed-in",
    takesWeak: true,
    handle: handleAsk,
  },
  {
    method: "POST",
    path: "/auth/confirm",
    access: "signed-in",
    takesWeak: true,
    handle: handleConfirm,
  },
];
