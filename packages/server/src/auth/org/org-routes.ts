// Addresses of organisations, their members and invitations. Whoever is no member finds nothing.
import { PlatformError } from "../../base/platform-error.ts";
import type { Json } from "../../base/json.ts";
import type { Row } from "../../store/store.ts";
import { findAll } from "../account-find.ts";
import { bodyOf, invalidField, textField } from "../ask-body.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";
import { normalEmail } from "../email-address.ts";
import { linkOf } from "../letter-link.ts";
import { userOf } from "../protocol-caller.ts";
import { acceptInvitation, invite, withdrawInvitation } from "./invitation-procedures.ts";
import { isManaging, memberIn, orgRoles } from "./org-access.ts";
import {
  changeMember,
  changeOrg,
  chooseOrg,
  createOrg,
  deleteOrg,
  removeMember,
  type OrgActor,
} from "./org-procedures.ts";

/** Letters that one person makes us send to addresses of their choice. */
const invitations: AuthRate = { name: "invitations of a user", quota: "100/hour" };
const acceptances: AuthRate = { name: "invitations tried by a network", quota: "60/minute" };
const nameCharsMax = 200;
const slugPattern = /^[a-z0-9](?:[a-z0-9\-]{0,58}[a-z0-9])?$/v;
const dayMs = 86_400_000;

const isOn = ({ organisations }: AuthDesk["settings"]): boolean => organisations !== null;

function route(
  method: AuthRoute["method"],
  path: string,
  handle: AuthRoute["handle"],
  access: AuthRoute["access"] = "signed-in",
): AuthRoute {
  return {
    method,
    path,
    access,
    isOn,
    handle,
  };
}

/** The addresses. */
export const orgRoutes: readonly AuthRoute[] = [
  route("GET", "/auth/orgs", list),
  route("POST", "/auth/orgs", create),
  route("POST", "/auth/orgs/choose", choose),
  route("GET", "/auth/orgs/:org", show),
  route("PATCH", "/auth/orgs/:org", change),
  route("DELETE", "/auth/orgs/:org", remove, "fresh"),
  route("GET", "/auth/orgs/:org/members", members),
  route("PATCH", "/auth/orgs/:org/members/:user", changeRole),
  route("DELETE", "/auth/orgs/:org/members/:user", takeOut),
  route("GET", "/auth/orgs/:org/invitations", listInvitations),
  route("POST", "/auth/orgs/:org/invitations", sendInvitation),
  route("DELETE", "/auth/orgs/:org/invitations/:invitation", withdraw),
  route("POST", "/auth/invitations/accept", accept),
];

function actorOf(ask: AuthAsk, desk: AuthDesk): OrgActor {
  return { ...placeOf(ask), user: userOf(ask), roles: orgRoles(desk.settings) };
}

function orgOf({ params }: AuthAsk): string {
  return params["org"] ?? "";
}

/** `{ orgs: [{ id, name, slug, role, current }] }`. */
async function list(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const current = ask.session?.["org"] ?? null;
  const orgs = await desk.store.read(async (tx) => {
    const own = await findAll({ tx }, "orgMember", "user", user, desk.limits.authOrgsMax);
    const found: Json[] = [];
    for (const { org, role = null } of own) {
      const row = await tx.get("org", org as string, null);
      if (row !== null) found.push({ ...shownOrg(row), role, current: row["id"] === current });
    }
    return found;
  });
  return { json: { orgs } };
}

function shownOrg({ id = null, name = null, slug = null }: Row) {
  return { id, name, slug };
}

/** `{ name, slug }`, answered by 201 `{ id }`. */
async function create(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["name", "slug"]);
  const input = { ...actorOf(ask, desk), orgName: nameOf(body), slug: slugOf(body) };
  return { status: 201, json: { id: await desk.run(createOrg, input, ask) } };
}

/** `{ org }`, an id or null: the one that this session speaks for. */
async function choose(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { org = null } = bodyOf(ask, ["org"]);
  if (ask.session === null) throw new PlatformError("SIGN_IN_REQUIRED");
  const chosen = typeof org === "string" && org !== "" ? org : null;
  await desk.run(
    chooseOrg,
    { user: userOf(ask), session: ask.session["id"] as string, org: chosen },
    ask,
  );
  return {};
}

/** `{ id, name, slug, role }`. */
async function show(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  return desk.store.read(async (tx) => {
    const { role = null } = await memberIn(tx, orgOf(ask), user);
    const row = await tx.get("org", orgOf(ask), null);
    if (row === null) throw new PlatformError("NOT_FOUND");
    return { json: { ...shownOrg(row), role } };
  });
}

/** `{ name?, slug? }`. */
async function change(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["name", "slug"]);
  const input = {
    ...actorOf(ask, desk),
    org: orgOf(ask),
    orgName: body["name"] === undefined ? null : nameOf(body),
    slug: body["slug"] === undefined ? null : slugOf(body),
  };
  await desk.run(changeOrg, input, ask);
  return {};
}

async function remove(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  await desk.run(deleteOrg, { ...actorOf(ask, desk), org: orgOf(ask) }, ask);
  return {};
}

/** `{ members: [{ user, name, email, role }], next }`, a page at a time: `?after=`. */
async function members(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const after = ask.query.get("after");
  return desk.store.read(async (tx) => {
    await memberIn(tx, orgOf(ask), user);
    const page = await tx.list(
      {
        kind: "list",
        from: "orgMember",
        where: { kind: "field", field: "org", condition: { eq: orgOf(ask) } },
        orderBy: [{ field: "id", descending: false }],
        limit: desk.limits.pageRowsDefault,
        ...(after === null ? {} : { after }),
      },
      null,
    );
    const members: Json[] = [];
    for (const { user: id, role = null } of page.rows) {
      const row = await tx.get("user", id as string, null);
      const [account] = await findAll({ tx }, "authAccount", "user", id as string, 1);
      const name = row?.["name"];
      members.push({
        user: id ?? null,
        name: typeof name === "string" ? name : null,
        email: account?.["email"] ?? null,
        role,
      });
    }
    return { json: { members, next: page.next } };
  });
}

/** `{ role }`. */
async function changeRole(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const actor = actorOf(ask, desk);
  const role = roleOf(bodyOf(ask, ["role"]), actor.roles);
  await desk.run(
    changeMember,
    { ...actor, org: orgOf(ask), member: ask.params["user"] ?? "", role },
    ask,
  );
  return {};
}

async function takeOut(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const input = { ...actorOf(ask, desk), org: orgOf(ask), member: ask.params["user"] ?? "" };
  await desk.run(removeMember, input, ask);
  return {};
}

/** `{ invitations: [{ id, email, role, expiresAt }] }`, for those who manage. */
async function listInvitations(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { user, roles } = actorOf(ask, desk);
  const { authInvitationsMax } = desk.limits;
  return desk.store.read(async (tx) => {
    const member = await memberIn(tx, orgOf(ask), user);
    if (!isManaging(roles, member["role"] as string)) throw new PlatformError("CALL_DENIED");
    const rows = await findAll({ tx }, "orgInvitation", "org", orgOf(ask), authInvitationsMax);
    const invitations = rows.map(({ id = null, email = null, role = null, expiresAt = null }) => ({
      id,
      email,
      role,
      expiresAt,
    }));
    return { json: { invitations } };
  });
}

/** `{ email, role }`, answered by 201 `{ id }`. */
async function sendInvitation(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const actor = actorOf(ask, desk);
  desk.rates.take(invitations, actor.user);
  const body = bodyOf(ask, ["email", "role"]);
  const email = normalEmail(body["email"]);
  const role = roleOf(body, actor.roles);
  const token = desk.secrets.draw();
  // Before anything is kept: without an address of this server there is no letter.
  const link = linkOf(desk, ask, "/auth/invitations/accept", { token });
  const input = { ...actor, org: orgOf(ask), email, role, digest: desk.secrets.digest(token) };
  const { invitation, orgName } = await desk.run(invite, input, ask);
  const inviter = await desk.store.read((tx) => tx.get("user", actor.user, null));
  const name = inviter?.["name"];
  desk.mail.send({
    to: email,
    template: "invitation",
    data: {
      org: orgName,
      inviter: typeof name === "string" ? name : "",
      role,
      link,
      days: Math.round(desk.limits.authInvitationMs / dayMs),
    },
  });
  return { status: 201, json: { id: invitation } };
}

async function withdraw(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const invitation = ask.params["invitation"] ?? "";
  await desk.run(withdrawInvitation, { ...actorOf(ask, desk), org: orgOf(ask), invitation }, ask);
  return {};
}

/** `{ token }`, answered by `{ org }`. */
async function accept(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  desk.rates.take(acceptances, networkKey(ask.address));
  const token = textField(bodyOf(ask, ["token"]), "token", 100);
  const input = { ...actorOf(ask, desk), digest: desk.secrets.digest(token) };
  return { json: { org: await desk.run(acceptInvitation, input, ask) } };
}

function nameOf(body: AuthAsk["body"]): string {
  const name = textField(body, "name", nameCharsMax).trim();
  // It stands in letters and on pages: one line.
  if (name === "" || /\p{Cc}/v.test(name)) throw invalidField("name", "is no line of text");
  return name;
}

function slugOf(body: AuthAsk["body"]): string {
  const slug = textField(body, "slug", 60);
  if (slugPattern.test(slug)) return slug;
  throw invalidField("slug", "is not of small letters, digits and dashes");
}

function roleOf(body: AuthAsk["body"], roles: readonly string[]): string {
  const role = textField(body, "role", 50);
  if (roles.includes(role)) return role;
  throw invalidField("role", "is none of the app's");
}
