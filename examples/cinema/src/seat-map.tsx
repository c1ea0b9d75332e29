// The seats of a screening: free ones can be held with a click, held ones paid for or let go.
import { useEffect, useState } from "preact/hooks";
import { useLive } from "keelson/preact";
import { api, beSomebody, messageOf, toTheTill, type Me } from "./api.ts";
import type { Screening } from "./film-detail.tsx";
import { clock, price } from "./format.ts";

/** Holds run out as time passes, which no commit tells: the seats are looked at again this often. */
const lookMs = 30_000;

type Seats = Awaited<ReturnType<typeof api.cinema.seats>>;

interface Props {
  readonly screening: Screening;
  readonly me: Me | null | undefined;
}

export function SeatMap({ screening, me }: Props) {
  const query = { screening: screening.id };
  const live = useLive(api.cinema.seats(query));
  const mine = useLive(me ? api.cinema.mine() : null);
  const [looked, setLooked] = useState<{ readonly at: Seats; readonly seats: Seats } | null>(null);
  const [message, setMessage] = useState<string | null>(null);

  useEffect(() => {
    const at = live.data;
    if (at === undefined) return undefined;
    const look = async () => setLooked({ at, seats: await api.cinema.seats(query) });
    const timer = setInterval(() => void look().catch(() => undefined), lookMs);
    return () => clearInterval(timer);
  }, [live.data]);
  useEffect(() => {
    if (live.error !== null) setMessage(messageOf(live.error));
  }, [live.error]);

  // What was looked at stands until the server shows something newer.
  const seats = (looked !== null && looked.at === live.data ? looked.seats : live.data) ?? [];
  const held = (mine.data ?? []).filter(
    (booking) => booking.screening === screening.id && booking.status === "held",
  );

  const act = async (work: () => Promise<string>): Promise<void> => {
    let outcome: string;
    try {
      outcome = await work();
    } catch (error) {
      outcome = messageOf(error);
    }
    setMessage(outcome);
  };
  const hold = (seat: string) => {
    void act(async () => {
      await beSomebody();
      await api.cinema.hold({ screening: screening.id, seat }).optimistic((show) => {
        show(api.cinema.seats(query), (all) =>
          all.map((one) => (one.seat === seat ? { ...one, state: "mine" as const } : one)),
        );
      });
      return `Seat ${seat} is yours for ten minutes.`;
    });
  };
  const names = held.map(({ seat }) => seat).join(", ");
  // All at once: every seat is paid for, or none. What came of it is what the server says later.
  const pay = () =>
    act(async () => {
      await toTheTill(screening.id);
      return "To the till ...";
    });
  const release = () =>
    act(async () => {
      await api.batch(held.map(({ id }) => api.cinema.release({ booking: id })));
      return `Free again: ${names}.`;
    });

  const free = seats.filter((seat) => seat.state === "free").length;
  const until = held.map(({ heldUntil }) => heldUntil).toSorted()[0];
  return (
    <div class="seat-map">
      <div class="hall">
        <div class="screen">screen</div>
        <div
          class="seats"
          style={{ gridTemplateColumns: `repeat(${screening.seatsPerRow}, minmax(2.1rem, 1fr))` }}
        >
          {seats.map(({ seat, state }) => (
            <button
              type="button"
              key={seat}
              class={`seat ${state}`}
              disabled={state !== "free"}
              aria-label={`Seat ${seat}, ${state}`}
              onClick={() => hold(seat)}
            >
              {seat}
            </button>
          ))}
        </div>
      </div>
      <p class="legend">
        {free} of {seats.length} seats free <i class="key free" /> free <i class="key mine" /> yours{" "}
        <i class="key taken" /> taken
      </p>
      {(held.length > 0 || message !== null) && (
        <div class="desk">
          {message !== null && (
            <p role="status" class="message">
              {message}
            </p>
          )}
          {held.length > 0 && until !== undefined && (
            <div class="actions">
              <button type="button" onClick={() => void pay()}>
                Pay {price(screening.price * held.length)} for {names}
              </button>
              <button type="button" class="quiet" onClick={() => void release()}>
                Let go
              </button>
              <span class="facts">held until {clock(until)}</span>
            </div>
          )}
        </div>
      )}
    </div>
  );
}
