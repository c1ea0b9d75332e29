// The server of the measurement, in a process of its own. Arguments: its folder, and its threads.
import { join } from "node:path";
import { startServer } from "@keelson/server";

const [, , folder = "", threads = "0"] = process.argv;
const server = await startServer({
  appDir: join(import.meta.dirname, "..", "..", "test", "identity", "core"),
  dataDir: join(folder, "data"),
  port: 0,
  threads: Number(threads),
  trustProxy: true,
  limits: { anonymousPerMinuteMax: 1_000_000_000, callerPerMinuteMax: 1_000_000_000 },
});
process.send?.(server.url);
process.once("disconnect", () => {
  void server.close().then(() => process.exit(0));
});
