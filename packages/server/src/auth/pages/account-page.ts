// The account itself: who one is, the address, leaving. And proving again that one is it, before what matters.
import type { Json } from "../../base/json.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { accountAnswer } from "./account-nav.ts";
import { sentPage } from "./mail-pages.ts";
import { objectOf, textOf, type PageContext } from "./page-call.ts";
import { buttonForm, field, form, passkeyButton, submit } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import { accountPath, goOn, targetOf } from "./page-go-on.ts";
import { pagePath, nextOf, typed, type Page } from "./page-route.ts";
import { passkeyScript } from "./passkey-script.ts";

/** `/auth/account`. */
const accountPage: Page = {
  path: accountPath,
  access: "signed-in",
  show(context, note) {
    const { me } = context.ask.caller;
    const isGuest = me["guest"] === true;
    return accountAnswer(context, note, {
      title: "Your account",
      body: isGuest ? guestBody() : memberBody(context),
    });
  },
};

function memberBody({ ask }: PageContext): HtmlValue {
  const { me } = ask.caller;
  const email = textOf(me["email"]);
  const facts: readonly (readonly [string, Json | undefined])[] = [
    ["Name", me["name"]],
    ["E-mail", email],
    ["Role", me["role"]],
  ];
  return html`<dl>
      ${facts.map(([label, value]) =>
        textOf(value) === ""
          ? ""
          : html`<dt class="quiet">${label}</dt>
              <dd>${textOf(value)}</dd>`,
      )}
    </dl>
    <h2>Change your address</h2>
    ${form(
      "/auth/email",
      html`<div class="side">
        ${field({ name: "email", label: "New e-mail address", kind: "email", autocomplete: "email", max: 254 })}
        <button type="submit" class="plain">Change</button>
      </div>`,
    )}
    <h2>Leave</h2>
    ${signOutForm()}
    <p><a href="/auth/account/delete">Delete this account</a></p>`;
}

/** A guest has nothing but this session: signing up makes an account of it, and everything stays theirs. */
function guestBody(): HtmlValue {
  return html`<p>
      You are here as a guest. Sign up, and everything you have here stays yours, on every device.
    </p>
    <p><a class="button" href="/auth/sign-up">Sign up</a></p>
    <h2>Leave</h2>
    <p>What you have here is lost then: nobody can sign in as a guest again.</p>
    ${signOutForm()}`;
}

function signOutForm(): Html {
  return buttonForm("/auth/sign-out", "Sign out", { kind: "plain" });
}

const signOutPage: Page = {
  path: "/auth/sign-out",
  access: "anyone",
  show: ({ desk }, note) => pageAnswer(desk, { title: "Sign out", ...note, body: signOutForm() }),
  async submit(context) {
    const answer = await context.call({ method: "POST", path: "/auth/sign-out" });
    return goOn(context, answer.cookies ?? [], "/auth/sign-in");
  },
};

/** Asked once more on a page of its own: it can't be taken back. */
const deletePage: Page = {
  path: "/auth/account/delete",
  access: "fresh",
  show: (context, note) =>
    accountAnswer(context, note, {
      title: "Delete this account",
      body: html`<p>
          Your account goes, and you are signed out everywhere. It can't be taken back.
        </p>
        ${buttonForm("/auth/account/delete", "Delete my account for good", { kind: "danger" })}
        <p><a href="${accountPath}">Keep it</a></p>`,
    }),
  async submit(context) {
    const { cookies = [] } = await context.call({ method: "DELETE", path: "/auth/account" });
    return { location: "/auth/sign-in", cookies };
  },
};

const emailPage: Page = {
  path: "/auth/email",
  access: "fresh",
  show: (context, note) =>
    accountAnswer(context, note, { title: "Your account", body: memberBody(context) }),
  async submit(context) {
    const body = { email: typed(context.ask, "email").trim() };
    await context.call({ method: "POST", path: "/auth/email", body });
    return sentPage(
      context,
      "A link is on its way to the new address. Follow it, signed in to this account, and the address counts.",
    );
  },
};

/** `/auth/confirm`: it is really you. With `ticket`, by the code of a letter. */
const confirmPage: Page = {
  path: "/auth/confirm",
  access: "signed-in",
  takesWeak: true,
  async show(context, note) {
    const { ask, desk } = context;
    const next = nextOf(ask);
    const ticket = ask.query.get("ticket") ?? "";
    const { hasPassword } = await context.read("/auth/me");
    const email = textOf(ask.caller.me["email"]);
    const ways: readonly HtmlValue[] = [
      ticket === "" ? null : confirmCodeForm(ticket, next),
      ticket === "" && hasPassword === true ? confirmPasswordForm(next) : null,
      email === "" || ticket !== ""
        ? null
        : buttonForm(pagePath("/auth/confirm/code", { next }), "E-mail me a code", {
            kind: "plain",
            isWhole: true,
          }),
      desk.settings.passkeys
        ? passkeyButton("Use a passkey", targetOf(context) ?? accountPath)
        : null,
    ];
    return pageAnswer(desk, {
      title: "Is it you?",
      ...note,
      body: html`<p>
          Before this change, show once more that it is you${email === "" ? "" : html`, ${email}`}.
        </p>
        ${ways}
        <p class="quiet">
          Another way:
          <a href="${pagePath("/auth/sign-in", { next, again: "1" })}">sign in again</a>.
        </p>`,
      ...(desk.settings.passkeys ? { script: passkeyScript } : {}),
    });
  },
  async submit(context) {
    const { ask } = context;
    const ticket = ask.query.get("ticket") ?? "";
    const body =
      ticket === ""
        ? { password: typed(ask, "password") }
        : { ticket, code: typed(ask, "code").replaceAll(" ", "") };
    const { cookies = [] } = await context.call({ method: "POST", path: "/auth/confirm", body });
    return goOn(context, cookies);
  },
};

function confirmPasswordForm(next: string): Html {
  return form(
    pagePath("/auth/confirm", { next }),
    html`${field({ name: "password", label: "Password", kind: "password", autocomplete: "current-password", max: 1_000, isFirst: true })}
    ${submit("Go on")}`,
  );
}

function confirmCodeForm(ticket: string, next: string): Html {
  return form(
    pagePath("/auth/confirm", { ticket, next }),
    html`${field({ name: "code", label: "Code from your mail", kind: "code", autocomplete: "one-time-code", max: 12, isFirst: true })}
    ${submit("Go on")}`,
  );
}

const confirmCodePage: Page = {
  path: "/auth/confirm/code",
  access: "signed-in",
  takesWeak: true,
  show: (context, note) => confirmPage.show(context, note),
  async submit(context) {
    const { json } = await context.call({ method: "POST", path: "/auth/confirm/code" });
    const ticket = textOf(objectOf(json)["ticket"]);
    return { location: pagePath("/auth/confirm", { ticket, next: nextOf(context.ask) }) };
  },
};

/** The account's own pages. */
export const accountPages: readonly Page[] = [
  accountPage,
  signOutPage,
  deletePage,
  emailPage,
  confirmPage,
  confirmCodePage,
];
