// Signing up. Nothing becomes of it before the letter arrived: what was filled in waits in a ticket, and the user is made
// when the link in the letter is followed. So nobody takes an address that is not theirs, and the answer is the same
// whether it has an account or not: who owns the address learns it from the letter.
//
// A password counts only where it was chosen: in the browser that signed up, or typed once more. Somebody who signs up
// with the address of another, and waits for them to follow the letter, has no password for it.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { rowsWith } from "../../store/row-find.ts";
import { accountOf, accountOfEmail, accountOfUser } from "../account-find.ts";
import { bodyOf, invalidField, signInFields } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { issueTicket, takeTicket } from "../auth-ticket.ts";
import { normalEmail } from "../email-address.ts";
import { linkOf } from "../letter-link.ts";
import { answerSignIn, draftSignIn, readTicketText, ticketText } from "../sign-in-answer.ts";
import { finishSignIn } from "../sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "../sign-in-proof.ts";
import { checkUserFields, createAccount, upgradeGuest } from "./account-make.ts";
import { admitLetter } from "./letter-rates.ts";
import { chosenPassword } from "./password-rule.ts";
import { handOver, type ProvenUser } from "./proven-email.ts";

const purpose = "verifyEmail";
const cookieName = "keelson_sign_up";
const othersMax = 100;

/** What waits in the ticket. */
type Waiting = {
  readonly kind: "signUp";
  readonly passwordHash: string | null;
  readonly fields: { readonly [name: string]: Json };
  /** Digest of the browser's half. */
  readonly browser: string;
  /** The guest who signs up. */
  readonly guest: string | null;
};

type SignUpInput = {
  readonly email: string;
  readonly digest: string;
  readonly waiting: Waiting;
  readonly place: AuthPlace;
};

/** Makes the ticket. */
const signUp: AuthProcedure<SignUpInput, { readonly ticket: string; readonly isTaken: boolean }> = {
  name: "auth.signUp",
  async run(scope, { email, digest, waiting, place }) {
    checkUserFields(scope, { email, fields: waiting.fields });
    const isTaken = (await accountOfEmail(scope, email)) !== null;
    // Written either way: what is done for an address must not tell whether it has an account.
    const ticket = await issueTicket(scope, {
      purpose: isTaken ? "void" : purpose,
      user: null,
      subject: email,
      digest,
      ttlMs: scope.run.app.limits.authLinkMs,
      data: waiting,
    });
    await audit(scope, { kind: "signUpAsked", user: null, ...place });
    return { ticket, isTaken };
  },
};

type ConfirmInput = {
  readonly id: string;
  readonly digest: string;
  /** Digest of the browser's half, or null. */
  readonly browser: string | null;
  /** What was typed now, checked against the waiting hash, or the account's; false when nothing was typed. */
  readonly isPasswordKnown: boolean;
  /** Who is signed in where the letter is followed. */
  readonly caller: string | null;
  readonly device: SignInDevice;
};

/** Follows the letter: of a sign-up, or of an account whose address was not verified yet. */
const confirmEmail: AuthProcedure<ConfirmInput, SignInOutcome> = {
  name: "auth.confirmEmail",
  async run(scope, { id, digest, browser, isPasswordKnown, caller, device }) {
    const ticket = await takeTicket(scope, { purpose, id, digest });
    const email = ticket["subject"] as string;
    const waiting = ticket["data"] as Waiting | null;
    const owner = ticket["user"] as string;
    const isOwner = isPasswordKnown || caller === owner;
    if (waiting === null) {
      const handed = await verifyOwn(scope, owner, { email, isOwner, device });
      await audit(scope, { kind: "emailVerified", user: owner, ...placeOf(device) });
      const proof = { user: owner, ...handed, methods: ["email"], isStrong: false } as const;
      return finishSignIn(scope, proof, device);
    }
    const isSameBrowser = browser !== null && browser === waiting.browser;
    // Who follows the letter elsewhere and knows the password that was chosen is the same person too.
    const isSamePerson = isSameBrowser || isPasswordKnown;
    const passwordHash = isSamePerson ? waiting.passwordHash : null;
    const made = { email, emailVerified: true, fields: waiting.fields, passwordHash };
    const guest = isSamePerson ? waiting.guest : null;
    const own = guest === null ? (await createAccount(scope, made)).user : guest;
    if (guest !== null) await upgradeGuest(scope, guest, made);
    await dropOthers(scope, email);
    await audit(scope, {
      kind: guest === null ? "signUp" : "guestUpgraded",
      user: own,
      ...placeOf(device),
    });
    return finishSignIn(scope, { user: own, methods: ["email"], isStrong: false }, device);
  },
};

/** @param shown.isOwner whether who follows the letter is signed in to the account, or knows its password. */
async function verifyOwn(
  scope: Parameters<typeof confirmEmail.run>[0],
  user: string,
  shown: { readonly email: string; readonly isOwner: boolean; readonly device: SignInDevice },
): Promise<Pick<ProvenUser, "factorGone">> {
  const account = await accountOf(scope, user);
  if (account["email"] !== shown.email) throw new PlatformError("TICKET_INVALID");
  if (!shown.isOwner) return handOver(scope, account, shown.device);
  await scope.tx.update("authAccount", account["id"] as string, { emailVerified: true });
  return {};
}

/** Other sign-ups with the address are void: somebody else's, or an earlier try. */
async function dropOthers(
  scope: Parameters<typeof confirmEmail.run>[0],
  email: string,
): Promise<void> {
  // By the index on both: tickets of everybody are many, and the writer waits for this.
  const rows = await rowsWith(scope.tx, "authTicket", { purpose, subject: email }, othersMax);
  for (const { id } of rows) await scope.tx.delete("authTicket", id as string);
}

async function handleSignUp(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { settings, secrets } = desk;
  const body = bodyOf(ask, ["email", "password", "next", ...settings.signUpFields]);
  const email = normalEmail(body["email"]);
  const fields = Object.fromEntries(
    settings.signUpFields
      .filter((name) => body[name] !== undefined)
      .map((name) => [name, body[name] ?? null]),
  );
  const password = passwordOf(desk, body, email);
  admitLetter(desk, ask, { email });
  const passwordHash = password === null ? null : await desk.passwords.hash(password);
  const secret = secrets.draw();
  const browser = secrets.draw();
  const guest = ask.caller.me["guest"] === true ? ask.caller.id : null;
  const input: SignUpInput = {
    email,
    digest: secrets.digest(secret),
    waiting: { kind: "signUp", passwordHash, fields, browser: secrets.digest(browser), guest },
    place: placeOf(ask),
  };
  const { ticket, isTaken } = await desk.run(signUp, input, ask);
  const next = typeof body["next"] === "string" ? body["next"] : "";
  const app = settings.name;
  if (isTaken) {
    const link = linkOf(desk, ask, "/auth/sign-in", { next });
    desk.mail.send({ to: email, template: "already-registered", data: { app, link } });
  } else {
    const text = ticketText(ticket, secret);
    const link = linkOf(desk, ask, "/auth/verify-email/confirm", { ticket: text, next });
    const minutes = Math.round(desk.limits.authLinkMs / 60_000);
    desk.mail.send({ to: email, template: "verify-email", data: { app, link, minutes } });
  }
  const maxAgeSeconds = Math.floor(desk.limits.authLinkMs / 1_000);
  return { status: 202, json: {}, cookies: [{ name: cookieName, value: browser, maxAgeSeconds }] };
}

/** Null: people sign up without one, and sign in by letters. */
function passwordOf(desk: AuthDesk, body: AuthAsk["body"], email: string): string | null {
  const given = body["password"];
  if (desk.settings.password === null) {
    if (given === undefined) return null;
    throw invalidField("password", "is not known here");
  }
  if (given === undefined) return null;
  const name = typeof body["name"] === "string" ? body["name"] : null;
  return chosenPassword(desk, given, [email, name, desk.settings.name]);
}

async function handleConfirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["ticket", "password", ...signInFields]);
  const { id, secret } = readTicketText(body["ticket"]);
  const { secrets } = desk;
  const digest = secrets.digest(secret);
  const draft = draftSignIn(ask, desk);
  const half = ask.cookie(cookieName);
  const input: ConfirmInput = {
    id,
    digest,
    browser: half === null ? null : secrets.digest(half),
    isPasswordKnown: await isWaitingPassword(desk, { id, digest, password: body["password"] }),
    caller: ask.caller.id,
    device: draft.device,
  };
  const outcome = await desk.run(confirmEmail, input, ask);
  const answer = await answerSignIn(ask, desk, { outcome, draft });
  const gone = { name: cookieName, value: null, maxAgeSeconds: null };
  return { ...answer, cookies: [...(answer.cookies ?? []), gone] };
}

/** Whether what was typed is the password that was chosen at the sign-up, or that of the account. */
async function isWaitingPassword(
  desk: AuthDesk,
  shown: { readonly id: string; readonly digest: string; readonly password: Json | undefined },
): Promise<boolean> {
  if (typeof shown.password !== "string") return false;
  const found = await desk.store.read(async (tx) => {
    const ticket = await tx.get("authTicket", shown.id, null);
    if (ticket === null || ticket["digest"] !== shown.digest) return null;
    const waiting = ticket["data"] as Waiting | null;
    if (waiting !== null) return { hash: waiting.passwordHash };
    const user = ticket["user"] as string | null;
    const account = user === null ? null : await accountOfUser({ tx }, user);
    return { hash: (account?.["passwordHash"] ?? null) as string | null };
  });
  if (found === null) return false;
  return (await desk.passwords.check(shown.password, found.hash)).isRight;
}

type VerifyInput = { readonly user: string; readonly email: string; readonly digest: string };

/** A letter to an address that an account has, and that was not verified. */
const askVerify: AuthProcedure<VerifyInput, { readonly ticket: string }> = {
  name: "auth.askVerify",
  async run(scope, { user, email, digest }) {
    const ttlMs = scope.run.app.limits.authLinkMs;
    return { ticket: await issueTicket(scope, { purpose, user, subject: email, digest, ttlMs }) };
  },
};

async function handleVerify(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  bodyOf(ask, []);
  const { email, emailVerified } = ask.caller.me;
  if (typeof email !== "string" || emailVerified === true) return { status: 202, json: {} };
  admitLetter(desk, ask, { email });
  const secret = desk.secrets.draw();
  const input = { user: ask.caller.id ?? "", email, digest: desk.secrets.digest(secret) };
  const { ticket } = await desk.run(askVerify, input, ask);
  const text = ticketText(ticket, secret);
  const link = linkOf(desk, ask, "/auth/verify-email/confirm", { ticket: text });
  const minutes = Math.round(desk.limits.authLinkMs / 60_000);
  desk.mail.send({
    to: email,
    template: "verify-email",
    data: { app: desk.settings.name, link, minutes },
  });
  return { status: 202, json: {} };
}

/** Their procedures. */
export const signUpProcedures = [signUp, confirmEmail, askVerify] as const;

/** Their addresses. */
export const signUpRoutes: readonly AuthRoute[] = [
  {
    method: "POST",
    path: "/auth/sign-up",
    access: "anyone",
    isOn: ({ signUp }) => signUp === "open",
    handle: handleSignUp,
  },
  { method: "POST", path: "/auth/verify-email", access: "signed-in", handle: handleVerify },
  { method: "POST", path: "/auth/verify-email/confirm", access: "anyone", handle: handleConfirm },
];
