// Organisations by functions of the app: in the caller's name, and in the app's own.
import { t } from "keelson";
import { action } from "./schema.ts";

const reason = t.text({ max: 300 }).optional();
const role = t.text({ max: 60 });
const org = t.id("org");

/** What a function gives as its reason, if it gives one. */
const acts = (asSystem: string | null) => (asSystem === null ? {} : { asSystem });

export const found = action({
  args: {
    name: t.text({ max: 300 }),
    slug: t.text({ max: 90 }),
    owner: t.id("user").optional(),
    reason,
  },
  allow: "anyone",
  run: ({ auth }, { name, slug, owner, reason: why }) =>
    auth.createOrg({ name, slug, ...(owner === null ? {} : { owner }), ...acts(why) }),
});

export const add = action({
  args: { org, user: t.id("user"), role, reason: t.text({ max: 300 }) },
  allow: "anyone",
  run: ({ auth }, { reason: asSystem, ...added }) => auth.addMember({ ...added, asSystem }),
});

export const rank = action({
  args: { org, user: t.id("user"), role, reason },
  allow: "anyone",
  run: ({ auth }, { reason: why, ...changed }) => auth.setMemberRole({ ...changed, ...acts(why) }),
});

export const remove = action({
  args: { org, user: t.id("user"), reason },
  allow: "anyone",
  run: ({ auth }, { reason: why, ...removed }) => auth.removeMember({ ...removed, ...acts(why) }),
});

export const invite = action({
  args: { org, email: t.text({ max: 320 }), role, reason },
  allow: "anyone",
  run: ({ auth }, { reason: why, ...invited }) => auth.inviteMember({ ...invited, ...acts(why) }),
});

export const members = action({
  args: { org, after: t.text({ max: 2_000 }).optional(), reason },
  allow: "anyone",
  run: ({ auth }, { org: of, after, reason: why }) =>
    auth.listMembers({ org: of, ...(after === null ? {} : { after }), ...acts(why) }),
});
