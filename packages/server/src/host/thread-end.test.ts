// A thread that ends while isolated-vm is at work in it may take the process with it: the few that do are hard to
// catch, so what is held here is the order that makes it impossible.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { limits } from "../base/limits.ts";
import { commitMarkMemory } from "../store/commit-mark.ts";
import { openAppSource } from "./app-source.ts";
import { databaseName } from "./backend.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { withThreads } from "./thread-scene.case.ts";
import type { WriterStart } from "./thread-start.ts";

const timeout = 60_000;
const app = `import { define, table, t } from "keelson";
const { app } = define({ note: table({ text: t.text({ max: 9 }) }) });
export default app({ functions: {} });`;
/** Runs in a thread before its own code: tells when its event loop has nothing left to do. */
const tellQuiet = `import { parentPort } from "node:worker_threads";
process.once("beforeExit", () => parentPort.postMessage("quiet"));`;

test("threads of a server that is closed end by themselves", { timeout }, () =>
  withThreads({ doors: 2 }, async (scene) => {
    const connection = scene.connect();
    await connection.ask("POST", "/api/fn/work.rare", { body: {} });
    const threads = scene.server.threads();
    assert.equal(threads.length, 3);
    assert.equal(await scene.server.close(), true);
    assert.deepEqual(await Promise.all(threads.map(({ ended }) => ended)), [0, 0, 0]);
  }),
);

test(
  "a writer whose database is damaged fails when nothing goes on in it",
  { timeout },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "keelson-thread-end-"));
    try {
      mkdirSync(join(folder, "keelson"));
      writeFileSync(join(folder, "keelson", "app.ts"), app);
      const dataDir = join(folder, "data");
      mkdirSync(dataDir);
      writeFileSync(join(dataDir, databaseName), "this is no database, and long enough to be read");
      const parts = { disk: realDisk, clock: realClock, limits, mode: "production" } as const;
      const source = openAppSource({ ...parts, appDir: folder, dataDir });
      const start: WriterStart = {
        isFirst: true,
        app: JSON.stringify(await source.build()),
        snapshot: (await source.guest()).snapshot,
        mark: commitMarkMemory(),
        dataDir,
        limits,
        migrate: "auto-safe",
      };
      const thread = new Worker(new URL("./thread-entry.ts", import.meta.url), {
        workerData: "writer",
        execArgv: ["--import", `data:text/javascript,${encodeURIComponent(tellQuiet)}`],
      });
      const said: unknown[] = [];
      const codes: unknown[] = [];
      thread.on("message", (message) => said.push(message));
      thread.on("error", (error: { readonly code?: string }) => codes.push(error.code));
      // Errors and messages come on channels of their own, in any order. At its exit all of both have come.
      const ended = new Promise((resolve) => thread.once("exit", resolve));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      thread.postMessage(start);
      await ended;
      assert.deepEqual(codes, ["STORE_FAILED"]);
      // A thread that fails earlier never comes to it.
      assert.deepEqual(said, ["quiet"]);
      await source.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
