// The server of the tests that end it or run for long, in a process of its own. Tells its address and some users
// with their tokens; another message than "close" has it collect garbage and tell what it uses.
// Usage: node --expose-gc serve-live.ts <data folder> <threads> <port> <users> [limits, as JSON]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startServer, type ServerOptions } from "@keelson/server";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";

const [dataDir = "", threads = "0", port = "0", users = "0", more = "{}"] = process.argv.slice(2);

/** What a parent is told first. */
export interface LiveServerReady {
  readonly url: string;
  readonly port: number;
  readonly staff: string;
  readonly users: readonly { readonly id: string; readonly token: string }[];
}

const server = await startServer({
  appDir: join(import.meta.dirname, "app"),
  dataDir,
  port: Number(port),
  threads: Number(threads),
  metricsToken: "m",
  limits: {
    anonymousPerMinuteMax: 1_000_000_000,
    callerPerMinuteMax: 1_000_000_000,
    liveConnectionsPerUserMax: 10_000,
    ...(JSON.parse(more) as ServerOptions["limits"]),
  },
});
const made: { readonly id: string; readonly token: string }[] = [];
for (let count = 0; count < Number(users); count++) {
  const desk = openOperatorDesk(server.current(), { dataDir, limits: server.limits });
  const { json } = await desk.execute(
    { kind: "create", table: "user", value: { name: `user ${count}` } },
    {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
      cause: "test",
      work: startWork(),
    },
  );
  const { id } = JSON.parse(json) as { readonly id: string };
  made.push({ id, token: await server.signToken({ user: id, role: null, ttlMs: 86_400_000 }) });
}
const staff = await server.signToken({ user: "staff", role: "staff", ttlMs: 86_400_000 });
process.send?.({
  url: server.url,
  port: server.port,
  staff,
  users: made,
} satisfies LiveServerReady);
process.on("message", () => {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({ rssBytes: rss, ownBytes: ownBytes() ?? rss, heapBytes: heapUsed });
});

/** Resident memory but for mapped files: of a database that grows, each thread's connection maps more. Null: not Linux. */
function ownBytes(): number | null {
  if (process.platform !== "linux") return null;
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return found === null ? null : Number(found[1]) * 1_024;
}
process.once("disconnect", () => void server.close());
