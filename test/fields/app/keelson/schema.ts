// A field of every kind behind each sort of protection: a rule that only staff pass, a rule that only the
// owner of the row passes, and `private`.
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  user: table({ name: t.text({ max: 100 }).optional(), role: t.text({ max: 20 }).optional() }),
  shelf: table({ name: t.text({ max: 100 }) }),
  paper: table({
    title: t.text({ max: 100 }),
    shelf: t.ref("shelf", { onDelete: "cascade" }),
    owner: t.ref("user").optional(),
    staffText: t.text({ max: 100 }).optional(),
    staffUnique: t.text({ max: 100 }).optional().unique(),
    staffInt: t.int().optional(),
    staffNumber: t.number().optional(),
    staffMoney: t.money("EUR").optional(),
    staffBool: t.bool().optional(),
    staffTime: t.time().optional(),
    staffDate: t.date().optional(),
    staffOneOf: t.oneOf("plain", "canaryOneOf").optional(),
    staffRef: t.ref("user").optional(),
    staffList: t.list(t.text({ max: 40 })).optional(),
    staffObject: t.object({ inner: t.text({ max: 40 }) }).optional(),
    staffJson: t.json().optional(),
    staffBytes: t.bytes({ max: 40 }).optional(),
    ownText: t.text({ max: 100 }).optional(),
    ownInt: t.int().optional(),
    hidden: t.text({ max: 100 }).optional().private(),
    hiddenInt: t.int().optional().private(),
  })
    .index("staffInt")
    .index("shelf")
    .search("title", "staffText"),
  remark: table({
    paper: t.ref("paper", { onDelete: "cascade" }),
    text: t.text({ max: 100 }),
  }).index("paper"),
});
