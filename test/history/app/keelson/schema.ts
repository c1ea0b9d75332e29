// Lists that transactions append to, registers that they swap, sets of rows that come and go: what a history is of.
import { define, table, t } from "keelson";

const valuesMax = 1_000;

export const { query, mutation, rules, app } = define({
  /** A list in one row: appending reads and writes all of it. */
  list: table({ key: t.int(), values: t.list(t.int(), { max: valuesMax }) }).unique("key"),
  /** A list of rows: appending counts them. Not unique on purpose: what goes wrong must be seen, not refused. */
  slot: table({ key: t.int(), at: t.int(), value: t.int() }).index("key", "at"),
  register: table({ key: t.int(), value: t.int() }).unique("key"),
  entry: table({ key: t.int(), value: t.int() }).index("key"),
  /** Whoever has one that is open reads secrets. */
  member: table({ user: t.id("user"), value: t.int(), open: t.bool() }).unique("user"),
  secret: table({ text: t.text({ max: 40 }) }),
});
