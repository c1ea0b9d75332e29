// Addresses of organisations, their members and invitations. Whoever is no member finds nothing.
import { PlatformError } from "../../base/platform-error.ts";
import type { Json } from "../../base/json.ts";
import type { Row } from "../../store/store.ts";
import { findAll } from "../account-find.ts";
import { bodyOf, textField } from "../ask-body.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";
import { normalEmail } from "../email-address.ts";
import { userOf } from "../protocol-caller.ts";
import { acceptInvitation, withdrawInvitation } from "./invitation-procedures.ts";
import { isManaging, memberIn, orgRoles } from "./org-access.ts";
import { orgNameOf, orgRoleOf, orgSlugOf } from "./org-fields.ts";
import { countInvitation, sendInvitation } from "./org-invite.ts";
import { membersOf } from "./org-members.ts";
import {
  changeMember,
  changeOrg,
  chooseOrg,
  createOrg,
  deleteOrg,
  removeMember,
  type OrgActor,
} from "./org-procedures.ts";

const acceptances: AuthRate = { name: "invitations tried by a network", quota: "60/minute" };

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
  route("POST", "/auth/orgs/:org/invitations", invitePerson),
  route("DELETE", "/auth/orgs/:org/invitations/:invitation", withdraw),
  route("POST", "/auth/invitations/accept", accept),
];

function actorOf(ask: AuthAsk, desk: AuthDesk): OrgActor {
  return { ...placeOf(ask), user: userOf(ask), roles: orgRoles(desk.settings), reason: null };
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
  const input = { ...actorOf(ask, desk), orgName: orgNameOf(body), slug: orgSlugOf(body) };
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
    orgName: body["name"] === undefined ? null : orgNameOf(body),
    slug: body["slug"] === undefined ? null : orgSlugOf(body),
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
    return { json: await membersOf(tx, desk.limits, { org: orgOf(ask), after }) };
  });
}

/** `{ role }`. */
async function changeRole(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const actor = actorOf(ask, desk);
  const role = orgRoleOf(bodyOf(ask, ["role"]), actor.roles);
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
async function invitePerson(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const actor = actorOf(ask, desk);
  const org = orgOf(ask);
  countInvitation(desk, actor, org);
  const body = bodyOf(ask, ["email", "role"]);
  const email = normalEmail(body["email"]);
  const role = orgRoleOf(body, actor.roles);
  const asked = { actor, org, email, role, origin: ask.origin };
  return { status: 201, json: { id: await sendInvitation(desk, asked, ask) } };
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
