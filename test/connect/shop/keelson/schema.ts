import { define, table, t } from "keelson";

export const { query, mutation, action, hook, rules, app } = define({
  order: table({
    name: t.text({ max: 40 }),
    price: t.money("EUR"),
    status: t.oneOf("open", "paid", "refunded"),
    payment: t.text({ max: 100 }).optional(),
  }),
  entitlement: table({ customer: t.text({ max: 60 }), isActive: t.bool() }).unique("customer"),
  bank: table({ token: t.text({ max: 100 }), cursor: t.text({ max: 400 }).optional() }),
  transaction: table({ number: t.text({ max: 60 }), amount: t.number() }).unique("number"),
});
