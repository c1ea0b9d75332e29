// What the operator is told of work: what waits, runs, is done or dead, and how far each consumer has come.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText, type ProcedureScope } from "../gate/gate-app.ts";
import type { OrderTerm, Where } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";
import { deadIdOf, jobIdOf, policyOf } from "./job-run.ts";
import { jobOfRow, type Job, type JobFailure } from "./job.ts";
import { afterLanes } from "./lane.ts";
import { readPosition } from "./position.ts";
import { workOf } from "./work-app.ts";
import type { WorkKinds } from "./work-kind.ts";
import { listQueues } from "./work-queues.ts";

const rowsMax = 1_000;

/**
 * Lists jobs (`waiting`), dead letters (`dead`), results that are kept (`done`), `queues`, or `consumers`.
 * @param order `isIdle`: no server works on the data, so nothing runs: what began waits.
 */
export function listWork(
  scope: ProcedureScope,
  kinds: WorkKinds,
  { what, queue, limit, isIdle }: Readonly<Record<string, Json>>,
): Later<Json> {
  if (what === "consumers") return listConsumers(scope);
  if (what === "queues") return listQueues(scope, kinds);
  const count = Math.min(rowsMax, typeof limit === "number" ? limit : 100);
  const own = typeof queue === "string" ? queue : null;
  if (what === "dead" || what === "done") {
    const from = what === "dead" ? "workDead" : "workDone";
    const orderBy = [{ field: what === "dead" ? "diedAt" : "doneAt", descending: true }];
    return rowsOf(scope, kinds, { from, where: queueIs(own), orderBy, count, isIdle: true });
  }
  const lanes = { gte: own ?? "", ...(own === null ? {} : { lt: afterLanes(own) }) };
  const where: Where = { kind: "field", field: "lane", condition: lanes };
  const orderBy = ["lane", "place"].map((field) => ({ field, descending: false }));
  return rowsOf(scope, kinds, { from: "workJob", where, orderBy, count, isIdle: isIdle === true });
}

/** All that is known of a job, wherever it is. @param order `isIdle` as of a list. @throws WORK_NOT_FOUND. */
export function showWork(
  scope: ProcedureScope,
  kinds: WorkKinds,
  order: Readonly<Record<string, Json>>,
): Later<Json> {
  const id = order["id"] as string;
  const isIdle = order["isIdle"] === true;
  const jobId = jobIdOf(id);
  const places = [
    ["workJob", jobId],
    ["workDead", deadIdOf(jobId)],
    ["workDone", deadIdOf(jobId).replace("work_dead_", "work_done_")],
  ] as const;
  const from = (index: number): Later<Json> => {
    const place = places[index];
    if (place === undefined) throw new PlatformError("WORK_NOT_FOUND", { id: id.slice(0, 100) });
    const view = { scope, kinds, table: place[0], isIdle };
    return andThen(scope.tx.get(place[0], place[1], null), (row) =>
      row === null ? from(index + 1) : { ...viewOf(view, row), ...moreOfRow(row) },
    );
  };
  return from(0);
}

function listConsumers(scope: ProcedureScope): Later<Json> {
  const consumers = [...workOf(scope.run.app).consumers.values()];
  const found: Json[] = [];
  const from = (index: number): Later<Json> => {
    const declared = consumers[index];
    if (declared === undefined) return found;
    const { name, spec } = declared;
    return andThen(readPosition(scope.tx, name), (place) =>
      andThen(nextEvent(scope, spec.event, place ?? 0), (next) => {
        const follows = spec.event === undefined ? `table ${spec.table}` : `event ${spec.event}`;
        found.push({ name, follows, place, waitsSince: next });
        return from(index + 1);
      }),
    );
  };
  return from(0);
}

/** The time of the oldest event that a consumer has not had, or null. */
function nextEvent(
  { tx }: ProcedureScope,
  event: string | undefined,
  place: number,
): Later<string | null> {
  if (event === undefined) return null;
  const parts: Where[] = [
    { kind: "field", field: "name", condition: { eq: event } },
    { kind: "field", field: "place", condition: { gt: place } },
  ];
  const orderBy = [{ field: "place", descending: false }];
  const where: Where = { kind: "and", parts };
  return andThen(
    tx.list({ kind: "list", from: "workEvent", where, orderBy, limit: 1 }, null),
    ({ rows }) => (rows[0]?.["at"] as string | undefined) ?? null,
  );
}

function rowsOf(
  scope: ProcedureScope,
  kinds: WorkKinds,
  query: {
    readonly from: string;
    readonly where: Where | null;
    readonly orderBy: readonly OrderTerm[];
    readonly count: number;
    readonly isIdle: boolean;
  },
): Later<Json> {
  const { from, where, orderBy, count, isIdle } = query;
  const list = {
    kind: "list",
    from,
    orderBy,
    limit: count,
    ...(where === null ? {} : { where }),
  } as const;
  const view = { scope, kinds, table: from, isIdle };
  return andThen(scope.tx.list(list, null), ({ rows }) => rows.map((row) => viewOf(view, row)));
}

function queueIs(queue: string | null): Where | null {
  return queue === null ? null : { kind: "field", field: "queue", condition: { eq: queue } };
}

interface View {
  readonly scope: ProcedureScope;
  readonly kinds: WorkKinds;
  readonly table: string;
  readonly isIdle: boolean;
}

function viewOf(view: View, row: Row): { readonly [field: string]: Json } {
  const { table } = view;
  const { id, queue } = row;
  if (table === "workDone") {
    return {
      id: jobIdOf(id as string),
      queue: queue ?? null,
      state: "done",
      at: row["doneAt"] ?? null,
    };
  }
  const job = jobOfRow(row);
  const isDead = table === "workDead";
  return {
    id: jobIdOf(job.id),
    queue: job.queue,
    state: isDead ? "dead" : stateOf(view, job),
    key: job.key,
    attempts: job.attempts,
    due: isDead || job.dueMs === null ? null : timeText(job.dueMs),
    at: isDead ? (row["diedAt"] ?? null) : timeText(job.createdMs),
    failure: job.failure === null ? null : failureText(job.failure),
    progress: job.progress,
  };
}

/** `stranded`: it waits for a queue or function that the app has no more. */
function stateOf({ scope, kinds, isIdle }: View, { queue, startedMs }: Job): string {
  if (policyOf(kinds, scope.run.app, queue) === null) return "stranded";
  return startedMs === null || isIdle ? "waiting" : "running";
}

/** `EGRESS_FAILED The other server could not be reached. (host: api.example.com, reason: no answer)`. */
function failureText({ code, text, details }: JobFailure): string {
  const all = Object.entries((details ?? {}) as Readonly<Record<string, Json>>);
  const plain = all.filter(([, value]) => value !== null && typeof value !== "object");
  const facts = plain.filter(([, value]) => value !== text);
  const shown = facts.map(([name, value]) => `${name}: ${String(value)}`);
  return `${code} ${text}${shown.length === 0 ? "" : ` (${shown.join(", ")})`}`;
}

function moreOfRow(row: Row): { readonly [field: string]: Json } {
  if (row["result"] !== undefined) return { result: row["result"] };
  const { input, origin, once, priority, me, failure } = jobOfRow(row);
  const { root, chain } = origin;
  const details = failure === null ? null : { ...failure };
  return { input, once, priority, me, root, chain: [...chain], failed: details };
}
