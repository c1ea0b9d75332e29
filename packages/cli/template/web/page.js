// @ts-check
// The page: plain JavaScript, no build step. Types come from the backend through the comment on `api`, so
// `npm run check` finds a wrong argument here as well.
import { createClient } from "keelson/client";

/** @typedef {typeof import("../keelson/app.ts").default} App */

const api = /** @type {typeof createClient<App>} */ (createClient)(location.origin, {
  token: () => localStorage.getItem("token"),
});

const signIn = form("sign-in");
const add = form("add");

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem("token", String(new FormData(signIn).get("token")).trim());
  signIn.reset();
  void show();
});

element("sign-out").addEventListener("click", () => {
  localStorage.removeItem("token");
  void show();
});

add.addEventListener("submit", (event) => {
  event.preventDefault();
  const title = String(new FormData(add).get("title"));
  void attempt(async () => {
    await api.board.add({ title });
    add.reset();
  });
});

void show();

/** Draws the ranking anew. */
async function show() {
  const isSignedIn = localStorage.getItem("token") !== null;
  signIn.hidden = isSignedIn;
  add.hidden = !isSignedIn;
  try {
    const ideas = await api.board.ranking({});
    element("ideas").replaceChildren(...ideas.map((idea) => line(idea, isSignedIn)));
    element("empty").hidden = ideas.length > 0;
  } catch (error) {
    tell(error);
  }
}

/**
 * @param {Awaited<ReturnType<typeof api.board.ranking>>[number]} idea
 * @param {boolean} isSignedIn
 */
function line(idea, isSignedIn) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.textContent = `▲ ${idea.votes}`;
  button.disabled = !isSignedIn;
  button.addEventListener("click", () => attempt(() => api.board.vote({ idea: idea.id })));
  item.append(button, idea.title);
  return item;
}

/**
 * Does something, tells when it is refused, and draws the ranking anew.
 * @param {() => Promise<unknown>} action
 */
async function attempt(action) {
  element("problem").textContent = "";
  try {
    await action();
  } catch (error) {
    tell(error);
  }
  await show();
}

/** @param {unknown} error */
function tell(error) {
  element("problem").textContent = error instanceof Error ? error.message : String(error);
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found;
}

/** @param {string} id */
function form(id) {
  return /** @type {HTMLFormElement} */ (element(id));
}
