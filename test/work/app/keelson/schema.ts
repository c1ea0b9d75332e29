// Tables whose rows tell which work happened, how often and in which order. No unique keys on purpose: what
// happened twice must be seen, not refused.
import { define, event, table, t } from "keelson";

export const { mutation, action, queue, workflow, on, onChange, cron, rules, app } = define(
  {
    entry: table({
      kind: t.text({ max: 40 }),
      key: t.text({ max: 200 }),
      number: t.int(),
      at: t.time(),
    }).index("kind", "key"),
    order: table({ key: t.text({ max: 80 }), state: t.oneOf("new", "paid", "gone") }).index("key"),
    last: table({ client: t.text({ max: 80 }), number: t.int() }).index("client"),
  },
  {
    events: {
      "order.paid": event({ client: t.text({ max: 80 }), number: t.int() }, { key: "client" }),
    },
  },
);
