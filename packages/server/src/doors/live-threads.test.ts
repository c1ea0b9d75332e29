// Live connections of a server of several threads: what holds on one thread holds over all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveClient } from "../live/live-client.case.ts";
import { LiveScene } from "../live/live-scene.case.ts";
import type { Limits } from "../base/limits.ts";

const timeout = 60_000;

async function withScene(
  threads: number,
  limits: Partial<Limits>,
  run: (scene: LiveScene) => Promise<void>,
): Promise<void> {
  const scene = await LiveScene.open({ mode: "production", threads, limits });
  try {
    await run(scene);
  } finally {
    await scene.close();
  }
}

const films = { list: "film", query: { where: { hall: "T" }, orderBy: "id" } } as const;

for (const threads of [0, 2]) {
  test(
    `with ${threads} threads the answer to a write goes before a push that shows it`,
    { timeout },
    () =>
      withScene(threads, {}, async (scene) => {
        const clients = await Promise.all(
          Array.from({ length: 4 }, () => scene.client({ id: "staff", role: "staff" })),
        );
        for (const client of clients) await client.watch(films);
        await Promise.all(
          clients.map(async (client) => {
            for (let round = 0; round < 12; round++) {
              const created = Array.from({ length: 8 }, (_, n) =>
                client.ask({ create: "film", value: { title: `${round}.${n}`, hall: "T" } }),
              );
              await Promise.all(created);
            }
          }),
        );
        await Promise.all(clients.map((client) => client.fence()));
        let pushes = 0;
        for (const { messages } of clients) {
          let shown = 0;
          for (const message of messages) {
            if (message.type === "push") {
              shown = message.seq;
              pushes += 1;
            }
            if (message.type !== "result") continue;
            assert.ok(
              message.seq > shown,
              `commit ${message.seq} was shown (${shown}) before it was answered`,
            );
          }
        }
        assert.ok(pushes > clients.length * 2);
      }),
  );

  test(
    `with ${threads} threads credentials that are taken back end what stands on them within a second`,
    { timeout },
    () =>
      withScene(threads, {}, async (scene) => {
        const ann = await scene.add("user", { name: "Ann" });
        const bob = await scene.add("user", { name: "Bob" });
        const room = await scene.add("room", { name: "of ann", owner: ann });
        const mine = await Promise.all(Array.from({ length: 8 }, () => scene.client({ id: ann })));
        const others = await Promise.all(
          Array.from({ length: 4 }, () => scene.client({ id: bob })),
        );
        const watch = { list: "room", query: {} } as const;
        const views = (await Promise.all(mine.map((client) => client.watch(watch)))).flat();
        const otherViews = (await Promise.all(others.map((client) => client.watch(watch)))).flat();
        const startMs = performance.now();
        await scene.server.revoke({ user: ann });
        await scene.set("room", room, { name: "CANARY" });
        await Promise.all(mine.map((client, at) => client.until(() => views[at]?.ended === true)));
        const tookMs = performance.now() - startMs;
        assert.ok(tookMs < 1_000, `${tookMs} ms`);
        for (const [at, client] of mine.entries()) {
          assert.equal(views[at]?.error?.code, "TOKEN_INVALID");
          await assert.rejects(client.ask({ list: "room" }), { code: "TOKEN_INVALID" });
          assert.ok(!JSON.stringify(client.messages).includes("CANARY"));
        }
        await Promise.all(others.map((client) => client.fence()));
        for (const view of otherViews) assert.equal(view.ended, false);
        // Another token begins anew, on the same connection.
        const [first] = mine;
        first?.send({ type: "token", token: await scene.token({ id: ann }) });
        const [again] = (await first?.watch(watch)) ?? [];
        assert.ok(JSON.stringify(again?.value).includes("CANARY"));
      }),
  );

  test(`with ${threads} threads /metrics tells of live connections`, { timeout }, () =>
    withScene(threads, {}, async (scene) => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => scene.client(null)));
      for (const client of clients) await client.watch(films, { list: "nothing" });
      await scene.add("film", { title: "x", hall: "T" });
      await Promise.all(clients.map((client) => client.fence()));
      const read = async (): Promise<ReadonlyMap<string, number>> => {
        const text = await (await fetch(`${scene.server.url}/metrics`)).text();
        const lines = text.split("\n").filter((line) => line.startsWith("keelson_live_"));
        return new Map(
          lines.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])] as const),
        );
      };
      const numbers = await read();
      assert.equal(numbers.get("keelson_live_connections"), 5);
      assert.equal(numbers.get("keelson_live_subscriptions"), 10);
      // Equal ones are one on each thread.
      const queries = numbers.get("keelson_live_queries") ?? 0;
      assert.ok(queries >= 2 && queries <= 2 * Math.max(1, threads), String(queries));
      assert.ok((numbers.get("keelson_live_pushes_total") ?? 0) >= 10);
      assert.ok((numbers.get("keelson_live_sent_bytes_total") ?? 0) > 1_000);
      assert.equal(numbers.get("keelson_live_slow_readers_total"), 0);
      await Promise.all(clients.map((client) => client.close()));
      while ((await read()).get("keelson_live_connections") !== 0);
      assert.equal((await read()).get("keelson_live_subscriptions"), 0);
    }),
  );
}

test("a limit of live connections is one for all threads", { timeout }, () =>
  withScene(3, { liveConnectionsPerAddressMax: 9, liveConnectionsPerUserMax: 4 }, async (scene) => {
    const token = await scene.token({ id: "u1" });
    const clients: LiveClient[] = [];
    for (let count = 0; count < 9; count++) {
      clients.push(await LiveClient.open(scene.server.url, token));
    }
    await assert.rejects(LiveClient.open(scene.server.url, token));
    // A user is known from the first push on.
    for (const client of clients) client.begin([{ list: "nothing" }]);
    await Promise.all(
      clients.map((client) =>
        client.until(() => client.pushes.length + (client.closeCode ?? 0) > 0),
      ),
    );
    const isCut = ({ closeCode }: LiveClient) => closeCode !== null;
    assert.equal(clients.filter(isCut).length, 5);
    // Those that are gone make room.
    for (const client of clients) if (!isCut(client)) await client.close();
    const next = await untilOpen(scene.server.url, token);
    await next.watch({ list: "nothing" });
    await next.close();
  }),
);

/** The server counts a connection as gone a moment after its client does. */
async function untilOpen(url: string, token: string | null): Promise<LiveClient> {
  for (let tries = 0; ; tries++) {
    try {
      return await LiveClient.open(url, token);
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
}
