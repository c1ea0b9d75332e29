// `keepPreviousData`: what stays while another query loads, what it is called then, and that nothing of another person stays.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { heldSocket } from "./held-socket.ts";
import { frameworks, openPage, type Framework } from "./hook-pages.ts";
import { until } from "./live-scene.ts";

/** A page of the notes that begin with a text, of somebody who has two, "a1" and "b1". Pushes can be kept back. */
async function openNotes(context: TestContext, framework: Framework) {
  const { create, strict, useEffect, useState, hooks } = framework;
  const { server, direct, plantUser, box, text } = await openPage(context);
  const ada = await plantUser("Ada");
  const adas = await server.signToken({ user: ada, role: null, ttlMs: 600_000 });
  let token: string | null = adas;
  const { webSocket, hold } = heldSocket();
  const api = direct({ token: () => token, webSocket });
  for (const name of ["a1", "b1"]) await api.note.create({ text: name, owner: ada });
  const seen: string[] = [];
  let ask: (startsWith: string | null) => void = () => undefined;
  const field = { none: "nothing" as "text" };
  const Notes = ({ keepPreviousData }: { readonly keepPreviousData: boolean }) => {
    const [startsWith, setStartsWith] = useState<string | null>("a");
    ask = setStartsWith;
    // A field that there is none of is refused.
    const name = startsWith === "refused" ? field.none : "text";
    const { data, error, isLoading, isPreviousData } = hooks.useLive(
      startsWith === null ? null : api.note.list({ where: { [name]: { startsWith } } }),
      { keepPreviousData },
    );
    const shown = [
      data?.map((note) => note.text).join() ?? "-",
      ...(isPreviousData ? ["previous"] : []),
      ...(isLoading ? ["loading"] : []),
      ...(error === null ? [] : [error.code]),
    ].join(" ");
    useEffect(() => void seen.push(shown));
    return create("p", { className: "notes" }, shown);
  };
  const open = (keepPreviousData: boolean) =>
    framework.render(create(strict, null, create(Notes, { keepPreviousData })), box);
  return {
    api,
    seen,
    open,
    change: (startsWith: string | null) => ask(startsWith),
    holdPushes: () => hold("heard", (message) => message.includes('"type":"push"')),
    shows: (wanted: string) => until(() => text("notes") === wanted && seen.at(-1) === wanted),
    signIn: () => {
      token = adas;
    },
    signOut: () => {
      token = null;
    },
  };
}

for (const [name, framework] of Object.entries(frameworks)) {
  test(`${name}: what a component showed stays while its next query loads, if that is asked for`, async (context) => {
    const { open, change, shows, holdPushes, seen } = await openNotes(context, framework);
    const close = open(true);
    await shows("a1");
    assert.equal(seen.at(0), "- loading");
    seen.length = 0;
    let release = holdPushes();
    change("b");
    await shows("a1 previous");
    // Another one before that has come.
    change("b1");
    await shows("a1 previous");
    release();
    await shows("b1");
    change("c");
    await shows("");
    assert.equal(seen.join().includes("loading"), false);

    // Null and an error show nothing of before, and nothing of before is kept after them.
    change("a");
    await shows("a1");
    change(null);
    await shows("-");
    release = holdPushes();
    change("b");
    await shows("- loading");
    release();
    await shows("b1");
    change("refused");
    await shows("- QUERY_INVALID");
    release = holdPushes();
    change("a");
    await shows("- loading");
    release();
    await shows("a1");

    close();
    open(false);
    await shows("a1");
    release = holdPushes();
    change("b");
    await shows("- loading");
    release();
    await shows("b1");
  });

  test(`${name}: nothing is kept of what another person was shown`, async (context) => {
    const page = await openNotes(context, framework);
    const { api, open, change, shows, holdPushes, seen, signIn, signOut } = page;
    const isOfAda = () => seen.join().includes("1");
    open(true);
    await shows("a1");
    let release = holdPushes();
    change("b");
    await shows("a1 previous");
    signOut();
    seen.length = 0;
    await api.live.renewToken();
    // The answer to nobody has not come yet.
    await shows("- loading");
    release();
    await shows("");
    change("a");
    await shows("");
    assert.equal(isOfAda(), false, seen.join("; "));

    // The query changes with who calls, and again before anything has come.
    signIn();
    await api.live.renewToken();
    await shows("a1");
    release = holdPushes();
    signOut();
    seen.length = 0;
    const renewed = api.live.renewToken();
    change("b");
    await shows("- loading");
    await renewed;
    change("c");
    await shows("- loading");
    release();
    await shows("");
    assert.equal(isOfAda(), false, seen.join("; "));
  });
}
