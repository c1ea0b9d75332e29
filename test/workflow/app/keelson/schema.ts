// What the workflows of the tests leave behind: a row for everything that was done, however often.
import { define, event, table, t } from "keelson";

export const { query, mutation, action, queue, workflow, rules, app } = define(
  {
    mark: table({ run: t.text({ max: 100 }), text: t.text({ max: 200 }) }).index("run"),
  },
  { events: { paid: event({ order: t.text({ max: 50 }) }, { key: "order" }) }, fuel: 1_000_000 },
);
