// The members of an organisation, a page at a time. Whether who asks may see them was asked before.
import type { Json } from "../../base/json.ts";
import type { Limits } from "../../base/limits.ts";
import type { ReadTx } from "../../store/store.ts";
import { findAll } from "../account-find.ts";

/** @param after what the page before gave as `next`; null: the first. @throws what is thrown for a cursor that is none. */
export async function membersOf(
  tx: ReadTx,
  limits: Limits,
  { org, after }: { readonly org: string; readonly after: string | null },
): Promise<{ readonly members: readonly Json[]; readonly next: string | null }> {
  const page = await tx.list(
    {
      kind: "list",
      from: "orgMember",
      where: { kind: "field", field: "org", condition: { eq: org } },
      orderBy: [{ field: "id", descending: false }],
      limit: limits.pageRowsDefault,
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
  return { members, next: page.next };
}
