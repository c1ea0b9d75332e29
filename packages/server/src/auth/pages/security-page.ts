// How one signs in: password, second factor, passkeys, accounts elsewhere, and which systems may act in one's name.
import type { Json } from "../../base/json.ts";
import type { AuthAnswer } from "../auth-route.ts";
import { lacksSecondFactor } from "../protocol-caller.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { accountAnswer, when } from "./account-nav.ts";
import { newPasswordField } from "./mail-pages.ts";
import { objectsOf, textOf, type JsonObject, type PageContext } from "./page-call.ts";
import { buttonForm, form } from "./page-form.ts";
import { typed, type Page, type PageNote } from "./page-route.ts";
import { passkeyScript } from "./passkey-script.ts";

/** `/auth/security`. */
export const securityPage: Page = {
  path: "/auth/security",
  access: "signed-in",
  takesWeak: true,
  async show(context, note) {
    if (lacksSecondFactor(context.ask, context.desk)) return weakAnswer(context, note);
    const parts = [
      passwordPart(context),
      await secondFactorPart(context),
      await passkeyPart(context),
      await identityPart(context),
      await consentPart(context),
    ];
    return accountAnswer(context, note, {
      title: "Security",
      notice: notices[context.ask.query.get("done") ?? ""] ?? null,
      body: parts,
      leadsElsewhere: true,
      ...(context.desk.settings.passkeys ? { script: passkeyScript } : {}),
    });
  },
};

/** For somebody who may do nothing else: what their role asks for. */
async function weakAnswer(context: PageContext, note: PageNote): Promise<AuthAnswer> {
  const { settings } = context.desk;
  const { enabled } = settings.totp ? await context.read("/auth/totp") : {};
  const passkeys = settings.passkeys
    ? objectsOf((await context.read("/auth/passkeys"))["passkeys"])
    : [];
  const hasOne = enabled === true || passkeys.length > 0;
  const setUp = [
    await secondFactorPart(context),
    await passkeyPart(context),
    html`<p class="quiet">
      A passkey counts from the next sign-in on:
      <a href="/auth/sign-in?again=1">sign in with it</a>.
    </p>`,
  ];
  const body = hasOne
    ? html`<p>Your role asks for a second step. You have one: show it.</p>
        <p><a class="button" href="/auth/sign-in?again=1">Sign in again</a></p>`
    : html`<p>
          Your role asks for a second step. Set one up: until then there is nothing else to see.
        </p>
        ${setUp}`;
  return accountAnswer(context, note, {
    title: "Security",
    body: [body, buttonForm("/auth/sign-out", "Sign out", { kind: "plain" })],
    ...(settings.passkeys ? { script: passkeyScript } : {}),
  });
}

const notices: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  password: "Your new password is set. You are signed out everywhere else.",
  totp: "The second step is off.",
  passkey: "The passkey is removed.",
  identity: "The account elsewhere is removed.",
  consent: "That system has no access any more.",
});

function passwordPart({ desk }: PageContext): HtmlValue {
  if (desk.settings.password === null) return null;
  return html`<h2>Password</h2>
    ${form(
      "/auth/password",
      html`${newPasswordField(desk.settings)}
        <button type="submit" class="plain">Set a new password</button>`,
    )}`;
}

async function secondFactorPart(context: PageContext): Promise<HtmlValue> {
  if (!context.has("GET", "/auth/totp")) return null;
  const { enabled, recoveryCodesLeft } = await context.read("/auth/totp");
  const left = typeof recoveryCodesLeft === "number" ? recoveryCodesLeft : 0;
  return html`<h2>Second step</h2>
    ${
      enabled === true
        ? html`<p>
              On: a code from your authenticator app is asked for after the password. ${left}
              recovery ${left === 1 ? "code is" : "codes are"} left.
            </p>
            <div class="side">
              ${buttonForm("/auth/recovery-codes", "New recovery codes", { kind: "plain" })}
              ${buttonForm("/auth/totp/remove", "Turn it off", { kind: "danger" })}
            </div>`
        : html`<p>Off. With an authenticator app, a stolen password alone opens nothing.</p>
            ${buttonForm("/auth/totp/begin", "Set it up", { kind: "plain" })}`
    }`;
}

async function passkeyPart(context: PageContext): Promise<HtmlValue> {
  if (!context.desk.settings.passkeys || !context.has("GET", "/auth/passkeys")) return null;
  const { passkeys } = await context.read("/auth/passkeys");
  return html`<h2>Passkeys</h2>
    ${list(objectsOf(passkeys), (passkey) => [
      html`${textOf(passkey["name"])}<br /><span class="quiet"
          >added ${when(textOf(passkey["createdAt"]))}${lastUsed(passkey)}</span
        >`,
      buttonForm(
        `/auth/passkeys/${textOf(passkey["id"])}/remove`,
        removeLabel(textOf(passkey["name"])),
        {
          kind: "danger",
        },
      ),
    ])}
    <div class="side" data-needs-passkeys hidden>
      <div class="field">
        <label for="passkey-name">Name of a new passkey</label>
        <input
          id="passkey-name"
          type="text"
          maxlength="100"
          placeholder="My laptop"
          data-passkey-name
        />
      </div>
      <button type="button" class="plain" data-passkey="add" hidden>Add a passkey</button>
    </div>
    <p class="notice bad" role="alert" data-passkey-problem hidden></p>`;
}

function lastUsed({ lastUsedAt }: JsonObject): HtmlValue {
  return textOf(lastUsedAt) === "" ? "" : html`, used ${when(textOf(lastUsedAt))}`;
}

async function identityPart(context: PageContext): Promise<HtmlValue> {
  const { providers } = context.desk.settings;
  if (Object.keys(providers).length === 0 || !context.has("GET", "/auth/identities")) return null;
  const { identities } = await context.read("/auth/identities");
  const linked = objectsOf(identities);
  const labelOf = (name: Json | undefined) => providers[textOf(name)]?.label ?? textOf(name);
  const names = new Set(linked.map(({ provider }) => textOf(provider)));
  const missing = Object.entries(providers).filter(([name]) => !names.has(name));
  return html`<h2>Accounts elsewhere</h2>
    ${list(linked, (identity) => [
      html`${labelOf(identity["provider"])}<br /><span class="quiet"
          >${textOf(identity["email"])}</span
        >`,
      buttonForm(
        `/auth/identities/${textOf(identity["id"])}/remove`,
        removeLabel(labelOf(identity["provider"])),
        {
          kind: "danger",
        },
      ),
    ])}
    ${missing.map(([name, { label }]) =>
      buttonForm(`/auth/providers/${encodeURIComponent(name)}/link`, `Add ${label}`, {
        kind: "plain",
        values: { next: "/auth/security" },
      }),
    )}`;
}

async function consentPart(context: PageContext): Promise<HtmlValue> {
  const { clients } = context.desk.settings;
  if (Object.keys(clients).length === 0 || !context.has("GET", "/auth/consents")) return null;
  const { consents } = await context.read("/auth/consents");
  return html`<h2>Systems with access</h2>
    ${list(objectsOf(consents), (consent) => {
      const id = textOf(consent["client"]);
      const name =
        textOf(consent["name"]) === "" ? (clients[id]?.name ?? id) : textOf(consent["name"]);
      return [
        html`${name}<br /><span class="quiet">since ${when(textOf(consent["createdAt"]))}</span>`,
        buttonForm(`/auth/consents/${encodeURIComponent(id)}/remove`, removeLabel(name), {
          kind: "danger",
        }),
      ];
    })}`;
}

/** Says which one to those who hear only the button. */
export function removeLabel(name: string): Html {
  return html`Remove<span class="gone"> ${name}</span>`;
}

/** Rows of what there is, and what can be done with each. */
export function list(
  rows: readonly JsonObject[],
  row: (value: JsonObject) => readonly [what: HtmlValue, actions: HtmlValue],
): Html {
  if (rows.length === 0) return html`<p class="quiet">None yet.</p>`;
  const items = rows.map((value) => {
    const [what, actions] = row(value);
    return html`<li><span class="what">${what}</span>${actions}</li>`;
  });
  return html`<ul class="rows">
    ${items}
  </ul>`;
}

const passwordPage: Page = {
  path: "/auth/password",
  access: "fresh",
  isOn: ({ password }) => password !== null,
  show: (context, note) =>
    accountAnswer(context, note, { title: "Password", body: passwordPart(context) }),
  async submit(context) {
    const body = { password: typed(context.ask, "password") };
    const { cookies = [] } = await context.call({ method: "POST", path: "/auth/password", body });
    return { location: "/auth/security?done=password", cookies };
  },
};

/** A page that is only a form of another page: what was removed is gone, and the page is shown again. */
function removal(path: string, target: string, done: string): Page {
  return {
    path,
    access: "fresh",
    show: (context, note) => securityPage.show(context, note),
    async submit(context) {
      const { params } = context.ask;
      const filled = target.replaceAll(/:(\w+)/gv, (_, name: string) => params[name] ?? "");
      const { cookies = [] } = await context.call({ method: "DELETE", path: filled });
      return { location: `/auth/security?done=${done}`, cookies };
    },
  };
}

/** The pages behind the forms of `/auth/security`. */
export const securityPages: readonly Page[] = [
  securityPage,
  passwordPage,
  removal("/auth/totp/remove", "/auth/totp", "totp"),
  removal("/auth/passkeys/:id/remove", "/auth/passkeys/:id", "passkey"),
  removal("/auth/identities/:id/remove", "/auth/identities/:id", "identity"),
  removal("/auth/consents/:client/remove", "/auth/consents/:client", "consent"),
];
