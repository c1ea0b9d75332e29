// The chosen film: what is known of it, its screenings, and the seats of one of them.
import { useEffect, useState } from "preact/hooks";
import type { RowOf } from "keelson/client";
import type app from "../keelson/app.ts";
import { api, messageOf, type Me } from "./api.ts";
import type { Film } from "./film-list.tsx";
import { price, when } from "./format.ts";
import { SeatMap } from "./seat-map.tsx";

interface Props {
  readonly film: Film | null;
  /** Null: nobody is signed in; undefined: it is not known yet. */
  readonly me: Me | null | undefined;
  /** Back to the list, where there is no room for both. */
  readonly onClose: () => void;
}

export type Screening = RowOf<typeof app, "screening">;

export function FilmDetail({ film, me, onClose }: Props) {
  const [screenings, setScreenings] = useState<readonly Screening[] | null>(null);
  const [chosen, setChosen] = useState<Screening | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    setChosen(null);
    setScreenings(null);
    setProblem(null);
    if (film === null) return undefined;
    let current = true;
    api.screening
      .list({
        where: { film: film.id, startsAt: { gt: new Date().toISOString() }, status: "planned" },
        orderBy: "startsAt",
        limit: 20,
      })
      .then(
        (rows) => current && setScreenings(rows),
        (error: unknown) => current && setProblem(messageOf(error)),
      );
    return () => {
      current = false;
    };
  }, [film]);

  if (film === null) {
    return (
      <section class="detail">
        <p class="empty">Choose a film to see when it plays.</p>
      </section>
    );
  }
  return (
    <section class="detail" aria-label={film.title}>
      <button type="button" class="quiet back" onClick={onClose}>
        ← Films
      </button>
      <h2>{film.title}</h2>
      <p class="facts">
        {[
          film.released?.slice(0, 4),
          film.genre,
          film.minutes === null ? null : `${film.minutes} min`,
          film.director === null ? null : `directed by ${film.director}`,
          film.mpaa,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {problem !== null && <p role="alert">{problem}</p>}
      {screenings?.length === 0 && <p class="empty">Not on the programme at the moment.</p>}
      {screenings !== null && (
        <div class="screenings">
          {screenings.map((screening) => (
            <button
              type="button"
              key={screening.id}
              class={screening.id === chosen?.id ? "screening chosen" : "screening"}
              onClick={() => setChosen(screening)}
            >
              {when(screening.startsAt)}
              <span class="facts">
                {screening.hall} · {price(screening.price)}
              </span>
            </button>
          ))}
        </div>
      )}
      {chosen !== null && <SeatMap key={chosen.id} screening={chosen} me={me} />}
    </section>
  );
}
