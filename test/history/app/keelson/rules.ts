// Everybody who is signed in reads and writes, except secrets: those are for members, for as long as they are.
import { rules } from "./schema.ts";

export default rules({
  list: { read: ({ me }) => me.id !== null },
  slot: { read: ({ me }) => me.id !== null },
  register: { read: ({ me }) => me.id !== null, update: ({ me }) => me.id !== null },
  entry: { read: ({ me }) => me.id !== null, write: ({ me }) => me.id !== null },
  member: { read: ({ row, me }) => row.user === me.id },
  secret: {
    read: ({ me, db }) => db.member.some((m) => m.user === me.id && m.open),
    create: ({ me }) => me.role === "staff",
  },
});
