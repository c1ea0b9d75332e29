// A new password for who forgot the old one, by a link sent by e-mail. Whoever follows it signs in, and is signed out
// everywhere else: the old password may be in wrong hands. With a second factor, that is asked for as ever.
import { PlatformError } from "../../base/platform-error.ts";
import { accountOf, accountOfEmail } from "../account-find.ts";
import { bodyOf, signInFields } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { issueTicket, takeTicket } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { letterOrigin, linkOf } from "../letter-link.ts";
import { endSessionsOf } from "../session-end.ts";
import { answerSignIn, draftSignIn, readTicketText, ticketText } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { admitLetter } from "./letter-rates.ts";
import { chosenPassword } from "./password-rule.ts";
import { storePassword } from "./password-store.ts";
import { handOver } from "./proven-email.ts";

const purpose = "resetPassword";

type AskInput = { readonly email: string; readonly digest: string };

const askReset: AuthProcedure<AskInput, { readonly ticket: string; readonly isKnown: boolean }> = {
  name: "auth.askReset",
  async run(scope, { email, digest }) {
    const account = await accountOfEmail(scope, email);
    const ticket = await issueTicket(scope, {
      purpose: account === null ? "void" : purpose,
      user: (account?.["user"] ?? null) as string | null,
      subject: email,
      digest,
      ttlMs: scope.run.app.limits.authLinkMs,
    });
    return { ticket, isKnown: account !== null };
  },
};

type ConfirmInput = {
  readonly id: string;
  readonly digest: string;
  readonly passwordHash: string;
  readonly device: SignInDevice;
};

const resetPassword: AuthProcedure<
  ConfirmInput,
  { readonly outcome: SignInOutcome; readonly email: string }
> = {
  name: "auth.resetPassword",
  async run(scope, { id, digest, passwordHash, device }) {
    const ticket = await takeTicket(scope, { purpose, id, digest });
    const user = ticket["user"] as string;
    const email = ticket["subject"] as string;
    const account = await accountOf(scope, user);
    if (account["email"] !== email) throw new PlatformError("TICKET_INVALID");
    // The letter arrived, so the address is theirs.
    const handed = await handOver(scope, account, device);
    await storePassword(scope, account, passwordHash);
    await endSessionsOf(scope, user, null);
    await audit(scope, { kind: "passwordReset", user, ...placeOf(device) });
    const outcome = await finishSignIn(
      scope,
      { user, ...handed, methods: ["email"], isStrong: false },
      device,
    );
    return { outcome, email };
  },
};

async function handleAsk(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["email", "next"]);
  const email = normalEmail(body["email"]);
  // First: a server that does not know where it is reached says so of every address, known or not.
  letterOrigin(desk, ask);
  admitLetter(desk, ask, { email, kind: "link" });
  const secret = desk.secrets.draw();
  const input = { email, digest: desk.secrets.digest(secret) };
  const { ticket, isKnown } = await desk.run(askReset, input, ask);
  const app = desk.settings.name;
  if (isKnown) {
    const next = typeof body["next"] === "string" ? body["next"] : "";
    const text = ticketText(ticket, secret);
    const link = linkOf(desk, ask, "/auth/reset/confirm", { ticket: text, next });
    const minutes = Math.round(desk.limits.authLinkMs / 60_000);
    desk.mail.send({ to: email, template: "reset-password", data: { app, link, minutes } });
  } else {
    desk.mail.send({ to: email, template: "no-account", data: { app } });
  }
  return { status: 202, json: {} };
}

async function handleConfirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["ticket", "password", ...signInFields]);
  const { id, secret } = readTicketText(body["ticket"]);
  const digest = desk.secrets.digest(secret);
  // Looked at before a password is hashed: who has no ticket costs no hash.
  const ticket = await desk.store.read((tx) => tx.get("authTicket", id, null));
  if (ticket === null || ticket["digest"] !== digest) throw new PlatformError("TICKET_INVALID");
  const subject = ticket["subject"] as string | null;
  const password = chosenPassword(desk, body["password"], [subject, desk.settings.name]);
  const passwordHash = await desk.passwords.hash(password);
  const draft = draftSignIn(ask, desk);
  const input = { id, digest, passwordHash, device: draft.device };
  const { outcome, email } = await desk.run(resetPassword, input, ask);
  desk.mail.send({ to: email, template: "password-changed", data: { app: desk.settings.name } });
  return answerSignIn(ask, desk, { outcome, draft });
}

/** Their procedures. */
export const resetProcedures = [askReset, resetPassword] as const;

/** Their addresses. */
export const resetRoutes: readonly AuthRoute[] = (
  [
    ["/auth/reset", handleAsk],
    ["/auth/reset/confirm", handleConfirm],
  ] as const
).map(([path, handle]) => ({
  method: "POST",
  path,
  access: "anyone",
  isOn: ({ password }) => password !== null,
  handle,
}));
