// For isolate-thread.test.ts: what a thread does with isolates until it is terminated, or ends.
import { rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import ivm from "isolated-vm";
import { CpuWatchdog } from "./cpu-watchdog.ts";
import { openTestApp, queries } from "./isolate-harness.case.ts";

const answer = '{"id":"film_1","title":"Alien","year":1}';

async function run(): Promise<void> {
  const app = await openTestApp(
    queries({
      five: "let n = 0; for (let i = 0; i < 5; i++) n += (await ctx.db.film.get('x')).year; return n;",
      loop: "for (;;) {}",
    }),
    { limits: { cpuMsMax: 200 }, development: false },
  );
  // It is loaded, and a thread that is terminated tidies nothing.
  rmSync(app.folder, { recursive: true, force: true });
  const code = await Promise.resolve()
    .then(() => app.another().call(app.input("loop"), () => answer))
    .then(
      () => "none",
      (error: { readonly code: string }) => error.code,
    );
  const { resultJson } = await app.call("five", {}, () => answer);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage({ code, resultJson });
  if (workerData === "go on") {
    for (;;) {
      await app.call("five", {}, () => answer);
      await new Promise(setImmediate);
    }
  }
  app.close();
}

/** A slice that never ends keeps the loop going, and the thread with it, until the watchdog is closed. */
function closeAmongSlices(): void {
  const watchdog = new CpuWatchdog();
  const slot = watchdog.watch(new ivm.Isolate({ memoryLimit: 8 }), 3_600_000);
  slot.begin();
  watchdog.close();
  slot.release();
}

if (workerData === "close") closeAmongSlices();
else await run();
