// Organisations: which one is in, who else is, who is invited; and accepting an invitation.
import type { AuthModel } from "../../model/auth-model.ts";
import { html, type Html } from "./html.ts";
import { accountAnswer, when } from "./account-nav.ts";
import { objectOf, objectsOf, textOf, type JsonObject, type PageContext } from "./page-call.ts";
import { buttonForm, field, form, hidden, submit } from "./page-form.ts";
import { pageAnswer } from "./page-frame.ts";
import { pagePath, typed, type Page } from "./page-route.ts";
import { list, removeLabel } from "./security-page.ts";

const isOn = ({ organisations }: AuthModel): boolean => organisations !== null;

const orgsPage: Page = {
  path: "/auth/orgs",
  access: "signed-in",
  isOn,
  async show(context, note) {
    const orgs = objectsOf((await context.read("/auth/orgs"))["orgs"]);
    return accountAnswer(context, note, {
      title: "Organisations",
      body: html`${list(orgs, (org) => [
          html`<a href="/auth/orgs/${textOf(org["id"])}">${textOf(org["name"])}</a
            >${org["current"] === true ? html` <strong>(in use)</strong>` : ""}<br /><span
              class="quiet"
              >${textOf(org["role"])}</span
            >`,
          org["current"] === true
            ? ""
            : buttonForm(
                "/auth/orgs/choose",
                html`Use<span class="gone"> ${textOf(org["name"])}</span>`,
                {
                  kind: "plain",
                  values: { org: textOf(org["id"]) },
                },
              ),
        ])}
        <h2>Make one</h2>
        ${form(
          "/auth/orgs",
          html`<div class="side">
            ${field({ name: "name", label: "Name", max: 100, value: typed(context.ask, "name") })}
            ${field({
              name: "slug",
              label: "Short name (a-z, 0-9, dashes)",
              max: 60,
              value: typed(context.ask, "slug"),
            })}
            <button type="submit" class="plain">Make it</button>
          </div>`,
        )}`,
    });
  },
  async submit(context) {
    const { ask } = context;
    const body = { name: typed(ask, "name").trim(), slug: typed(ask, "slug").trim() };
    const { json, cookies = [] } = await context.call({ method: "POST", path: "/auth/orgs", body });
    const id = textOf(objectOf(json)["id"]);
    return { location: id === "" ? "/auth/orgs" : `/auth/orgs/${id}`, cookies };
  },
};

const switchPage: Page = {
  path: "/auth/orgs/choose",
  access: "signed-in",
  isOn,
  show: (context, note) => orgsPage.show(context, note),
  async submit(context) {
    const body = { org: typed(context.ask, "org") };
    const { cookies = [] } = await context.call({
      method: "POST",
      path: "/auth/orgs/choose",
      body,
    });
    return { location: "/auth/orgs", cookies };
  },
};

const orgPage: Page = {
  path: "/auth/orgs/:id",
  access: "signed-in",
  isOn,
  async show(context, note) {
    const id = context.ask.params["id"] ?? "";
    const org = await context.read(`/auth/orgs/${id}`);
    const after = context.ask.query.get("after") ?? "";
    const path = pagePath(`/auth/orgs/${id}/members`, { after });
    const { members, next } = await context.read(path);
    return accountAnswer(context, note, {
      title: textOf(org["name"]),
      body: html`<h2>Members</h2>
        ${list(objectsOf(members), (member) => memberRow(context, id, member))}
        ${textOf(next) === "" ? "" : html`<p><a href="${pagePath(`/auth/orgs/${id}`, { after: textOf(next) })}">More members</a></p>`}
        ${await invitationPart(context, id)}`,
    });
  },
};

function memberRow(context: PageContext, id: string, member: JsonObject): readonly [Html, Html] {
  const user = textOf(member["user"]);
  const name = textOf(member["name"]) === "" ? textOf(member["email"]) : textOf(member["name"]);
  const isMe = user === context.ask.caller.id;
  const path = `/auth/orgs/${id}/members/${user}`;
  return [
    html`${name}${isMe ? html` <strong>(you)</strong>` : ""}<br /><span class="quiet"
        >${textOf(member["email"])} · ${textOf(member["role"])}</span
      >`,
    html`<div class="side">
      ${form(
        `${path}/role`,
        html`<div class="side">
          <label class="gone" for="role-${user}">Role of ${name}</label
          >${roleSelect(context, `role-${user}`, textOf(member["role"]))}
          <button type="submit" class="plain">
            Change<span class="gone"> the role of ${name}</span>
          </button>
        </div>`,
      )}
      ${buttonForm(`${path}/remove`, isMe ? "Leave" : removeLabel(name), { kind: "danger" })}
    </div>`,
  ];
}

function roleSelect({ desk }: PageContext, id: string, role: string): Html {
  const roles = desk.settings.organisations?.roles ?? [];
  return html`<select id="${id}" name="role">
    ${roles.map((one) => html`<option${one === role ? html` selected` : ""}>${one}</option>`)}
  </select>`;
}

async function invitationPart(context: PageContext, id: string): Promise<Html> {
  const roles = context.desk.settings.organisations?.roles ?? [];
  const invitations = await invitationsOf(context, id);
  if (invitations === null) return html``;
  return html`<h2>Invitations</h2>
    ${list(invitations, (invitation) => [
      html`${textOf(invitation["email"])}<br /><span class="quiet"
          >${textOf(invitation["role"])} · until ${when(textOf(invitation["expiresAt"]))}</span
        >`,
      buttonForm(
        `/auth/orgs/${id}/invitations/${textOf(invitation["id"])}/remove`,
        removeLabel(`the invitation of ${textOf(invitation["email"])}`),
        { kind: "danger" },
      ),
    ])}
    ${form(
      `/auth/orgs/${id}/invite`,
      html`<div class="side">
        ${field({ name: "email", label: "Invite by e-mail", kind: "email", max: 254, value: typed(context.ask, "email") })}
        <div class="field">
          <label for="invite-role">Role</label
          >${roleSelect(context, "invite-role", roles.at(-1) ?? "")}
        </div>
        <button type="submit" class="plain">Invite</button>
      </div>`,
    )}`;
}

/** Null: this member may not see them. */
async function invitationsOf(
  context: PageContext,
  id: string,
): Promise<readonly JsonObject[] | null> {
  try {
    return objectsOf((await context.read(`/auth/orgs/${id}/invitations`))["invitations"]);
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return (
    code === "RULE_DENIED" ||
    code === "NOT_FOUND" ||
    code === "CALL_DENIED" ||
    code === "ORG_ROLE_DENIED"
  );
}

/** A form of an organisation's page. */
function orgForm(
  path: string,
  call: (context: PageContext) => Parameters<PageContext["call"]>[0],
): Page {
  return {
    path,
    access: "signed-in",
    isOn,
    show: (context, note) => orgPage.show(context, note),
    async submit(context) {
      const { cookies = [] } = await context.call(call(context));
      const id = context.ask.params["id"] ?? "";
      const isLeaving =
        context.ask.params["user"] === context.ask.caller.id && path.endsWith("/remove");
      return { location: isLeaving ? "/auth/orgs" : `/auth/orgs/${id}`, cookies };
    },
  };
}

const forms: readonly Page[] = [
  orgForm("/auth/orgs/:id/invite", ({ ask }) => ({
    method: "POST",
    path: `/auth/orgs/${ask.params["id"] ?? ""}/invitations`,
    body: { email: typed(ask, "email").trim(), role: typed(ask, "role") },
  })),
  orgForm("/auth/orgs/:id/invitations/:invitation/remove", ({ ask }) => ({
    method: "DELETE",
    path: `/auth/orgs/${ask.params["id"] ?? ""}/invitations/${ask.params["invitation"] ?? ""}`,
  })),
  orgForm("/auth/orgs/:id/members/:user/role", ({ ask }) => ({
    method: "PATCH",
    path: `/auth/orgs/${ask.params["id"] ?? ""}/members/${ask.params["user"] ?? ""}`,
    body: { role: typed(ask, "role") },
  })),
  orgForm("/auth/orgs/:id/members/:user/remove", ({ ask }) => ({
    method: "DELETE",
    path: `/auth/orgs/${ask.params["id"] ?? ""}/members/${ask.params["user"] ?? ""}`,
  })),
];

const invitationPage: Page = {
  path: "/auth/invitations/accept",
  access: "signed-in",
  isOn,
  show({ ask, desk }, note) {
    const token = ask.query.get("token") ?? typed(ask, "token");
    return pageAnswer(desk, {
      title: "You are invited",
      ...note,
      body: form(
        pagePath("/auth/invitations/accept", { token }),
        html`<p>Join as ${textOf(ask.caller.me["email"])}.</p>
          ${hidden("token", token)} ${submit("Join")}`,
      ),
    });
  },
  async submit(context) {
    const body = { token: typed(context.ask, "token") };
    const call = { method: "POST", path: "/auth/invitations/accept", body } as const;
    const { cookies = [] } = await context.call(call);
    return { location: "/auth/orgs", cookies };
  },
};

/** The pages of organisations. */
export const orgPages: readonly Page[] = [orgsPage, switchPage, orgPage, ...forms, invitationPage];
