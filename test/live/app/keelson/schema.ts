// Numbers whose sums are known, so that a mix of two moments shows.
import { define, table, t } from "keelson";

export const { query, mutation, action, rules, app } = define({
  account: table({ number: t.int(), balance: t.int({ min: 0 }) }).index("number"),
  tally: table({ name: t.text({ max: 20 }), value: t.int({ min: 0 }) }).unique("name"),
  entry: table({ name: t.text({ max: 20 }), mark: t.text({ max: 60 }) }).index("name"),
  note: table({ text: t.text({ max: 100 }), owner: t.ref("user") }).index("owner"),
  room: table({ name: t.text({ max: 20 }), level: t.int() }).index("level"),
  member: table({ room: t.ref("room", { onDelete: "cascade" }), user: t.ref("user") })
    .index("user")
    .index("room"),
  message: table({
    room: t.ref("room", { onDelete: "cascade" }),
    text: t.text({ max: 100 }),
    score: t.int(),
  })
    .index("room", "score")
    .index("score"),
});
