// What the tests of identity's core stand on: people with a claim of their own, and notes that are theirs.
import { define, table, t } from "keelson";

export const { query, mutation, action, http, rules, app } = define({
  user: table({
    name: t.text({ min: 1, max: 100 }).optional(),
    email: t.text({ max: 320, format: "email" }).optional().unique(),
    role: t.oneOf("customer", "staff").default("customer"),
    plan: t.oneOf("free", "gold").default("free").claim(),
  }),
  draft: table({ text: t.text({ max: 200 }), owner: t.ref("user", { onDelete: "cascade" }) }),
  note: table({ text: t.text({ max: 200 }), owner: t.ref("user").immutable() }).index("owner"),
});
