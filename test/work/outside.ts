// The world outside, as an action reaches it: a server that notes which keys each call came with.
import { createServer } from "node:http";
import { once } from "node:events";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressInfo } from "node:net";

/** It, and an app that calls it. */
export interface Outside {
  /** Idempotency keys by path. */
  readonly calls: ReadonlyMap<string, readonly string[]>;
  /** The test's app, told where the server is. */
  readonly appDir: string;
  close(): Promise<void>;
}

/** Opens it. @param folder the app is copied to. */
export async function openOutside(folder: string): Promise<Outside> {
  const calls = new Map<string, string[]>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    calls.set(path, [...(calls.get(path) ?? []), String(request.headers["idempotency-key"])]);
    response.end("{}");
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const appDir = join(folder, "app");
  cpSync(join(import.meta.dirname, "app"), appDir, { recursive: true });
  const file = join(appDir, "keelson", "shop.ts");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("localhost:4999", `localhost:${port}`));
  return {
    calls,
    appDir,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
