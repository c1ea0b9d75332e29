// Queued work of a server that is attacked, which runs none by itself: the attack asks what a request left to be done,
// and has it done at once, job by job, by the procedures that the dispatcher uses. What waits for its time runs as if
// that had come.
import type { Json } from "../base/json.ts";
import { hookOf } from "../connect/hook-app.ts";
import { hookKind } from "../connect/hook-kind.ts";
import type { LeftWork, WorkTarget } from "../engineer/attack/attack-target.ts";
import type { Change, Commit, Row } from "../store/store.ts";
import type { ConsumeOrder } from "../work/consume.ts";
import { changeItems, eventItem, type Item } from "../work/consume-item.ts";
import type { DispatcherParts } from "../work/dispatch-parts.ts";
import { eventOfRow } from "../work/event-write.ts";
import { functionKinds, nameOfQueue } from "../work/function-kind.ts";
import { failureOf } from "../work/job-failure.ts";
import { JobFailed, kindOf } from "../work/job-run.ts";
import { jobOfRow, type Job, type JobFailure } from "../work/job.ts";
import { readPosition } from "../work/position.ts";
import { workOf } from "../work/work-app.ts";
import { workJob } from "../work/work-submit.ts";
import { workflowKindName } from "../work/workflow/workflow-answer.ts";
import { stepKindName } from "../work/workflow/workflow-failure.ts";

/** Of one job: it has the limits of a mutation anyway. */
const forUs = 1_000_000;
const cause = "keelson attack";

/** Opens it. @param parts of the dispatcher that does not run. */
export function openAttackWork(parts: DispatcherParts): WorkTarget {
  return {
    left(changes) {
      const jobs = new Map<string, Row | null>();
      for (const { table, id, after } of changes) if (table === "workJob") jobs.set(id, after);
      return [
        ...changes.flatMap((change) => leftByChange(parts, change)),
        ...[...jobs.values()].flatMap((row) => (row === null ? [] : leftAsJob(parts, row))),
      ];
    },
  };
}

/** What consumers of events and of a table's changes have of a change. */
function leftByChange(parts: DispatcherParts, change: Change): readonly LeftWork[] {
  const { table, before, after } = change;
  const { followers, triggers } = workOf(parts.app);
  if (table === "workEvent") {
    if (before !== null || after === null) return [];
    const event = eventOfRow(after);
    const consumers = followers.get(event.name) ?? [];
    return consumers.map(({ name, spec }) => ({
      ...{ name: spec.function, isWorkflow: false },
      run: () => consume(parts, name, eventItem(event)),
    }));
  }
  const commit: Commit = {
    ...{ seq: 1, atMs: parts.clock.nowMs(), by: null, cause, requestId: cause },
    changes: [change],
  };
  return (triggers.get(table) ?? []).flatMap(({ name, spec }) =>
    changeItems(commit, spec).map((item) => ({
      ...{ name: spec.function, isWorkflow: false },
      run: () => consume(parts, name, item),
    })),
  );
}

async function consume(
  { app, store, submit, clock }: DispatcherParts,
  consumer: string,
  item: Item,
): Promise<string | null> {
  const place = (await store.read((tx) => readPosition(tx, consumer))) ?? 0;
  const order: ConsumeOrder = {
    ...{ consumer, count: 1, forUs, after: place, upTo: place },
    items: [{ ...item, place }],
  };
  const send = (order: ConsumeOrder): Promise<Json> =>
    submit(workJob(app, { procedure: "work.consume", input: order as unknown as Json, cause }));
  try {
    await send(order);
    return null;
  } catch (error) {
    if (!(error instanceof JobFailed)) throw error;
    const failure = failureOf(error.cause, clock.nowMs());
    // It becomes a job, which is left in its turn.
    await send({ ...order, failure });
    return codeOf(failure);
  }
}

/** Crons and what is sent to others' addresses belong to no request. */
function leftAsJob(parts: DispatcherParts, row: Row): readonly LeftWork[] {
  const { id, queue } = jobOfRow(row);
  const kind = kindOf(parts.kinds, queue)?.kind ?? "";
  const name = functionOf(parts, kind, nameOfQueue(queue));
  if (name === null) return [];
  return [{ name, isWorkflow: kind === workflowKindName, run: () => runJob(parts, id) }];
}

/** The function that a job runs, or the workflow; null: none of a caller's. @param name in its queue. */
function functionOf({ app }: DispatcherParts, kind: string, name: string): string | null {
  const { queues, consumers } = workOf(app);
  switch (kind) {
    case functionKinds.queue:
      return queues.get(name)?.spec.function ?? name;
    case functionKinds.consumer:
      return consumers.get(name)?.spec.function ?? null;
    case hookKind.kind:
      return hookOf(app, name)?.function ?? null;
    case stepKindName:
    case workflowKindName:
      return name;
    default:
      return null;
  }
}

async function runJob(parts: DispatcherParts, id: string): Promise<string | null> {
  const { app, kinds, store, submit, actor, clock } = parts;
  const row = await store.read((tx) => tx.get("workJob", id, null));
  if (row === null) return null;
  const job = jobOfRow(row);
  const atMs = Math.max(clock.nowMs(), job.dueMs ?? 0);
  const ask = (procedure: string, input: Json): Promise<Json> =>
    submit({ ...workJob(app, { procedure, input, cause }), atMs });
  if (kindOf(kinds, job.queue)?.place(app, job) === "world") {
    const [begun] = (await ask("work.begin", { ids: [id] })) as unknown as readonly Job[];
    if (begun === undefined) return "FUNCTION_INTERRUPTED";
    const { failure } = await actor.act(begun);
    return failure === null ? null : codeOf(failure);
  }
  try {
    await ask("work.run", { ids: [id], forUs });
    return null;
  } catch (error) {
    if (!(error instanceof JobFailed)) throw error;
    const failure = failureOf(error.cause, atMs);
    await ask("work.fail", { id, failure: failure as unknown as Json });
    return codeOf(failure);
  }
}

/** A refusal of the app has a code of its own. */
function codeOf({ code, details }: Pick<JobFailure, "code" | "details">): string {
  const own = (details as { readonly code?: Json } | null)?.code;
  return typeof own === "string" ? own : code;
}
