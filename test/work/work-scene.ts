// A whole server on an empty folder, and what its work left behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openOutside, type Outside } from "./outside.ts";
import { startServer, type RunningServer, type ServerOptions } from "@keelson/server";

/** A row. */
export type SceneRow = Readonly<Record<string, string | number | null>>;

/** What a test works with. */
export interface WorkScene {
  readonly server: RunningServer;
  readonly dataDir: string;
  readonly outside: Outside;
  call(name: string, args: object): Promise<{ readonly status: number; readonly body: unknown }>;
  rows(table: string, where: object): Promise<readonly SceneRow[]>;
}

/** Starts it; the end of the test ends all of it. */
export async function openWorkScene(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<WorkScene> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-work-"));
  const dataDir = join(folder, "data");
  const outside = await openOutside(folder);
  const { limits, ...others } = options;
  const server = await startServer({
    appDir: outside.appDir,
    dataDir,
    port: 0,
    limits: { anonymousPerMinuteMax: 10_000_000, callerPerMinuteMax: 10_000_000, ...limits },
    ...others,
  });
  context.after(async () => {
    await server.close();
    await outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return {
    server,
    dataDir,
    outside,
    async call(name, args) {
      const response = await fetch(`${server.url}/api/fn/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(args),
      });
      return { status: response.status, body: await response.json() };
    },
    async rows(table, where) {
      const query = `where=${encodeURIComponent(JSON.stringify(where))}&limit=1000`;
      const response = await fetch(`${server.url}/api/tables/${table}?${query}`);
      const { rows } = (await response.json()) as { readonly rows: readonly SceneRow[] };
      return rows;
    },
  };
}

/** Asks until it is so. @throws after half a minute. */
export async function untilSo<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (Date.now() > untilMs) throw new Error(`not so in time: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
