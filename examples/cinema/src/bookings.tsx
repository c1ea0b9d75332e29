// The caller's bookings, newest first, as they are now; the held ones of a screening can be paid for, and any let go.
import { useState } from "preact/hooks";
import { useLive } from "keelson/preact";
import { api, messageOf, toTheTill } from "./api.ts";
import { clock, price, when } from "./format.ts";

export function Bookings() {
  const live = useLive(api.cinema.mine());
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const pay = (booking: Booking) => act(() => toTheTill(booking.screening));
  const release = (booking: Booking) => act(() => api.cinema.release({ booking: booking.id }));
  const told = problem ?? (live.error === null ? null : messageOf(live.error));
  return (
    <section class="bookings" aria-label="My bookings">
      <h2>My bookings</h2>
      {told !== null && <p role="alert">{told}</p>}
      {live.data?.length === 0 && <p class="empty">None yet.</p>}
      <ul>
        {live.data?.map((booking) => (
          <li key={booking.id}>
            <span class="title">{booking.film}</span>
            <span class="facts">
              {when(booking.startsAt)} · {booking.hall} · seat {booking.seat} ·{" "}
              {price(booking.price)}
            </span>
            <span class={`state ${booking.status}`}>
              {booking.status === "held"
                ? `held until ${clock(booking.heldUntil)}`
                : booking.status}
            </span>
            <span class="choices">
              {booking.status === "held" && (
                <button type="button" onClick={() => void pay(booking)}>
                  Pay
                </button>
              )}
              {(booking.status === "held" || booking.status === "paid") && (
                <button type="button" class="quiet" onClick={() => void release(booking)}>
                  Let go
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Booking = Awaited<ReturnType<typeof api.cinema.mine>>[number];
