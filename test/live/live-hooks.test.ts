// The hooks with real React and real Preact, in a small DOM, against a whole server.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadCall } from "keelson/client";
import { frameworks, openPage, window } from "./hook-pages.ts";
import { until, type SceneClient } from "./live-scene.ts";

for (const [name, framework] of Object.entries(frameworks)) {
  const { create, hooks, useEffect, useState } = framework;
  const { useLive, useMutation } = hooks;

  test(`${name}: what is shown follows the server, and two components never disagree`, async (context) => {
    const { client, sure, box, text } = await openPage(context);
    const api = client();
    const committed: string[] = [];
    const Accounts = () => {
      const { data, isLoading } = useLive(api.account.list());
      const sum = data?.reduce((total, { balance }) => total + balance, 0);
      return create("p", { className: "list" }, isLoading ? "loading" : String(sum));
    };
    const Summary = () => {
      const { data } = useLive(api.bank.summary());
      return create(
        "p",
        { className: "summary" },
        data === undefined ? "loading" : String(data.sum),
      );
    };
    const observer = new window.MutationObserver(() =>
      committed.push(`${text("list")} ${text("summary")}`),
    );
    observer.observe(box as never, { childList: true, subtree: true, characterData: true });
    const page = create(framework.strict, null, create(Accounts, null), create(Summary, null));
    const unmount = framework.render(page, box);
    await until(() => text("list") === "400" && text("summary") === "400");
    assert.equal(committed.includes("loading loading") || committed.length > 0, true);
    committed.length = 0;
    for (let made = 1; made <= 5; made++) {
      await sure.bank.raiseAll();
      await until(() => text("list") === String(400 + made * 4));
    }
    await until(() => text("summary") === "420");
    await until(() => committed.length > 0);
    for (const pair of committed) assert.match(pair, /^(\d+) \1$/);
    unmount();
    observer.disconnect();
    await until(() => api.live.state === "idle");
  });

  test(`${name}: another query takes the place of the one before, and null follows nothing`, async (context) => {
    const { client, box, text, click } = await openPage(context);
    const api = client();
    let all: ReadCall<number> | null = null;
    const Page = () => {
      const [number, setNumber] = useState<number | null>(null);
      const { data, isLoading } = useLive(
        number === null ? null : api.account.first({ where: { number } }),
      );
      // Made once and followed in each render, as by a compiler that memoizes.
      all ??= api.account.count();
      const count = useLive(all).data ?? 0;
      const next = () => setNumber((number ?? -1) + 1);
      const shown = isLoading ? "loading" : `${data?.number ?? "nothing"} of ${count}`;
      return create("button", { className: "next", onClick: next }, shown);
    };
    const unmount = framework.render(create(Page, null), box);
    await until(() => text("next") === "nothing of 4");
    for (const wanted of ["0 of 4", "1 of 4"]) {
      click("next");
      await until(() => text("next") === wanted);
    }
    unmount();
  });

  test(`${name}: a mutation shows its change at once, and a refused one takes it back and says why`, async (context) => {
    const { client, box, text, click } = await openPage(context);
    const api = client();
    const committed: string[] = [];
    const tally = () => api.tally.first({ where: { name: "t" } });
    const Page = () => {
      const { data } = useLive(tally());
      const raise = useRaise(api);
      const refused = raise.error as { readonly code: string } | null;
      useEffect(() => void committed.push(String(data?.value)));
      return create(
        "div",
        null,
        create("p", { className: "value" }, String(data?.value)),
        create("p", { className: "error" }, refused?.code ?? ""),
        create("p", { className: "pending" }, String(raise.isPending)),
        create("button", { className: "good", onClick: () => raise.run("t") }),
        create("button", { className: "bad", onClick: () => raise.run("none") }),
      );
    };
    const useRaise = (of: SceneClient) =>
      useMutation((row: string) => of.bank.raise({ name: row, mark: "x" }), {
        optimistic: (show) =>
          show(tally(), (before) =>
            before === null ? null : { ...before, value: before.value + 1 },
          ),
      });
    const unmount = framework.render(create(Page, null), box);
    await until(() => text("value") === "0");
    committed.length = 0;
    click("good");
    await until(() => text("value") === "1" && text("pending") === "false");
    click("good");
    await until(() => text("value") === "2" && text("pending") === "false");
    const numbers = committed.map(Number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    assert.equal(text("error"), "");
    click("bad");
    await until(() => text("value") === "3");
    await until(() => text("error") === "FUNCTION_REFUSED");
    assert.equal(text("value"), "2");
    unmount();
  });
}
