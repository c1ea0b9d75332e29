// What the writer does with a job: logic on a transaction and nothing else, so that the writer may be this
// thread or another. Jobs come from a gate, which has limited, validated and authorised them.
import type { WriteTx } from "../store/store.ts";
import { andThen, type Later } from "../base/later.ts";
import { openDb, openGateApp, type GateAppParts, type Run } from "./gate-app.ts";
import { procedureOf } from "./procedure.ts";
import { runOperation } from "./run-operation.ts";
import type { Work } from "./work.ts";
import type { WriteJob } from "./writer.ts";

/** Runs one job on a transaction. @returns the answer as JSON text. @throws every refusal of the job. */
export type ExecuteWrite = (job: WriteJob, tx: WriteTx, work: Work) => Later<string>;

/** Makes the executor of one manifest. */
export function openExecuteWrite(parts: GateAppParts): ExecuteWrite {
  const app = openGateApp(parts);
  return (job, tx, work) => {
    const run: Run = {
      app,
      caller: job.caller,
      nowMs: job.atMs,
      requestId: job.requestId,
      work,
      authority: job.authority ?? "caller",
      origin: job.origin ?? { root: job.requestId, chain: [job.cause] },
      job: job.job,
      started: { count: 0 },
      spoiled: null,
    };
    const db = openDb(run, tx, tx);
    const { operation } = job;
    if (operation.kind !== "procedure") return runOperation(run, db, operation);
    const procedure = procedureOf(run, operation.name);
    return andThen(procedure.run({ run, tx, db }, operation.input), (answer) =>
      JSON.stringify(answer),
    );
  };
}
