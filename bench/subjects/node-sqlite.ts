// Baseline: what a careful person writes by hand on bare node:http and node:sqlite, one thread, rules inline.
// Usage: node node-sqlite.ts <empty folder> FULL|NORMAL
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { openPlainStore, type Durability } from "./plain-store.ts";
import { sizes, type Ready } from "./subject.ts";

const [folder = ".", durability = "FULL"] = process.argv.slice(2);
const store = openPlainStore(folder, sizes, durability as Durability);

const server = createServer((request, response) => {
  const user = store.userOf((request.headers.authorization ?? "").slice(7));
  if (user === undefined) return send(response, 401, { error: "sign in" });
  const url = request.url ?? "/";
  if (request.method === "POST")
    return readBody(request, (body) => write(response, url, user, body));
  if (url.startsWith("/posts/")) {
    const row = store.readPost(user, Number(url.slice(7)));
    return row === null ? send(response, 404, { error: "not found" }) : send(response, 200, row);
  }
  if (url.startsWith("/posts?author=")) {
    return send(response, 200, store.listPosts(user, Number(url.slice(14))));
  }
  if (url === "/counter") return send(response, 200, { value: store.counter() });
  return send(response, 404, { error: "not found" });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const ready: Ready = {
    url: `http://127.0.0.1:${port}`,
    durability: `WAL, synchronous=${durability}, one transaction a commit`,
    version: process.version,
    paths: {
      transfer: "/transfer",
      insert: "/messages",
      read: "/posts/",
      list: "/posts?author={author}",
      raise: "/raise",
      counter: "/counter",
    },
    keyed: false,
    ...store.loaded,
  };
  console.log(JSON.stringify(ready));
});

function write(response: ServerResponse, url: string, user: number, body: unknown): void {
  if (typeof body !== "object" || body === null) return send(response, 400, { error: "body" });
  const input = body as Record<string, unknown>;
  if (url === "/transfer") {
    const amount = Number(input["amount"]);
    if (!Number.isSafeInteger(amount) || amount < 1)
      return send(response, 422, { error: "amount" });
    const result = store.transfer(Number(input["from"]), Number(input["to"]), amount);
    return result === "done" ? send(response, 200, null) : send(response, 409, { error: result });
  }
  if (url === "/messages") {
    const { author, text } = input;
    if (typeof text !== "string" || text.length > 1_000)
      return send(response, 422, { error: "text" });
    if (Number(author) !== user) return send(response, 403, { error: "author" });
    const id = store.insertMessage(user, Number(input["room"]), text);
    return id === null
      ? send(response, 403, { error: "member" })
      : send(response, 201, { id, text });
  }
  if (url === "/raise") return send(response, 200, store.raise(Number(input["counter"])));
  return send(response, 404, { error: "not found" });
}

function readBody(request: IncomingMessage, done: (body: unknown) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => done(JSON.parse(Buffer.concat(chunks).toString("utf8"))));
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
