// Tables for honest requests, one large table without the index that hostile ones would need.
import { define, table, t } from "keelson";

export const { query, mutation, action, rules, app } = define({
  item: table({ name: t.text({ max: 100 }), count: t.int() }),
  big: table({ number: t.int(), group: t.int() }).index("number"),
  odd: table({
    name: t.text({ max: 100 }),
    share: t.number().optional(),
    of: t.number(),
    item: t.ref("item").optional(),
  }).check(({ next }) => next.of >= 0, "of is never negative"),
  slow: table({ name: t.text({ max: 100 }), number: t.int() }),
});
