// Pages of what goes by e-mail: asking for a link, a code or a new password, and following what came. A link shows a
// button and nothing else happens: programs that look through mail follow links, they don't press buttons.
import type { AuthModel } from "../../model/auth-model.ts";
import type { AuthAccess, AuthAnswer } from "../auth-route.ts";
import { html, type HtmlValue } from "./html.ts";
import { objectOf, textOf, type PageContext } from "./page-call.ts";
import { field, form, hidden, submit } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import { goOn } from "./page-go-on.ts";
import { emailOf, hintOf, pagePath, nextOf, typed, type Page } from "./page-route.ts";
import { finishSignInPage } from "./sign-in-page.ts";

/** The browser that signed up has it: see sign-up.ts. */
const signUpCookie = "keelson_sign_up";

/** A page that asks for an address and says the same whether it has an account or not. */
interface AskPage {
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly isOn?: (settings: AuthModel) => boolean;
  /** Shown when the mail was asked for. */
  readonly sent: (context: PageContext, answer: AuthAnswer) => AuthAnswer;
}

function askPage({ path, title, text, button, isOn, sent }: AskPage): Page {
  return {
    path,
    access: "anyone",
    ...(isOn === undefined ? {} : { isOn }),
    show: ({ ask, desk }, note) =>
      pageAnswer(desk, {
        title,
        ...note,
        body: html`<p>${text}</p>
          ${form(
            pagePath(path, { next: nextOf(ask) }),
            html`${field({
              name: "email",
              label: "E-mail address",
              kind: "email",
              autocomplete: "username",
              max: 254,
              value: emailOf(ask),
              isFirst: true,
            })}
            ${submit(button)}`,
          )}
          <p class="quiet">
            <a href="${pagePath("/auth/sign-in", { next: nextOf(ask), hint: hintOf(ask) })}"
              >Sign in another way</a
            >
          </p>`,
      }),
    async submit(context) {
      const body: Record<string, string> = { email: typed(context.ask, "email").trim() };
      const next = nextOf(context.ask);
      if (next !== "") body["next"] = next;
      return sent(context, await context.call({ method: "POST", path, body }));
    },
  };
}

/** What is said after a mail was asked for: nothing of whether there is an account. */
export function sentPage(
  { ask, desk }: PageContext,
  text: HtmlValue,
  cookies: AuthAnswer["cookies"] = [],
): AuthAnswer {
  const page = pageAnswer(desk, {
    title: "Look into your mail",
    body: html`<p role="status">${text}</p>
      <p class="quiet">
        Nothing there? Look into the folder for junk, or
        <a href="${pagePath(ask.path, { next: nextOf(ask) })}">try again</a>.
      </p>`,
  });
  return { ...page, cookies };
}

const resetPage = askPage({
  path: "/auth/reset",
  title: "Set a new password",
  text: "We send you a link that sets a new password.",
  button: "Send the link",
  isOn: ({ password }) => password !== null,
  sent: (context) =>
    sentPage(
      context,
      "If there is an account with this address, a link to set a new password is on its way.",
    ),
});

const magicLinkPage = askPage({
  path: "/auth/magic-link",
  title: "Sign in by e-mail",
  text: "We send you a link that signs you in.",
  button: "Send the link",
  isOn: ({ magicLink }) => magicLink,
  sent: (context) => sentPage(context, "A link to sign in is on its way to this address."),
});

const emailCodePage = askPage({
  path: "/auth/email-code",
  title: "Sign in with a code",
  text: "We send you a code that signs you in.",
  button: "Send the code",
  isOn: ({ emailCode }) => emailCode,
  sent: ({ ask }, answer) => {
    const ticket = textOf(objectOf(answer.json)["ticket"]);
    return { location: pagePath("/auth/email-code/confirm", { ticket, next: nextOf(ask) }) };
  },
});

const emailCodeConfirmPage: Page = {
  path: "/auth/email-code/confirm",
  access: "anyone",
  isOn: ({ emailCode }) => emailCode,
  show: ({ ask, desk }, note) =>
    pageAnswer(desk, {
      title: "Enter the code",
      ...note,
      body: html`<p>It is on its way to your address.</p>
        ${form(
          pagePath("/auth/email-code/confirm", { ticket: ticketOf(ask), next: nextOf(ask) }),
          html`${hidden("ticket", ticketOf(ask))}
          ${field({ name: "code", label: "Code", kind: "code", autocomplete: "one-time-code", max: 12, isFirst: true })}
          ${submit("Sign in")}`,
        )}
        <p class="quiet">
          <a href="${pagePath("/auth/email-code", { next: nextOf(ask) })}">Send another code</a>
        </p>`,
    }),
  async submit(context) {
    const { ask } = context;
    const body = { ticket: typed(ask, "ticket"), code: typed(ask, "code").replaceAll(" ", "") };
    const answer = await context.call({ method: "POST", path: "/auth/email-code/confirm", body });
    return finishSignInPage(context, answer);
  },
};

/** A page behind a link: one button. */
function linkPage(parts: {
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** Default: anyone. */
  readonly access?: AuthAccess;
  readonly isOn?: (settings: AuthModel) => boolean;
  /** What is asked beside. */
  readonly more?: (context: PageContext) => HtmlValue;
  readonly done: (context: PageContext, answer: AuthAnswer) => AuthAnswer;
}): Page {
  const { path, title, text, button, access = "anyone", isOn, more, done } = parts;
  return {
    path,
    access,
    ...(isOn === undefined ? {} : { isOn }),
    show: (context, note) =>
      pageAnswer(context.desk, {
        title,
        ...note,
        body: html`<p>${text}</p>
          ${form(
            pagePath(path, { next: nextOf(context.ask) }),
            html`${hidden("ticket", ticketOf(context.ask))} ${more?.(context)} ${submit(button)}`,
          )}`,
      }),
    async submit(context) {
      const password = typed(context.ask, "password");
      const ticket = typed(context.ask, "ticket");
      const body = password === "" ? { ticket } : { ticket, password };
      return done(context, await context.call({ method: "POST", path, body }));
    },
  };
}

const magicLinkConfirmPage = linkPage({
  path: "/auth/magic-link/confirm",
  title: "Sign in",
  text: "You followed a link from your mail.",
  button: "Sign in",
  isOn: ({ magicLink }) => magicLink,
  done: finishSignInPage,
});

const verifyPage = linkPage({
  path: "/auth/verify-email/confirm",
  title: "Confirm your e-mail address",
  text: "You followed a link from your mail. Confirm that the address is yours.",
  button: "Confirm",
  more: ({ ask, desk }) =>
    desk.settings.password === null || ask.cookie(signUpCookie) !== null
      ? null
      : field({
          name: "password",
          label: "Password",
          kind: "password",
          autocomplete: "current-password",
          hint: "You signed up with another browser: type the password that you chose there. Left empty, you set one later.",
          isOptional: true,
          max: 1_000,
        }),
  done: finishSignInPage,
});

const emailConfirmPage = linkPage({
  path: "/auth/email/confirm",
  title: "Confirm your new e-mail address",
  text: "From then on you sign in with this address, and all mail goes there.",
  button: "Confirm",
  // Who is not signed in does so first, and comes back: see change.ts.
  access: "signed-in",
  done: (context) => goOn(context, []),
});

const resetConfirmPage: Page = {
  path: "/auth/reset/confirm",
  access: "anyone",
  isOn: ({ password }) => password !== null,
  show: ({ ask, desk }, note) =>
    pageAnswer(desk, {
      title: "Set a new password",
      ...note,
      body: form(
        pagePath("/auth/reset/confirm", { next: nextOf(ask) }),
        html`${hidden("ticket", ticketOf(ask))}
          ${newPasswordField(desk.settings, { isFirst: true })}
          <p class="quiet">You are signed out everywhere else.</p>
          ${submit("Set the password")}`,
      ),
    }),
  async submit(context) {
    const { ask } = context;
    const body = { ticket: typed(ask, "ticket"), password: typed(ask, "password") };
    const answer = await context.call({ method: "POST", path: "/auth/reset/confirm", body });
    return finishSignInPage(context, answer);
  },
};

/** The field of a password that is chosen now. */
export function newPasswordField(
  { password }: AuthModel,
  {
    isFirst = false,
    label = "New password",
  }: { readonly isFirst?: boolean; readonly label?: string } = {},
): HtmlValue {
  return field({
    name: "password",
    label,
    kind: "password",
    autocomplete: "new-password",
    hint: `At least ${password?.min ?? 10} characters. A few words together are easy to keep in mind and hard to guess.`,
    max: 1_000,
    isFirst,
  });
}

/** The ticket of a page: from the link, or from its own form when that is shown again. */
function ticketOf(ask: PageContext["ask"]): string {
  return ask.query.get("ticket") ?? typed(ask, "ticket");
}

/** In the order of a path's parts. */
export const mailPages: readonly Page[] = [
  resetPage,
  resetConfirmPage,
  magicLinkPage,
  magicLinkConfirmPage,
  emailCodePage,
  emailCodeConfirmPage,
  verifyPage,
  emailConfirmPage,
];
