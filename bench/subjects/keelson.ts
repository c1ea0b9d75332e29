// Keelson itself, started as `keelson start` would, on the app of bench/app, with the same data as the others.
// Usage: node keelson.ts <empty folder> [threads that serve; 0: everything in one; auto] [sockets|sdk|sdk-live]
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { openApp, startServer, type RunningBackend } from "@keelson/server";
import { TypeIds, typeIdPrefix } from "../../packages/server/src/base/type-id.ts";
import { sizes, type Driver, type Ready } from "./subject.ts";

const insertsPerGroup = 5_000;
const [folder = ".", threads = "auto", driver = "sockets"] = process.argv.slice(2);

const options = {
  appDir: join(import.meta.dirname, "..", "app"),
  dataDir: join(folder, "data"),
  // The generator is one address and a hundred users: the defaults would rightly refuse it.
  limits: { anonymousPerMinuteMax: 1_000_000_000, callerPerMinuteMax: 1_000_000_000 },
};
const ids = new TypeIds(() => Date.now(), { bytes: (count) => randomBytes(count) });
const users = rowsOf("user", sizes.authors, () => ({ name: "Author", email: null, role: null }));
const rooms = rowsOf("room", sizes.rooms, (index) => ({ name: `Room ${index}` }));
const accounts = rowsOf("account", sizes.accounts, () => ({ balance: 1_000_000 }));
const posts = rowsOf("post", sizes.posts, (index) => ({
  author: users[index % users.length]?.id ?? "",
  title: `Post ${index}`,
  body: `The text of post ${index}. `.repeat(8),
  published: true,
}));
const members = rowsOf("member", sizes.authors, (index) => ({
  room: rooms[index % rooms.length]?.id ?? "",
  user: users[index]?.id ?? "",
}));
const counters = rowsOf("counter", 1, () => ({ value: 0 }));
const loading = await openApp(options);
await load(loading, {
  user: users,
  room: rooms,
  account: accounts,
  post: posts,
  member: members,
  counter: counters,
});
await loading.close();
const server = await startServer({
  ...options,
  port: 0,
  ...(threads === "auto" ? {} : { threads: Number(threads) }),
});

const ready: Ready = {
  url: server.url,
  durability: "WAL, synchronous=FULL, group commit",
  version: `keelson 0.1.0, ${server.threads} doors, node ${process.version}`,
  paths: {
    transfer: "/api/fn/bank.transfer",
    insert: "/api/tables/message",
    read: "/api/tables/post/",
    list: `/api/tables/post?where=${encodeURIComponent('{"author":"')}{author}${encodeURIComponent('"}')}&limit=20`,
    raise: "/api/fn/bank.raise",
    counter: `/api/tables/counter/${counters[0]?.id ?? ""}`,
  },
  accounts: accounts.map(({ id }) => id),
  posts: posts.map(({ id }) => id),
  authors: users.map(({ id }) => id),
  counter: counters[0]?.id ?? "",
  callers: await Promise.all(
    users.map(async ({ id }, index) => ({
      token: await server.signToken({ user: id, role: null, ttlMs: 86_400_000 }),
      user: id,
      room: rooms[index % rooms.length]?.id ?? "",
    })),
  ),
  keyed: true,
  driver: driver as Driver,
};
console.log(JSON.stringify(ready));
process.once("SIGTERM", () => void server.close());

type Loaded = { readonly id: string } & Readonly<Record<string, string | number | boolean | null>>;

function rowsOf(
  table: string,
  count: number,
  fields: (index: number) => Record<string, string | number | boolean | null>,
): Loaded[] {
  return Array.from({ length: count }, (_, index) => ({
    id: ids.next(typeIdPrefix(table)),
    ...fields(index),
  }));
}

async function load(
  { current }: RunningBackend,
  tables: Record<string, readonly Loaded[]>,
): Promise<void> {
  const { store } = current();
  for (const [table, rows] of Object.entries(tables)) {
    for (let from = 0; from < rows.length; from += insertsPerGroup) {
      const group = await store.openGroup();
      const meta = {
        by: null,
        cause: "load",
        requestId: "load",
        atMs: Date.now(),
        idempotency: null,
      };
      const outcome = await group.mutate(meta, (tx) => {
        for (const row of rows.slice(from, from + insertsPerGroup)) void tx.insert(table, row);
        return "null";
      });
      if (outcome.kind === "failed") throw outcome.error;
      await group.commit();
    }
  }
}
