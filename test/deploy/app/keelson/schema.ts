// One table, open to all.
import { define, table, t } from "keelson";

export const { mutation, rules, app } = define({
  note: table({ text: t.text({ max: 100 }) }),
});
