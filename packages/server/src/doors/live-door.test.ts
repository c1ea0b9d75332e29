// The wire of live connections, against whole servers with Node's own WebSocket: handshake, messages, limits,
// the end of a connection.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { LiveProblem } from "@keelson/sdk/live-protocol";
import { LiveClient, type LiveView } from "../live/live-client.case.ts";
import { LiveScene } from "../live/live-scene.case.ts";

let scene: LiveScene;
let ann: string;

before(async () => {
  scene = await LiveScene.open({
    limits: { liveSubscriptionsMax: 20, liveMessageBytesMax: 20_000, liveAsksMax: 8 },
  });
  ann = await scene.add("user", { name: "Ann" });
});
after(() => scene.close());

/** Status line of a handshake. */
function handshake(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let text = "";
    const lines = Object.entries({
      host: `127.0.0.1:${port}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "keelson.live.1",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /api/live HTTP/1.1\r\n${lines.join("")}\r\n`);
    socket.on("data", (chunk) => {
      text += String(chunk);
      socket.destroy();
    });
    socket.on("close", () => resolve(text.split("\r\n", 1)[0] ?? ""));
  });
}

test("a handshake is for pages of this server, of listed origins, and for programs", async () => {
  const { port } = scene.server;
  const answers: [Record<string, string>, number][] = [
    [{}, 101],
    [{ origin: `http://127.0.0.1:${port}` }, 101],
    [{ origin: "https://club.example" }, 101],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-websocket-protocol": "graphql-ws" }, 400],
  ];
  for (const [headers, status] of answers) {
    assert.match(await handshake(port, headers), new RegExp(`^HTTP/1.1 ${status} `, "v"));
  }
});

test("an Upgrade of something else is answered as a plain request", async () => {
  const response = await fetch(`${scene.server.url}/api/live`);
  assert.equal(response.status, 404);
});

test("every operation of the gate can be asked, pipelined, with its codes and keys", async () => {
  const client = await scene.client({ id: "staff", role: "staff" });
  const asked = await Promise.all([
    client.ask({ create: "film", value: { title: "One" } }),
    client.ask({ call: "club.add", args: { title: "Two" } }, { key: "key-1" }),
    client.ask({
      steps: [
        { create: "film", value: { title: "Three" } },
        { list: "film", query: { limit: 1 } },
      ],
    }),
    client.ask({ list: "film", query: { aggregate: { n: "count" } } }),
  ]);
  assert.ok(asked.every(({ seq }) => seq > 0));
  const id = (asked[0].value as { id: string }).id;
  await client.ask({ update: "film", id, value: { rating: 4 } });
  const { value } = await client.ask({ get: "film", id });
  assert.equal((value as { rating: number }).rating, 4);
  const again = await client.ask({ call: "club.add", args: { title: "Two" } }, { key: "key-1" });
  assert.equal(again.repeated, true);
  assert.deepEqual(again.value, asked[1].value);
  const code = async (asking: Promise<unknown>) =>
    asking.then(
      () => "none",
      (problem: LiveProblem) => problem.code,
    );
  assert.equal(await code(client.ask({ get: "film", id: "film_none" })), "NOT_FOUND");
  assert.equal(await code(client.ask({ call: "club.nothing" })), "FUNCTION_NOT_FOUND");
  assert.equal(await code(client.ask({ create: "film", value: { title: 7 } })), "VALUE_INVALID");
  assert.equal(await code(client.ask({ fly: "film" } as never)), "REQUEST_INVALID");
  assert.equal(
    await code(client.ask({ call: "club.act" }, { key: "a", repeat: true })),
    "ACTION_MAYBE_DONE",
  );
  await client.ask({ delete: "film", id });
  await client.close();
});

test("after a write comes a push with its seq, also when nothing that is watched changed", async () => {
  const client = await scene.client({ id: "staff", role: "staff" });
  await client.watch({ list: "nothing" });
  const { seq } = await client.ask({ call: "club.add", args: { title: "Elsewhere" } });
  await client.until(() => client.pushes.some((push) => push.seq >= seq));
  assert.deepEqual(client.pushes.at(-1)?.changes, []);
  await client.close();
});

test("all queries of a connection move together, a batch is one move, rows come as a patch", async () => {
  const staff = await scene.client({ id: "staff", role: "staff" });
  const client = await scene.client(null);
  for (let n = 0; n < 12; n++)
    await scene.add("film", { title: `long title of film ${n}`, hall: "M" });
  const [list, count] = await client.watch(
    { list: "film", query: { where: { hall: "M" }, orderBy: "title" } },
    { list: "film", query: { where: { hall: "M" }, aggregate: { n: "count" } } },
  );
  const pushes = client.pushes.length;
  const { seq } = await staff.ask({
    steps: [
      { create: "film", value: { title: "AA", hall: "M" } },
      { create: "film", value: { title: "ZZ", hall: "M" } },
    ],
  });
  await client.until(() => client.pushes.some((push) => push.seq >= seq));
  const push = client.pushes[pushes];
  assert.equal(push?.seq, seq);
  assert.equal(push?.changes.length, 2);
  assert.equal(list?.kinds.at(-1), "patch");
  assert.deepEqual(count?.value, { rows: [{ n: 14 }], next: null });
  const fresh = await client.ask({
    list: "film",
    query: { where: { hall: "M" }, orderBy: "title" },
  });
  assert.deepEqual(list?.value, fresh.value);
  await Promise.all([client.close(), staff.close()]);
});

test("a connection that comes again is told only what changed", async () => {
  const client = await scene.client({ id: ann });
  const film = await scene.add("film", { title: "Back", hall: "R" });
  const watches = [
    { get: "film", id: film },
    { list: "film", query: { where: { hall: "R2" } } },
  ] as const;
  const before = await client.watch(...watches);
  await client.close();
  await scene.add("film", { title: "While away", hall: "R2" });
  const again = await scene.client({ id: ann });
  const views = again.begin(watches, before);
  await again.until(() => views.every(({ kinds }) => kinds.length > 0));
  assert.deepEqual(views[0]?.kinds, ["same"]);
  assert.deepEqual(views[1]?.kinds, ["value"]);
  assert.equal(again.pushes.length, 1);
  await scene.set("film", film, { title: "Back again" });
  await again.until(() => JSON.stringify(views[0]?.value).includes("Back again"));
  await again.close();
});

test("subscriptions past the limit are refused, ids that are in use are replaced", async () => {
  const client = await scene.client(null);
  const views = await client.watch(
    ...Array.from({ length: 20 }, (_, n) => ({ list: "film", query: { limit: n + 1 } })),
  );
  const [over] = await client.watch({ list: "nothing" });
  assert.equal(over?.error?.code, "OVERLOADED");
  assert.equal(over?.ended, true);
  client.unwatch(views[0] as never);
  const [fits] = await client.watch({ list: "nothing" });
  assert.equal(fits?.error, null);
  await client.close();
});

test("what is no message ends the connection, a large one by its size", async () => {
  const endings: [string | Uint8Array<ArrayBuffer>, number][] = [
    ["no json", 4000],
    ['{"type":"fly"}', 4000],
    ['{"type":"ask","id":0,"ask":{"list":"film"}}', 4000],
    ['{"type":"ask","id":1,"ask":{"list":"film"},"__proto__":1}', 4000],
    ['{"type":"token","token":{"alg":"none"}}', 4000],
    [
      `{"type":"subscribe","subs":[${Array.from({ length: 21 }, (_, n) => `{"id":${n + 1},"watch":{"list":"film"}}`).join()}]}`,
      4000,
    ],
    [`{"type":"ask","id":1,"ask":${"[".repeat(60)}${"]".repeat(60)}}`, 4000],
    [new Uint8Array([123, 125]), 4000],
    [JSON.stringify({ type: "ping", more: "x".repeat(30_000) }), 1009],
  ];
  for (const [data, code] of endings) {
    const client = await scene.client(null);
    client.socket.send(data);
    await client.until(() => client.closeCode !== null);
    assert.equal(client.closeCode, code, String(data).slice(0, 60));
  }
});

test("more asks than a connection may have wait, and all are answered", async () => {
  const client = await scene.client({ id: "staff", role: "staff" });
  const asked = Array.from({ length: 30 }, (_, n) =>
    client.ask({ call: "club.add", args: { title: `Wait ${n}` } }),
  );
  const answers = await Promise.allSettled(asked.slice(0, 8));
  assert.ok(answers.every(({ status }) => status === "fulfilled"));
  // Past four times the limit a client that does not stop is cut off; 30 are within it.
  assert.equal((await Promise.all(asked)).length, 30);
  await client.close();
});

test("what a connection watches is limited in bytes, too", async () => {
  const own = await LiveScene.open({ limits: { liveWatchBytesMax: 4_096 } });
  try {
    const client = await own.client(null);
    const long = (first: string) => ({
      list: "film",
      query: { where: { title: { in: [first, ...Array.from({ length: 25 }, longTitle)] } } },
    });
    const [one] = await client.watch(long("one"));
    assert.equal(one?.error, null);
    const [two] = await client.watch(long("two"));
    assert.equal(two?.error?.code, "OVERLOADED");
    assert.deepEqual(two?.error?.details, { limit: "liveWatchBytesMax", max: 4_096 });
    client.unwatch(one);
    const [three] = await client.watch(long("three"));
    assert.equal(three?.error, null);
  } finally {
    await own.close();
  }
});

const longTitle = (_: unknown, n: number) => String(n).padEnd(100, "x");

test("connections of one address are limited", async () => {
  const own = await LiveScene.open({
    limits: { liveConnectionsPerAddressMax: 3, liveConnectionsPerUserMax: 1 },
  });
  try {
    const first = await own.client({ id: "u1" });
    const second = await own.client({ id: "u1" });
    await own.client(null);
    await assert.rejects(LiveClient.open(own.server.url));
    await first.watch({ list: "nothing" });
    second.begin([{ list: "nothing" }]);
    await second.until(() => second.closeCode !== null);
    const third = await own.client({ id: "u2" });
    await third.watch({ list: "nothing" });
  } finally {
    await own.close();
  }
});

/** Asks for 6 KB. */
const films = { type: "ask", id: 1, ask: { list: "film" } };

/** A connection that says the same again and again, and reads nothing. @returns its end. */
async function openDeaf(
  own: LiveScene,
  message: object = films,
): Promise<{ readonly ended: Promise<unknown>; stop(): void }> {
  const socket = connect({ host: "127.0.0.1", port: own.server.port });
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.write(
    `GET /api/live HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n` +
      `sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: keelson.live.1\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("readable", resolve));
  for (let n = 0; n < 60; n++) await own.add("film", { title: "x".repeat(100), hall: "big" });
  // Frames by hand, masked with zeros.
  const text = JSON.stringify(message);
  const frame = Buffer.concat([
    Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]),
    Buffer.from(text),
  ]);
  const asking = setInterval(() => socket.write(Buffer.concat(Array(100).fill(frame))), 1);
  return {
    ended,
    stop() {
      clearInterval(asking);
      socket.destroy();
    },
  };
}

async function metric(own: LiveScene, name: string): Promise<number> {
  const text = await (await fetch(`${own.server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "mv").exec(text)?.[1]);
}

test("a client that does not read is cut off, and others are served meanwhile", async () => {
  const own = await LiveScene.open({
    limits: { liveBufferBytesMax: 65_536, livePauseBytes: 1_024 },
  });
  try {
    const reads = await own.client(null);
    const deaf = await openDeaf(own);
    try {
      await deaf.ended;
    } finally {
      deaf.stop();
    }
    assert.equal(await metric(own, "keelson_live_slow_readers_total"), 1);
    const [view] = await reads.watch({ list: "film", query: { limit: 1 } });
    assert.equal(view?.error, null);
  } finally {
    await own.close();
  }
});

test(
  "one that asks for what is refused and does not read is cut off",
  { timeout: 20_000 },
  async () => {
    const own = await LiveScene.open({
      limits: { liveSubscriptionsMax: 20, liveBufferBytesMax: 268_435_456, livePauseBytes: 1_024 },
    });
    try {
      const deaf = await openDeaf(own, { type: "subscribe", subs: [{ id: 1, watch: 1 }] });
      try {
        await deaf.ended;
      } finally {
        deaf.stop();
      }
      const reads = await own.client(null);
      const [view] = await reads.watch({ list: "film", query: { limit: 1 } });
      assert.equal(view?.error, null);
    } finally {
      await own.close();
    }
  },
);

test("first values that are more than may wait are not sent, and their client is told why", async () => {
  const own = await LiveScene.open({ limits: { liveBufferBytesMax: 65_536 } });
  try {
    for (let n = 0; n < 60; n++) await own.add("film", { title: "x".repeat(100), rating: n });
    const client = await own.client(null);
    const subs = Array.from({ length: 20 }, (_, n) => ({
      id: n + 1,
      watch: { list: "film", query: { where: { rating: { gte: -n } } } },
    }));
    client.send({ type: "subscribe", subs });
    await client.until(() => client.closeCode !== null);
    assert.equal(client.closeCode, 4013);
    assert.deepEqual(client.pushes, []);
    assert.equal(await metric(own, "keelson_live_slow_readers_total"), 1);
  } finally {
    await own.close();
  }
});

test("an answer that does not fit beside the others is refused, and the others go on", async () => {
  const own = await LiveScene.open({ limits: { liveAnswerBytesMax: 65_536 } });
  try {
    for (let n = 0; n < 60; n++) await own.add("film", { title: "x".repeat(100), rating: n });
    const client = await own.client(null);
    const films = (n: number) =>
      ({ list: "film", query: { where: { rating: { gte: -n } } } }) as const;
    const views = await client.watch(...Array.from({ length: 20 }, (_, n) => films(n)));
    const shown = views.filter(({ error }) => error === null);
    const refused = views.filter(({ error }) => error !== null);
    assert.ok(shown.length > 0 && refused.length > 0);
    for (const { error, ended } of refused) {
      assert.equal(error?.code, "OVERLOADED");
      assert.deepEqual(error.details, { limit: "liveAnswerBytesMax", max: 65_536 });
      assert.ok(ended);
    }
    assert.equal(await metric(own, "keelson_live_queries"), shown.length);
    // Those that are shown are told of changes, and room that one leaves is another's.
    const [first, ...rest] = shown;
    assert.ok(first !== undefined);
    client.unwatch(first);
    const [again] = await client.watch(films(100));
    assert.equal(again?.error, null);
    const [none] = await client.watch(films(101));
    assert.equal(none?.error?.code, "OVERLOADED");
    const [small] = await client.watch({ list: "film", query: { limit: 1 } });
    assert.equal(small?.error, null);
    const counts = rest.map(({ kinds }) => kinds.length);
    await own.set("film", filmIds(again)[0] ?? "", { title: "short" });
    await client.until(() => rest.every(({ kinds }, n) => kinds.length > (counts[n] ?? 0)));
    assert.ok(rest.every(({ error }) => error === null));
    assert.equal(client.closeCode, null);
  } finally {
    await own.close();
  }
});

test("one that stays below what may wait is cut off when it has waited for too long", async () => {
  const own = await LiveScene.open({
    limits: { answerMsMax: 300, liveBufferBytesMax: 268_435_456, socketBytesMax: 268_435_456 },
  });
  try {
    const deaf = await openDeaf(own);
    try {
      await deaf.ended;
    } finally {
      deaf.stop();
    }
    assert.equal(await metric(own, "keelson_live_connections"), 0);
    assert.equal(await metric(own, "keelson_live_slow_readers_total"), 0);
  } finally {
    await own.close();
  }
});

test("a reload and the end of the server close connections with 1012, after their answers", async () => {
  const own = await LiveScene.open();
  const client = await own.client({ id: "staff", role: "staff" });
  await client.watch({ list: "film" });
  const writes = Array.from({ length: 20 }, (_, n) =>
    client.ask({ call: "club.add", args: { title: `Last ${n}` } }),
  );
  await Promise.any(writes);
  // Not the scene, which closes its clients too: whoever is first says with which code.
  const closing = own.server.close();
  const settled = await Promise.allSettled(writes);
  assert.ok(settled.some(({ status }) => status === "fulfilled"));
  await client.until(() => client.closeCode !== null);
  assert.equal(client.closeCode, 1012);
  await closing;
  await own.close();
});

test("a stream of commits is joined into fewer pushes, and the last state arrives", async () => {
  const client = await scene.client(null);
  const film = await scene.add("film", { title: "Busy", rating: 0 });
  const [view] = await client.watch({ get: "film", id: film });
  const before = client.pushes.length;
  const writer = await scene.client({ id: "staff", role: "staff" });
  for (let round = 0; round < 25; round++) {
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        writer.ask({ update: "film", id: film, value: { rating: round * 8 + n } }),
      ),
    );
  }
  await client.fence();
  assert.deepEqual(view?.value, { ...(view?.value as object), rating: 199 });
  const count = client.pushes.length - before;
  assert.ok(count < 150, `${count} pushes for 200 commits`);
  await Promise.all([client.close(), writer.close()]);
});

test("with many threads a client sees every write, whichever thread it is on", async () => {
  const own = await LiveScene.open({ mode: "production", threads: 2 });
  try {
    const clients = await Promise.all(Array.from({ length: 6 }, () => own.client(null)));
    const views = await Promise.all(
      clients.map((client) =>
        client.watch({ list: "film", query: { where: { hall: "T" }, orderBy: "id" } }),
      ),
    );
    for (let n = 0; n < 30; n++) await own.add("film", { title: `T${n}`, hall: "T" });
    await Promise.all(clients.map((client) => client.fence()));
    const fresh = await own.http(
      "GET",
      "/api/tables/film?where=%7B%22hall%22%3A%22T%22%7D",
      undefined,
      null,
    );
    for (const [view] of views) assert.deepEqual(view?.value, fresh.body);
    for (const client of clients) {
      const seqs = client.pushes.map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
      );
    }
  } finally {
    await own.close();
  }
});

/** Of a list as it was pushed. */
function filmIds(view: LiveView | undefined): string[] {
  const page = view?.value as { readonly rows: readonly { readonly id: string }[] } | undefined;
  return page?.rows.map(({ id }) => id) ?? [];
}
