// Who may do what in an organisation. Its roles stand in the app's settings, most powerful first; the first two manage
// members, and nobody gives or takes a role above their own. An organisation always keeps somebody of the first role.
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthModel } from "../../model/auth-model.ts";
import { rowWith } from "../../store/row-find.ts";
import type { ReadTx, Row } from "../../store/store.ts";

/** How many of the roles manage members and invitations. */
const managing = 2;

/** A member's standing: the place of the role, 0 the most powerful. A role that the app no longer has is the last. */
export function rankOf(roles: readonly string[], role: string): number {
  const rank = roles.indexOf(role);
  return rank === -1 ? roles.length : rank;
}

/** Whether a role manages members. */
export function isManaging(roles: readonly string[], role: string): boolean {
  return rankOf(roles, role) < Math.min(managing, Math.max(1, roles.length - 1));
}

/** The first role: of who makes an organisation. */
export function firstRole(roles: readonly string[]): string {
  return roles[0] ?? "owner";
}

/** The roles of the app's organisations. @throws NOT_FOUND when it has none. */
export function orgRoles({ organisations }: AuthModel): readonly string[] {
  if (organisations === null) throw new PlatformError("NOT_FOUND");
  return organisations.roles;
}

/** A user's membership, or null. */
export async function memberOf(
  tx: Pick<ReadTx, "list">,
  org: string,
  user: string,
): Promise<Row | null> {
  return rowWith(tx, "orgMember", { org, user });
}

/** A membership that must be. @throws NOT_FOUND: an organisation that one is no member of is none. */
export async function memberIn(tx: Pick<ReadTx, "list">, org: string, user: string): Promise<Row> {
  const member = await memberOf(tx, org, user);
  if (member === null) throw new PlatformError("NOT_FOUND");
  return member;
}
