// A queue whose jobs do nothing.
import { define, table, t } from "keelson";

export const { mutation, queue, workflow, rules, app } = define({
  thing: table({ name: t.text({ max: 10 }) }),
});
