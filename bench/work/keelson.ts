// Keelson in this process: each enqueue is a mutation of its own, durable before it is answered.
import { join } from "node:path";
import { openApp } from "@keelson/server";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";
import { Tally, type Subject } from "./subject.ts";

/** It, with jobs for later. */
export interface KeelsonSubject extends Subject {
  fill(count: number): Promise<void>;
}

/** Opens it. */
export async function openKeelson(dataDir: string): Promise<KeelsonSubject> {
  const app = await openApp({ appDir: join(import.meta.dirname, "app"), dataDir });
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
  const call = async (name: string, args: { readonly count?: number }): Promise<void> => {
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
    async fill(count) {
      for (let left = count; left > 0; left -= 500)
        await call("bench.fill", { count: Math.min(500, left) });
    },
    close: () => app.close(),
  };
}
