// Letting another system know who one is: which system, what it gets, where the answer goes. The form posts to the
// provider's own address, which knows what was asked.
import { readConsentAsk } from "../oidc-provider/provider-authorize.ts";
import { html } from "./html.ts";
import { textOf } from "./page-call.ts";
import { form, hidden } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import type { Page } from "./page-route.ts";

const scopeTexts: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  openid: "Know that it is you",
  profile: "Read your name",
  email: "Read your e-mail address",
  offline_access: "Do so while you are away, until you withdraw it",
});

/** `/auth/consent?request=...`. */
export const consentPage: Page = {
  path: "/auth/consent",
  access: "signed-in",
  isOn: ({ clients }) => Object.keys(clients).length > 0,
  show({ ask, desk }, note) {
    const { client, redirectUri, scopes } = readConsentAsk(ask, desk);
    const who = textOf(ask.caller.me["email"]);
    return pageAnswer(desk, {
      title: `Sign in to ${client.name}`,
      ...note,
      body: html`<p>
          ${client.name} wants to sign you in with your account
          here${who === "" ? "" : html`, <strong>${who}</strong>`}. It will be able to:
        </p>
        <ul>
          ${scopes.map((scope) => html`<li>${scopeTexts[scope] ?? scope}</li>`)}
        </ul>
        ${form(
          "/auth/oidc/consent",
          html`${hidden("request", ask.query.get("request") ?? "")}
            <div class="side">
              <button type="submit" name="decision" value="allow">Allow</button>
              <button type="submit" name="decision" value="deny" class="plain">Don’t allow</button>
            </div>`,
        )}
        <p class="quiet">
          You go on to ${hostOf(redirectUri)}. You can take this back under Security at any time.
        </p>`,
    });
  },
};

function hostOf(address: string): string {
  const { host, protocol } = new URL(address);
  return host === "" ? protocol : host;
}
