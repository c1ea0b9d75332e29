// What staff see: the next screenings with what is sold of them, as it is now, and how to call one off. Whether they may
// is up to the backend: the page shows it to those who can.
import { useState } from "preact/hooks";
import { useLive } from "keelson/preact";
import { api, messageOf } from "./api.ts";
import { when } from "./format.ts";

type Show = Awaited<ReturnType<typeof api.office.programme>>[number];

export function Office() {
  const live = useLive(api.office.programme());
  const [asked, setAsked] = useState<Show["id"] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const callOff = async (show: Show): Promise<void> => {
    setAsked(null);
    try {
      await api.office.callOff({ screening: show.id });
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const told = problem ?? (live.error === null ? null : messageOf(live.error));
  return (
    <section class="bookings" aria-label="Box office">
      <h2>Box office</h2>
      {told !== null && <p role="alert">{told}</p>}
      {live.data?.length === 0 && <p class="empty">Nothing is on the programme.</p>}
      <ul>
        {live.data?.map((show) => (
          <li key={show.id}>
            <span class="title">{show.film}</span>
            <span class="facts">
              {when(show.startsAt)} · {show.hall} · {show.paid} paid, {show.held} held
            </span>
            <span class={`state ${show.status}`}>{stateOf(show)}</span>
            <span class="choices">
              {show.status === "planned" && asked !== show.id && (
                <button type="button" class="quiet" onClick={() => setAsked(show.id)}>
                  Call off
                </button>
              )}
              {asked === show.id && (
                <>
                  <button type="button" onClick={() => void callOff(show)}>
                    Call off and give the money back
                  </button>
                  <button type="button" class="quiet" onClick={() => setAsked(null)}>
                    Keep it
                  </button>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function stateOf({ status, held, paid, due }: Show): string {
  if (status === "planned") return "planned";
  if (held + paid > 0) return "called off, seats are being freed";
  return due > 0 ? `called off, ${due} to be given back` : "called off, nothing is owed";
}
