import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import zlib from "node:zlib";
import { PlatformError } from "../base/platform-error.ts";
import type { EgressAnswer, EgressRequest } from "../isolate/egress.ts";
import { openRealEgress } from "./real-egress.ts";

let port = 0;
const seen: {
  readonly url: string;
  readonly method: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}[] = [];
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { url = "", method = "", headers } = request;
    seen.push({ url, method, headers, body: Buffer.concat(chunks).toString() });
    answer(url, response);
  });
});

function answer(url: string, response: http.ServerResponse): void {
  const to = new URL(url, "http://x").searchParams.get("to");
  const status = Number(/^\/(\d{3})/.exec(url)?.[1] ?? 200);
  if (to !== null) response.writeHead(status, { location: to }).end("moved");
  else if (url === "/loop") response.writeHead(302, { location: "/loop" }).end();
  else if (url === "/big") response.end("x".repeat(100_000));
  else if (url === "/bomb")
    response
      .writeHead(200, { "content-encoding": "gzip" })
      .end(zlib.gzipSync(Buffer.alloc(1_000_000)));
  else if (url === "/gzip")
    response.writeHead(200, { "content-encoding": "gzip" }).end(zlib.gzipSync("small"));
  else if (url === "/hang") response.write("x");
  else response.writeHead(status, { "set-cookie": ["a=1", "b=2"] }).end("hello");
}

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const names: Record<string, readonly string[]> = {};
const asked: string[] = [];
const egress = openRealEgress({
  resolve: (name) => {
    asked.push(name);
    const found = names[name];
    return found === undefined ? Promise.reject(new Error("ENOTFOUND")) : Promise.resolve(found);
  },
});

function send(
  url: string,
  more: Omit<Partial<EgressRequest>, "request"> & { readonly request?: object } = {},
): Promise<EgressAnswer> {
  const { request, ...rest } = more;
  return egress.send({
    redirect: "follow",
    hosts: [`127.0.0.1:${port}`],
    msMax: 2_000,
    bytesMax: 50_000,
    redirectsMax: 5,
    signal: new AbortController().signal,
    ...rest,
    request: { method: "GET", url, headers: [], body: null, ...request },
  });
}

const here = (path: string): string => `http://127.0.0.1:${port}${path}`;
const textOf = ({ body }: EgressAnswer): string => Buffer.from(body ?? "", "base64").toString();

async function refusal(sending: Promise<unknown>): Promise<readonly [string, unknown]> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return [error.code, error.details["reason"]];
  }
  throw new Error("it was sent");
}

test("a declared address is reached, with what was asked for", async () => {
  seen.length = 0;
  const body = Buffer.from("data").toString("base64");
  const headers = [
    ["x-a", "1"],
    ["host", "forged"],
    ["content-length", "9"],
    ["connection", "upgrade"],
  ] as const;
  const got = await send(here("/x?y"), { request: { method: "POST", headers, body } });
  assert.equal(got.status, 200);
  assert.equal(textOf(got), "hello");
  assert.equal(got.url, here("/x?y"));
  assert.deepEqual(
    got.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value),
    ["a=1", "b=2"],
  );
  const [request] = seen;
  assert.deepEqual([request?.method, request?.url, request?.body], ["POST", "/x?y", "data"]);
  assert.equal(request?.headers.host, `127.0.0.1:${port}`);
  assert.equal(request?.headers["x-a"], "1");
});

test("a name goes to the address that was checked, and is asked for once", async () => {
  names["localhost"] = ["127.0.0.1"];
  asked.length = 0;
  seen.length = 0;
  const got = await send(`http://localhost:${port}/`, { hosts: [`localhost:${port}`] });
  assert.equal(got.status, 200);
  assert.deepEqual(asked, ["localhost"]);
  assert.equal(seen[0]?.headers.host, `localhost:${port}`);
});

test("a public name that leads to a private address is refused before anything is sent", async () => {
  names["evil.example.com"] = ["127.0.0.1"];
  names["mixed.example.com"] = ["8.8.8.8", "127.0.0.1"];
  names["six.example.com"] = ["::ffff:127.0.0.1"];
  seen.length = 0;
  for (const name of ["evil", "mixed", "six"]) {
    const host = `${name}.example.com:${port}`;
    const got = await refusal(send(`http://${host}/`, { hosts: [host] }));
    assert.deepEqual(got, ["EGRESS_DENIED", "the name leads to a private address"]);
  }
  assert.deepEqual(seen, []);
});

test("an undeclared host is refused, however it is written", async () => {
  for (const host of [
    "127.0.0.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "localhost",
  ]) {
    const got = await refusal(send(`http://${host}:${port}/`, { hosts: ["api.example.com"] }));
    assert.deepEqual(got, ["EGRESS_DENIED", "not declared in hosts"], host);
  }
});

test("every redirect is checked like a first request", async () => {
  names["evil.example.com"] = ["127.0.0.1"];
  const hosts = [`127.0.0.1:${port}`, `evil.example.com:${port}`];
  const undeclared = await refusal(send(here("/302?to=http://localhost:1/")));
  assert.deepEqual(undeclared, ["EGRESS_DENIED", "not declared in hosts"]);
  const rebound = await refusal(send(here(`/302?to=http://evil.example.com:${port}/`), { hosts }));
  assert.deepEqual(rebound, ["EGRESS_DENIED", "the name leads to a private address"]);
  assert.deepEqual(await refusal(send(here("/302?to=file:///etc/passwd"))), [
    "EGRESS_DENIED",
    "only http and https",
  ]);
});

test("redirects are followed, shown or refused, as asked", async () => {
  const followed = await send(here("/302?to=/end"));
  assert.deepEqual([followed.status, followed.url, followed.redirected], [200, here("/end"), true]);
  const manual = await send(here("/302?to=/end"), { redirect: "manual" });
  assert.deepEqual([manual.status, manual.redirected], [302, false]);
  assert.deepEqual(await refusal(send(here("/302?to=/end"), { redirect: "error" })), [
    "EGRESS_FAILED",
    "it redirects",
  ]);
  assert.deepEqual(await refusal(send(here("/loop"))), ["EGRESS_FAILED", "it redirects too often"]);
});

test("a redirect keeps or drops method, body and secrets as browsers do", async () => {
  names["localhost"] = ["127.0.0.1"];
  const body = Buffer.from("data").toString("base64");
  const headers = [
    ["authorization", "Bearer x"],
    ["content-type", "text/plain"],
  ] as const;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const last = async (path: string): Promise<(typeof seen)[number]> => {
    await send(here(path), { hosts, request: { method: "POST", headers, body } });
    return seen.at(-1) as (typeof seen)[number];
  };
  const kept = await last("/307?to=/end");
  assert.deepEqual(
    [kept.method, kept.body, kept.headers.authorization],
    ["POST", "data", "Bearer x"],
  );
  const turned = await last("/303?to=/end");
  assert.deepEqual(
    [turned.method, turned.body, turned.headers["content-type"]],
    ["GET", "", undefined],
  );
  const away = await last(`/307?to=http://localhost:${port}/end`);
  assert.deepEqual([away.method, away.headers.authorization], ["POST", undefined]);
});

test("answers have a limit, packed ones too", async () => {
  for (const path of ["/big", "/bomb"])
    assert.equal((await refusal(send(here(path))))[0], "EGRESS_FAILED");
  const small = await send(here("/gzip"));
  assert.equal(textOf(small), "small");
  assert.equal(
    small.headers.some(([name]) => name === "content-encoding"),
    false,
  );
});

test("time has a limit, and a call that is over ends its requests", async () => {
  const slow = await refusal(send(here("/hang"), { msMax: 100 }));
  assert.deepEqual(slow, ["EGRESS_FAILED", "it took too long, or was aborted"]);
  const stop = new AbortController();
  const ending = refusal(send(here("/hang"), { signal: stop.signal }));
  setImmediate(() => stop.abort());
  assert.equal((await ending)[0], "EGRESS_FAILED");
});

test("nothing there, and no such name, are failures", async () => {
  assert.equal(
    (await refusal(send("http://127.0.0.1:1/", { hosts: ["127.0.0.1:1"] })))[0],
    "EGRESS_FAILED",
  );
  const hosts = ["none.example.com"];
  assert.deepEqual(await refusal(send("http://none.example.com/", { hosts })), [
    "EGRESS_FAILED",
    "its name is not known",
  ]);
});
