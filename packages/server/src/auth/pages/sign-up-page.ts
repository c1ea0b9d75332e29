// Signing up: an address, a password, and what the app asks of people. The answer is the same whether the address has
// an account already.
import type { Json } from "../../base/json.ts";
import type { FieldSpec, TableModel } from "../../model/manifest.ts";
import { html, type Html } from "./html.ts";
import { newPasswordField, sentPage } from "./mail-pages.ts";
import type { PageContext } from "./page-call.ts";
import { field, form, submit } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import { emailOf, hintOf, pagePath, nextOf, typed, type Page } from "./page-route.ts";

/** `/auth/sign-up`. */
export const signUpPage: Page = {
  path: "/auth/sign-up",
  access: "anyone",
  isOn: ({ signUp }) => signUp === "open",
  show(context, note) {
    const { ask, desk } = context;
    const next = nextOf(ask);
    return pageAnswer(desk, {
      title: "Sign up",
      ...note,
      notice: note.problem === null ? fromElsewhere(context) : null,
      body: html`${form(
          pagePath("/auth/sign-up", { next }),
          html`${ownFields(context).map(([name, spec]) => ownField(context, name, spec))}
          ${field({
            name: "email",
            label: "E-mail address",
            kind: "email",
            autocomplete: "username",
            max: 254,
            value: emailOf(ask),
          })}
          ${desk.settings.password === null ? "" : newPasswordField(desk.settings, { label: "Password" })}
          ${submit("Sign up")}`,
        )}
        <p class="quiet">
          You have an account?
          <a href="${pagePath("/auth/sign-in", { next, hint: hintOf(ask) })}">Sign in</a>
        </p>`,
    });
  },
  async submit(context) {
    const { ask } = context;
    const body: Record<string, Json> = { email: typed(ask, "email").trim() };
    if (context.desk.settings.password !== null) body["password"] = typed(ask, "password");
    for (const [name] of ownFields(context)) {
      const text = typed(ask, name).trim();
      if (text !== "") body[name] = text;
    }
    const next = nextOf(ask);
    if (next !== "") body["next"] = next;
    const { cookies = [] } = await context.call({ method: "POST", path: "/auth/sign-up", body });
    return sentPage(
      context,
      "A letter is on its way. Follow the link in it with this browser, and you are in.",
      cookies,
    );
  },
};

/** What somebody is told who is new and came by another provider, which does not tell all that the app asks; null: nobody did. */
function fromElsewhere({ ask, desk }: PageContext): string | null {
  const from = ask.query.get("from") ?? "";
  const { providers } = desk.settings;
  const label = Object.hasOwn(providers, from) ? providers[from]?.label : undefined;
  if (label === undefined) return null;
  return `${label} does not tell all that is asked here of new people. Sign up with the address that you have there, and ${label} opens your account from then on.`;
}

/** The app's own fields that people fill in: those that a line of text can give. */
function ownFields({ desk }: PageContext): readonly (readonly [string, FieldSpec])[] {
  const user: TableModel | undefined = desk.manifest.tables["user"];
  return desk.settings.signUpFields.flatMap((name) => {
    const spec = user?.fields[name];
    return spec?.kind === "text" || spec?.kind === "oneOf" ? [[name, spec] as const] : [];
  });
}

function ownField({ ask }: PageContext, name: string, spec: FieldSpec): Html {
  const value = typed(ask, name);
  const label = labelOf(name);
  const isOptional = spec.optional === true || spec.default !== undefined;
  if (spec.kind === "oneOf") {
    return html`<div class="field">
      <label for="f-${name}">${label}</label>
      <select id="f-${name}" name="${name}">
        ${[
          isOptional ? html`<option value=""></option>` : "",
          ...spec.values.map(
            (one) => html`<option${one === value ? html` selected` : ""}>${one}</option>`,
          ),
        ]}
      </select>
    </div>`;
  }
  const max = spec.kind === "text" ? spec.max : 200;
  return field({
    name,
    label,
    autocomplete: name === "name" ? "name" : "off",
    isOptional,
    max,
    value,
  });
}

/** `firstName` as people read it. */
function labelOf(name: string): string {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/gv, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
