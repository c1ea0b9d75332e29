// The server of the tests that end it, in a process of its own. Tells its address.
// Usage: node serve-workflow.ts <app folder> <data folder> <threads>
import { startServer } from "@keelson/server";

const [appDir = "", dataDir = "", threads = "0"] = process.argv.slice(2);
const server = await startServer({
  appDir,
  dataDir,
  port: 0,
  threads: Number(threads),
  limits: { anonymousPerMinuteMax: 1_000_000_000, callerPerMinuteMax: 1_000_000_000 },
});
process.send?.(server.url);
process.once("disconnect", () => void server.close());
