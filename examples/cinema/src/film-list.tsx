// Search, filter and page through the films: every choice is a query that the backend answers by an index.
import { useEffect, useState } from "preact/hooks";
import type { RowOf } from "keelson/client";
import type app from "../keelson/app.ts";
import { api, messageOf } from "./api.ts";

const pageSize = 30;
const genres = [
  "Action",
  "Adventure",
  "Black Comedy",
  "Comedy",
  "Concert/Performance",
  "Documentary",
  "Drama",
  "Horror",
  "Musical",
  "Romantic Comedy",
  "Thriller/Suspense",
  "Western",
];

export type Film = RowOf<typeof app, "film">;

interface Choice {
  readonly search: string;
  readonly genre: string;
  readonly ratingMin: number;
  /** Only films that are on the programme. */
  readonly playing: boolean;
}

interface Props {
  readonly chosen: Film | null;
  readonly onChoose: (film: Film) => void;
}

export function FilmList({ chosen, onChoose }: Props) {
  const [choice, setChoice] = useState<Choice>({
    search: "",
    genre: "",
    ratingMin: 0,
    playing: true,
  });
  const [films, setFilms] = useState<readonly Film[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [loaded, setLoaded] = useState(false);

  useEffect(() => {
    let current = true;
    const wait = setTimeout(() => {
      loadPage(choice, null).then(
        (page) => {
          if (!current) return;
          setFilms(page.rows);
          setNext(page.next);
          setProblem(null);
          setLoaded(true);
        },
        (error: unknown) => current && setProblem(messageOf(error)),
      );
    }, 120);
    return () => {
      current = false;
      clearTimeout(wait);
    };
  }, [choice]);

  const more = () => {
    loadPage(choice, next).then(
      (page) => {
        setFilms([...films, ...page.rows]);
        setNext(page.next);
      },
      (error: unknown) => setProblem(messageOf(error)),
    );
  };

  return (
    <section class="films" aria-label="Films">
      <div class="filters">
        <input
          type="search"
          name="search"
          aria-label="Search by title or director"
          placeholder="Title or director"
          value={choice.search}
          onInput={(event) => setChoice({ ...choice, search: event.currentTarget.value })}
        />
        <select
          name="genre"
          aria-label="Genre"
          value={choice.genre}
          onChange={(event) => setChoice({ ...choice, genre: event.currentTarget.value })}
        >
          <option value="">Every genre</option>
          {genres.map((genre) => (
            <option key={genre} value={genre}>
              {genre}
            </option>
          ))}
        </select>
        <label class="rating">
          Rating from {choice.ratingMin}
          <input
            type="range"
            name="rating"
            min={0}
            max={9}
            value={choice.ratingMin}
            onInput={(event) =>
              setChoice({ ...choice, ratingMin: Number(event.currentTarget.value) })
            }
          />
        </label>
      </div>
      <div class="programme" role="group" aria-label="Which films">
        {[true, false].map((playing) => (
          <button
            type="button"
            key={String(playing)}
            aria-pressed={choice.playing === playing}
            onClick={() => setChoice({ ...choice, playing })}
          >
            {playing ? "Playing this week" : "Every film"}
          </button>
        ))}
      </div>
      {problem !== null && <p role="alert">{problem}</p>}
      <ul>
        {films.map((film) => (
          <li key={film.id}>
            <button
              type="button"
              class={film.id === chosen?.id ? "film chosen" : "film"}
              onClick={() => onChoose(film)}
            >
              <span class="title">{film.title}</span>
              <span class="facts">
                {[film.released?.slice(0, 4), film.genre, film.director]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
              <span class="score">{film.rating?.toFixed(1) ?? "-"}</span>
            </button>
          </li>
        ))}
      </ul>
      {loaded && films.length === 0 && problem === null && (
        <p class="empty">{choice.playing ? "No film of this week matches." : "No film matches."}</p>
      )}
      {next !== null && (
        <button type="button" class="quiet more" onClick={more}>
          More films
        </button>
      )}
    </section>
  );
}

async function loadPage({ search, genre, ratingMin, playing }: Choice, after: string | null) {
  const ids = playing ? await api.cinema.playing() : null;
  return api.film.page({
    where: {
      ...(genre !== "" && { genre }),
      ...(ids !== null && { id: { in: ids } }),
      ...(ratingMin > 0 && { rating: { gte: ratingMin } }),
    },
    ...(search.trim() === "" ? { orderBy: "-rating" } : { search: search.trim() }),
    limit: pageSize,
    ...(after !== null && { after }),
  });
}
