// How much there is in each queue, for whoever looks after the app: which of them holds what waits, and which has what
// failed. Queues are found by one step in the index each, whatever their number of jobs.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { timeText, type ProcedureScope } from "../gate/gate-app.ts";
import type { FieldCondition, Where } from "../model/query-form.ts";
import type { ReadTx } from "../store/store.ts";
import { firstJob } from "./job-read.ts";
import { policyOf } from "./job-run.ts";
import { afterLanes, readyLanes, timedLane } from "./lane.ts";
import type { WorkKinds } from "./work-kind.ts";

/**
 * Queues with jobs or dead letters, by name: `jobs` wait or run, `since` is when the first in line of them came, `due`
 * when the next is that waits for a time.
 */
export function listQueues(scope: ProcedureScope, kinds: WorkKinds): Later<Json> {
  const { tx } = scope;
  return andThen(queuesOfJobs(tx, ""), (ofJobs) =>
    andThen(queuesOfDead(tx, ""), (ofDead) => {
      const names = [...new Set([...ofJobs, ...ofDead])].toSorted();
      const found: Json[] = [];
      const from = (index: number): Later<Json> => {
        const name = names[index];
        if (name === undefined) return found;
        return andThen(queueOf(scope, kinds, name), (queue) => {
          found.push(queue);
          return from(index + 1);
        });
      };
      return from(0);
    }),
  );
}

function queueOf(scope: ProcedureScope, kinds: WorkKinds, queue: string): Later<Json> {
  const { tx, run } = scope;
  const lanes = { gte: queue, lt: afterLanes(queue) };
  const { from, to } = readyLanes(queue);
  const isStranded = policyOf(kinds, run.app, queue) === null;
  return andThen(countOf(tx, "workJob", "lane", lanes), (jobs) =>
    andThen(countOf(tx, "workDead", "queue", { eq: queue }), (dead) =>
      andThen(firstJob(tx, { gte: from, lt: to }), (first) =>
        andThen(firstJob(tx, { eq: timedLane(queue) }), (next): Json => ({
          queue,
          state: isStranded ? "stranded" : null,
          jobs,
          dead,
          since: first === null ? null : timeText(first.createdMs),
          due: next === null || next.dueMs === null ? null : timeText(next.dueMs),
        })),
      ),
    ),
  );
}

function queuesOfJobs(tx: ReadTx, after: string): Later<readonly string[]> {
  return andThen(firstJob(tx, { gte: after }), (job) =>
    job === null
      ? []
      : andThen(queuesOfJobs(tx, afterLanes(job.queue)), (rest) => [job.queue, ...rest]),
  );
}

function queuesOfDead(tx: ReadTx, after: string): Later<readonly string[]> {
  const where: Where = { kind: "field", field: "queue", condition: { gt: after } };
  const orderBy = [{ field: "queue", descending: false }];
  const found = tx.list({ kind: "list", from: "workDead", where, orderBy, limit: 1 }, null);
  return andThen(found, ({ rows }) => {
    const [row] = rows;
    if (row === undefined) return [];
    const queue = row["queue"] as string;
    return andThen(queuesOfDead(tx, queue), (rest) => [queue, ...rest]);
  });
}

function countOf(
  tx: ReadTx,
  from: string,
  field: string,
  condition: FieldCondition,
): Later<number> {
  const where: Where = { kind: "field", field, condition };
  const values = [{ name: "count", op: "count" }] as const;
  const counted = tx.aggregate(
    { kind: "aggregate", from, where, groupBy: [], values, limit: 1 },
    null,
  );
  return andThen(counted, ([row]) => (row?.["count"] as number | undefined) ?? 0);
}
