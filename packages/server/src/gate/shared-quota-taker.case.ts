// A thread that takes from a shared bucket as fast as it can, for the test of what threads share.
import { parentPort, workerData } from "node:worker_threads";
import { SharedBuckets, type SharedQuotas } from "./shared-quota.ts";

const { shared, gate, tries, keys, nowUs } = workerData as {
  readonly shared: SharedQuotas;
  readonly gate: SharedArrayBuffer;
  readonly tries: number;
  readonly keys: readonly string[];
  readonly nowUs: number;
};
const buckets = new SharedBuckets({ count: 10, windowUs: 60_000_000 }, "call a.b user", shared);
const word = new Int32Array(gate);
Atomics.add(word, 1, 1);
Atomics.notify(word, 1);
Atomics.wait(word, 0, 0);
const passed = keys.map(() => 0);
for (let index = 0; index < tries; index++) {
  const key = index % keys.length;
  if (buckets.take(keys[key] as string, nowUs) !== null) passed[key] = (passed[key] as number) + 1;
}
parentPort?.postMessage(passed, []);
