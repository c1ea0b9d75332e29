// A request that is read whole is read as node's own parser reads it: random requests, and random damage to them.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { connect, Socket, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { readWhole, WholeRequest } from "./http-whole.ts";

const headBytesMax = 4_096;

interface Read {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: object;
  readonly body: string;
}

let server: Server;
let port: number;
/** What node read on the connection that is tried, and whether it gave up. */
let seen: Read[] = [];
let broken = 0;

before(async () => {
  server = createServer({ maxHeaderSize: headBytesMax }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", rawHeaders } = request;
      const body = Buffer.concat(chunks).toString("hex");
      seen.push({ method, url, rawHeaders, headers: { ...request.headers }, body });
      response.end("ok");
    });
  });
  server.on("clientError", (_error, socket) => {
    broken += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

/** @returns what node read when it got `bytes` and then a plain request, which tells where the first one ended. */
async function readByNode(
  bytes: Buffer,
): Promise<{ readonly seen: Read[]; readonly broken: number }> {
  seen = [];
  broken = 0;
  const socket = connect({ port, host: "127.0.0.1" });
  await new Promise<void>((done) => {
    socket.on("close", done).on("error", () => {});
    let answered = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answered += text;
      if (answered.split("\r\n\r\nok").length > 2) socket.destroy();
    });
    socket.write(Buffer.concat([bytes, Buffer.from(last)]));
  });
  return { seen, broken };
}

const lastSeen: Read = {
  method: "GET",
  url: "/last",
  rawHeaders: ["Host", "last"],
  headers: { host: "last" },
  body: "",
};
const last = "GET /last HTTP/1.1\r\nHost: last\r\n\r\n";

/** Mostly the first: a request is taken only when all of it is as usual. */
function mostly<T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: 20 }, { arbitrary: other, weight: 1 });
}

const header = fc
  .tuple(
    mostly(
      fc.oneof(
        fc.constantFrom("Authorization", "content-type", "Accept", "Cookie", "x-a", "SET-COOKIE"),
        fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,20}$/u),
      ),
      fc.constantFrom(
        "Transfer-Encoding",
        "Expect",
        "Upgrade",
        "TE",
        "Host",
        "Keep-Alive",
        "Trailer",
      ),
    ),
    mostly(fc.constantFrom(":", ": "), fc.constantFrom(":  ", " :", ":\t", ": \t ", "")),
    mostly(
      fc.stringMatching(/^[!-~]{0,20}$/u),
      fc.oneof(fc.stringMatching(/^[ -~]{0,20}$/u), fc.constantFrom("chunked", "\u00e9", "x, y")),
    ),
    mostly(fc.constant("\r\n"), fc.constantFrom("\n", "\r", "\r\n ", " \r\n")),
  )
  .map((parts) => parts.join(""));

const connection = fc.constantFrom("", "", "Connection: keep-alive\r\n", "connection: Close\r\n");
const lengthOff = { right: 0, less: -1, more: 1 };

const request = fc
  .record({
    method: mostly(
      fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
      fc.constantFrom("PUT", "HEAD", "get"),
    ),
    url: mostly(
      fc.stringMatching(/^\/(?:api\/)?[!-~]{0,12}$/u),
      fc.constantFrom("*", "http://a/api/x", "/api/a b", "/api/\u00e9"),
    ),
    version: mostly(fc.constant("1.1"), fc.constantFrom("1.0", "2.0", "1.1 ")),
    host: mostly(fc.constant("Host: a\r\n"), fc.constant("")),
    connection,
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.constantFrom("", "", "{}", '{"a":1}', "\r\n", "GET / HTTP/1.1\r\n\r\n"),
    length: mostly(fc.constant("right"), fc.constantFrom("none", "less", "more", "twice")),
  })
  .map(({ method, url, version, host, connection, headers, body, length }) => {
    const off = lengthOff[length as keyof typeof lengthOff] ?? 0;
    const said = `Content-Length: ${body.length + off}\r\n`;
    const times = length === "none" || body === "" ? 0 : 1;
    const lengths = said.repeat(length === "twice" ? 2 * times : times);
    const lines = `${host}${connection}${headers.join("")}${lengths}`;
    return Buffer.from(`${method} ${url} HTTP/${version}\r\n${lines}\r\n${body}`, "latin1");
  });

const damage = mostly<null | { at: number; cut: number; put: string }>(
  fc.constant(null),
  fc.record({
    at: fc.nat(400),
    cut: fc.nat(2),
    put: fc.constantFrom("", "\r", "\n", " ", "\t", "\0", ":", "\u00ff", "\r\n", "\u007f"),
  }),
);

const damaged = fc.tuple(request, damage).map(([bytes, how]) => {
  if (how === null) return bytes;
  const at = how.at % (bytes.length + 1);
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(how.put, "latin1"),
    bytes.subarray(Math.min(bytes.length, at + how.cut)),
  ]);
});

test("what is read whole, node reads alike, and nothing of it is left over", async () => {
  let taken = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      all += 1;
      const whole = readWhole(bytes, headBytesMax);
      if (whole === null) return;
      taken += 1;
      const { method, url, rawHeaders, body } = whole;
      const headers = { ...new WholeRequest(whole, new Socket()).headers };
      const node = await readByNode(bytes);
      assert.deepEqual(
        node,
        {
          seen: [{ method, url, rawHeaders, headers, body: body.toString("hex") }, lastSeen],
          broken: 0,
        },
        JSON.stringify(bytes.toString("latin1")),
      );
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > all / 5, `${taken} of ${all} were taken`);
});
