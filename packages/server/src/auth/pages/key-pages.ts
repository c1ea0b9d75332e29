// Keys for programs that act in one's name. A key is shown once, when it is made.
import { asksSecondFactor } from "../caller-build.ts";
import { html } from "./html.ts";
import { accountAnswer, when } from "./account-nav.ts";
import { objectOf, objectsOf, textOf } from "./page-call.ts";
import { buttonForm, field, form } from "./page-form.ts";
import { typed, type Page } from "./page-route.ts";
import { list } from "./security-page.ts";

const isOn: NonNullable<Page["isOn"]> = ({ keys }) => keys;

const keysPage: Page = {
  path: "/auth/keys",
  access: "signed-in",
  isOn,
  async show(context, note) {
    const keys = objectsOf((await context.read("/auth/keys"))["keys"]);
    const asks = asksSecondFactor(context.desk.settings, context.ask.caller.role);
    return accountAnswer(context, note, {
      title: "Keys",
      body: html`<p>
          A key lets a program do what you may do. Give it to nobody; delete it when it is not
          needed.
        </p>
        ${list(keys, (key) => {
          const name = textOf(key["name"]);
          const used = textOf(key["lastUsedAt"]);
          const isIdle = asks && key["isStrong"] !== true;
          return [
            html`${name}<br /><span class="quiet"
                ><code>${textOf(key["hint"])}…</code> · made
                ${when(textOf(key["createdAt"]))}${used === "" ? ", never used" : html`, used ${when(used)}`}</span
              >${isIdle ? html`<br />Does nothing: your role asks for a second step, and it was made without one.` : ""}`,
            buttonForm(
              `/auth/keys/${textOf(key["id"])}/remove`,
              html`Delete<span class="gone"> ${name}</span>`,
              {
                kind: "danger",
              },
            ),
          ];
        })}
        <h2>Make one</h2>
        ${form(
          "/auth/keys",
          html`<div class="side">
            ${field({ name: "name", label: "What it is for", max: 100, value: typed(context.ask, "name") })}
            <button type="submit" class="plain">Make a key</button>
          </div>`,
        )}`,
    });
  },
  async submit(context) {
    const body = { name: typed(context.ask, "name").trim() };
    const { json } = await context.call({ method: "POST", path: "/auth/keys", body });
    return accountAnswer(
      context,
      { problem: null, status: 200 },
      {
        title: "Your new key",
        body: html`<p>Copy it now: it is not shown again.</p>
          <p><code>${textOf(objectOf(json)["key"])}</code></p>
          <p><a class="button plain" href="/auth/keys">I have kept it</a></p>`,
      },
    );
  },
};

const removePage: Page = {
  path: "/auth/keys/:id/remove",
  access: "signed-in",
  isOn,
  show: (context, note) => keysPage.show(context, note),
  async submit(context) {
    await context.call({ method: "DELETE", path: `/auth/keys/${context.ask.params["id"] ?? ""}` });
    return { location: "/auth/keys" };
  },
};

/** The pages of keys. */
export const keyPages: readonly Page[] = [keysPage, removePage];
