// What the tests of the platform's tables in an app's hands stand on.
import { define, table, t } from "keelson";

export const { query, mutation, workflow, rules, app } = define({
  user: table({
    name: t.text({ max: 100 }).optional(),
    role: t.oneOf("member", "staff").default("member"),
  }),
  minute: table({ org: t.ref("org"), text: t.text({ max: 200 }) }),
});
