// Baseline: the same server as a user would write it with Fastify (schemas, hooks) on SQLite, one thread.
// Fastify is loaded from a temporary folder that the benchmark filled, never from the project.
// Usage: node fastify-sqlite.ts <empty folder> FULL|NORMAL <folder with fastify installed> [node:sqlite|better-sqlite3]
import { createRequire } from "node:module";
import { join } from "node:path";
import { openPlainStore, type Durability, type PlainDatabase } from "./plain-store.ts";
import { sizes, type Ready } from "./subject.ts";

interface FastifyRequest {
  readonly headers: Record<string, string | undefined>;
  readonly params: Record<string, string>;
  readonly query: Record<string, string>;
  readonly body: unknown;
  user: number;
}
interface FastifyReply {
  code(status: number): FastifyReply;
  send(value: unknown): FastifyReply;
}
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
interface Fastify {
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: FastifyReply) => Promise<void>,
  ): void;
  get(path: string, handler: Handler): void;
  post(path: string, options: object, handler: Handler): void;
  listen(options: { port: number; host: string }): Promise<string>;
}

const [folder = ".", durability = "FULL", modules = ".", engine = "node:sqlite"] =
  process.argv.slice(2);
const load = createRequire(join(modules, "package.json"));
const fastify = (load("fastify") as (options: object) => Fastify)({});
const { version } = load("fastify/package.json") as { version: string };
const store =
  engine === "better-sqlite3"
    ? openPlainStore(folder, sizes, durability as Durability, betterSqlite)
    : openPlainStore(folder, sizes, durability as Durability);

fastify.addHook("onRequest", async (request, reply) => {
  const user = store.userOf((request.headers["authorization"] ?? "").slice(7));
  if (user === undefined) reply.code(401).send({ error: "sign in" });
  else request.user = user;
});
fastify.get("/posts/:id", (request, reply) => {
  return (
    store.readPost(request.user, Number(request.params["id"])) ??
    reply.code(404).send({ error: "not found" })
  );
});
fastify.get("/posts", (request) => store.listPosts(request.user, Number(request.query["author"])));
fastify.get("/counter", () => ({ value: store.counter() }));
fastify.post(
  "/transfer",
  { schema: { body: body({ from: int(), to: int(), amount: { type: "integer", minimum: 1 } }) } },
  (request, reply) => {
    const { from, to, amount } = request.body as { from: number; to: number; amount: number };
    const result = store.transfer(from, to, amount);
    return result === "done" ? "null" : reply.code(409).send({ error: result });
  },
);
fastify.post(
  "/messages",
  {
    schema: {
      body: body({ room: int(), author: int(), text: { type: "string", maxLength: 1000 } }),
    },
  },
  (request, reply) => {
    const { room, author, text } = request.body as { room: number; author: number; text: string };
    const id = author === request.user ? store.insertMessage(request.user, room, text) : null;
    return id === null
      ? reply.code(403).send({ error: "denied" })
      : reply.code(201).send({ id, text });
  },
);
fastify.post("/raise", { schema: { body: body({ counter: int() }) } }, (request) => {
  return String(store.raise((request.body as { counter: number }).counter));
});

const ready: Ready = {
  url: await fastify.listen({ port: 0, host: "127.0.0.1" }),
  durability: `WAL, synchronous=${durability}, one transaction a commit`,
  version: `fastify ${version}, ${engine}${engine === "better-sqlite3" ? ` ${betterVersion()}` : ""}`,
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

function betterSqlite(path: string): PlainDatabase {
  const Database = load("better-sqlite3") as new (file: string) => PlainDatabase;
  return new Database(path);
}

function betterVersion(): string {
  return (load("better-sqlite3/package.json") as { version: string }).version;
}

function body(properties: Record<string, object>): object {
  return { type: "object", required: Object.keys(properties), properties };
}

function int(): object {
  return { type: "integer" };
}
