// Keelson in this process: each enqueue is a mutation of its own, durable before it is answered.
import { join } from "node:path";
import { openApp } from "@keelson/server";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";
import { Tally, type Subject } from "./subject.ts";

/** It, with jobs for later. */
export interface KeelsonSubject extends Subject {
  /** Jobs that are processed at once, enqueued many in a transaction. */
  many(count: number): Promise<void>;
  /** Jobs that wait for ten days. */
  fill(count: number): Promise<void>;
  /** Workflows that sleep so long, until the last has fallen asleep. */
  doze(count: number): Promise<void>;
}

const perBatch = 500;
/** A transaction of the filling. */
const perFill = 4_000;
/** What a transaction may hold is bounded for apps; to fill fast, not here. */
const limits = { workStartsMax: 16_000, systemCallsMax: 16_000, cpuMsMax: 10_000 };

/** Opens it. */
export async function openKeelson(dataDir: string): Promise<KeelsonSubject> {
  const app = await openApp({ appDir: join(import.meta.dirname, "app"), dataDir, limits });
  const backend = app.current();
  const desk = openOperatorDesk(backend, { dataDir, limits: app.limits });
  const tally = new Tally();
  backend.commits.subscribe((commits) => {
    let ended = 0;
    for (const { changes } of commits) {
      for (const { table, after } of changes) if (table === "workJob" && after === null) ended += 1;
    }
    if (ended > 0) tally.add(ended);
  });
  backend.work?.start();
  const call = async (
    name: string,
    args: { readonly count?: number; readonly isLater?: boolean },
  ): Promise<void> => {
    await desk.execute(
      { kind: "call", name, args },
      {
        caller: anonymous,
        authority: "caller",
        asksAllow: false,
        idempotencyKey: null,
        cause: "bench",
        work: startWork(),
      },
    );
  };
  return {
    name: "keelson",
    enqueue: () => call("bench.put", {}),
    processed: (count) => tally.until(count),
    async one() {
      const done = tally.until(1);
      await call("bench.put", {});
      await done;
    },
    async many(count) {
      for (let left = count; left > 0; left -= perBatch)
        await call("bench.fill", { count: Math.min(perBatch, left), isLater: false });
    },
    async fill(count) {
      for (let left = count; left > 0; left -= perFill)
        await call("bench.fill", { count: Math.min(perFill, left), isLater: true });
    },
    async doze(count) {
      for (let left = count; left > 0; left -= perFill)
        await call("bench.doze", { count: Math.min(perFill, left) });
      await backend.work?.dispatcher()?.idle();
    },
    close: () => app.close(),
  };
}
