// The page: films on the left, the chosen one with its screenings and seats on the right.
import { render } from "preact";
import { useState } from "preact/hooks";
import { useMe } from "keelson/preact";
import { api } from "./api.ts";
import { Bookings } from "./bookings.tsx";
import { FilmDetail } from "./film-detail.tsx";
import { FilmList, type Film } from "./film-list.tsx";
import { SignIn } from "./sign-in.tsx";
import "./style.css";

/** Whether somebody comes back from the page where they paid. */
const isBack = new URLSearchParams(location.search).has("paid");
if (isBack) history.replaceState(null, "", location.pathname);

function Page() {
  const { me } = useMe(api);
  const [film, setFilm] = useState<Film | null>(null);
  const [showsBookings, setShowsBookings] = useState(isBack);
  return (
    <>
      <header>
        <h1>The Keel</h1>
        <span class="tagline">tickets for 3,200 films</span>
        <nav>
          {me && (
            <button type="button" class="quiet" onClick={() => setShowsBookings(!showsBookings)}>
              {showsBookings ? "Films" : "My bookings"}
            </button>
          )}
          <SignIn me={me} />
        </nav>
      </header>
      {showsBookings && me ? (
        <Bookings />
      ) : (
        <main class={film === null ? "" : "has-film"}>
          <FilmList chosen={film} onChoose={setFilm} />
          <FilmDetail film={film} me={me} onClose={() => setFilm(null)} />
        </main>
      )}
    </>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<Page />, root);
