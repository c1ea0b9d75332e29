// The server of the live benchmark, in a process of its own. Tells its address, and its memory when asked.
// Usage: node server.ts <empty folder> <threads; 0: everything in one>
import module from "node:module";
import { join } from "node:path";

// As `keelson start` does: what was compiled before is not compiled again, and the compiler is not in memory.
module.enableCompileCache();
const { startServer } = await import("@keelson/server");

const [folder = ".", threads = "0"] = process.argv.slice(2);
const server = await startServer({
  appDir: join(import.meta.dirname, "app"),
  dataDir: join(folder, "data"),
  port: 0,
  threads: Number(threads),
  // The generators are one address.
  limits: {
    anonymousPerMinuteMax: 1_000_000_000,
    callerPerMinuteMax: 1_000_000_000,
    liveConnectionsPerAddressMax: 200_000,
    connectionsMax: 200_000,
  },
});
const token = await server.signToken({ user: "bench", role: "staff", ttlMs: 3_600_000 });
process.send?.({ url: server.url, token });
process.on("message", () => process.send?.({ rssBytes: process.memoryUsage.rss() }));
process.once("disconnect", () => void server.close());
