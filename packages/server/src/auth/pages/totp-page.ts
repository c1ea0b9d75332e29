// Setting up the second step: the secret as a picture and as text, the first code, the recovery codes. The secret is
// shown to the person whose it is and to nobody else; the form carries it so that a mistyped code can be typed again.
import { encode } from "uqr";
import { html, type Html } from "./html.ts";
import { accountAnswer } from "./account-nav.ts";
import { objectOf, textOf, type PageContext } from "./page-call.ts";
import { field, form, hidden, submit } from "./page-form.ts";
import { typed, type Page, type PageNote } from "./page-route.ts";
import { securityPage } from "./security-page.ts";
import type { AuthAnswer } from "../auth-route.ts";

const beginPage: Page = {
  path: "/auth/totp/begin",
  access: "fresh",
  takesWeak: true,
  isOn: ({ totp }) => totp,
  show: (context, note) => securityPage.show(context, note),
  async submit(context) {
    const { json } = await context.call({ method: "POST", path: "/auth/totp/begin" });
    const { secret, uri } = objectOf(json);
    return setUpAnswer(context, noNote, { secret: textOf(secret), uri: textOf(uri) });
  },
};

const confirmPage: Page = {
  path: "/auth/totp/confirm",
  access: "signed-in",
  takesWeak: true,
  isOn: ({ totp }) => totp,
  show(context, note) {
    const { ask } = context;
    const uri = typed(ask, "uri");
    if (!uri.startsWith("otpauth://")) return securityPage.show(context, note);
    return setUpAnswer(context, note, { secret: typed(ask, "secret"), uri });
  },
  async submit(context) {
    const body = { code: typed(context.ask, "code").replaceAll(" ", "") };
    const { json } = await context.call({ method: "POST", path: "/auth/totp/confirm", body });
    return recoveryAnswer(context, objectOf(json)["recoveryCodes"]);
  },
};

const recoveryPage: Page = {
  path: "/auth/recovery-codes",
  access: "fresh",
  isOn: ({ totp }) => totp,
  show: (context, note) => securityPage.show(context, note),
  async submit(context) {
    const { json } = await context.call({ method: "POST", path: "/auth/recovery-codes" });
    return recoveryAnswer(context, objectOf(json)["recoveryCodes"]);
  },
};

const noNote: PageNote = { problem: null, status: 200 };

function setUpAnswer(
  context: PageContext,
  note: PageNote,
  { secret, uri }: { readonly secret: string; readonly uri: string },
): AuthAnswer {
  return accountAnswer(context, note, {
    title: "Set up the second step",
    body: html`<ol>
        <li>Scan this with your authenticator app, or <a href="${uri}">open it there</a>.</li>
        <li>Type the code that it shows.</li>
      </ol>
      <p>${picture(uri)}</p>
      <p class="quiet">
        It can't be scanned? Type this in:
        <code>${secret.replaceAll(/(.{4})/gv, "$1 ").trim()}</code>
      </p>
      ${form(
        "/auth/totp/confirm",
        html`${hidden("secret", secret)}${hidden("uri", uri)}
        ${field({ name: "code", label: "Code", kind: "code", autocomplete: "one-time-code", max: 12, isFirst: true })}
        ${submit("Turn it on")}`,
      )}`,
  });
}

function recoveryAnswer(context: PageContext, codes: unknown): AuthAnswer {
  const list = Array.isArray(codes) ? codes.map(String) : [];
  return accountAnswer(context, noNote, {
    title: "Your recovery codes",
    notice: "The second step is on.",
    body: html`<p>
        Each of these signs you in once when your authenticator app is lost. Print them or write
        them down: they are not shown again.
      </p>
      <ul class="codes">
        ${list.map((code) => html`<li>${code}</li>`)}
      </ul>
      <p><a class="button plain" href="/auth/security">I have kept them</a></p>`,
  });
}

/** The address as a QR code. */
function picture(uri: string): Html {
  const { data, size } = encode(uri, { ecc: "M", border: 2 });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return html`<svg
    viewBox="0 0 ${size} ${size}"
    width="220"
    height="220"
    role="img"
    aria-label="QR code for your authenticator app"
  >
    <rect width="${size}" height="${size}" fill="#fff" />
    <path d="${path}" fill="#000" />
  </svg>`;
}

/** The pages of the second step. */
export const totpPages: readonly Page[] = [beginPage, confirmPage, recoveryPage];
