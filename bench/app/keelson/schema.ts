// The tables of every workload, and what hands out functions and rules typed by them.
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  account: table({ balance: t.int({ min: 0 }) }),
  post: table({
    author: t.ref("user"),
    title: t.text({ max: 200 }),
    body: t.text({ max: 2_000 }),
    published: t.bool(),
  }).index("author"),
  room: table({ name: t.text({ max: 100 }) }),
  member: table({ room: t.ref("room"), user: t.ref("user") }).unique("room", "user"),
  message: table({
    room: t.ref("room"),
    author: t.ref("user"),
    text: t.text({ max: 1_000 }),
  }).index("room"),
  counter: table({ value: t.int() }),
});
