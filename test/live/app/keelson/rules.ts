// Everybody reads the numbers; notes are their owner's; rooms and what is said in them are their members'.
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id || me.role === "staff" },
  account: { read: () => true, write: () => true },
  tally: { read: () => true, write: () => true },
  entry: { read: () => true },
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,
  },
  room: {
    read: ({ row, me, db }) =>
      me.role === "staff" || db.member.some((m) => m.room === row.id && m.user === me.id),
    write: ({ me }) => me.role === "staff",
  },
  member: {
    read: ({ row, me }) => me.role === "staff" || row.user === me.id,
    write: ({ me }) => me.role === "staff",
  },
  message: {
    read: ({ row, me, db }) =>
      me.role === "staff" || db.member.some((m) => m.room === row.room && m.user === me.id),
    write: ({ me }) => me.role === "staff",
  },
});
