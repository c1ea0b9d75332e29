import { define, table, t } from "keelson";

export const { query, rules, app } = define({
  post: table({ topic: t.text({ max: 20 }), n: t.int() }).index("topic"),
});
