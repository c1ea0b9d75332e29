import { define, table, t } from "keelson";

export const { query, mutation, action, hook, rules, app } = define({
  seen: table({
    hook: t.text({ max: 40 }),
    event: t.text({ max: 300 }),
    type: t.text({ max: 300 }).optional(),
    body: t.json({ maxBytes: 100_000 }),
    headers: t.json({ maxBytes: 10_000 }).optional(),
    by: t.text({ max: 60 }).optional(),
  }).index("hook"),
});
