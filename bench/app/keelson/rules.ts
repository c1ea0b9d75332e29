// Who may do what in the workloads.
import { rules } from "./schema.ts";

export default rules({
  counter: { read: () => true },
  post: { read: ({ row, me }) => row.published || row.author === me.id },
  room: {
    read: ({ row, me, db }) => db.member.some((m) => m.room === row.id && m.user === me.id),
  },
  message: {
    read: ({ row, me, db }) => db.member.some((m) => m.room === row.room && m.user === me.id),
    create: ({ next, me, db }) =>
      next.author === me.id && db.member.some((m) => m.room === next.room && m.user === me.id),
  },
});
