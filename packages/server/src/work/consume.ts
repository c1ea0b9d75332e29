// Consumers: each takes what it follows from where it stands, in order, and moves on in the same transaction. A
// mutation runs right there, so its effect happens once; for an action a job is made. What fails becomes a job
// that is tried again, and what comes after it of the same key waits behind it in line: the others go on.
import type { ConsumerSpec } from "@keelson/sdk/spec";
import { andThen, recover, type Later } from "../base/later.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { eventOfRow } from "./event-write.ts";
import type { Row } from "../store/store.ts";
import { argsFor, callMutation, consumerKind, functionKinds } from "./function-kind.ts";
import { backoffMs, isLastFailure } from "./job-failure.ts";
import { eventItem, type Item } from "./consume-item.ts";
import { buryJob, countingWork, JobFailed, scopeWithin } from "./job-run.ts";
import { addJob, type NewJob } from "./job-write.ts";
import { jobOfRow, type JobFailure } from "./job.ts";
import { readyLane, readyLanes } from "./lane.ts";
import { countStart, originWithin } from "./lineage.ts";
import { readPosition, writePosition } from "./position.ts";
import { workOf, type Declared } from "./work-app.ts";

/** What is asked of a consumer. */
export interface ConsumeOrder {
  readonly consumer: string;
  /** At most so many. */
  readonly count: number;
  /** For about so many microseconds. */
  readonly forUs: number;
  /** For consumers of changes: what there is, up to `upTo`, all after `after`. */
  readonly items?: readonly Item[];
  readonly after?: number;
  readonly upTo?: number;
  /** The first of them failed so: it becomes a job. */
  readonly failure?: JobFailure;
}

/** What a consumer did. */
export interface Consumed {
  readonly place: number;
  readonly count: number;
  /** Whether there may be more now. */
  readonly more: boolean;
}

/** @throws JobFailed with the index of the item that failed: nothing happened. */
export function consume(scope: ProcedureScope, order: ConsumeOrder): Later<Consumed | null> {
  const declared = workOf(scope.run.app).consumers.get(order.consumer);
  if (declared === undefined) return null;
  return andThen(readPosition(scope.tx, order.consumer), (place) => {
    if (place === null) return null;
    if (order.items !== undefined && order.after !== place) return { place, count: 0, more: true };
    return andThen(itemsAfter(scope, declared, order, place), (items) =>
      andThen(isBehind(scope, order.consumer), (behind) =>
        takeAll(scope, { declared, order, items, behind, place }),
      ),
    );
  });
}

/** The queue of what a consumer does one by one. */
export function consumerQueue(name: string): string {
  return `${functionKinds.consumer}:${name}`;
}

interface Taking {
  readonly declared: Declared<ConsumerSpec>;
  readonly order: ConsumeOrder;
  readonly items: readonly Item[];
  /** Whether anything of this consumer waits in line. */
  readonly behind: boolean;
  readonly place: number;
}

function takeAll(scope: ProcedureScope, taking: Taking): Later<Consumed> {
  const { declared, order, items, place } = taking;
  const { app, started } = scope.run;
  const { workStartsMax } = app.limits;
  const untilUs = app.clock.monotonicUs() + order.forUs;
  const from = (index: number): Later<number> => {
    for (let at = index; at < items.length; at++) {
      const isFull = (started?.count ?? 0) * 2 > workStartsMax;
      const isApart = at > 0 && (items[at] as Item).place > (items[at - 1] as Item).place;
      if (isApart && (isFull || app.clock.monotonicUs() >= untilUs)) return at;
      const failure = at === 0 ? order.failure : undefined;
      const taken = recover(
        () => take(scope, taking, items[at] as Item, failure),
        (error) => {
          throw new JobFailed(at, error);
        },
      );
      if (taken instanceof Promise) return taken.then(() => from(at + 1));
    }
    return items.length;
  };
  return andThen(from(0), (count) => {
    const isAll = count === items.length;
    const last = count === 0 ? place : (items[count - 1] as Item).place;
    const next = isAll && order.upTo !== undefined ? Math.max(last, order.upTo) : last;
    const more = !isAll || (order.items === undefined && items.length === order.count);
    return andThen(writePosition(scope, declared.name, next), () => ({ place: next, count, more }));
  });
}

function take(
  scope: ProcedureScope,
  { declared, behind }: Taking,
  item: Item,
  failure: JobFailure | undefined,
): Later<void> {
  const { app } = scope.run;
  const { name, spec, policy } = declared;
  const queue = consumerQueue(name);
  const { key, me, origin } = item;
  const args = argsFor(app, spec.function, item.given);
  const own = originWithin(origin, `${item.label} for ${name}`);
  const putOff = (): Later<void> => {
    const inner = scopeWithin(scope, { me, origin: own });
    const job = { queue, key, input: args, me, origin: own, counts: false };
    if (failure !== undefined && isLastFailure(failure)) return addDead(inner, job, failure);
    const failed = failure === undefined ? {} : failedOnce(inner, policy, failure);
    return andThen(addJob(inner, { ...job, ...failed, inLine: policy.ordered }), () => undefined);
  };
  const takeOne = (): Later<void> => {
    if (failure !== undefined || app.functions.get(spec.function)?.model.kind === "action") {
      return putOff();
    }
    const waits = behind && policy.ordered ? isInLine(scope, readyLane(queue, 0, key)) : false;
    return andThen(waits, (waits) => {
      if (waits) return putOff();
      const inner = scopeWithin(scope, { me, origin: own });
      const running = countingWork(scope, inner, () => callMutation(inner, spec.function, args));
      return andThen(running, () => undefined);
    });
  };
  // An event was counted when it was emitted; a change of a table is counted here.
  const counted =
    spec.table !== undefined && failure === undefined
      ? countStart(scopeWithin(scope, { me, origin }))
      : undefined;
  return andThen(counted, () => takeOne());
}

/** One that no attempt can mend: a dead letter at once. */
function addDead(scope: ProcedureScope, job: NewJob, failure: JobFailure): Later<void> {
  return andThen(addJob(scope, job), (id) =>
    andThen(scope.tx.get("workJob", id, null), (row) =>
      buryJob(scope, consumerKind, jobOfRow(row as Row), failure),
    ),
  );
}

function failedOnce(
  { run }: ProcedureScope,
  policy: Declared<ConsumerSpec>["policy"],
  failure: JobFailure,
): Pick<NewJob, "attempts" | "failure" | "dueMs" | "sinceMs"> {
  const { nowMs } = run;
  const dueMs = nowMs + backoffMs(policy, 1, run.app.random);
  return { attempts: 1, failure, dueMs, sinceMs: nowMs };
}

function itemsAfter(
  scope: ProcedureScope,
  { spec }: Declared<ConsumerSpec>,
  order: ConsumeOrder,
  place: number,
): Later<readonly Item[]> {
  if (order.items !== undefined) return order.items;
  const found = scope.tx.list(
    {
      kind: "list",
      from: "workEvent",
      where: {
        kind: "and",
        parts: [
          { kind: "field", field: "name", condition: { eq: spec.event ?? "" } },
          { kind: "field", field: "place", condition: { gt: place } },
        ],
      },
      orderBy: [{ field: "place", descending: false }],
      limit: order.count,
    },
    null,
  );
  return andThen(found, ({ rows }) => rows.map((row) => eventItem(eventOfRow(row))));
}

/** Whether any job of a consumer waits. */
function isBehind(scope: ProcedureScope, name: string): Later<boolean> {
  const { from, to } = readyLanes(consumerQueue(name));
  return anyJob(scope, { gte: from, lt: to });
}

function isInLine(scope: ProcedureScope, lane: string): Later<boolean> {
  return anyJob(scope, { eq: lane });
}

function anyJob(
  scope: ProcedureScope,
  condition: { readonly [operator: string]: string },
): Later<boolean> {
  const found = scope.tx.list(
    {
      kind: "list",
      from: "workJob",
      where: { kind: "field", field: "lane", condition },
      orderBy: [
        { field: "lane", descending: false },
        { field: "place", descending: false },
      ],
      limit: 1,
    },
    null,
  );
  return andThen(found, ({ rows }) => rows.length > 0);
}
