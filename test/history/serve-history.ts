// The server of `--reloads`: as `keelson start`, and SIGUSR2 makes it take up a new version of the app, which that command does
// not do. Its arguments are those of `spawnServer`.
import { parseArgs } from "node:util";
import { startServer } from "@keelson/server";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "" },
    port: { type: "string", default: "0" },
    threads: { type: "string", default: "0" },
    log: { type: "string" },
  },
});
const server = await startServer({
  appDir: positionals[0] ?? "",
  dataDir: values.data,
  port: Number(values.port),
  threads: Number(values.threads),
});
process.on("SIGUSR2", () => {
  server.reload().then(
    ({ kind }) => say({ event: "reloaded", kind }),
    (error: unknown) => say({ event: "failed", why: String(error) }),
  );
});
process.once("SIGTERM", () => void server.close());
say({ event: "listening", url: server.url });

function say(line: object): void {
  console.log(JSON.stringify(line));
}
