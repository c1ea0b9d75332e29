// Identity on a server of several threads: whoever is signed in is so on all of them, and whoever is not any more is
// nobody on all of them, in live queries too.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import { anonymous } from "../gate/identity.ts";
import type { OperatorOrder } from "../gate/operator.ts";
import { startWork } from "../gate/work.ts";
import { LiveClient } from "../live/live-client.case.ts";
import { startServer, type RunningServer } from "../main.ts";
import { SceneConnection } from "./thread-scene.case.ts";

const timeout = 60_000;
const appDir = join(import.meta.dirname, "../../../../test/identity/core");

async function withServer(
  threads: number,
  run: (server: RunningServer, connect: () => SceneConnection) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-identity-threads-"));
  const reports: unknown[] = [];
  const connections: SceneConnection[] = [];
  const server = await startServer({
    appDir,
    dataDir: join(folder, "data"),
    port: 0,
    threads,
    limits: { anonymousPerMinuteMax: 10_000_000, callerPerMinuteMax: 10_000_000 },
    report: (error) => reports.push(error),
  });
  try {
    await run(server, () => {
      const connection = new SceneConnection(() => server.url);
      connections.push(connection);
      return connection;
    });
  } finally {
    for (const connection of connections) connection.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  assert.deepEqual(reports, []);
}

interface Guest {
  readonly user: string;
  readonly session: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

async function guestOf(connection: SceneConnection): Promise<Guest> {
  const opened = await connection.ask("POST", "/auth/guest", { body: { tokens: true } });
  assert.equal(opened.status, 200, opened.text);
  return opened.body as unknown as Guest;
}

const who = async (connection: SceneConnection, token: string): Promise<Json> => {
  const { status, body } = await connection.ask("POST", "/api/fn/people.who", { body: {}, token });
  return status === 200 ? (body["id"] ?? null) : status;
};

function asSystem(): OperatorOrder {
  return {
    caller: anonymous,
    authority: "system",
    asksAllow: false,
    idempotencyKey: null,
    cause: "test",
    work: startWork(),
  };
}

for (const threads of [0, 3]) {
  test(
    `with ${threads} threads a session that ended is nobody's everywhere, at once`,
    { timeout },
    () =>
      withServer(threads, async (server, connect) => {
        const connections = Array.from({ length: 12 }, connect);
        const [first] = connections as [SceneConnection];
        const guest = await guestOf(first);
        const other = await guestOf(first);
        const token = guest.accessToken;
        const before = await Promise.all(connections.map((each) => who(each, token)));
        assert.deepEqual([...new Set(before)], [guest.user]);

        const watch = { list: "note", query: {} } as const;
        const live = await Promise.all(
          Array.from({ length: 8 }, () => LiveClient.open(server.url, token)),
        );
        const views = (await Promise.all(live.map((client) => client.watch(watch)))).flat();
        const stranger = await LiveClient.open(server.url, other.accessToken);
        const [otherView] = await stranger.watch(watch);

        const startMs = performance.now();
        const out = await first.ask("POST", "/auth/sign-out", { body: {}, token });
        assert.equal(out.status, 204, out.text);
        const after = await Promise.all(connections.map((each) => who(each, token)));
        assert.deepEqual([...new Set(after)], [401], "no thread takes it any more");
        // A row of theirs, written after the end, is told to nobody who came with the old token.
        const value = { text: "CANARY", owner: guest.user };
        await server
          .current()
          .operator()
          .execute({ kind: "create", table: "note", value }, asSystem());
        await Promise.all(live.map((client, at) => client.until(() => views[at]?.ended === true)));
        const tookMs = performance.now() - startMs;
        for (const [at, client] of live.entries()) {
          assert.equal(views[at]?.error?.code, "TOKEN_INVALID");
          await assert.rejects(client.ask({ list: "note" }), { code: "TOKEN_INVALID" });
          assert.ok(!JSON.stringify(client.messages).includes("CANARY"));
        }
        assert.ok(tookMs < 10_000, `${tookMs} ms`);
        assert.equal(otherView?.ended, false);
        await Promise.all([...live, stranger].map((client) => client.close()));
      }),
  );

  test(
    `with ${threads} threads a role without its second factor sees nothing live from then on`,
    { timeout },
    () =>
      withServer(threads, async (server, connect) => {
        const connection = connect();
        const guest = await guestOf(connection);
        const watch = { list: "note", query: {} } as const;
        const live = await Promise.all(
          Array.from({ length: 4 }, () => LiveClient.open(server.url, guest.accessToken)),
        );
        const views = (await Promise.all(live.map((client) => client.watch(watch)))).flat();
        assert.ok(views.every(({ value }) => value !== undefined));
        const operator = server.current().operator();
        const role = { role: "staff" };
        const raise = { kind: "update", table: "user", id: guest.user, value: role } as const;
        await operator.execute(raise, asSystem());
        assert.equal(await who(connection, guest.accessToken), 403);
        const value = { text: "CANARY", owner: guest.user };
        await operator.execute({ kind: "create", table: "note", value }, asSystem());
        await Promise.all(live.map((client, at) => client.until(() => views[at]?.error !== null)));
        for (const [at, client] of live.entries()) {
          assert.equal(views[at]?.error?.code, "SECOND_FACTOR_REQUIRED");
          await assert.rejects(client.ask({ list: "note" }), { code: "SECOND_FACTOR_REQUIRED" });
          assert.ok(!JSON.stringify(client.messages).includes("CANARY"));
        }
        await Promise.all(live.map((client) => client.close()));
      }),
  );

  test(
    `with ${threads} threads a refresh token renews once, whichever thread it comes to`,
    { timeout },
    () =>
      withServer(threads, async (_server, connect) => {
        const connections = Array.from({ length: 12 }, connect);
        const guest = await guestOf(connections[0] as SceneConnection);
        const replies = await Promise.all(
          connections.map((each) =>
            each.ask("POST", "/auth/refresh", { body: { refreshToken: guest.refreshToken } }),
          ),
        );
        const tokens = new Set(replies.map(({ body }) => (body as unknown as Guest).refreshToken));
        assert.equal(tokens.size, 1, "all of one moment get the same next one");
        assert.equal(replies[0]?.status, 200);
      }),
  );

  test(`with ${threads} threads limits on guessing are one for all`, { timeout }, () =>
    withServer(threads, async (_server, connect) => {
      const connections = Array.from({ length: 12 }, connect);
      const body = { email: "ann@example.com", password: "not the right sentence" };
      const codes: Json[] = [];
      for (let round = 0; round < 2; round++) {
        for (const each of connections) {
          const reply = await each.ask("POST", "/auth/sign-in", { body });
          codes.push(reply.body["code"] ?? null);
        }
      }
      assert.equal(codes.filter((code) => code === "SIGN_IN_FAILED").length, 10);
      assert.equal(codes.filter((code) => code === "RATE_LIMITED").length, 14);
    }),
  );
}
