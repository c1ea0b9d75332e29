// The page: films on the left, the chosen one with its screenings and seats on the right.
import { render } from "preact";
import { useState } from "preact/hooks";
import { useMe } from "keelson/preact";
import { api } from "./api.ts";
import { Bookings } from "./bookings.tsx";
import { FilmDetail } from "./film-detail.tsx";
import { FilmList, type Film } from "./film-list.tsx";
import { Office } from "./office.tsx";
import { SignIn } from "./sign-in.tsx";
import "./style.css";

/** Whether somebody comes back from the page where they paid. */
const isBack = new URLSearchParams(location.search).has("paid");
if (isBack) history.replaceState(null, "", location.pathname);

function Page() {
  const { me } = useMe(api);
  const [film, setFilm] = useState<Film | null>(null);
  const [shown, setShown] = useState<"films" | "bookings" | "office">(
    isBack ? "bookings" : "films",
  );
  const turn = (to: "bookings" | "office") => () => setShown(shown === to ? "films" : to);
  return (
    <>
      <header>
        <h1>The Keel</h1>
        <span class="tagline">tickets for 3,200 films</span>
        <nav>
          {me && (
            <button type="button" class="quiet" onClick={turn("bookings")}>
              {shown === "bookings" ? "Films" : "My bookings"}
            </button>
          )}
          {me?.role === "staff" && (
            <button type="button" class="quiet" onClick={turn("office")}>
              {shown === "office" ? "Films" : "Box office"}
            </button>
          )}
          <SignIn me={me} />
        </nav>
      </header>
      {shown === "bookings" && me && <Bookings />}
      {shown === "office" && me?.role === "staff" && <Office />}
      {(shown === "films" || !me || (shown === "office" && me.role !== "staff")) && (
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
