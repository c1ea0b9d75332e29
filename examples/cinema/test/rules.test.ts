// Who may do what at the ticket office, as a table: each line is one request to a server as anybody can send it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTicketOffice, type Answer, type Person } from "./ticket-office.case.ts";

interface Scenario {
  readonly what: string;
  readonly as: "nobody" | "ada" | "bob" | "staff";
  /** Method and path; a function's name stands for its address. */
  readonly send: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  /** A code, or part of the answer. */
  readonly has?: string;
  readonly hasNot?: string;
}

test("the rules of the ticket office", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const people: Record<Exclude<Scenario["as"], "nobody">, Person> = {
    ada: await office.signIn("Ada"),
    bob: await office.signIn("Bob"),
    staff: await office.signIn("Box office", "staff"),
  };
  const { ada, bob } = people;
  const show = await office.plantScreening();
  const past = await office.plantScreening({
    startsAt: new Date(Date.now() - 60_000).toISOString(),
  });
  const film = await office.plant("film", { title: "The Third Man" });
  const booked = { screening: show, customer: ada.user, price: 10_00 };
  const longAgo = new Date(Date.now() - 11 * 60_000).toISOString();
  const held = await office.plant("booking", { ...booked, row: 1, place: 1, status: "held" });
  const paid = await office.plant("booking", { ...booked, row: 1, place: 2, status: "paid" });
  const gone = await office.plant("booking", { ...booked, row: 1, place: 3, status: "cancelled" });
  const stale = await office.plant("booking", {
    ...booked,
    ...{ row: 1, place: 4, status: "held", heldAt: longAgo },
  });
  const other = await office.plantScreening();
  await office.plant("booking", {
    ...{ screening: other, customer: ada.user, price: 10_00, heldAt: longAgo },
    ...{ row: 1, place: 4, status: "held" },
  });
  const bookings = "/api/tables/booking";
  const draft = { ...booked, row: 5, place: 5, status: "held" };
  const programme = {
    ...{ film, hall: "Blue Hall", firstAt: new Date(Date.now() + 86_400_000).toISOString() },
    ...{ days: 2, price: 9_00, rows: 5, seatsPerRow: 5 },
  };

  const scenarios: readonly Scenario[] = [
    // Nobody in particular.
    {
      ...{ what: "anyone sees which seats are free", as: "nobody" },
      ...{ send: ["POST", "cinema.seats", { screening: show }], status: 200 },
      ...{ has: '{"seat":"A1","state":"taken"}', hasNot: "user_" },
    },
    {
      ...{ what: "anyone sees the films", as: "nobody", status: 200, has: "The Third Man" },
      send: ["GET", "/api/tables/film"],
    },
    {
      ...{ what: "nobody sees bookings", as: "nobody", status: 200, has: '"rows":[]' },
      send: ["GET", bookings],
    },
    {
      ...{ what: "nobody sees users", as: "nobody", status: 200, has: '"rows":[]' },
      send: ["GET", "/api/tables/user"],
    },
    {
      ...{ what: "nobody holds a seat", as: "nobody", status: 401, has: "SIGN_IN_REQUIRED" },
      send: ["POST", "cinema.hold", { screening: show, seat: "B1" }],
    },
    // Another's booking.
    {
      ...{ what: "a booking of another is not there", as: "bob", status: 404, has: "NOT_FOUND" },
      send: ["GET", `${bookings}/${held}`],
    },
    {
      ...{ what: "nor in a list", as: "bob", status: 200, has: '"rows":[]', hasNot: held },
      send: ["GET", bookings],
    },
    {
      ...{ what: "nor in a count", as: "bob", status: 200, has: '{"n":0}' },
      send: ["GET", `${bookings}?aggregate=${encodeURIComponent('{"n":"count"}')}`],
    },
    {
      ...{ what: "nor can it be cancelled", as: "bob", status: 404, has: "NOT_FOUND" },
      send: ["PATCH", `${bookings}/${held}`, { status: "cancelled" }],
    },
    {
      ...{ what: "nor let go", as: "bob", status: 404, has: "NOT_FOUND" },
      send: ["POST", "cinema.release", { booking: held }],
    },
    {
      ...{ what: "nor paid for", as: "bob", status: 400, has: "NOTHING_HELD" },
      send: ["POST", "pay.start", { screening: show }],
    },
    {
      ...{ what: "staff see it", as: "staff", status: 200, has: held },
      send: ["GET", `${bookings}/${held}`],
    },
    {
      ...{ what: "but don't pay for it", as: "staff", status: 400, has: "NOTHING_HELD" },
      send: ["POST", "pay.start", { screening: show }],
    },
    // What a booking may be.
    {
      ...{ what: "no booking for another", as: "bob", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, draft],
    },
    {
      ...{ what: "nor by staff", as: "staff", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, draft],
    },
    {
      ...{ what: "no price of one's own", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, { ...draft, price: 1 }],
    },
    {
      ...{ what: "not as an argument either", as: "ada", status: 422, has: "ARGUMENT_INVALID" },
      send: ["POST", "cinema.hold", { screening: show, seat: "E5", price: 1 }],
    },
    {
      ...{ what: "no booking that begins as paid", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, { ...draft, status: "paid" }],
    },
    {
      ...{ what: "no seat that the hall has not", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, { ...draft, row: 11 }],
    },
    {
      ...{ what: "nor by the function", as: "ada", status: 400, has: "NO_SEAT" },
      send: ["POST", "cinema.hold", { screening: show, seat: "K1" }],
    },
    {
      ...{ what: "nor one without a number", as: "ada", status: 400, has: "NO_SEAT" },
      send: ["POST", "cinema.hold", { screening: show, seat: "A0" }],
    },
    {
      ...{ what: "no hold of one's own length", as: "ada", status: 403, has: "FIELD_NOT_WRITABLE" },
      send: ["POST", bookings, { ...draft, heldAt: "2099-01-01T00:00:00Z" }],
    },
    {
      ...{ what: "no screening that has begun", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", bookings, { ...draft, screening: past }],
    },
    {
      ...{ what: "nor by the function", as: "ada", status: 400, has: "STARTED" },
      send: ["POST", "cinema.hold", { screening: past, seat: "A1" }],
    },
    {
      ...{ what: "a taken seat is taken", as: "bob", status: 409, has: "UNIQUE_TAKEN" },
      ...{ send: ["POST", "cinema.hold", { screening: show, seat: "A1" }], hasNot: ada.user },
    },
    {
      ...{ what: "through the table too", as: "bob", status: 409, has: "UNIQUE_TAKEN" },
      send: ["POST", bookings, { ...draft, row: 1, place: 1, customer: bob.user }],
    },
    {
      ...{ what: "the same as the function does", as: "ada", status: 201, has: '"heldAt":"20' },
      send: ["POST", bookings, draft],
    },
    // From held to paid to cancelled, and no other way.
    {
      ...{ what: "one can't call oneself paid", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["PATCH", `${bookings}/${held}`, { status: "paid" }],
    },
    {
      ...{ what: "nor go back from paid to held", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["PATCH", `${bookings}/${paid}`, { status: "held" }],
    },
    {
      ...{ what: "nor wake a cancelled one", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["PATCH", `${bookings}/${gone}`, { status: "held" }],
    },
    {
      ...{ what: "nor change its price", as: "ada", status: 422, has: "FIELD_IMMUTABLE" },
      send: ["PATCH", `${bookings}/${held}`, { status: "cancelled", price: 1 }],
    },
    {
      ...{ what: "nor give it away", as: "ada", status: 422, has: "FIELD_IMMUTABLE" },
      send: ["PATCH", `${bookings}/${held}`, { status: "cancelled", customer: bob.user }],
    },
    {
      ...{ what: "nor delete it", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["DELETE", `${bookings}/${held}`],
    },
    {
      ...{ what: "nobody pays with a price of their own", as: "ada", status: 422 },
      ...{ has: "ARGUMENT_INVALID", send: ["POST", "pay.start", { screening: show, amount: 1 }] },
    },
    {
      ...{ what: "nobody says that money came", as: "ada", status: 404, has: "FUNCTION_NOT_FOUND" },
      send: ["POST", "pay.onStripe", { type: "checkout.session.completed", body: {} }],
    },
    {
      ...{ what: "held ones are paid for", as: "ada", status: 200, has: "payment_" },
      send: ["POST", "pay.start", { screening: show }],
    },
    {
      ...{ what: "and can be let go meanwhile", as: "ada", status: 200, has: "null" },
      send: ["POST", "cinema.release", { booking: held }],
    },
    {
      ...{ what: "once", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", "cinema.release", { booking: held }],
    },
    // A hold that ran out.
    {
      ...{ what: "it can't be paid", as: "ada", status: 400, has: "NOTHING_HELD" },
      send: ["POST", "pay.start", { screening: other }],
    },
    {
      ...{ what: "its seat shows as free", as: "nobody", status: 200 },
      ...{
        send: ["POST", "cinema.seats", { screening: show }],
        has: '{"seat":"A4","state":"free"}',
      },
    },
    {
      ...{ what: "its owner sees why", as: "ada", status: 200, has: '"status":"expired"' },
      send: ["POST", "cinema.mine", {}],
    },
    {
      ...{ what: "and another may hold it", as: "bob", status: 200, has: "booking_" },
      send: ["POST", "cinema.hold", { screening: show, seat: "A4" }],
    },
    {
      ...{
        what: "after which it is cancelled",
        as: "ada",
        status: 200,
        has: '"status":"cancelled"',
      },
      send: ["GET", `${bookings}/${stale}`],
    },
    // The programme is the staff's.
    {
      ...{ what: "a customer schedules nothing", as: "ada", status: 403, has: "CALL_DENIED" },
      send: ["POST", "office.schedule", programme],
    },
    {
      ...{ what: "nor through the table", as: "ada", status: 403, has: "RULE_DENIED" },
      send: [
        "POST",
        "/api/tables/screening",
        { film, hall: "X", startsAt: programme.firstAt, price: 1, rows: 1, seatsPerRow: 1 },
      ],
    },
    {
      ...{ what: "nor makes a screening cheaper", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["PATCH", `/api/tables/screening/${show}`, { price: 1 }],
    },
    {
      ...{ what: "nor adds a film", as: "ada", status: 403, has: "RULE_DENIED" },
      send: ["POST", "/api/tables/film", { title: "Mine" }],
    },
    {
      ...{ what: "staff do", as: "staff", status: 200, has: "2" },
      send: ["POST", "office.schedule", programme],
    },
    {
      ...{ what: "but not two in one hall at once", as: "staff", status: 409, has: "UNIQUE_TAKEN" },
      send: ["POST", "office.schedule", programme],
    },
    // Users.
    {
      ...{ what: "one sees oneself only", as: "ada", status: 200, has: ada.user, hasNot: bob.user },
      send: ["GET", "/api/tables/user"],
    },
    {
      ...{ what: "and can't become staff", as: "ada", status: 403, has: "FIELD_NOT_WRITABLE" },
      send: ["PATCH", `/api/tables/user/${ada.user}`, { role: "staff" }],
    },
    {
      ...{ what: "nor be hired by oneself", as: "ada", status: 403, has: "CALL_DENIED" },
      send: ["POST", "office.hire", { email: "ada@example.com" }],
    },
    {
      ...{ what: "staff hire nobody unknown", as: "staff", status: 400, has: "NOBODY" },
      send: ["POST", "office.hire", { email: "nobody@example.com" }],
    },
    {
      ...{ what: "nor another", as: "ada", status: 404, has: "NOT_FOUND" },
      send: ["PATCH", `/api/tables/user/${bob.user}`, { name: "Bob the Great" }],
    },
    {
      ...{
        what: "a price is not guessed by ordering",
        as: "nobody",
        status: 200,
        has: '"rows":[]',
      },
      send: ["GET", `${bookings}?orderBy=-price&where=${encodeURIComponent('{"price":{"gt":0}}')}`],
    },
    {
      ...{ what: "the invariant is no door", as: "staff", status: 404, has: "FUNCTION_NOT_FOUND" },
      send: ["POST", "office.eachSeatOnce", {}],
    },
  ];

  for (const { what, as, send, status, has, hasNot } of scenarios) {
    await context.test(`${as}: ${what}`, async () => {
      const answer = await office.ask(as === "nobody" ? null : people[as], ...send);
      assert.equal(answer.status, status, answer.text);
      if (has !== undefined) assert.ok(answer.text.includes(has), `no ${has} in ${answer.text}`);
      if (hasNot !== undefined) assert.ok(!answer.text.includes(hasNot), answer.text);
    });
  }
  assert.equal(await office.holds(), true, "each seat is sold once");
});

test("one person holds 30 seats a minute and no more, by the function and by the table", async (context) => {
  const office = await openTicketOffice(context);
  const ada = await office.signIn("Ada");
  // A seat more is given every two seconds, which a slow machine takes some calls for.
  const statuses = async (send: (row: number, place: number) => Promise<Answer>) => {
    const all: number[] = [];
    while (all.length < 60 && all.at(-1) !== 429) {
      const { length: index } = all;
      const { status } = await send(Math.floor(index / 10) + 1, (index % 10) + 1);
      all.push(status);
    }
    return all;
  };
  const one = await office.plantScreening();
  const called = await statuses((row, place) => {
    const seat = `${String.fromCharCode(64 + row)}${place}`;
    return office.ask(ada, "POST", "cinema.hold", { screening: one, seat });
  });
  assert.ok(
    called.slice(0, 30).every((status) => status === 200),
    called.join(),
  );
  assert.equal(called.at(-1), 429);
  const other = await office.plantScreening();
  const draft = { screening: other, customer: ada.user, price: 10_00, status: "held" };
  const created = await statuses((row, place) =>
    office.ask(ada, "POST", "/api/tables/booking", { ...draft, row, place }),
  );
  assert.ok(
    created.slice(0, 30).every((status) => status === 201),
    created.join(),
  );
  assert.equal(created.at(-1), 429);
});
