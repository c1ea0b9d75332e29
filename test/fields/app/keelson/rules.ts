// Everybody reads every row; what is denied is fields.
import { rules } from "./schema.ts";

export default rules({
  shelf: { read: () => true },
  paper: {
    read: () => true,
    write: ({ me }) => me.id !== null,
    fields: {
      staffText: { read: ({ me }) => me.role === "staff" },
      staffUnique: { read: ({ me }) => me.role === "staff" },
      staffInt: { read: ({ me }) => me.role === "staff" },
      staffNumber: { read: ({ me }) => me.role === "staff" },
      staffMoney: { read: ({ me }) => me.role === "staff" },
      staffBool: { read: ({ me }) => me.role === "staff" },
      staffTime: { read: ({ me }) => me.role === "staff" },
      staffDate: { read: ({ me }) => me.role === "staff" },
      staffOneOf: { read: ({ me }) => me.role === "staff" },
      staffRef: { read: ({ me }) => me.role === "staff" },
      staffList: { read: ({ me }) => me.role === "staff" },
      staffObject: { read: ({ me }) => me.role === "staff" },
      staffJson: { read: ({ me }) => me.role === "staff" },
      staffBytes: { read: ({ me }) => me.role === "staff" },
      ownText: { read: ({ row, me }) => row.owner === me.id },
      ownInt: { read: ({ row, me }) => row.owner === me.id },
    },
  },
  remark: { read: () => true },
  user: { read: () => true },
});
