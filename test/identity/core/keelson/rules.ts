// Everybody has what is theirs; gold members may write.
import { rules } from "./schema.ts";

export default rules({
  user: { read: ({ row, me }) => row.id === me.id },
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id && me.plan === "gold",
  },
});
