// Clients write; the auditor plants the data and reads all of it.
import { rules } from "./schema.ts";

export default rules({
  account: { read: ({ me }) => me.role === "auditor", create: ({ me }) => me.role === "auditor" },
  transfer: { read: ({ me }) => me.role === "auditor" },
  entry: { read: ({ me }) => me.id !== null, create: ({ me }) => me.role === "client" },
  note: {
    read: ({ me }) => me.id !== null,
    create: ({ me }) => me.role === "auditor",
    update: ({ me }) => me.role === "client",
  },
  tally: { read: ({ me }) => me.role === "auditor", create: ({ me }) => me.role === "auditor" },
});
