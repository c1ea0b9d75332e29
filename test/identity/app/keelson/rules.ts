// Everybody has what is theirs.
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id },
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
  },
});
