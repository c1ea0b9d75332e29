// The record of what happened to an account, written in the transaction of what happened. People see their own
// (`GET /auth/events`); nothing in it is a secret.
import { andThen, type Later } from "../base/later.ts";
import type { Json } from "../base/json.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { timeText } from "../gate/gate-app.ts";

/** From where something was asked. Part of every procedure's input that leaves a record. */
export type AuthPlace = {
  readonly address: string | null;
  readonly userAgent: string | null;
};

/** What can happen. The page that shows it has words for each. */
export type AuthEventKind =
  | "signUp"
  | "guestUpgraded"
  | "signIn"
  | "signInFailed"
  | "confirmed"
  | "secondFactorFailed"
  | "signOut"
  | "passwordChanged"
  | "passwordReset"
  | "emailChanged"
  | "emailVerified"
  | "sessionRevoked"
  | "sessionsRevoked"
  | "refreshTokenReused"
  | "passkeyAdded"
  | "passkeyRemoved"
  | "passkeyCopied"
  | "totpAdded"
  | "totpRemoved"
  | "recoveryCodesDrawn"
  | "identityAdded"
  | "identityRemoved"
  | "clientSignIn"
  | "clientSignOut"
  | "consentGiven"
  | "consentWithdrawn"
  | "codeReplayed"
  | "orgCreated"
  | "orgDeleted"
  | "orgInvited"
  | "orgJoined"
  | "orgMemberRemoved"
  | "orgRoleChanged"
  | "keyMade"
  | "keyEnded"
  | "refreshReused"
  | "signUpAsked"
  | "madeByApp"
  | "accountClosed"
  | "accountOpened"
  | "imported"
  | "userDeleted";

/** Something that happened. */
export interface AuthHappening extends AuthPlace {
  readonly kind: AuthEventKind;
  readonly user: string | null;
  readonly session?: string | null;
  readonly details?: { readonly [name: string]: Json };
}

/** Writes it down. */
export function audit(scope: ProcedureScope, happening: AuthHappening): Later<void> {
  const { run, tx } = scope;
  const { kind, user, session, address, userAgent, details } = happening;
  const row = {
    id: run.app.newId("authEvent"),
    user,
    at: timeText(run.nowMs),
    kind,
    session: session ?? null,
    address,
    userAgent: userAgent === null ? null : userAgent.slice(0, 400),
    details: details ?? null,
  };
  return andThen(tx.insert("authEvent", row), () => undefined);
}

/** Where an ask came from. */
export function placeOf(ask: AuthPlace): AuthPlace {
  return { address: ask.address, userAgent: ask.userAgent };
}
