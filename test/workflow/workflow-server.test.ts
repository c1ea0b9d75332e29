// Workflows of real servers: watched live by a client, killed in their middle, and updated while they run.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer } from "@keelson/server";
import { openOperatorDesk } from "@keelson/server/operator";
import { createClient } from "keelson/client";
import type app from "./app/keelson/app.ts";
import { startWorkflowProcess, type WorkflowProcess } from "./workflow-process.ts";

const timeout = process.env["KEELSON_KILLS"] === undefined ? 120_000 : 3_600_000;
const ownApp = join(import.meta.dirname, "app");

function newFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-workflow-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** A copy of the app, to be changed. */
function copyApp(folder: string): string {
  const appDir = join(folder, "app");
  cpSync(ownApp, appDir, { recursive: true });
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  return appDir;
}

async function until<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  const untilMs = Date.now() + 60_000;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (Date.now() > untilMs) throw new Error(`not so in time: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Status {
  readonly state: string;
  readonly status: string;
  readonly result: { readonly token: string; readonly version: string } | null;
}

const statusOf = (server: WorkflowProcess, run: unknown): Promise<Status> =>
  server.call("shop.status", { run }) as Promise<Status>;

for (const threads of [0, 2]) {
  test(
    `a client starts a workflow and watches it live, with ${threads} threads`,
    { timeout },
    async (context) => {
      const folder = newFolder(context);
      const server = await startServer({
        appDir: ownApp,
        dataDir: join(folder, "data"),
        port: 0,
        threads,
      });
      const api = createClient<typeof app>(server.url, { transport: "live" });
      context.after(async () => {
        api.close();
        await server.close();
      });
      const run = await api.shop.order({ order: "watched" });
      const seen: string[] = [];
      const done = Promise.withResolvers<unknown>();
      const stop = api.shop.status.live({ run }, (found) => {
        if (found === null) return;
        seen.push(`${found.state} ${String(found.status)}`);
        if (found.status === "waits") void api.shop.pay({ order: "watched" });
        if (found.state !== "running") done.resolve(found.result);
      });
      const result = (await done.promise) as { readonly order: string };
      stop();
      assert.equal(result.order, "watched");
      assert.equal(seen.at(-1), "done paid");
      assert.ok(seen.includes("running waits"));
    },
  );

  test(
    `killed in the middle, with ${threads} threads: every run ends, each mutation happened once, and actions kept their token`,
    { timeout },
    async (context) => {
      const folder = newFolder(context);
      const dataDir = join(folder, "data");
      const start = () => startWorkflowProcess({ appDir: ownApp, dataDir, threads });
      let server = await start();
      context.after(() => server.close());
      const runs = new Map<string, unknown>();
      const rounds = Number(process.env["KEELSON_KILLS"] ?? 2);
      const count = 8 * rounds;
      for (let kills = 0; kills < rounds; kills++) {
        const some = Array.from({ length: 8 }, (_, index) => `${kills}.${index}`);
        const ordering = some.map(async (order) => {
          runs.set(order, await server.call("shop.order", { order }));
        });
        await Promise.all(ordering);
        // What is paid may be acknowledged or not when the server is gone: whoever pays tries again below.
        const paying = some.map((order) => server.call("shop.pay", { order }).catch(() => null));
        await new Promise((resolve) => setTimeout(resolve, 5 + (kills % 5) * 15));
        await server.kill();
        await Promise.all(paying);
        server = await start();
      }
      for (const [order, run] of runs) {
        const { state } = await until(
          () => statusOf(server, run),
          ({ state, status }) => state !== "running" || status === "waits",
        );
        if (state === "running") await server.call("shop.pay", { order });
      }
      for (const run of runs.values()) {
        const ended = await until(
          () => statusOf(server, run),
          ({ state }) => state !== "running",
        );
        assert.equal(ended.state, "done", JSON.stringify(ended));
        const { result } = ended;
        const marks = (await server.rows("mark", { run })).map(({ text }) => text ?? "");
        const once = marks.filter((text) => !text.startsWith("charge "));
        assert.deepEqual(once.toSorted(), ["ordered", "packed", "sent"]);
        const tokens = new Set(marks.filter((text) => text.startsWith("charge ")));
        assert.deepEqual([...tokens], [`charge ${result?.token}`]);
      }
      assert.equal(runs.size, count);
    },
  );
}

test(
  "a run ends on the code that it began with: over an update, a restart, and with threads",
  { timeout },
  async (context) => {
    const folder = newFolder(context);
    const appDir = copyApp(folder);
    const dataDir = join(folder, "data");
    const file = join(appDir, "keelson", "shop.ts");
    const source = readFileSync(file, "utf8");
    let server = await startServer({ appDir, dataDir, port: 0, threads: 0, mode: "development" });
    context.after(() => server.close());
    const waits = async (
      api: { status(args: { run: string }): Promise<{ status: unknown } | null> },
      run: string,
    ) =>
      until(
        () => api.status({ run }),
        (found) => found?.status === "waits",
      );
    const client = () => createClient<typeof app>(server.url);
    const first = await client().shop.order({ order: "a" });
    const second = await client().shop.order({ order: "b" });
    await waits(client().shop, first);
    await waits(client().shop, second);

    // Another first step: code that would do something else than both have done.
    const changed = source
      .replace('text: "ordered" }', 'text: "ordered anew" }')
      .replace('version: "one"', 'version: "two"');
    assert.notEqual(changed, source);
    writeFileSync(file, changed);
    const { kind } = await server.reload();
    assert.equal(kind, "replaced");
    await client().shop.pay({ order: "a" });
    const ended = async (run: string): Promise<unknown> => {
      const found = await until(
        () => client().shop.status({ run }),
        (found) => found?.state !== "running",
      );
      return (found?.result as { version?: string } | null)?.version;
    };
    assert.equal(await ended(first), "one");

    const third = await client().shop.order({ order: "c" });
    await waits(client().shop, third);
    await server.close();
    server = await startServer({ appDir, dataDir, port: 0, threads: 2 });
    await client().shop.pay({ order: "b" });
    await client().shop.pay({ order: "c" });
    assert.equal(await ended(second), "one");
    assert.equal(await ended(third), "two");

    // Code that no run needs is dropped.
    const desk = openOperatorDesk(server.current(), { dataDir, limits: server.limits });
    const codes = async () => {
      const orderBy = [{ field: "id", descending: false }];
      const page = await desk.store.read((tx) =>
        tx.list({ kind: "list", from: "workCode", orderBy, limit: 10, select: ["hash"] }, null),
      );
      return page.rows.length;
    };
    assert.equal(await codes(), 2);
    await desk.procedure("work.prune", null, "test");
    assert.equal(await codes(), 1);
  },
);
