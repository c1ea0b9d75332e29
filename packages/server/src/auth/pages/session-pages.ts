// Where one is signed in, and what happened to the account.
import type { AuthEventKind } from "../auth-event.ts";
import { html } from "./html.ts";
import { accountAnswer, deviceName, when } from "./account-nav.ts";
import { objectsOf, textOf } from "./page-call.ts";
import { buttonForm } from "./page-form.ts";
import { pagePath, type Page } from "./page-route.ts";
import { list } from "./security-page.ts";

const sessionsPage: Page = {
  path: "/auth/sessions",
  access: "signed-in",
  async show(context, note) {
    const sessions = objectsOf((await context.read("/auth/sessions"))["sessions"]);
    const { clients } = context.desk.settings;
    return accountAnswer(context, note, {
      title: "Where you are signed in",
      body: html`${list(sessions, (session) => {
        const device = deviceName(textOf(session["userAgent"]));
        const client = textOf(session["client"]);
        const name = client === "" ? device : (clients[client]?.name ?? client);
        const about = html`${name}${session["isThis"] === true ? html` <strong>(this one)</strong>` : ""}<br />
          <span class="quiet"
            >${textOf(session["address"])} · since ${when(textOf(session["createdAt"]))} · last seen
            ${when(textOf(session["seenAt"]))}</span
          >`;
        const end = buttonForm(
          `/auth/sessions/${textOf(session["id"])}/end`,
          html`End<span class="gone"> the session of ${name}</span>`,
          { kind: "danger" },
        );
        return [about, end];
      })}
      ${sessions.length > 1 ? buttonForm("/auth/sessions/revoke-all", "End all others", { kind: "danger" }) : ""}`,
    });
  },
};

const endPage: Page = {
  path: "/auth/sessions/:id/end",
  access: "signed-in",
  show: (context, note) => sessionsPage.show(context, note),
  async submit(context) {
    const id = context.ask.params["id"] ?? "";
    const { cookies = [] } = await context.call({ method: "DELETE", path: `/auth/sessions/${id}` });
    return { location: "/auth/sessions", cookies };
  },
};

const endAllPage: Page = {
  path: "/auth/sessions/revoke-all",
  access: "signed-in",
  show: (context, note) => sessionsPage.show(context, note),
  async submit(context) {
    const call = { method: "POST", path: "/auth/sessions/revoke-all" } as const;
    const { cookies = [] } = await context.call(call);
    return { location: "/auth/sessions", cookies };
  },
};

/** Events as people read them. */
const eventTexts: Readonly<Record<AuthEventKind, string>> = Object.freeze({
  signUp: "Signed up",
  guestUpgraded: "Signed up, and kept what was a guest's",
  signIn: "Signed in",
  signInFailed: "A sign-in failed",
  confirmed: "Showed again that it was you",
  secondFactorFailed: "A wrong code at the second step",
  signOut: "Signed out",
  passwordChanged: "Password changed",
  passwordReset: "Password set by e-mail",
  emailChanged: "E-mail address changed",
  emailVerified: "E-mail address confirmed",
  sessionRevoked: "A session was ended",
  sessionsRevoked: "All other sessions were ended",
  refreshTokenReused: "A used-up token came again: its session was ended",
  passkeyAdded: "Passkey added",
  passkeyRemoved: "Passkey removed",
  passkeyCopied: "A copy of a passkey was used",
  totpAdded: "Second step turned on",
  totpRemoved: "Second step turned off",
  recoveryCodesDrawn: "New recovery codes",
  identityAdded: "Account elsewhere added",
  identityRemoved: "Account elsewhere removed",
  clientSignIn: "Signed in to another system",
  clientSignOut: "Signed out of another system",
  consentGiven: "Access given to another system",
  consentWithdrawn: "Access of another system ended",
  codeReplayed: "A used-up code came again: its session was ended",
  orgCreated: "Organisation made",
  orgDeleted: "Organisation deleted",
  orgInvited: "Somebody invited to an organisation",
  orgJoined: "Joined an organisation",
  orgMemberRemoved: "Somebody removed from an organisation",
  orgRoleChanged: "A role in an organisation changed",
  keyMade: "Key made",
  keyEnded: "Key deleted",
  refreshReused: "A used-up token of another system came again: its session was ended",
  signUpAsked: "Asked to sign up",
  madeByApp: "Account made by the app",
  accountClosed: "Account closed",
  accountOpened: "Account opened again",
  imported: "Brought from another system",
  userDeleted: "Account deleted",
});

const eventsPage: Page = {
  path: "/auth/events",
  access: "signed-in",
  async show(context, note) {
    const after = context.ask.query.get("after") ?? "";
    const { events, next } = await context.read(pagePath("/auth/events", { after }));
    return accountAnswer(context, note, {
      title: "What happened",
      body: html`${list(objectsOf(events), (event) => {
          const kind = textOf(event["kind"]);
          const device = deviceName(textOf(event["userAgent"]));
          return [
            html`${Object.hasOwn(eventTexts, kind) ? eventTexts[kind as AuthEventKind] : kind}<br /><span
                class="quiet"
                >${device}${textOf(event["address"]) === "" ? "" : html` · ${textOf(event["address"])}`}</span
              >`,
            html`<span class="quiet">${when(textOf(event["at"]))}</span>`,
          ];
        })}
        ${textOf(next) === "" ? "" : html`<p><a href="${pagePath("/auth/events", { after: textOf(next) })}">Older</a></p>`}
        <p class="quiet">
          Something that was not you? <a href="/auth/security">Set a new password</a>, and end every
          session.
        </p>`,
    });
  },
};

/** In the order of a path's parts. */
export const sessionPages: readonly Page[] = [sessionsPage, endPage, endAllPage, eventsPage];
