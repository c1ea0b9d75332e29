// Signing in by a link sent by e-mail. An address without an account signs up by it, where people may.
import { PlatformError } from "../../base/platform-error.ts";
import { accountOf, accountOfEmail } from "../account-find.ts";
import { bodyOf, signInFields } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { issueTicket, takeTicket } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { letterOrigin, linkOf } from "../letter-link.ts";
import { answerSignIn, draftSignIn, readTicketText, ticketText } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { hasWayIn } from "./account-make.ts";
import { admitLetter } from "./letter-rates.ts";
import { userByProvenEmail } from "./proven-email.ts";

const purpose = "magicLink";

type AskInput = { readonly email: string; readonly digest: string; readonly mayJoin: boolean };

/** Makes the ticket, whether the address has an account or not. */
const askLink: AuthProcedure<AskInput, { readonly ticket: string; readonly isKnown: boolean }> = {
  name: "auth.askLink",
  async run(scope, { email, digest, mayJoin }) {
    const account = await accountOfEmail(scope, email);
    const isKnown = await hasWayIn(scope, { email, account, mayJoin });
    const ticket = await issueTicket(scope, {
      purpose: isKnown ? purpose : "void",
      user: (account?.["user"] ?? null) as string | null,
      subject: email,
      digest,
      ttlMs: scope.run.app.limits.authLinkMs,
    });
    return { ticket, isKnown };
  },
};

type ConfirmInput = {
  readonly id: string;
  readonly digest: string;
  readonly device: SignInDevice;
};

/** Follows the link. */
const followLink: AuthProcedure<ConfirmInput, SignInOutcome> = {
  name: "auth.followLink",
  async run(scope, { id, digest, device }) {
    const ticket = await takeTicket(scope, { purpose, id, digest });
    const email = ticket["subject"] as string;
    const expected = ticket["user"] as string | null;
    // The account may have another address by now: then this letter went to somebody else.
    if (expected !== null && (await accountOf(scope, expected))["email"] !== email) {
      throw new PlatformError("TICKET_INVALID");
    }
    const proven = await userByProvenEmail(scope, email, device);
    return finishSignIn(scope, { ...proven, methods: ["email"], isStrong: false }, device);
  },
};

async function handleAsk(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["email", "next"]);
  const email = normalEmail(body["email"]);
  // First: a server that does not know where it is reached says so of every address, known or not.
  letterOrigin(desk, ask);
  admitLetter(desk, ask, { email, kind: "link" });
  const secret = desk.secrets.draw();
  const { settings, limits } = desk;
  const mayJoin = settings.signUp === "open";
  const input: AskInput = { email, digest: desk.secrets.digest(secret), mayJoin };
  const { ticket, isKnown } = await desk.run(askLink, input, ask);
  const app = settings.name;
  if (isKnown) {
    const next = typeof body["next"] === "string" ? body["next"] : "";
    const text = ticketText(ticket, secret);
    const link = linkOf(desk, ask, "/auth/magic-link/confirm", { ticket: text, next });
    const minutes = Math.round(limits.authLinkMs / 60_000);
    desk.mail.send({ to: email, template: "magic-link", data: { app, link, minutes } });
  } else {
    desk.mail.send({ to: email, template: "no-account", data: { app } });
  }
  return { status: 202, json: {} };
}

async function handleConfirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["ticket", ...signInFields]);
  const { id, secret } = readTicketText(body["ticket"]);
  const draft = draftSignIn(ask, desk);
  const input = { id, digest: desk.secrets.digest(secret), device: draft.device };
  const outcome = await desk.run(followLink, input, ask);
  return answerSignIn(ask, desk, { outcome, draft });
}

/** Their procedures. */
export const magicLinkProcedures = [askLink, followLink] as const;

/** Their addresses. */
export const magicLinkRoutes: readonly AuthRoute[] = (
  [
    ["/auth/magic-link", handleAsk],
    ["/auth/magic-link/confirm", handleConfirm],
  ] as const
).map(([path, handle]) => ({
  method: "POST",
  path,
  access: "anyone",
  isOn: ({ magicLink }) => magicLink,
  handle,
}));
