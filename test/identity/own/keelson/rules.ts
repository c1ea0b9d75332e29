// People see what is theirs of the platform's tables; staff see who has an account.
import { rules } from "./schema.ts";

export default rules({
  minute: { read: ({ row, me }) => row.org === me.org },
  org: {
    read: ({ row, me, db }) => db.orgMember.some((m) => m.org === row.id && m.user === me.id),
  },
  orgMember: { read: ({ row, me }) => row.org === me.org },
  orgInvitation: { read: ({ row, me }) => row.org === me.org && me.orgRole === "owner" },
  authAccount: {
    read: ({ row, me }) => row.user === me.id || me.role === "staff",
    fields: { email: { read: ({ row, me }) => row.user === me.id } },
  },
  authSession: { read: ({ row, me }) => row.user === me.id },
  authEvent: { read: ({ row, me }) => row.user === me.id },
  workRun: { read: ({ row, me }) => row.by === me.id },
});
