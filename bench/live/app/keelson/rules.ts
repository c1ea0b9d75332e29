import { rules } from "./schema.ts";

export default rules({
  post: { read: () => true, write: ({ me }) => me.role === "staff" },
});
