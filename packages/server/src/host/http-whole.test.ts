// Connections whose requests come whole, and how they become node's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpMetrics } from "../doors/http-metrics.ts";
import { openHttpScene, openRaw, sceneManifest, type HttpScene } from "./http-scene.case.ts";

const ask = (name: string, more = "") => `POST /api/fn/${name} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
const slow = ask("slow.wait");
const close = "connection: close\r\n";

async function withScene(
  options: Parameters<typeof openHttpScene>[0],
  use: (scene: HttpScene) => Promise<void>,
): Promise<void> {
  const scene = await openHttpScene(options);
  try {
    await use(scene);
  } finally {
    await scene.close();
  }
}

/** Status lines and names of functions, in the order of the answers. */
function answered(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (?<status>\d+)|"name":"(?<name>[^"]+)"|"waited"/gv)].map(
    ([whole, status, name]) => status ?? name ?? whole,
  );
}

test("one request after the other is answered on one connection, whole or in pieces", () =>
  withScene({}, async ({ port, listener }) => {
    const raw = openRaw(port);
    for (const name of ["a.a", "a.b"]) {
      raw.send(ask(name));
      await raw.until(`"name":"${name}"`);
    }
    raw.send("POST /api/fn/a.c HTTP/1.1\r\nho");
    await new Promise((done) => setTimeout(done, 20));
    raw.send("st: a\r\n\r\n");
    await raw.until('"name":"a.c"');
    assert.equal(listener.connections(), 1);
    raw.send(ask("a.d", close));
    assert.deepEqual(answered(await raw.all()), [
      "200",
      "a.a",
      "200",
      "a.b",
      "200",
      "a.c",
      "200",
      "a.d",
    ]);
  }));

test("an answer has the headers that node gives it, whoever wrote it", () =>
  withScene({}, async ({ port }) => {
    const headersOf = async (sent: string): Promise<string[]> => {
      const raw = openRaw(port);
      raw.send(sent);
      const text = await raw.until("}");
      raw.socket.destroy();
      return (text.split("\r\n\r\n")[0] ?? "")
        .split("\r\n")
        .map((line) =>
          line
            .toLowerCase()
            .replace(/req_.*|gmt/v, "")
            .replace(/\d\d:\d\d:\d\d/v, ""),
        )
        .toSorted();
    };
    // A list of what follows in a request is node's to read.
    const [whole, byNode] = [
      await headersOf(ask("a.b")),
      await headersOf(ask("a.b", "te: trailers\r\n")),
    ];
    assert.deepEqual(whole, byNode);
    assert.ok(whole.includes("keep-alive: timeout=65"), whole.join("\n"));
    const refused = ask("limit.reached");
    assert.deepEqual(
      await headersOf(refused),
      await headersOf(refused.replace("host", "te: x\r\nhost")),
    );
  }));

test("a body of other than ASCII, and one of bytes, arrive as they were", () =>
  withScene({}, async ({ url }) => {
    const text = '{"title":"Am\u00e9lie \u{1f3ac}"}';
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${url}/api/tables/film`, { method: "POST", headers, body: text });
    assert.equal(((await made.json()) as { title: string }).title, "Am\u00e9lie \u{1f3ac}");
    const packed = await fetch(`${url}/api/fn/big.text`, {
      method: "POST",
      headers: { "accept-encoding": "br" },
    });
    assert.equal(packed.headers.get("content-encoding"), "br");
    assert.match(await packed.text(), /^"all work/v);
  }));

test("requests that come while one is answered are answered after it, in their order", () =>
  withScene({}, async (scene) => {
    const raw = openRaw(scene.port);
    raw.send(slow);
    await scene.waiting(1);
    raw.send(ask("a.b"));
    await new Promise((done) => setTimeout(done, 20));
    raw.send(ask("a.c") + ask("a.d", close));
    await new Promise((done) => setTimeout(done, 20));
    assert.equal(scene.asked.length, 1, "they wait");
    scene.release();
    assert.deepEqual(answered(await raw.all()), [
      ...["200", '"waited"', "200", "a.b"],
      ...["200", "a.c", "200", "a.d"],
    ]);
  }));

test("who sends on and on while one request is answered is not read", () =>
  withScene({}, async (scene) => {
    const raw = openRaw(scene.port);
    raw.send(slow);
    await scene.waiting(1);
    const much = Buffer.alloc(1_048_576, 0x20);
    let sent = 0;
    while (raw.socket.write(much) || sent === 0) sent += 1;
    while (sent++ < 30) raw.socket.write(much);
    await new Promise((done) => setTimeout(done, 100));
    assert.ok(raw.socket.bytesWritten - raw.socket.writableLength < 16 * much.length);
    scene.release();
    await raw.all();
  }));

test("a client that ends its half, or goes, loses its answer and nothing else", async () => {
  const metrics = openHttpMetrics();
  await withScene({ door: { metrics } }, async (scene) => {
    const [half, gone] = [openRaw(scene.port), openRaw(scene.port)];
    half.send(slow);
    gone.send(slow);
    await scene.waiting(2);
    half.socket.end();
    gone.socket.destroy();
    assert.equal(await half.all(), "");
    scene.release();
    while (scene.door.inFlight() > 0) await new Promise((done) => setTimeout(done, 5));
    assert.match(metrics.text([]), /requests_total\{route="call",status="499"\} 2/v);
    assert.equal(scene.listener.connections(), 0);
  });
});

test("an idle connection is kept for as long as was said, and one that says nothing is told", () =>
  withScene({ limits: { keepAliveMs: 300, headersMsMax: 200 } }, async ({ port }) => {
    const [idle, silent] = [openRaw(port), openRaw(port)];
    idle.send(ask("a.b"));
    await idle.until('"name"');
    const startMs = performance.now();
    assert.match(await silent.all(), /^HTTP\/1\.1 408 /v);
    assert.deepEqual(answered(await idle.all()), ["200", "a.b"]);
    assert.ok(performance.now() - startMs >= 250, "kept until then");
  }));

test("what follows the last request that is answered is not asked", async () => {
  const scene = await openHttpScene();
  const raw = openRaw(scene.port);
  raw.send(slow);
  await scene.waiting(1);
  const closed = scene.listener.close(5_000);
  scene.release();
  await raw.until('"waited"');
  raw.send(ask("a.b"));
  await raw.all();
  assert.equal(scene.asked.length, 1);
  assert.equal(await closed, true);
});

test("a header that would be two is none", () =>
  withScene({ manifest: sceneManifest({ hash: "a\r\nset-cookie: b" }) }, async (scene) => {
    const raw = openRaw(scene.port);
    raw.send(`GET /api/openapi.json HTTP/1.1\r\nhost: a\r\n\r\n`);
    const answer = await raw.until("}");
    raw.socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 500 /v);
    assert.doesNotMatch(answer, /set-cookie/v);
    assert.match(String(scene.reports), /a header is one line/v);
  }));

test("closing ends what is idle, and what is answered after its answer", async () => {
  const scene = await openHttpScene();
  const [idle, busy] = [openRaw(scene.port), openRaw(scene.port)];
  idle.send(ask("a.b"));
  await idle.until('"name"');
  busy.send(slow);
  await scene.waiting(1);
  const closed = scene.listener.close(5_000);
  await idle.all();
  scene.release();
  const answer = await busy.all();
  assert.deepEqual(answered(answer), ["200", '"waited"']);
  assert.match(answer, /connection: close/v);
  assert.equal(await closed, true);
});

test("closing cuts off what is not answered at its deadline", async () => {
  const scene = await openHttpScene();
  const busy = openRaw(scene.port);
  busy.send(slow);
  await scene.waiting(1);
  assert.equal(await scene.listener.close(50), false);
  assert.equal(await busy.all(), "");
  scene.release();
});
