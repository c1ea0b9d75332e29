import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const file = new URL("./isolate-thread.case.ts", import.meta.url);

test("isolates work in a thread, which ends by itself", async () => {
  const threads = [0, 1].map(() => new Worker(file, { workerData: "end" }));
  const ended = threads.map((thread) => once(thread, "exit"));
  const told = threads.map((thread) => once(thread, "message"));
  for (const [message] of await Promise.all(told)) {
    assert.deepEqual(message, { code: "FUNCTION_CPU_EXCEEDED", resultJson: "5" });
  }
  assert.deepEqual(await Promise.all(ended), [[0], [0]]);
});

test(
  "a watchdog that is closed lets its thread end, whatever it watched",
  { timeout: 30_000 },
  async () => {
    const thread = new Worker(file, { workerData: "close" });
    assert.deepEqual(await once(thread, "exit"), [0]);
  },
);

test("a thread that is terminated among its calls leaves the process alive", async () => {
  for (let round = 0; round < 3; round++) {
    const thread = new Worker(file, { workerData: "go on" });
    await once(thread, "message");
    assert.equal(await thread.terminate(), 1);
  }
});
