// Connections that are cut at random moments: no change is missed, no mutation takes effect twice, no value
// mixes two moments, and none goes back in time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { watchBank } from "./bank-watch.ts";
import { openLiveScene, until } from "./live-scene.ts";

const accounts = 8;
const writers = 4;
const raisesEach = 60;
const watchers = 3;

test("with connections cut all the time, watchers miss nothing and writers write once", async (context) => {
  const { proxy, client, direct } = await openLiveScene(context);
  const sure = direct();
  await sure.bank.open({ count: accounts });
  await sure.tally.create({ name: "t", value: 0 });
  const ids = (await sure.account.list()).map(({ id }) => id);

  const problems: string[] = [];
  const watching = Array.from({ length: watchers }, () => {
    const api = client();
    const list = api.account.list({ orderBy: "number" }).store();
    list.subscribe(() => undefined);
    return { list, bank: watchBank(api, accounts * 100, (text) => problems.push(text)) };
  });

  const cutter = { isDone: false };
  const cutting = (async () => {
    while (!cutter.isDone) {
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 60));
      proxy.cut();
    }
  })();
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const api = client();
      for (let made = 0; made < raisesEach; made++) {
        const move = {
          from: ids[(writer + made) % accounts] ?? "account_",
          to: ids[made % accounts] ?? "account_",
        } as const;
        await Promise.all([
          api.bank.raise({ name: "t", mark: `${writer}.${made}` }),
          api.bank.move(move),
        ]);
      }
    }),
  );
  cutter.isDone = true;
  await cutting;

  const total = writers * raisesEach;
  const entries = await sure.entry.list({ limit: 1_000 });
  assert.equal(entries.length, total);
  assert.equal(new Set(entries.map(({ mark }) => mark)).size, total);
  assert.equal((await sure.tally.first())?.value, total);
  await until(() => watching.every(({ bank }) => bank.last === total));
  const rows = await sure.account.list({ orderBy: "number" });
  for (const { list } of watching) assert.deepEqual(list.getSnapshot().data, rows);
  assert.deepEqual(problems, []);
  const pushes = watching.map(({ bank }) => bank.looks);
  context.diagnostic(
    `${proxy.count} connections, ${total} raises, pushes seen: ${pushes.join(", ")}`,
  );
  assert.ok(proxy.count > 20, `only ${proxy.count} connections: nothing was cut`);
});

test("an action that may have run when the connection was cut is told, never run again", async (context) => {
  const { proxy, client, direct } = await openLiveScene(context);
  const sure = direct();
  await sure.tally.create({ name: "paid", value: 0 });
  let lost = 0;
  let paid = 0;
  const api = client();
  for (let made = 0; made < 40; made++) {
    const call = api.bank.pay({ mark: `p${made}` });
    setTimeout(() => proxy.cut(), Math.random() * 6);
    await call.then(
      () => paid++,
      (error: { readonly code: string }) => {
        assert.equal(error.code, "CONNECTION_LOST");
        lost++;
      },
    );
  }
  const marks = (await sure.entry.list({ where: { name: "paid" }, limit: 1_000 })).map(
    ({ mark }) => mark,
  );
  assert.equal(new Set(marks).size, marks.length);
  assert.ok(marks.length >= paid);
  assert.ok(marks.length <= paid + lost);
  context.diagnostic(`${paid} paid, ${lost} told as lost, ${marks.length} done`);
});

test("a connection that carries nothing any more is given up and made again", async (context) => {
  const { proxy, client, direct } = await openLiveScene(context, { limits: { livePingMs: 150 } });
  const sure = direct();
  const api = client();
  await sure.tally.create({ name: "t", value: 0 });
  let value = -1;
  api.tally.first({ where: { name: "t" } }).live((tally) => (value = tally?.value ?? -1));
  await until(() => value === 0);
  proxy.swallow(true);
  await sure.bank.raise({ name: "t", mark: "1" });
  await until(() => api.live.state !== "open");
  assert.equal(value, 0);
  proxy.swallow(false);
  await until(() => value === 1);
});
