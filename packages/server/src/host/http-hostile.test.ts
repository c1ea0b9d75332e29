// Requests that no honest client sends. Each is refused with its own code, holds up nobody, and leaves the
// door open for the next one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openHttpScene, openRaw, type HttpScene } from "./http-scene.case.ts";

const bodyBytesMax = 4_096;
let scene: HttpScene;
before(async () => {
  scene = await openHttpScene({
    limits: {
      bodyBytesMax,
      headerBytesMax: 8_192,
      urlCharsMax: 1_024,
      headersMsMax: 200,
      requestMsMax: 400,
      jsonDepthMax: 8,
      lingerMs: 200,
    },
  });
});
after(() => scene.close());

/** An honest request goes through, whatever else is going on. */
async function assertServes(): Promise<void> {
  const response = await fetch(`${scene.url}/api/fn/a.b`, { method: "POST" });
  assert.equal(response.status, 200);
  await response.arrayBuffer();
}

/** Sends bytes on a connection of its own. @returns all that came back until the server closed it. */
async function exchange(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const raw = openRaw(scene.port);
  for (const part of parts) raw.send(part);
  const answered = raw.all();
  await assertServes();
  return answered;
}

function assertRefused(answer: string, status: number, code: string): void {
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), answer);
  assert.ok(answer.includes(`"code":"${code}"`), answer);
  assert.match(answer, /content-type: application\/problem\+json/i);
  assert.match(answer, /x-request-id: req_/i);
}

const head = (extra: string, path = "/api/fn/a.b") =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${extra}\r\n`;
const close = "connection: close\r\n";

test("headers that come too slowly are cut off", async () => {
  const raw = openRaw(scene.port);
  raw.send("POST /api/fn/a.b HTTP/1.1\r\nhost: a\r\nx-slow: ");
  await assertServes();
  assertRefused(await raw.all(), 408, "REQUEST_TIMEOUT");
});

test("a body that comes too slowly, or is shorter than it says, is cut off", async () => {
  const raw = openRaw(scene.port);
  raw.send(head("content-length: 100\r\n"));
  raw.send("{");
  await assertServes();
  assertRefused(await raw.all(), 408, "REQUEST_TIMEOUT");
  assert.equal(scene.door.inFlight(), 0);
});

test("a body longer than it says is two requests, and the second is none", async () => {
  const before = scene.asked.length;
  const answer = await exchange(`${head("content-length: 2\r\n")}{}{"more":1}`);
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
  // One of it and one of the honest request beside it.
  assert.equal(scene.asked.length, before + 2);
});

test("a body that says it is too large is refused before it is read", async () => {
  assertRefused(await exchange(head("content-length: 10485760\r\n")), 413, "BODY_TOO_LARGE");
});

test("a ten megabyte argument is refused, and its sender reads why", async () => {
  const big = Buffer.alloc(10 * 1_048_576, 0x61);
  assertRefused(
    await exchange(head(`content-length: ${big.length}\r\n`), big),
    413,
    "BODY_TOO_LARGE",
  );
});

test("a chunked body is counted as it comes", async () => {
  const chunk = `${bodyBytesMax.toString(16)}\r\n${"a".repeat(bodyBytesMax)}\r\n`;
  const asked = head(`transfer-encoding: chunked\r\n${close}`);
  const answer = await exchange(asked, chunk, chunk, "0\r\n\r\n");
  assertRefused(answer, 413, "BODY_TOO_LARGE");
});

test("a chunked body within the limit is read", async () => {
  const answer = await exchange(
    head(`transfer-encoding: chunked\r\n${close}`),
    '8\r\n{"a":"b"\r\n1\r\n}\r\n0\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200/);
});

test("a chunked body that is broken half-way is malformed", async () => {
  const answer = await exchange(head("transfer-encoding: chunked\r\n"), "3\r\n{}}\r\nzz\r\n");
  assertRefused(answer, 400, "REQUEST_INVALID");
  assert.equal(scene.door.inFlight(), 0);
});

test("a length and a chunked coding together are refused", async () => {
  const answer = await exchange(
    head("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
    "0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
  );
  assertRefused(answer, 400, "REQUEST_INVALID");
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
});

test("two lengths, two hosts and no host are refused", async () => {
  const twoLengths = await exchange(head("content-length: 2\r\ncontent-length: 3\r\n"), "{}");
  assertRefused(twoLengths, 400, "REQUEST_INVALID");
  const twoHosts = await exchange(head(`host: b\r\n${close}`));
  assertRefused(twoHosts, 400, "REQUEST_INVALID");
  const none = await exchange(`POST /api/fn/a.b HTTP/1.1\r\n${close}\r\n`);
  assertRefused(none, 400, "REQUEST_INVALID");
  assert.ok(none.includes('"header":"host"'), none);
  // HTTP/1.0 asks for none (RFC 9112, 3.2).
  assert.match(await exchange("POST /api/fn/a.b HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

test("a coding other than chunked, and a compressed body, are refused", async () => {
  const coded = await exchange(head(`transfer-encoding: gzip, chunked\r\n${close}`), "0\r\n\r\n");
  assertRefused(coded, 400, "REQUEST_INVALID");
  const packed = await exchange(
    head(`content-encoding: gzip\r\ncontent-length: 2\r\n${close}`),
    "{}",
  );
  assertRefused(packed, 415, "BODY_TYPE_UNSUPPORTED");
});

test("headers that are too large are refused, and their sender reads why", async () => {
  for (const bytes of [9_000, 5_000_000]) {
    const raw = openRaw(scene.port);
    const errors: Error[] = [];
    raw.socket.on("error", (error) => errors.push(error));
    raw.send(head(`x-large: ${"a".repeat(bytes)}\r\n`));
    const answer = await raw.all();
    assertRefused(answer, 431, "HEADERS_TOO_LARGE");
    assert.match(answer, /connection: close/i);
    assert.deepEqual(errors, []);
  }
  await assertServes();
});

test("many small headers are all seen, to the last", async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `a:${index % 10}\r\n`).join("");
  await exchange(head(`${many}authorization: Bearer last\r\n${close}`));
  assert.ok(scene.asked.some(({ authorization }) => authorization === "Bearer last"));
});

test("a long address is refused, and its connection ends as with long headers", async () => {
  const path = `/api/fn/${"a".repeat(2_000)}`;
  // The first is read by the door itself, the second by node's parser.
  for (const extra of ["", "te: trailers\r\n"]) {
    const answer = await exchange(head(extra, path));
    assertRefused(answer, 414, "URL_TOO_LONG");
    assert.match(answer, /connection: close/i);
  }
});

test("a body that came whole but is too large is the last of its connection too", async () => {
  const length = bodyBytesMax + 1;
  const answer = await exchange(`${head(`content-length: ${length}\r\n`)}${"a".repeat(length)}`);
  assertRefused(answer, 413, "BODY_TOO_LARGE");
  assert.match(answer, /connection: close/i);
});

test("addresses that can be read in two ways are refused", async () => {
  const paths = [
    "//api/fn/a.b",
    "/api//fn/a.b",
    "/api/../api/fn/a.b",
    "/api/fn/%zz",
    "/api/fn/a%00b",
    "/api/fn/a#b",
  ];
  for (const path of paths) {
    assertRefused(await exchange(head(close, path)), 400, "REQUEST_INVALID");
  }
});

test("the absolute form is its path", async () => {
  const answer = await exchange(head(close, "http://evil.example/api/fn/a.b"));
  assert.match(answer, /^HTTP\/1\.1 200/);
});

test("the URL of an http function is the one that was asked, whatever its host is said to be", async () => {
  const page = (target: string, host: string) =>
    exchange(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\n${close}\r\n`);
  const hosts = [
    "a b",
    "[",
    "a@b/c?d#",
    "a/../..",
    "a?",
    "a#",
    "a:99999999",
    "http://a",
    "a,b",
    "ü",
  ];
  for (const host of hosts) {
    assertRefused(await page("/pages/mine", host), 400, "REQUEST_INVALID");
  }
  for (const target of [
    "http://a%zz/pages/mine",
    "http://u:p@a/pages/mine",
    "http://a:b/pages/x",
  ]) {
    assertRefused(await page(target, "a"), 400, "REQUEST_INVALID");
  }
  const urls: readonly (readonly [target: string, host: string, url: string])[] = [
    ["/pages/mine?x", "shop.example:8080", "http://shop.example:8080/pages/mine?x"],
    ["/pages/mine", "[::1]:4000", "http://[::1]:4000/pages/mine"],
    ["/pages/mine", "", "http://localhost/pages/mine"],
    ["http://other.example/pages/mine", "a", "http://other.example/pages/mine"],
  ];
  for (const [target, host, url] of urls) {
    assert.match(await page(target, host), /^HTTP\/1\.1 201 /);
    const { operation } = scene.asked.findLast(({ operation }) => operation.kind === "http") ?? {};
    assert.equal(operation?.kind === "http" ? operation.request.url : null, url);
  }
});

test("a parameter given twice is refused", async () => {
  const answer = await exchange(
    `GET /api/tables/film?limit=1&limit=2 HTTP/1.1\r\nhost: a\r\n${close}\r\n`,
  );
  assertRefused(answer, 400, "REQUEST_INVALID");
});

test("deep JSON, keys that reach a prototype, and what is no JSON have a code each", async () => {
  const cases: [string, string][] = [
    [`${"[".repeat(2_000)}${"]".repeat(2_000)}`, "JSON_TOO_DEEP"],
    ['{"a":{"__proto__":{"admin":true}}}', "JSON_KEY_FORBIDDEN"],
    ['{"constructor":{"prototype":{}}}', "JSON_KEY_FORBIDDEN"],
    ["{a:1}", "JSON_INVALID"],
    ["\ufeff{}", "JSON_INVALID"],
  ];
  for (const [body, code] of cases) {
    const length = Buffer.byteLength(body);
    assertRefused(await exchange(head(`content-length: ${length}\r\n${close}`), body), 400, code);
  }
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

test("what is not HTTP is refused", async () => {
  assertRefused(await exchange("\x16\x03\x01\x02\x00\x01\x00\x01"), 400, "REQUEST_INVALID");
  assertRefused(await exchange("GET / HTTP/1.1\nhost a\n\n"), 400, "REQUEST_INVALID");
});

test("pipelined requests are answered in order, each with its own answer", async () => {
  const first = head("content-length: 0\r\n", "/api/fn/slow.wait");
  const second = head("content-length: 0\r\n", "/api/fn/quick.one");
  const third = head(`content-length: 0\r\n${close}`, "/api/fn/quick.two");
  const raw = openRaw(scene.port);
  raw.send(first + second + third);
  await scene.waiting(1);
  await assertServes();
  scene.release();
  const answer = await raw.all();
  const order = ['"waited"', '"name":"quick.one"', '"name":"quick.two"'].map((text) =>
    answer.indexOf(text),
  );
  assert.ok(order.every((at) => at > 0));
  assert.deepEqual(
    order,
    order.toSorted((left, right) => left - right),
  );
});

test("a malformed request behind one that is being answered does not take its answer", async () => {
  const raw = openRaw(scene.port);
  raw.send(`${head("content-length: 0\r\n", "/api/fn/slow.wait")}NOT HTTP AT ALL\r\n\r\n`);
  await scene.waiting(1);
  await assertServes();
  scene.release();
  const answer = await raw.all();
  assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*"waited"$/);
});

test("a client that goes away while it sends is forgotten; one that waits loses only its answer", async () => {
  const sending = openRaw(scene.port);
  sending.send(`${head("content-length: 100\r\n")}{`);
  sending.socket.destroy();
  const waiting = openRaw(scene.port);
  waiting.send(head("content-length: 0\r\n", "/api/fn/slow.wait"));
  await scene.waiting(1);
  waiting.socket.destroy();
  await assertServes();
  scene.release();
  await scene.door.idle();
  await assertServes();
  assert.equal(scene.door.inFlight(), 0);
  assert.equal(scene.reports.length, 0);
});

test("a body is asked for only when it will be read", async () => {
  const answer = await exchange(head("expect: 100-continue\r\ncontent-length: 9999999\r\n"));
  assertRefused(answer, 413, "BODY_TOO_LARGE");
  const raw = openRaw(scene.port);
  raw.send(head(`expect: 100-continue\r\ncontent-length: 2\r\n${close}`));
  assert.match(await raw.until("100 Continue"), /^HTTP\/1\.1 100 Continue/);
  raw.send("{}");
  assert.match(await raw.all(), /HTTP\/1\.1 200 OK/);
  const noHost = await exchange(
    "POST /api/fn/a.b HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
  );
  assertRefused(noHost, 400, "REQUEST_INVALID");
});

test("what is expected beside 100-continue is refused, and nothing is done", async () => {
  for (const value of ["tea", "tea, 100-continue", "100-continue=1"]) {
    const before = scene.asked.length;
    const answer = await exchange(head(`expect: ${value}\r\n${close}`));
    assertRefused(answer, 417, "EXPECTATION_UNSUPPORTED");
    // That of the honest request beside it.
    assert.equal(scene.asked.length, before + 1);
  }
  // HTTP/1.0 has no expectations (RFC 9110, 10.1.1).
  const old = await exchange("POST /api/fn/a.b HTTP/1.0\r\nhost: a\r\nexpect: tea\r\n\r\n");
  assert.match(old, /^HTTP\/1\.1 200 /);
});

test("connections past the limit are dropped, and those within it are served", async () => {
  const small = await openHttpScene({ limits: { connectionsMax: 16 } });
  const raws = Array.from({ length: 16 }, () => openRaw(small.port));
  try {
    for (const raw of raws) raw.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    await Promise.all(raws.map((raw) => raw.until("ok")));
    assert.equal(await openRaw(small.port).all(), "");
    raws[0]?.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    await raws[0]?.until('{"status":"ok"}HTTP/1.1 200 OK');
  } finally {
    for (const raw of raws) raw.socket.destroy();
    await small.close();
  }
});
