// @ts-check
// Who is here. For a start that is whoever's token is pasted; the tutorial on signing in puts another file here.
import { createClient } from "keelson/client";
import { element, form } from "./element.js";

/** @typedef {typeof import("../keelson/app.ts").default} App */

// Types come from the backend, so `npm run check` finds a wrong argument in the page as well.
export const api = /** @type {typeof createClient<App>} */ (createClient)(location.origin, {
  token: () => localStorage.getItem("token"),
});

/** Whether somebody is here. */
export function isSomebody() {
  return localStorage.getItem("token") !== null;
}

/**
 * Shows the form that fits, now and whenever somebody comes or goes.
 * @param {() => void} changed called each time
 */
export function watchWho(changed) {
  const signIn = form("sign-in");
  const draw = () => {
    signIn.hidden = isSomebody();
    element("add").hidden = !isSomebody();
    changed();
  };
  signIn.addEventListener("submit", (event) => {
    event.preventDefault();
    localStorage.setItem("token", String(new FormData(signIn).get("token")).trim());
    signIn.reset();
    draw();
  });
  element("sign-out").addEventListener("click", () => {
    localStorage.removeItem("token");
    draw();
  });
  draw();
}
