// The types of an app's language: what must compile, and (after @ts-expect-error) what must not.
// Checked by tsc, never run.
import {
  define,
  Refusal,
  t,
  table,
  type Id,
  type RuleId,
  type RuleInput,
  type RuleMe,
} from "./index.ts";
import { same } from "./same-type.test-d.ts";

export const { query, mutation, action, http, rules, app, invariant } = define({
  film: table({
    title: t.text({ max: 200 }),
    released: t.date().optional(),
    rating: t.number({ min: 0, max: 10 }).optional(),
    owner: t.ref("user"),
    notes: t.text().private(),
    made: t.time().default("now").immutable(),
    tags: t.list(t.text({ max: 20 })).default([]),
    extra: t.json<{ readonly a: number }>().optional(),
    box: t.object({ wide: t.int(), high: t.int().optional() }).optional(),
  })
    .index("rating")
    .search("title"),
  screening: table({ film: t.ref("film"), startsAt: t.time(), price: t.money("EUR") })
    .index("film", "startsAt")
    .check(
      ({ next, row }) => next.price > 0 && (row === null || row.film === next.film),
      "A price",
    ),
  booking: table({
    screening: t.ref("screening"),
    seat: t.text({ max: 4 }),
    customer: t.ref("user"),
    friend: t.ref("user").optional(),
    status: t.oneOf("held", "paid", "cancelled"),
  })
    .unique("screening", "seat", { where: { status: { not: "cancelled" } } })
    .index("customer"),
});

// Tables.
// @ts-expect-error no such field
table({ a: t.text() }).index("b");
// @ts-expect-error no such field
table({ a: t.text() }).search("b");
// @ts-expect-error no such value
table({ a: t.oneOf("x", "y") }).unique("a", { where: { a: "z" } });
// @ts-expect-error a default must fit
t.int().default("1");
// @ts-expect-error no such value
t.oneOf("a", "b").default("c");
// @ts-expect-error references are compared with references to the same table
table({ a: t.ref("film"), b: t.ref("user") }).check(({ next }) => next.a === next.b);

// Rows of an organisation, a table of the platform.
const guild = define({
  minute: table({ org: t.ref("org", { onDelete: "cascade" }), text: t.text() }),
});
guild.rules({
  minute: {
    read: ({ row, me }) => row.org === me.org,
    create: ({ next, me }) => next.org === me.org && me.orgRole === "owner",
    // @ts-expect-error an organisation is no user
    delete: ({ row, me }) => row.org === me.id,
  },
});

// Rules.
const isStaff = (me: RuleMe): boolean => me.role === "staff";
export const policy = rules({
  film: { read: () => true, write: ({ me }) => isStaff(me) },
  screening: {
    read: ({ row, now }) => row.startsAt > now,
    delete: ({ row, me }) => row.film.owner === me.id,
  },
  booking: {
    read: ({ row, me }) =>
      row.customer === me.id || me.role === "staff" || row.screening.film.owner === me.id,
    create: ({ next, me }) => next.customer === me.id && next.status === "held",
    update: ({ row, next, me, db }) =>
      next.customer === row.customer &&
      row.friend?.role !== null &&
      db.screening.some((other) => other.id === row.screening && other.film.owner === me.id),
    fields: {
      customer: { read: ({ row, me }) => row.customer === me.id || row.customer.role === "x" },
    },
  },
});

// Helpers of rules, with the types of the app.
type Who = Pick<RuleInput<typeof rules>, "me" | "db">;
const isOwner = ({ me, db }: Who, film: RuleId<"film">) =>
  db.film.some((one) => one.id === film && one.owner === me.id);
const isHeld = (booking: RuleInput<typeof rules, "booking">["row"]) => booking.status === "held";
// @ts-expect-error no such status
const isHold = (booking: RuleInput<typeof rules, "booking">["row"]) => booking.status === "hold";
// @ts-expect-error no such table
type Flim = RuleInput<typeof rules, "flim">;
void isHold;
void ({} as Flim);
rules({
  screening: {
    write: ({ me }) => me.id === null,
    delete: ({ row, me, db }) => isOwner({ me, db }, row.film),
  },
  booking: {
    delete: ({ row, me, db }) => isHeld(row) && isOwner({ me, db }, row.screening.film.id),
  },
  // @ts-expect-error a film is no booking
  film: { read: ({ row }) => isHeld(row) },
});
rules({
  // @ts-expect-error no such table
  flim: {},
});
rules({
  // @ts-expect-error no such operation
  film: { raed: () => true },
});
rules({
  // @ts-expect-error no such field
  film: { fields: { titel: {} } },
});
rules({
  booking: {
    // @ts-expect-error a screening is no user
    read: ({ row, me }) => row.screening === me.id,
    // @ts-expect-error no such status
    create: ({ next }) => next.status === "hold",
    // @ts-expect-error no such field
    update: ({ row }) => row.screening.flim.owner === row.customer,
    // @ts-expect-error a friend may be absent
    delete: ({ row }) => row.friend.role === "x",
  },
});

// Functions.
query({
  args: {},
  allow: "anyone",
  async run({ db }) {
    const byFilm = await db.screening.aggregate({ values: { n: "count" }, groupBy: "film" });
    same<readonly { readonly film: Id<"film">; readonly n: number }[]>()<typeof byFilm>();
    const byTwo = await db.booking.aggregate({
      values: { n: "count" },
      groupBy: ["screening", "status"],
    });
    same<"held" | "paid" | "cancelled">()<(typeof byTwo)[number]["status"]>();
    // @ts-expect-error no such field
    return db.screening.aggregate({ values: { n: "count" }, groupBy: "flim" });
  },
});
export const seats = query({
  args: {
    screening: t.id("screening"),
    only: t.oneOf("free", "taken").optional(),
    most: t.int().default(10),
  },
  allow: "anyone",
  returns: t.list(t.object({ seat: t.text(), note: t.text().optional() })),
  async run({ db, me }, { screening, only, most }) {
    same<Id<"screening">>()<typeof screening>();
    same<"free" | "taken" | null>()<typeof only>();
    same<number>()<typeof most>();
    same<Id<"user"> | null>()<typeof me.id>();
    const sold = await db.asSystem("only taken or free leaves").booking.list({
      where: { screening, status: { not: "cancelled" } },
      orderBy: ["-seat", "id"],
    });
    // @ts-expect-error queries do not write
    void db.booking.create;
    // @ts-expect-error queries do not write, elevated neither
    void db.asSystem("x").booking.create;
    return sold.map(({ seat }) => ({ seat }));
  },
});

export const book = mutation({
  args: { screening: t.id("screening"), seat: t.text({ max: 4 }) },
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  async run({ db, me }, { screening, seat }) {
    if (seat === "A1") throw new Refusal("SEAT_TAKEN", "This seat is taken.", { seat });
    const booking = await db.booking.create({ screening, seat, customer: me.id, status: "held" });
    // @ts-expect-error a required field is missing
    void db.booking.create({ screening, seat, status: "held" });
    // @ts-expect-error no such field
    void db.booking.create({ screening, seat, customer: me.id, status: "held", price: 1 });
    // @ts-expect-error an id of another table
    void db.booking.update(screening, { status: "paid" });
    // @ts-expect-error immutable
    void db.film.update("film_1", { made: "2026-01-01T00:00:00Z" });
    return booking.id;
  },
});
same<Id<"booking">>()<(typeof book)["~out"]>();
same<{ readonly screening: Id<"screening">; readonly seat: string }["seat"]>()<
  (typeof book)["~in"]["seat"]
>();

export const reads = query({
  allow: { role: ["staff", "owner"] },
  async run({ db, me }) {
    same<"staff" | "owner">()<typeof me.role>();
    const film = await db.film.get("film_1");
    if (film === null) return null;
    same<string>()<typeof film.title>();
    same<number | null>()<typeof film.rating>();
    same<{ readonly a: number } | null>()<typeof film.extra>();
    same<number | null | undefined>()<NonNullable<typeof film.box>["high"] | undefined>();
    // @ts-expect-error private
    void film.notes;
    void (await db.asSystem("notes").film.get("film_1"))?.notes;

    const few = await db.film.list({
      select: ["id", "title"],
      where: { rating: { gte: 8 }, or: [{ title: "x" }] },
    });
    same<string | undefined>()<(typeof few)[0]["title"] | undefined>();
    // @ts-expect-error not selected
    void few[0]?.rating;

    const one = await db.booking.first({
      with: { screening: { select: ["film"], with: { film: true } }, customer: true },
    });
    same<string | undefined>()<
      NonNullable<NonNullable<typeof one>["screening"]>["film"] extends infer F
        ? F extends { title: infer X }
          ? X | undefined
          : never
        : never
    >();
    void one?.screening?.film?.title;
    void one?.customer?.email;
    // @ts-expect-error not selected
    void one?.screening?.price;

    const many = await db.screening.page({
      with: {
        bookings: {
          from: "booking",
          via: "screening",
          where: { status: "paid" },
          orderBy: "-seat",
          limit: 10,
        },
      },
      limit: 5,
    });
    same<"held" | "paid" | "cancelled" | undefined>()<
      NonNullable<(typeof many.rows)[0]["bookings"][0]>["status"] | undefined
    >();

    // Rows that refer to this one, under their table's name.
    const booked = await db.screening.list({ with: { booking: true, film: true } });
    same<"held" | "paid" | "cancelled" | undefined>()<
      NonNullable<(typeof booked)[0]["booking"][0]>["status"] | undefined
    >();
    const [paid] = await db.screening.list({
      with: { booking: { where: { status: "paid" }, select: ["seat"], limit: 10 } },
    });
    void paid?.booking[0]?.seat;
    // @ts-expect-error not selected
    void paid?.booking[0]?.status;
    const unpaid = await db.screening.list({ with: { booking: { where: { sat: 1 } } } });
    // @ts-expect-error no such field in the filter of an expansion
    void unpaid[0]?.booking.length;
    const unrelated = await db.film.list({ with: { booking: true } });
    // @ts-expect-error bookings do not refer to films
    void unrelated[0]?.booking.length;
    // @ts-expect-error no such reference
    void db.booking.list({ with: { screning: true } });
    // @ts-expect-error no such option
    void db.booking.list({ with: { screening: { selct: ["film"] } } });
    // @ts-expect-error no such field in the expansion
    void db.booking.list({ with: { screening: { select: ["flim"] } } });
    // Mistakes that show where the answer is used.
    const wrongVia = await db.film.list({
      with: { bookings: { from: "booking", via: "screening" } },
    });
    // @ts-expect-error bookings do not refer to films
    void wrongVia[0]?.bookings.length;
    const wrongName = await db.booking.list({ with: { screening: true, screning: true } });
    // @ts-expect-error no such reference, beside one that is
    void wrongName[0]?.screning?.price;
    const wrongField = await db.screening.list({
      with: { b: { from: "booking", via: "screning" } },
    });
    // @ts-expect-error no such field
    void wrongField[0]?.b.length;
    const wrongFilter = await db.screening.list({
      with: { b: { from: "booking", where: { sat: 1 } } },
    });
    // @ts-expect-error no such field in the filter of an expansion
    void wrongFilter[0]?.b.length;
    // @ts-expect-error no such table
    void db.film.list({ with: { bookings: { from: "bookings", via: "screening" } } });
    // @ts-expect-error no such option
    void db.film.list({ were: {} });
    // @ts-expect-error no such field
    void db.film.list({ where: { titel: "x" } });
    // @ts-expect-error no such condition on numbers
    void db.film.list({ where: { rating: { startsWith: "x" } } });
    // @ts-expect-error private fields can't be asked for
    void db.film.list({ where: { notes: "x" } });
    // @ts-expect-error no such field
    void db.film.list({ orderBy: "-titel" });

    const totals = await db.screening.aggregate({
      values: { total: "count", sum: { sum: "price" }, last: { max: "startsAt" } },
    });
    same<number>()<typeof totals.total>();
    same<number>()<typeof totals.sum>();
    same<string | null>()<typeof totals.last>();
    const groups = await db.booking.aggregate({ groupBy: ["status"], values: { n: "count" } });
    same<"held" | "paid" | "cancelled" | undefined>()<(typeof groups)[0]["status"] | undefined>();
    // @ts-expect-error a seat is no number
    void db.booking.aggregate({ values: { n: { sum: "seat" } } });
    return null;
  },
});

query({
  returns: t.object({ n: t.int() }),
  // @ts-expect-error the result does not fit
  run: () => ({ n: "1" }),
});
// @ts-expect-error no such option
query({ run: () => null, alow: "anyone" });

export const pay = action({
  args: { screening: t.id("screening") },
  allow: "anyone",
  hosts: ["api.example.com"],
  returns: t.nothing(),
  async run({ run }, { screening }) {
    const id = await run(book, { screening, seat: "A1" });
    same<Id<"booking">>()<typeof id>();
    // @ts-expect-error a required argument is missing
    void run(book, { screening });
    await run(reads);
  },
});
// @ts-expect-error actions have no database
action({ run: ({ db }) => db });

export const users = http({
  method: "GET",
  path: "/api/users",
  allow: "anyone",
  run: async (_ctx, request) => new Response(request.url),
});

export const paid = invariant(
  async ({ db }) => (await db.booking.count({ where: { status: "paid" } })) >= 0,
);
export default app({
  rules: policy,
  functions: { cinema: { seats, book, reads, pay, users, paid } },
  invariants: [paid],
});
