// The caller's bookings, newest first; a held one can be paid for, and any let go.
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, messageOf } from "./api.ts";
import { clock, price, when } from "./format.ts";

type Booking = Awaited<ReturnType<typeof api.cinema.mine>>[number];

export function Bookings() {
  const [bookings, setBookings] = useState<readonly Booking[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const show = useCallback(async (before?: () => Promise<unknown>) => {
    let failed: string | null = null;
    try {
      await before?.();
    } catch (error) {
      failed = messageOf(error);
    }
    try {
      setBookings(await api.cinema.mine());
    } catch (error) {
      failed ??= messageOf(error);
    }
    setProblem(failed);
  }, []);
  useEffect(() => void show(), [show]);
  return (
    <section class="bookings" aria-label="My bookings">
      <h2>My bookings</h2>
      {problem !== null && <p role="alert">{problem}</p>}
      {bookings?.length === 0 && <p class="empty">None yet.</p>}
      <ul>
        {bookings?.map((booking) => (
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
                <button
                  type="button"
                  onClick={() => void show(() => api.cinema.pay({ booking: booking.id }))}
                >
                  Pay
                </button>
              )}
              {(booking.status === "held" || booking.status === "paid") && (
                <button
                  type="button"
                  class="quiet"
                  onClick={() => void show(() => api.cinema.release({ booking: booking.id }))}
                >
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
