// Organisations and their members, each change one transaction that asks first who asks. The right is asked inside it:
// somebody who was removed a moment ago changes nothing more.
import { assert } from "../../base/assert.ts";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { rowsWith } from "../../store/row-find.ts";
import type { Row } from "../../store/store.ts";
import { findAll, findOne } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, type AuthPlace } from "../auth-event.ts";
import { sessionsOf } from "../session-end.ts";
import { dropInvitations } from "./invitation-drop.ts";
import { firstRole, isManaging, memberIn, memberOf, rankOf } from "./org-access.ts";

/** Who acts, and among which roles. Part of every input. */
export type OrgActor = AuthPlace & {
  readonly user: string;
  readonly roles: readonly string[];
  /** Why the app itself acts: then nobody's right is asked for, and all else holds. Null: the user acts. */
  readonly reason: string | null;
};

/** What the record says of who acted. */
function byOf({ user, reason }: Pick<OrgActor, "user" | "reason">): {
  readonly [name: string]: Json;
} {
  return reason === null ? { by: user } : { reason };
}

/** Makes an organisation; its maker has the first role. @returns its id. @throws UNIQUE_TAKEN for a slug in use. */
export const createOrg: AuthProcedure<
  OrgActor & { readonly orgName: string; readonly slug: string },
  string
> = {
  name: "auth.orgCreate",
  async run(scope, { user, roles, reason, orgName, slug, ...place }) {
    const { run, tx } = scope;
    if ((await tx.get("user", user, null)) === null) throw new PlatformError("NOT_FOUND");
    await assertRoomForUser(scope, user);
    if ((await findOne(scope, "org", "slug", slug)) !== null) {
      throw new PlatformError("UNIQUE_TAKEN", { fields: ["slug"] });
    }
    const id = run.app.newId("org");
    await tx.insert("org", { id, name: orgName, slug, createdAt: timeText(run.nowMs) });
    await addMember(scope, { org: id, user, role: firstRole(roles) });
    const details = { org: id, ...(reason === null ? {} : { reason }) };
    await audit(scope, { ...place, kind: "orgCreated", user, details });
    return id;
  },
};

/** Changes name or slug. @throws NOT_FOUND, CALL_DENIED, UNIQUE_TAKEN. */
export const changeOrg: AuthProcedure<
  OrgActor & {
    readonly org: string;
    readonly orgName: string | null;
    readonly slug: string | null;
  },
  null
> = {
  name: "auth.orgChange",
  async run(scope, { user, roles, reason, org, orgName, slug }) {
    await assertManages(scope, { user, roles, reason, org });
    const holder = slug === null ? null : await findOne(scope, "org", "slug", slug);
    if (holder !== null && holder["id"] !== org)
      throw new PlatformError("UNIQUE_TAKEN", { fields: ["slug"] });
    await scope.tx.update("org", org, {
      ...(orgName === null ? {} : { name: orgName }),
      ...(slug === null ? {} : { slug }),
    });
    return null;
  },
};

/** Deletes an organisation; only the first role may. @throws NOT_FOUND, CALL_DENIED, REF_IN_USE. */
export const deleteOrg: AuthProcedure<OrgActor & { readonly org: string }, null> = {
  name: "auth.orgDelete",
  async run(scope, { user, roles, reason: _reason, org, ...place }) {
    const member = await memberIn(scope.tx, org, user);
    if (member["role"] !== firstRole(roles)) throw new PlatformError("CALL_DENIED");
    await scope.tx.delete("org", org);
    await audit(scope, { ...place, kind: "orgDeleted", user, details: { org } });
    return null;
  },
};

/** Changes a member's role. @throws NOT_FOUND, CALL_DENIED, CONFLICT for the last of the first role. */
export const changeMember: AuthProcedure<
  OrgActor & { readonly org: string; readonly member: string; readonly role: string },
  null
> = {
  name: "auth.orgMemberChange",
  async run(scope, { user, roles, reason, org, member, role, ...place }) {
    const own = await assertManages(scope, { user, roles, reason, org });
    const row = await memberIn(scope.tx, org, member);
    // Nobody acts on somebody above them, and nobody makes somebody more than they are.
    if (rankOf(roles, row["role"] as string) < own || rankOf(roles, role) < own) {
      throw new PlatformError("CALL_DENIED");
    }
    if (role !== firstRole(roles)) await assertKeepsFirst(scope, roles, row);
    await scope.tx.update("orgMember", row["id"] as string, { role });
    if (rankOf(roles, role) > rankOf(roles, row["role"] as string)) {
      await dropInvitations(scope, { org, user: member });
    }
    const details = { org, role, ...byOf({ user, reason }) };
    await audit(scope, { ...place, kind: "orgRoleChanged", user: member, details });
    return null;
  },
};

/** Takes a member out; everybody may take out themselves. @throws NOT_FOUND, CALL_DENIED, CONFLICT for the last of the first role. */
export const removeMember: AuthProcedure<
  OrgActor & { readonly org: string; readonly member: string },
  null
> = {
  name: "auth.orgMemberRemove",
  async run(scope, { user, roles, reason, org, member, ...place }) {
    const isOther = reason !== null || member !== user;
    if (reason === null) await memberIn(scope.tx, org, user);
    const row = await memberIn(scope.tx, org, member);
    if (isOther) {
      const own = await assertManages(scope, { user, roles, reason, org });
      if (rankOf(roles, row["role"] as string) < own) throw new PlatformError("CALL_DENIED");
    }
    await assertKeepsFirst(scope, roles, row);
    await scope.tx.delete("orgMember", row["id"] as string);
    await dropInvitations(scope, { org, user: member });
    for (const session of await sessionsOf(scope, member)) {
      if (session["org"] === org)
        await scope.tx.update("authSession", session["id"] as string, { org: null });
    }
    const details = { org, ...byOf({ user, reason }) };
    await audit(scope, { ...place, kind: "orgMemberRemoved", user: member, details });
    return null;
  },
};

/** Chooses the organisation that a session speaks for; null: none. @throws NOT_FOUND when the user is no member. */
export const chooseOrg: AuthProcedure<
  { readonly user: string; readonly session: string; readonly org: string | null },
  null
> = {
  name: "auth.orgChoose",
  async run({ tx }, { user, session, org }) {
    const row = await tx.get("authSession", session, null);
    if (row?.["user"] !== user) throw new PlatformError("NOT_FOUND");
    if (org !== null) await memberIn(tx, org, user);
    await tx.update("authSession", session, { org });
    return null;
  },
};

/** The rank of somebody who manages; of the app itself, the first. @throws NOT_FOUND for strangers, CALL_DENIED. */
export async function assertManages(
  { tx }: ProcedureScope,
  { user, roles, reason, org }: Omit<OrgActor, keyof AuthPlace> & { readonly org: string },
): Promise<number> {
  if (reason !== null) {
    if ((await tx.get("org", org, null)) === null) throw new PlatformError("NOT_FOUND");
    return 0;
  }
  const role = (await memberIn(tx, org, user))["role"] as string;
  if (!isManaging(roles, role)) throw new PlatformError("CALL_DENIED");
  return rankOf(roles, role);
}

/**
 * Adds a member, in the app's name: nobody adds others but by an invitation that they accept.
 * @returns whether they were none before. @throws NOT_FOUND, CONFLICT.
 */
export const putMember: AuthProcedure<
  OrgActor & { readonly org: string; readonly member: string; readonly role: string },
  boolean
> = {
  name: "auth.orgMemberAdd",
  async run(scope, { user, roles, reason, org, member, role, ...place }) {
    assert(reason !== null, "the app adds members, people invite them");
    await assertManages(scope, { user, roles, reason, org });
    if ((await scope.tx.get("user", member, null)) === null) throw new PlatformError("NOT_FOUND");
    if ((await memberOf(scope.tx, org, member)) !== null) return false;
    await addMember(scope, { org, user: member, role });
    const details = { org, role, reason };
    await audit(scope, { ...place, kind: "orgJoined", user: member, details });
    return true;
  },
};

/** Adds a member, unless they are one. @throws CONFLICT when the organisation or the user has too many. */
export async function addMember(
  scope: ProcedureScope,
  added: { readonly org: string; readonly user: string; readonly role: string },
): Promise<void> {
  const { run, tx } = scope;
  if ((await memberOf(tx, added.org, added.user)) !== null) return;
  await assertRoomForUser(scope, added.user);
  const { authOrgMembersMax } = run.app.limits;
  const [counted] = await tx.aggregate(
    {
      kind: "aggregate",
      from: "orgMember",
      where: { kind: "field", field: "org", condition: { eq: added.org } },
      groupBy: [],
      values: [{ name: "members", op: "count" }],
      limit: 1,
    },
    null,
  );
  if (((counted?.["members"] ?? 0) as number) >= authOrgMembersMax) {
    throw new PlatformError("CONFLICT", { limit: "authOrgMembersMax", max: authOrgMembersMax });
  }
  const id = run.app.newId("orgMember");
  await tx.insert("orgMember", { id, ...added, createdAt: timeText(run.nowMs) });
}

async function assertRoomForUser(scope: ProcedureScope, user: string): Promise<void> {
  const { authOrgsMax } = scope.run.app.limits;
  const own = await findAll(scope, "orgMember", "user", user, authOrgsMax);
  if (own.length < authOrgsMax) return;
  throw new PlatformError("CONFLICT", { limit: "authOrgsMax", max: authOrgsMax });
}

/** @throws CONFLICT when `row` is the only one of the first role. */
export async function assertKeepsFirst(
  { tx }: Pick<ProcedureScope, "tx">,
  roles: readonly string[],
  row: Row,
): Promise<void> {
  const first = firstRole(roles);
  if (row["role"] !== first) return;
  const rows = await rowsWith(tx, "orgMember", { org: row["org"] ?? null, role: first }, 2);
  if (rows.length < 2) {
    throw new PlatformError("CONFLICT", { problem: `the organisation would be without ${first}` });
  }
}
