// The ticket office's data. Hands out query, mutation, rules and app, typed by these tables.
import { define, table, t } from "keelson";

export const { query, mutation, action, hook, workflow, rules, app, invariant, cron } = define({
  user: table({
    // Guests hold seats too; whoever signs up says who they are.
    name: t.text({ min: 1, max: 100 }).default("Guest").claim(),
    email: t.text({ max: 320, format: "email" }).optional().unique(),
    role: t.oneOf("customer", "staff").default("customer"),
  }),

  film: table({
    title: t.text({ min: 1, max: 200 }),
    released: t.date().optional(),
    rating: t.number({ min: 0, max: 10 }).optional(),
    votes: t.int({ min: 0 }).optional(),
    tomatoes: t.int({ min: 0, max: 100 }).optional(),
    mpaa: t.oneOf("G", "PG", "PG-13", "R", "NC-17", "Not Rated", "Open").optional(),
    minutes: t.int({ min: 1, max: 600 }).optional(),
    genre: t.text({ max: 50 }).optional(),
    // keelson-allow K208: the imported catalogue has its own words, and new ones
    kind: t.text({ max: 50 }).optional(),
    source: t.text({ max: 60 }).optional(),
    director: t.text({ max: 100 }).optional(),
    distributor: t.text({ max: 100 }).optional(),
    budget: t.money("USD", { min: 0 }).optional(),
    grossUs: t.money("USD", { min: 0 }).optional(),
    grossWorld: t.money("USD", { min: 0 }).optional(),
    dvdUs: t.money("USD", { min: 0 }).optional(),
  })
    .unique("title", "released")
    .index("rating")
    .index("genre", "rating")
    .index("released")
    .search("title", "director"),

  screening: table({
    film: t.ref("film"),
    hall: t.text({ min: 1, max: 40 }),
    startsAt: t.time(),
    price: t.money("EUR", { min: 0, max: 100_00 }),
    rows: t.int({ min: 1, max: 25 }),
    seatsPerRow: t.int({ min: 1, max: 40 }),
    // office.callOff says so, and gives the money back.
    status: t.oneOf("planned", "off").default("planned"),
  })
    .unique("hall", "startsAt")
    .index("film", "startsAt")
    .index("startsAt"),

  booking: table({
    // What was sold stays on the books: a screening with bookings is not deleted.
    screening: t.ref("screening", { onDelete: "refuse" }).immutable(),
    // Seat F7 is row 6, place 7: numbers, so that a rule can tell whether the hall has it.
    row: t.int({ min: 1, max: 25 }).immutable(),
    place: t.int({ min: 1, max: 40 }).immutable(),
    customer: t.ref("user").immutable(),
    status: t.oneOf("held", "paid", "cancelled"),
    heldAt: t.time().default("now").immutable(),
    price: t.money("EUR").immutable(),
    // The last one that was begun for it; of a paid booking the one that paid.
    payment: t.ref("payment").optional(),
  })
    // The whole promise of the house: a seat is sold once.
    .unique("screening", "row", "place", { where: { status: { not: "cancelled" } } })
    .index("customer")
    .index("screening", "status")
    .limit({ write: { perUser: "30/minute" } }),

  // What one visit to Stripe's page pays for.
  payment: table({
    customer: t.ref("user").immutable(),
    bookings: t.list(t.id("booking"), { max: 40 }).immutable(),
    amount: t.money("EUR", { min: 0 }).immutable(),
    begunAt: t.time().default("now").immutable(),
    status: t.oneOf("open", "paid", "expired"),
    // Stripe's name of the money, once it came.
    intent: t.text({ max: 100 }).optional(),
    // Where the tickets go: what the customer told Stripe.
    email: t.text({ max: 320 }).optional(),
    // Stripe's page to pay it on, once there is one.
    page: t.text({ max: 2_000 }).optional(),
  }).index("customer"),

  // What is owed to a customer: a seat that was paid for and is not to be had.
  refund: table({
    booking: t.ref("booking").immutable(),
    payment: t.ref("payment").immutable(),
    amount: t.money("EUR", { min: 1 }).immutable(),
    status: t.oneOf("due", "done"),
  })
    .unique("booking", "payment")
    .index("status"),

  // What a day brought, written in the night after it.
  report: table({
    day: t.date(),
    tickets: t.int({ min: 0 }),
    income: t.money("EUR"),
  }).unique("day"),
});
