// A club with everything that identity can do turned on.
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({
    name: t.text({ min: 1, max: 100 }).optional(),
    email: t.text({ max: 320, format: "email" }).optional().unique(),
    plan: t.oneOf("free", "gold").default("free"),
    role: t.text({ max: 50 }).optional(),
  }),
  note: table({ text: t.text({ max: 200 }), owner: t.ref("user").immutable() }).index("owner"),
});
