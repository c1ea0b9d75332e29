// The types of the client: made of `typeof app` alone. Checked by tsc, never run.
import { createClient, type RowOf } from "./client.ts";
import type { LiveHooks } from "./hooks.ts";
import type { Id } from "./index.ts";
import { same } from "./same-type.test-d.ts";
import type cinema from "./language.test-d.ts";

const api = createClient<typeof cinema>("http://localhost:4000", { token: () => null });

const seats = await api.cinema.seats({ screening: "screening_1" });
same<string | undefined>()<(typeof seats)[0]["seat"] | undefined>();
same<string | null | undefined>()<(typeof seats)[0]["note"] | undefined>();
const id = await api.cinema.book({ screening: "screening_1", seat: "F7" }, { idempotencyKey: "k" });
same<Id<"booking">>()<typeof id>();
const nothing = await api.cinema.pay({ screening: "screening_1" });
same<void>()<typeof nothing>();
await api.cinema.reads();

// @ts-expect-error a required argument is missing
void api.cinema.book({ screening: "screening_1" });
// @ts-expect-error no arguments at all
void api.cinema.book();
// @ts-expect-error no such argument
void api.cinema.book({ screening: "screening_1", seat: "F7", row: 1 });
// @ts-expect-error an id of another table
void api.cinema.book({ screening: "film_1", seat: "F7" });
// @ts-expect-error no such value
void api.cinema.seats({ screening: "screening_1", only: "sold" });
// @ts-expect-error nobody may call it
void api.cinema.paid;
// @ts-expect-error http functions have addresses of their own
void api.cinema.users;
// @ts-expect-error no such function
void api.cinema.boook;
// @ts-expect-error no such module or table
void api.theatre;

const films = await api.film.list({ where: { rating: { gte: 8 } }, orderBy: "-rating", limit: 20 });
same<number | null | undefined>()<(typeof films)[0]["rating"] | undefined>();
// @ts-expect-error private
void films[0]?.notes;
// @ts-expect-error private
void api.film.create({ title: "x", owner: "user_1", notes: "x" });
const film = await api.film.create({ title: "x", owner: "user_1" });
same<string>()<typeof film.made>();
const changed = await api.film.update(film.id, { rating: null });
same<Id<"film">>()<typeof changed.id>();
// @ts-expect-error a title is required, it can't be cleared
void api.film.update(film.id, { title: null });
// @ts-expect-error immutable
void api.film.update(film.id, { made: "2026-01-01T00:00:00Z" });
void (await api.user.first({ where: { email: "a@example.com" } }))?.name;

const [booked, listed, count] = await api.batch([
  api.cinema.book({ screening: "screening_1", seat: "F7" }),
  api.screening.list({ with: { film: { select: ["title"] } }, select: ["price"] }),
  api.booking.count({ where: { status: { in: ["held", "paid"] } } }),
]);
same<Id<"booking">>()<typeof booked>();
same<number>()<typeof count>();
void listed[0]?.film?.title;
void listed[0]?.price;
// @ts-expect-error not selected in the expansion
void listed[0]?.film?.rating;

const named = await api.screening.first({ with: { movie: { via: "film" } } });
same<Id<"film"> | undefined>()<Exclude<typeof named, null>["film"] | undefined>();
void named?.movie?.title;
// @ts-expect-error no such field
void (await api.screening.first({ with: { movie: { via: "flim" } } }))?.movie?.title;
// @ts-expect-error a list's options do not fit one row
void api.screening.first({ with: { film: { limit: 1 } } });

// Types of answers can be taken from the methods, and rows from the app.
type Screening = NonNullable<Awaited<ReturnType<typeof api.screening.get>>>;
same<number>()<Screening["price"]>();
same<Id<"film">>()<Screening["film"]>();
same<string>()<RowOf<typeof cinema, "screening">["startsAt"]>();

// Everything that reads can be followed, with the type of its answer; what writes can't.
api.cinema.seats.live({ screening: "screening_1" }, (live) => {
  same<typeof seats>()<typeof live>();
});
const stop = api.film.list({ where: { rating: { gte: 8 } }, select: ["title"] }).live((live) => {
  void live[0]?.title;
  // @ts-expect-error not selected
  void live[0]?.rating;
});
stop();
api.film.get("film_1").live(
  (live) => void live?.title,
  (error) => void error.code,
);
api.film.count().live((live) => same<number>()<typeof live>());
for await (const live of api.cinema.seats({ screening: "screening_1" }).watch()) {
  same<typeof seats>()<typeof live>();
}
const state = api.screening
  .first({ with: { film: true } })
  .store()
  .getSnapshot();
void state.data?.film?.title;
// @ts-expect-error a mutation is not followed
void api.cinema.book({ screening: "screening_1", seat: "F7" }).live;
// @ts-expect-error a mutation is not followed
void api.cinema.book.live;
// @ts-expect-error writing a row is not followed
void api.film.create({ title: "x", owner: "user_1" }).watch;
// @ts-expect-error an argument is missing
api.cinema.seats.live({}, () => undefined);
// @ts-expect-error what reads changes nothing
void api.film.list().optimistic;

await api.film.delete(film.id).optimistic((show) => {
  show(api.film.list(), (before) => before.filter((row) => row.id !== film.id));
  // @ts-expect-error a list stays a list
  show(api.film.list(), () => null);
  // @ts-expect-error a write is not shown
  show(api.film.delete(film.id), () => undefined);
});

declare const hooks: LiveHooks;
const shown = hooks.useLive(api.film.list({ select: ["title"] }));
void shown.data?.[0]?.title;
// @ts-expect-error not selected
void shown.data?.[0]?.rating;
hooks.useLive(film.id === "film_1" ? null : api.film.count());
same<boolean>()<ReturnType<typeof hooks.useLive<number>>["isPreviousData"]>();
hooks.useLive(api.film.count(), { keepPreviousData: true });
// @ts-expect-error there is no such option
hooks.useLive(api.film.count(), { keepPrevious: true });
// @ts-expect-error a mutation is not followed
hooks.useLive(api.film.delete(film.id));
const book = hooks.useMutation(api.cinema.book, {
  optimistic: (show, { screening, seat }) => {
    show(api.cinema.seats({ screening }), (before) => before.filter((one) => one.seat !== seat));
  },
});
same<Id<"booking">>()<Awaited<ReturnType<typeof book.run>>>();
void book.run({ screening: "screening_1", seat: "F7" });
// @ts-expect-error a seat is missing
void book.run({ screening: "screening_1" });

// What identity answers has ids that tables and functions take as they are.
{
  const { id: org } = await api.auth.createOrg({ name: "Acme", slug: "acme" });
  same<Id<"org">>()<typeof org>();
  const [first] = await api.auth.orgs();
  same<Id<"org"> | undefined>()<NonNullable<typeof first>["id"] | undefined>();
  const { members } = await api.auth.orgMembers(org);
  same<Id<"user">>()<(typeof members)[number]["user"]>();
  const [invited] = await api.auth.invitations(org);
  same<Id<"orgInvitation"> | undefined>()<NonNullable<typeof invited>["id"] | undefined>();
  const { id: invitation } = await api.auth.invite(org, { email: "a@b.cc", role: "member" });
  same<Id<"orgInvitation">>()<typeof invitation>();
  const signedIn = await api.auth.guest();
  if (signedIn.kind === "signed-in") same<Id<"user">>()<typeof signedIn.user>();
  const [session] = await api.auth.sessions();
  same<Id<"authSession"> | undefined>()<NonNullable<typeof session>["id"] | undefined>();
  const [key] = await api.auth.keys();
  same<Id<"authKey"> | undefined>()<NonNullable<typeof key>["id"] | undefined>();
  const { events } = await api.auth.events();
  same<Id<"authEvent">>()<(typeof events)[number]["id"]>();
}
