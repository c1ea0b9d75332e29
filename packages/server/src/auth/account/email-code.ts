// Signing in by a short code sent by e-mail, typed where it was asked for. A code can be guessed: each ticket takes a few
// wrong ones and is then void, an address gets only so many tickets an hour, and wrong codes count for a day.
import { PlatformError } from "../../base/platform-error.ts";
import { accountOfEmail } from "../account-find.ts";
import { bodyOf, signInFields, textField } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { issueTicket, takeTicketByCode } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { answerSignIn, draftSignIn } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import { admitCode } from "../sign-in-guard.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { hasWayIn } from "./account-make.ts";
import { admitLetter } from "./letter-rates.ts";
import { userByProvenEmail } from "./proven-email.ts";

const purpose = "emailCode";
const digits = 6;
const label = "email code";

type AskInput = { readonly email: string; readonly digest: string; readonly mayJoin: boolean };

/** Makes the ticket, whether the address has an account or not. */
const askCode: AuthProcedure<AskInput, { readonly ticket: string; readonly isKnown: boolean }> = {
  name: "auth.askCode",
  async run(scope, { email, digest, mayJoin }) {
    const account = await accountOfEmail(scope, email);
    const isKnown = await hasWayIn(scope, { email, account, mayJoin });
    const ticket = await issueTicket(scope, {
      purpose,
      user: (account?.["user"] ?? null) as string | null,
      subject: email,
      // Of an address that may not join nobody is sent a code, and none is right.
      digest: isKnown ? digest : "none",
      ttlMs: scope.run.app.limits.authCodeMs,
    });
    return { ticket, isKnown };
  },
};

type ConfirmInput = {
  readonly id: string;
  /** One for each address that the ticket may be for would need the address: the ticket's id stands for it. */
  readonly digest: string;
  readonly device: SignInDevice;
};

/** Null: a wrong code, which was counted. */
const confirmCode: AuthProcedure<ConfirmInput, SignInOutcome | null> = {
  name: "auth.confirmCode",
  async run(scope, { id, digest, device }) {
    const { authCodeTriesMax } = scope.run.app.limits;
    const ticket = await takeTicketByCode(scope, { purpose, id, digest }, authCodeTriesMax);
    if (ticket === null) return null;
    const proven = await userByProvenEmail(scope, ticket["subject"] as string, device);
    return finishSignIn(scope, { ...proven, methods: ["email"], isStrong: false }, device);
  },
};

async function handleAsk(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["email", "next"]);
  const email = normalEmail(body["email"]);
  admitLetter(desk, ask, { email });
  const { settings, secrets, limits } = desk;
  const code = secrets.drawCode(digits);
  const mayJoin = settings.signUp === "open";
  const input = { email, digest: secrets.keyedDigest(label, code), mayJoin };
  const { ticket, isKnown } = await desk.run(askCode, input, ask);
  const app = settings.name;
  if (isKnown) {
    const minutes = Math.round(limits.authCodeMs / 60_000);
    desk.mail.send({ to: email, template: "email-code", data: { app, code, minutes } });
  } else {
    desk.mail.send({ to: email, template: "no-account", data: { app } });
  }
  return { status: 202, json: { ticket } };
}

async function handleConfirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["ticket", "code", ...signInFields]);
  const code = textField(body, "code", 20);
  const id = textField(body, "ticket", 60);
  const email = await addressOf(desk, id);
  const giveBack = admitCode(desk, { account: email, ask });
  const draft = draftSignIn(ask, desk);
  const input: ConfirmInput = {
    id,
    digest: desk.secrets.keyedDigest(label, code),
    device: draft.device,
  };
  const outcome = await desk.run(confirmCode, input, ask).catch((error: unknown) => {
    // It was not compared with anything.
    if (error instanceof PlatformError && error.code === "TICKET_INVALID") giveBack();
    throw error;
  });
  if (outcome === null) throw new PlatformError("CODE_WRONG");
  giveBack();
  return answerSignIn(ask, desk, { outcome, draft });
}

/** The address that a ticket's code was sent to; the transaction looks again. @throws TICKET_INVALID. */
async function addressOf(desk: AuthDesk, id: string): Promise<string> {
  const row = await desk.store.read((tx) => tx.get("authTicket", id, null));
  if (row?.["purpose"] !== purpose) throw new PlatformError("TICKET_INVALID");
  return row["subject"] as string;
}

/** Their procedures. */
export const emailCodeProcedures = [askCode, confirmCode] as const;

/** Their addresses. */
export const emailCodeRoutes: readonly AuthRoute[] = (
  [
    ["/auth/email-code", handleAsk],
    ["/auth/email-code/confirm", handleConfirm],
  ] as const
).map(([path, handle]) => ({
  method: "POST",
  path,
  access: "anyone",
  isOn: ({ emailCode }) => emailCode,
  handle,
}));
