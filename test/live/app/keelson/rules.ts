// Everybody reads the numbers; notes are their owner's.
import { rules } from "./schema.ts";

export default rules({
  account: { read: () => true, write: () => true },
  tally: { read: () => true, write: () => true },
  entry: { read: () => true },
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,
  },
});
