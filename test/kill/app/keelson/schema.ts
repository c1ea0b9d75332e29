// Tables whose content tells which mutations happened, how often, and whether each happened as a whole.
import { define, table, t } from "keelson";

export const { mutation, invariant, rules, app } = define({
  account: table({ number: t.int(), balance: t.int({ min: 0 }) }).unique("number"),
  // No unique key on purpose: a mutation that happened twice must be seen, not refused.
  transfer: table({
    round: t.int(),
    key: t.text({ max: 80 }),
    from: t.ref("account"),
    to: t.ref("account"),
    amount: t.int({ min: 1 }),
  }).index("round"),
  entry: table({ round: t.int(), key: t.text({ max: 80 }), part: t.int() }).index("round"),
  note: table({ client: t.int(), key: t.text({ max: 80 }).optional() }).unique("client"),
  tally: table({ client: t.int(), value: t.int() }).unique("client"),
});
