// A whole server on an empty folder, a proxy that cuts its connections, and clients of both.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startServer, type RunningServer, type ServerOptions } from "@keelson/server";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";
import { createClient, type Client, type ClientOptions } from "keelson/client";
import type app from "./app/keelson/app.ts";
import { openCutProxy, type CutProxy } from "./cut-proxy.ts";

/** A client of the scene's app. */
export type SceneClient = Client<typeof app>;

/** What a test of live connections works with. */
export interface LiveScene {
  readonly server: RunningServer;
  readonly proxy: CutProxy;
  /** A client through the proxy, closed at the end. Calls go over the live connection unless told otherwise. */
  client(options?: ClientOptions): SceneClient;
  /** A client that no cut reaches. */
  direct(options?: ClientOptions): SceneClient;
  /** Adds a user as the server's operator. @returns its id. */
  plantUser(name: string): Promise<`user_${string}`>;
}

/** Starts it; the end of the test ends all of it. */
export async function openLiveScene(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<LiveScene> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-live-"));
  const { limits, ...others } = options;
  const server = await startServer({
    appDir: join(import.meta.dirname, "app"),
    dataDir: join(folder, "data"),
    port: 0,
    // One address and a test's worth of calls: the defaults would rightly refuse them.
    limits: { anonymousPerMinuteMax: 10_000_000, callerPerMinuteMax: 10_000_000, ...limits },
    ...others,
  });
  const proxy = await openCutProxy(server.url);
  const clients: SceneClient[] = [];
  context.after(async () => {
    for (const client of clients) client.close();
    await proxy.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const open = (url: string, clientOptions: ClientOptions): SceneClient => {
    const client = createClient<typeof app>(url, { transport: "live", ...clientOptions });
    clients.push(client);
    return client;
  };
  return {
    server,
    proxy,
    client: (clientOptions = {}) =>
      open(proxy.url, {
        // A cut must not use up the attempts of a test that cuts all the time.
        retry: { attempts: 100, baseMs: 5, capMs: 50 },
        ...clientOptions,
      }),
    direct: (clientOptions = {}) => open(server.url, clientOptions),
    plantUser: async (name) => {
      const desk = openOperatorDesk(server.current(), {
        dataDir: join(folder, "data"),
        limits: server.limits,
      });
      const { json } = await desk.execute(
        { kind: "create", table: "user", value: { name } },
        {
          caller: anonymous,
          authority: "system",
          asksAllow: false,
          idempotencyKey: null,
          cause: "test",
          work: startWork(),
        },
      );
      return (JSON.parse(json) as { readonly id: `user_${string}` }).id;
    },
  };
}

/** Resolves when it is so; asked after every turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}
