// The door as a client sees it, over a real socket; the gate behind it is the scene's.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { openStaticFiles } from "../doors/static-files.ts";
import { listenHttp } from "./http-listener.ts";
import { openHttpScene, openRaw, sceneManifest, type HttpScene } from "./http-scene.case.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";

let scene: HttpScene;
before(async () => {
  scene = await openHttpScene();
});
after(() => scene.close());

const json = { "content-type": "application/json" };

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${scene.url}${path}`, init);
}

async function codeOf(response: Response): Promise<string> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const problem = (await response.json()) as {
    code: string;
    status: number;
    type: string;
    requestId: string;
  };
  assert.equal(problem.status, response.status);
  assert.equal(problem.type, `urn:keelson:error:${problem.code}`);
  assert.equal(problem.requestId, response.headers.get("x-request-id"));
  return problem.code;
}

test("a row is created with its address, and read back", async () => {
  const made = await call("/api/tables/film", {
    method: "POST",
    headers: json,
    body: '{"title":"M"}',
  });
  assert.equal(made.status, 201);
  const address = made.headers.get("location") ?? "";
  assert.match(address, /^\/api\/tables\/film\/film_\d+$/);
  const got = await call(address);
  assert.equal(got.status, 200);
  assert.equal(((await got.json()) as { title: string }).title, "M");
  assert.equal(got.headers.get("content-type"), "application/json");
  assert.equal(got.headers.get("cache-control"), "no-store");
  assert.equal(got.headers.get("x-content-type-options"), "nosniff");
  assert.equal(got.headers.get("ratelimit-policy"), '"user";q=100;w=60');
  assert.equal(got.headers.get("ratelimit"), '"user";r=99;t=1');
  assert.match(got.headers.get("x-request-id") ?? "", /^req_[\da-f]{24}$/);
});

test("each address becomes its operation", async () => {
  const cases: [string, string, string | null, unknown][] = [
    [
      "GET",
      "/api/tables/film?limit=2&orderBy=-a",
      null,
      { kind: "list", table: "film", query: { limit: 2, orderBy: ["-a"] } },
    ],
    [
      "PATCH",
      "/api/tables/film/film_x",
      '{"a":1}',
      { kind: "update", table: "film", id: "film_x", value: { a: 1 } },
    ],
    ["DELETE", "/api/tables/film/film_x", null, { kind: "delete", table: "film", id: "film_x" }],
    [
      "POST",
      "/api/fn/cinema.book",
      '{"seat":"F7"}',
      { kind: "call", name: "cinema.book", args: { seat: "F7" } },
    ],
    ["POST", "/api/fn/cinema.ping", null, { kind: "call", name: "cinema.ping", args: {} }],
    [
      "POST",
      "/api/batch",
      '{"steps":[{"get":"film","id":"a"}]}',
      { kind: "batch", steps: [{ kind: "get", table: "film", id: "a", query: {} }] },
    ],
  ];
  for (const [method, path, body, operation] of cases) {
    const response = await call(path, { method, body, headers: body === null ? {} : json });
    assert.equal(response.status, 200, path);
    await response.arrayBuffer();
    assert.deepEqual(scene.asked.at(-1)?.operation, operation);
  }
});

test("credentials and the idempotency key are handed on as they came", async () => {
  await call("/api/fn/a.b", {
    method: "POST",
    headers: { authorization: "Bearer x", "idempotency-key": "k1", cookie: "s=1" },
  });
  const asked = scene.asked.at(-1);
  assert.equal(asked?.authorization, "Bearer x");
  assert.equal(asked?.idempotencyKey, "k1");
  assert.equal(asked?.cookie, "s=1");
  assert.equal(asked?.address, "127.0.0.1");
  assert.equal(asked?.cause, "a.b");
});

test("a cookie that a page of another origin made the browser send is nobody's", async () => {
  const send = async (origin: string) => {
    const got = await call("/api/fn/a.b", { method: "POST", headers: { origin, cookie: "s=1" } });
    return ((await got.json()) as { cookie: string | null }).cookie;
  };
  assert.equal(await send("https://evil.example"), null);
  assert.equal(await send("null"), null);
  assert.equal(await send("https://shop.example"), "s=1");
  assert.equal(await send(scene.url), "s=1");
});

test("HEAD is GET without the body", async () => {
  const made = await call("/api/tables/film", {
    method: "POST",
    headers: json,
    body: '{"title":"M"}',
  });
  const address = made.headers.get("location") ?? "";
  const head = await call(address, { method: "HEAD" });
  const get = await call(address);
  assert.equal(head.headers.get("content-length"), get.headers.get("content-length"));
  assert.equal(await head.text(), "");
});

test("a method that an address does not take is told which it takes", async () => {
  for (const [path, method, allow] of [
    ["/api/fn/a.b", "GET", "POST, OPTIONS"],
    ["/api/tables/film", "DELETE", "GET, HEAD, POST, OPTIONS"],
    ["/api/tables/film/x", "POST", "GET, HEAD, PATCH, DELETE, OPTIONS"],
    ["/api/batch", "GET", "POST, OPTIONS"],
    ["/healthz", "POST", "GET, HEAD, OPTIONS"],
    ["/echo/x", "GET", "POST, OPTIONS"],
  ] as const) {
    const response = await call(path, { method });
    assert.equal(response.status, 405, path);
    assert.equal(response.headers.get("allow"), allow);
    assert.equal(await codeOf(response), "METHOD_NOT_ALLOWED");
  }
});

test("an address that is nobody's is not found", async () => {
  for (const path of ["/", "/api", "/api/", "/api/tables/a/b/c", "/api/fn/a/b", "/nothing"]) {
    assert.equal(await codeOf(await call(path)), "NOT_FOUND", path);
  }
});

test("only JSON in UTF-8, uncompressed, is a body", async () => {
  const send = (headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
    call("/api/fn/a.b", { method: "POST", headers, body });
  assert.equal(
    await codeOf(await send({ "content-type": "text/plain" }, "{}")),
    "BODY_TYPE_UNSUPPORTED",
  );
  assert.equal(
    await codeOf(await send({ ...json, "content-encoding": "gzip" }, "{}")),
    "BODY_TYPE_UNSUPPORTED",
  );
  assert.equal(
    await codeOf(await send({ "content-type": "application/json; charset=latin1" }, "{}")),
    "BODY_TYPE_UNSUPPORTED",
  );
  assert.equal(await codeOf(await send(json, new Uint8Array([0x22, 0xff, 0x22]))), "JSON_INVALID");
  assert.equal(await codeOf(await send(json, "{")), "JSON_INVALID");
  assert.equal(
    (await send({ "content-type": "application/json; charset=UTF-8" }, "{}")).status,
    200,
  );
  assert.equal((await send({ "content-type": "application/vnd.x+json" }, "{}")).status, 200);
});

test("what goes wrong inside is told to us, not to the caller", async () => {
  const bug = await call("/api/fn/bug.throw", { method: "POST" });
  assert.equal(bug.status, 500);
  const text = await bug.text();
  assert.doesNotMatch(text, /secret|TypeError|\.ts/);
  assert.match(String(scene.reports.at(-1)), /a secret in a message/);
  const failed = await (await call("/api/fn/bug.reject", { method: "POST" })).text();
  assert.doesNotMatch(failed, /secret|a\.ts|details/);
});

test("in development the cause is shown", async () => {
  const open = await openHttpScene({ door: { mode: "development" } });
  try {
    const bug = await fetch(`${open.url}/api/fn/bug.throw`, { method: "POST" });
    const problem = (await bug.json()) as { details: { development: { message: string } } };
    assert.equal(problem.details.development.message, "a secret in a message of ours");
    const failed = await fetch(`${open.url}/api/fn/bug.reject`, { method: "POST" });
    assert.equal(((await failed.json()) as { details: { file: string } }).details.file, "a.ts");
  } finally {
    await open.close();
  }
});

test("a caller over a limit is told when to come again", async () => {
  const response = await call("/api/fn/limit.reached", { method: "POST" });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "7");
  assert.equal(response.headers.get("ratelimit"), '"user";r=0;t=7');
  assert.equal(await codeOf(response), "RATE_LIMITED");
});

test("larger answers are compressed for who takes it, and the same for who does not", async () => {
  const plain = await rawCall(scene.port, "/api/fn/big.text", {});
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.equal(plain.headers["vary"], "accept-encoding, origin");
  const packed = await rawCall(scene.port, "/api/fn/big.text", { "accept-encoding": "gzip, br" });
  assert.equal(packed.headers["content-encoding"], "br");
  assert.deepEqual(brotliDecompressSync(packed.body), plain.body);
  assert.ok(packed.body.length < plain.body.length / 10);
  const small = await rawCall(scene.port, "/api/fn/a.b", { "accept-encoding": "gzip, br" });
  assert.equal(small.headers["content-encoding"], undefined);
  const refused = await rawCall(scene.port, "/api/fn/big.text", {
    "accept-encoding": "br;q=0, gzip;q=0",
  });
  assert.equal(refused.headers["content-encoding"], undefined);
});

function rawCall(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, string | string[] | undefined>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, path, method: "POST", headers, host: "127.0.0.1" },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    request.on("error", reject);
    request.end();
  });
}

test("pages of origins in the manifest may call, others may not read", async () => {
  const preflight = (origin: string) =>
    call("/api/fn/a.b", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  const granted = await preflight("https://shop.example");
  assert.equal(granted.status, 204);
  assert.equal(granted.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal(granted.headers.get("access-control-allow-credentials"), "true");
  assert.match(granted.headers.get("access-control-allow-headers") ?? "", /idempotency-key/);
  assert.equal(granted.headers.get("access-control-max-age"), "7200");
  const other = await preflight("https://evil.example");
  assert.equal(other.headers.get("access-control-allow-origin"), null);
  const refusal = await call("/api/tables/film/none", {
    headers: { origin: "https://shop.example" },
  });
  assert.equal(refusal.status, 404);
  assert.equal(refusal.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal(refusal.headers.get("vary"), "origin");
});

test("a preflight of an address that is nobody's lets the request say so", async () => {
  const headers = { origin: "https://shop.example", "access-control-request-method": "POST" };
  for (const path of ["/nope", "/api/nope", "/api/fn/a/b", "/auth/nope"]) {
    const granted = await call(path, { method: "OPTIONS", headers });
    assert.equal(granted.status, 204, path);
    assert.equal(granted.headers.get("access-control-allow-origin"), headers.origin);
    assert.match(granted.headers.get("access-control-allow-methods") ?? "", /POST/v);
    assert.equal(granted.headers.get("allow"), null);
    const { origin } = headers;
    const refused = await call(path, { method: "POST", headers: { origin } });
    assert.equal(refused.headers.get("access-control-allow-origin"), origin);
    assert.equal(await codeOf(refused), "NOT_FOUND");
    const other = await call(path, {
      method: "OPTIONS",
      headers: { ...headers, origin: "https://evil.example" },
    });
    assert.equal(other.headers.get("access-control-allow-origin"), null);
    assert.equal(await codeOf(await call(path, { method: "OPTIONS" })), "NOT_FOUND");
  }
});

test("an app open to every origin is never open to their cookies", async () => {
  const open = await openHttpScene({ manifest: sceneManifest({ cors: ["*"] }) });
  try {
    const got = await fetch(`${open.url}/api/fn/a.b`, {
      method: "POST",
      headers: { origin: "https://any.example", cookie: "s=1" },
    });
    assert.equal(got.headers.get("access-control-allow-origin"), "*");
    assert.equal(got.headers.get("access-control-allow-credentials"), null);
    assert.equal(((await got.json()) as { cookie: null }).cookie, null);
  } finally {
    await open.close();
  }
});

test("an http function gets the raw request and its answer goes out raw, without what is the connection's", async () => {
  const response = await call("/echo/h%C3%A9?x=1", {
    method: "POST",
    headers: { "x-a": "b" },
    body: "raw text",
  });
  assert.equal(response.status, 201);
  assert.equal(await response.text(), "raw text");
  assert.equal(response.headers.get("content-type"), "text/plain");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(response.headers.get("transfer-encoding"), null);
  assert.equal(response.headers.get("x-word"), "h\u00e9");
  const operation = scene.asked.at(-1)?.operation;
  assert.equal(operation?.kind, "http");
  if (operation?.kind !== "http") return;
  assert.equal(operation.request.url, `${scene.url}/echo/h%C3%A9?x=1`);
  assert.equal(operation.request.method, "POST");
  const names = operation.request.headers.map(([name]) => name);
  assert.ok(names.includes("x-a"));
  assert.ok(!names.includes("connection"));
});

test("health, readiness and OpenAPI answer", async () => {
  assert.equal((await call("/healthz")).status, 200);
  assert.equal((await call("/readyz")).status, 200);
  const document = await call("/api/openapi.json");
  assert.deepEqual(await document.json(), { openapi: "3.1.0" });
  const etag = document.headers.get("etag") ?? "";
  assert.equal(
    (await call("/api/openapi.json", { headers: { "if-none-match": etag } })).status,
    304,
  );
});

test("a store that does not answer is not ready", async () => {
  const failed = new PlatformError("STORE_FAILED");
  const ill = await openHttpScene({ door: { isReady: () => Promise.reject(failed) } });
  try {
    assert.equal((await fetch(`${ill.url}/readyz`)).status, 500);
    assert.deepEqual(ill.reports, [failed]);
    assert.equal((await fetch(`${ill.url}/healthz`)).status, 200);
  } finally {
    await ill.close();
  }
});

test("a server that starts is not ready, which is no failure of its store", async () => {
  const young = await openHttpScene({ door: { isReady: () => Promise.resolve(false) } });
  try {
    const answer = await fetch(`${young.url}/readyz`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.equal(((await answer.json()) as { code: string }).code, "NOT_READY");
    assert.deepEqual(young.reports, []);
  } finally {
    await young.close();
  }
});

test("metrics are for this machine, and for holders of the token", async () => {
  const text = await (await call("/metrics")).text();
  assert.match(text, /^keelson_http_requests_total\{route="call",status="200"\} \d+$/m);
  assert.match(
    text,
    /^keelson_http_request_duration_seconds_bucket\{route="call",le="\+Inf"\} \d+$/m,
  );
  assert.match(text, /^keelson_http_requests_in_flight 1$/m);
  assert.equal(
    (await call("/metrics", { headers: { "x-forwarded-for": "203.0.113.1" } })).status,
    404,
  );
  const guarded = await openHttpScene({ door: { metricsToken: "s3cret" } });
  try {
    const read = (authorization: string) =>
      fetch(`${guarded.url}/metrics`, { headers: { authorization, via: "1.1 proxy" } });
    assert.equal((await read("Bearer s3cret")).status, 200);
    assert.equal((await read("Bearer wrong")).status, 404);
  } finally {
    await guarded.close();
  }
});

test("the folder of a website is served with tags, and nothing outside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-static-"));
  mkdirSync(join(folder, "site", "assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "site", "index.html"), "<h1>page</h1>");
  writeFileSync(join(folder, "site", ".env"), "secret");
  writeFileSync(join(folder, "site", "assets", "app-B1x9_aQz.js"), "let a = 1;".repeat(300));
  symlinkSync(join(folder, "secret.txt"), join(folder, "site", "link.txt"));
  const statics = openStaticFiles({ disk: realDisk, folder: join(folder, "site"), limits });
  const site = await openHttpScene({ door: { statics } });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${site.url}${path}`, { headers });
  try {
    const page = await get("/");
    assert.equal(await page.text(), "<h1>page</h1>");
    assert.equal(page.headers.get("cache-control"), "no-cache");
    const etag = page.headers.get("etag") ?? "";
    assert.equal((await get("/", { "if-none-match": `W/${etag}` })).status, 304);
    const script = await get("/assets/app-B1x9_aQz.js");
    assert.equal(script.headers.get("content-encoding"), "gzip");
    assert.match(script.headers.get("cache-control") ?? "", /immutable/);
    assert.equal((await script.text()).length, 3_000);
    assert.equal((await get("/films/7", { accept: "text/html" })).status, 200);
    assert.equal((await get("/films/7")).status, 404);
    for (const path of ["/.env", "/link.txt", "/..%2fsecret.txt", "/assets", "/api/none"]) {
      const response = await get(path);
      assert.notEqual(response.status, 200, path);
      assert.doesNotMatch(await response.text(), /secret/);
    }
    writeFileSync(join(folder, "site", "index.html"), "<h1>another page</h1>");
    assert.equal(await (await get("/")).text(), "<h1>another page</h1>");
  } finally {
    await site.close();
    rmSync(folder, { recursive: true });
  }
});

test("while the door is held requests wait, and are answered by the app that is served then", async () => {
  const release = scene.door.hold();
  let answered = false;
  const waiting = call("/api/fn/a.b", { method: "POST" }).then((response) => {
    answered = true;
    return response;
  });
  // A round trip of another connection that the door refuses on its own shows that the first one waits.
  const raw = openRaw(scene.port);
  raw.send("NOT HTTP\r\n\r\n");
  await raw.all();
  assert.equal(answered, false);
  release();
  assert.equal((await waiting).status, 200);
});

test("closing answers what was accepted, refuses what comes after, and ends idle connections", async () => {
  const ending = await openHttpScene();
  const slow = openRaw(ending.port);
  slow.send("POST /api/fn/slow.wait HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  const late = openRaw(ending.port);
  late.send("POST /api/fn/slow.wait HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  const silent = openRaw(ending.port);
  await ending.waiting(2);
  const closed = ending.listener.close(10_000);
  late.send("POST /api/fn/a.b HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  assert.equal(await silent.all(), "");
  await assert.rejects(fetch(ending.url));
  ending.release();
  assert.match(await slow.all(), /^HTTP\/1\.1 200 OK[\s\S]*connection: close[\s\S]*"waited"$/i);
  assert.match(await late.all(), /"waited"/);
  assert.equal(await closed, true);
  assert.equal(ending.asked.length, 2);
});

test("closing cuts off at its deadline and says so", async () => {
  const ending = await openHttpScene();
  const slow = openRaw(ending.port);
  slow.send("POST /api/fn/slow.wait HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  await ending.waiting(1);
  assert.equal(await ending.listener.close(30), false);
  assert.equal(await slow.all(), "");
});

test("a taken address is a failure of its own", async () => {
  const { door, port } = scene;
  await assert.rejects(listenHttp({ door, host: "127.0.0.1", port, limits, clock: realClock }), {
    code: "LISTEN_FAILED",
  });
});
