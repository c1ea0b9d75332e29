// Signing in: by password, by a link or code in a mail, with a passkey, with an account elsewhere. And the second step,
// for those who have one.
import type { AuthAnswer } from "../auth-route.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { objectOf, textOf, type PageContext } from "./page-call.ts";
import { accountPath, goOn, targetOf } from "./page-go-on.ts";
import { field, form, hidden, passkeyButton, submit } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import { emailOf, hintOf, pagePath, nextOf, typed, type Page } from "./page-route.ts";
import { passkeyScript } from "./passkey-script.ts";

/** `/auth/sign-in`. With `again=1` also for somebody who is signed in. */
export const signInPage: Page = {
  path: "/auth/sign-in",
  access: "anyone",
  show(context, note) {
    const { ask, desk } = context;
    const next = nextOf(ask);
    const isMember = ask.caller.id !== null && ask.caller.me["guest"] !== true;
    if (isMember && ask.method === "GET" && ask.query.get("again") !== "1") {
      return goOn(context, []);
    }
    const { settings } = desk;
    const parts: readonly HtmlValue[] = [
      settings.password === null ? null : passwordForm(context),
      otherWays(context),
      settings.signUp === "open"
        ? html`<p class="quiet">
            No account yet?
            <a href="${pagePath("/auth/sign-up", { next, hint: hintOf(ask) })}">Sign up</a>
          </p>`
        : null,
    ];
    return pageAnswer(desk, {
      title: "Sign in",
      ...note,
      body: parts,
      ...(settings.passkeys ? { script: passkeyScript } : {}),
    });
  },
  async submit(context) {
    const { ask } = context;
    const body = { email: typed(ask, "email").trim(), password: typed(ask, "password") };
    return finishSignInPage(
      context,
      await context.call({ method: "POST", path: "/auth/sign-in", body }),
    );
  },
};

/** Goes on after an answer of the API to somebody who signed in: to the second step, or to where they wanted. */
export function finishSignInPage(context: PageContext, answer: AuthAnswer): AuthAnswer {
  const { ticket } = objectOf(objectOf(answer.json)["secondFactor"]);
  if (ticket === undefined) return goOn(context, answer.cookies ?? []);
  const next = nextOf(context.ask);
  return { location: pagePath("/auth/second-factor", { ticket: textOf(ticket), next }) };
}

function passwordForm({ ask }: PageContext): Html {
  const next = nextOf(ask);
  const again = ask.query.get("again") ?? "";
  return form(
    pagePath("/auth/sign-in", { next, again }),
    html`${field({
        name: "email",
        label: "E-mail address",
        kind: "email",
        autocomplete: "username",
        max: 254,
        value: emailOf(ask),
        isFirst: true,
      })}
      ${field({ name: "password", label: "Password", kind: "password", autocomplete: "current-password", max: 1_000 })}
      <p class="quiet">
        <a href="${pagePath("/auth/reset", { next, hint: hintOf(ask) })}">Forgotten?</a>
      </p>
      ${submit("Sign in")}`,
  );
}

function otherWays(context: PageContext): HtmlValue {
  const { ask, desk } = context;
  const { settings } = desk;
  const next = nextOf(ask);
  const link = (path: string, label: string, query: Readonly<Record<string, string>> = { next }) =>
    html`<a class="button plain whole" href="${pagePath(path, query)}">${label}</a>`;
  const hinted = { next, hint: hintOf(ask) };
  const ways: readonly Html[] = [
    ...(settings.passkeys
      ? [passkeyButton("Sign in with a passkey", targetOf(context) ?? accountPath)]
      : []),
    ...(settings.magicLink ? [link("/auth/magic-link", "E-mail me a link", hinted)] : []),
    ...(settings.emailCode ? [link("/auth/email-code", "E-mail me a code", hinted)] : []),
    ...Object.entries(settings.providers).map(([name, { label }]) =>
      link(`/auth/providers/${encodeURIComponent(name)}/start`, `Continue with ${label}`),
    ),
  ];
  if (ways.length === 0) return null;
  return [settings.password === null ? null : html`<p class="or">or</p>`, ...ways];
}

/** `/auth/second-factor?ticket=...`: the second step. */
export const secondFactorPage: Page = {
  path: "/auth/second-factor",
  access: "anyone",
  show(context, note) {
    const { ask, desk } = context;
    const query = { ticket: ask.query.get("ticket") ?? "", next: nextOf(ask) };
    const isRecovery = ask.query.get("with") === "recovery";
    const otherWay = isRecovery
      ? html`<a href="${pagePath("/auth/second-factor", query)}">Use the authenticator app</a>`
      : html`<a href="${pagePath("/auth/second-factor", { ...query, with: "recovery" })}"
          >Use a recovery code</a
        >`;
    return pageAnswer(desk, {
      title: "Second step",
      ...note,
      body: html`${form(
          pagePath("/auth/second-factor", {
            ...query,
            ...(isRecovery ? { with: "recovery" } : {}),
          }),
          html`${hidden("ticket", query.ticket)}
          ${
            isRecovery
              ? field({
                  name: "recoveryCode",
                  label: "Recovery code",
                  kind: "code",
                  hint: "Each works once.",
                  max: 64,
                  isFirst: true,
                })
              : field({
                  name: "code",
                  label: "Code",
                  kind: "code",
                  autocomplete: "one-time-code",
                  hint: "Six digits, from your authenticator app.",
                  max: 12,
                  isFirst: true,
                })
          }
          ${submit("Sign in")}`,
        )}
        <p class="quiet">${otherWay}</p>
        ${
          desk.settings.passkeys
            ? passkeyButton("Use a passkey", targetOf(context) ?? accountPath)
            : ""
        }`,
      ...(desk.settings.passkeys ? { script: passkeyScript } : {}),
    });
  },
  async submit(context) {
    const { ask } = context;
    const code = typed(ask, "code").replaceAll(" ", "");
    const recoveryCode = typed(ask, "recoveryCode").trim();
    const body = {
      ticket: typed(ask, "ticket"),
      ...(recoveryCode === "" ? { code } : { recoveryCode }),
    };
    return finishSignInPage(
      context,
      await context.call({ method: "POST", path: "/auth/second-factor", body }),
    );
  },
};
