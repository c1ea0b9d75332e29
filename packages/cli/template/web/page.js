// @ts-check
// The page: plain JavaScript, no build step.
import { element, form } from "./element.js";
import { api, isSomebody, watchWho } from "./who.js";

const add = form("add");

add.addEventListener("submit", (event) => {
  event.preventDefault();
  const title = String(new FormData(add).get("title"));
  void attempt(async () => {
    await api.board.add({ title });
    add.reset();
  });
});

watchWho(() => void show());

/** Draws the ranking anew. */
async function show() {
  try {
    const ideas = await api.board.ranking({});
    element("ideas").replaceChildren(...ideas.map(line));
    element("empty").hidden = ideas.length > 0;
  } catch (error) {
    tell(error);
  }
}

/** @param {Awaited<ReturnType<typeof api.board.ranking>>[number]} idea */
function line(idea) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.textContent = `▲ ${idea.votes}`;
  button.disabled = !isSomebody();
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
