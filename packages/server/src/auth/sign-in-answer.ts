// What somebody gets who signed in: a session cookie for browsers, or tokens for programs that asked for them. The
// cookie and the refresh token are marks of the server on the session's id: nothing of them is kept anywhere.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { accountOfUser } from "./account-find.ts";
import type { Row } from "../store/store.ts";
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthAnswer, AuthAsk, AuthCookie } from "./auth-route.ts";
import { placeOf } from "./auth-event.ts";
import { linkOf } from "./letter-link.ts";
import { sessionCookieName, sessionCookieOf } from "./session-cookie.ts";
import { deviceCookie } from "./sign-in-guard.ts";
import { accessTokenOf, refreshTokenOf } from "./session-tokens.ts";
import type { SignInDevice, SignInOutcome } from "./sign-in-proof.ts";

/** What is drawn before the transaction of a sign-in, and what of it goes in. */
export interface SignInDraft {
  readonly device: SignInDevice;
  /** Of the second factor's ticket, should there be one. */
  readonly secret: string;
}

/** Draws what a sign-in needs. @param client the OpenID client that it is for; null: this app. */
export function draftSignIn(
  ask: AuthAsk,
  desk: AuthDesk,
  client: string | null = null,
): SignInDraft {
  const secret = desk.secrets.draw();
  const secondFactorDigest = desk.secrets.digest(secret);
  return { secret, device: { ...placeOf(ask), secondFactorDigest, client } };
}

/** Tickets as they travel: id, a dot, the secret. */
export function ticketText(id: string, secret: string): string {
  return `${id}.${secret}`;
}

/** Takes a ticket's text apart. @throws TICKET_INVALID. */
export function readTicketText(text: unknown): { readonly id: string; readonly secret: string } {
  const found =
    typeof text === "string" ? /^(auth_ticket_[0-9a-z]{26})\.([\w-]{6,64})$/.exec(text) : null;
  if (found === null) throw new PlatformError("TICKET_INVALID");
  return { id: found[1] as string, secret: found[2] as string };
}

/**
 * The answer of the API to somebody who signed in: `{ user, session }` with the cookie; with `tokens: true` in the
 * body, `{ user, session, accessToken, refreshToken, expiresInSeconds }` and no session cookie. Either way with the
 * browser's mark. To somebody whose second factor is still to come: 200 `{ secondFactor: { ticket } }`.
 */
export async function answerSignIn(
  ask: AuthAsk,
  desk: AuthDesk,
  signedIn: { readonly outcome: SignInOutcome; readonly draft: SignInDraft },
): Promise<AuthAnswer> {
  const { outcome, draft } = signedIn;
  if (outcome.kind === "secondFactor") {
    return { json: { secondFactor: { ticket: ticketText(outcome.ticket, draft.secret) } } };
  }
  if (outcome.factorGone !== undefined) {
    const data = { app: desk.settings.name, link: linkOf(desk, ask, "/auth/account", {}) };
    desk.mail.send({ to: outcome.factorGone, template: "second-factor-changed", data });
  }
  const session = await sessionRow(desk, outcome.session);
  const who = { user: outcome.user, session: outcome.session };
  const marks = await deviceMarks(ask, desk, outcome.user);
  if (ask.body["tokens"] === true) {
    return { json: { ...who, ...(await tokensOf(desk, session)) }, cookies: marks };
  }
  return { json: who, cookies: [sessionCookie(ask, desk, session), ...marks] };
}

/** However somebody came in: this browser is one of theirs, and strangers who guess at the account don't keep it out. */
async function deviceMarks(ask: AuthAsk, desk: AuthDesk, user: string): Promise<AuthCookie[]> {
  const account = await desk.store.read((tx) => accountOfUser({ tx }, user));
  const email = (account?.["email"] ?? null) as string | null;
  const mark = email === null ? null : deviceCookie(desk, ask, email);
  return mark === null ? [] : [mark];
}

/** The cookie of a session. */
export function sessionCookie(ask: AuthAsk, desk: AuthDesk, session: Row): AuthCookie {
  return {
    name: sessionCookieName,
    value: sessionCookieOf(desk.secrets, session),
    maxAgeSeconds: Math.floor(desk.limits.authSessionMs / 1_000),
  };
}

/** Access and refresh token of a session, as the API gives them. */
export async function tokensOf(desk: AuthDesk, session: Row): Promise<{ [name: string]: Json }> {
  return {
    accessToken: await accessTokenOf(desk, session),
    refreshToken: refreshTokenOf(desk.secrets, session),
    expiresInSeconds: Math.floor(desk.limits.authAccessMs / 1_000),
  };
}

/** @throws TOKEN_INVALID when it has ended in the meantime. */
export async function sessionRow(desk: AuthDesk, id: string): Promise<Row> {
  const row = await desk.store.read((tx) => tx.get("authSession", id, null));
  if (row === null) throw new PlatformError("TOKEN_INVALID");
  return row;
}
