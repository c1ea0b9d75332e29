// Transactions of work: what functions of the app start (`ctx.emit`, `ctx.enqueue`...), and what the dispatcher
// does with it. Names that the dispatcher uses begin with `work.` as well; functions can't call those.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Procedure, ProcedureScope, Procedures } from "../gate/gate-app.ts";
import { textProblem } from "../model/field-format.ts";
import { msOfTime, parseTime } from "../model/field-time.ts";
import { consume, type ConsumeOrder } from "./consume.ts";
import { syncCrons } from "./cron-kind.ts";
import { addEvent, type EventListener } from "./event-write.ts";
import { functionKinds } from "./function-kind.ts";
import { beginJobs, endAttempt, failJob, type AttemptEnd } from "./job-attempt.ts";
import { cancelJob } from "./job-cancel.ts";
import { kindOf, runJobs } from "./job-run.ts";
import { addJob, moreOf, putOffAnew, wakeJobs } from "./job-write.ts";
import { jobOfRow } from "./job.ts";
import { operatorProcedures } from "./work-operator.ts";
import { pruneWork, type Prune } from "./work-prune.ts";
import { syncConsumers } from "./work-sync.ts";
import { workOf } from "./work-app.ts";
import type { WorkKinds } from "./work-kind.ts";

/** @param parts.listeners told of every event in the transaction that emits it. */
export function openWorkProcedures(parts: {
  readonly kinds: WorkKinds;
  readonly listeners: readonly EventListener[];
  readonly prunes?: readonly Prune[];
}): Procedures {
  const { kinds, listeners, prunes = [] } = parts;
  const open: Readonly<Record<string, Procedure["run"]>> = {
    "work.emit": (scope, input) => {
      const { event, payload } = objectOf(input);
      const emitted = { name: textOf(event, "event"), payload: payload ?? {} };
      return andThen(addEvent(scope, emitted, listeners), () => null);
    },
    "work.enqueue": (scope, input) => enqueue(scope, objectOf(input)),
    "work.cancel": (scope, input) => {
      const id = textOf(objectOf(input)["id"], "id");
      return cancelJob(scope, kinds, id);
    },
    "work.progress": (scope, input) => progress(scope, objectOf(input)),
  };
  const own: Readonly<Record<string, Procedure["run"]>> = {
    "work.run": (scope, input) => runJobs(scope, kinds, input as never) as Later<never>,
    "work.begin": (scope, input) =>
      beginJobs(scope, kinds, input as unknown as Parameters<typeof beginJobs>[2]) as Later<never>,
    "work.wake": (scope, input) => wakeJobs(scope, (input as { ids: string[] }).ids),
    "work.putOff": (scope, input) =>
      putOffAnew(scope, (input as { ids: string[] }).ids, (job) =>
        kindOf(kinds, job.queue)?.clockSetBack?.(scope, job),
      ),
    "work.end": (scope, input) => endAttempt(scope, kinds, input as unknown as AttemptEnd),
    "work.fail": (scope, input) =>
      failJob(scope, kinds, input as unknown as Parameters<typeof failJob>[2]),
    "work.consume": (scope, input) =>
      consume(scope, input as unknown as ConsumeOrder) as Later<never>,
    "work.sync": (scope) =>
      andThen(syncConsumers(scope), (positions) => andThen(syncCrons(scope), () => positions)),
    "work.prune": (scope) => pruneWork(scope, prunes),
    ...operatorProcedures(kinds),
  };
  const forFunctions = Object.entries(open).map(([name, run]): [string, Procedure] => [
    name,
    { run, forFunctions: true },
  ]);
  return new Map([
    ...forFunctions,
    ...Object.entries(own).map(([name, run]): [string, Procedure] => [name, { run }]),
  ]);
}

function enqueue(scope: ProcedureScope, input: Readonly<Record<string, Json>>): Later<string> {
  const { run } = scope;
  const name = textOf(input["name"], "name");
  const fnName = workOf(run.app).queues.get(name)?.spec.function ?? name;
  const fn = run.app.functions.get(fnName);
  if (fn === undefined || (fn.model.kind !== "mutation" && fn.model.kind !== "action")) {
    const problem = "only queues, mutations and actions of app.ts can be enqueued";
    throw new PlatformError("ARGUMENT_INVALID", { name: name.slice(0, 130), problem });
  }
  const options = objectOf(input["options"] ?? {});
  const { key = null, once = null, priority = 0 } = options;
  return addJob(scope, {
    queue: `${functionKinds.queue}:${name}`,
    input: fn.args(input["args"] ?? {}, timeText(run.nowMs)),
    key: key === null ? null : textOf(key, "key"),
    once: once === null ? null : textOf(once, "once"),
    priority: priority as number,
    ...dueOf(scope, options),
  });
}

function dueOf(
  { run }: ProcedureScope,
  { inMs, at }: Readonly<Record<string, Json>>,
): { readonly dueMs: number | null; readonly sinceMs?: number } {
  if (at !== undefined && at !== null) {
    const time = typeof at === "string" ? parseTime(at) : null;
    if (time === null) throw noTime(at);
    return { dueMs: msOfTime(time) };
  }
  if (inMs === undefined || inMs === null || inMs === 0) return { dueMs: null };
  if (!Number.isSafeInteger(inMs) || (inMs as number) < 0) {
    throw new PlatformError("ARGUMENT_INVALID", { in: String(inMs) });
  }
  return { dueMs: run.nowMs + (inMs as number), sinceMs: run.nowMs };
}

const givenCharsMax = 60;

function noTime(at: Json): PlatformError {
  const given = JSON.stringify(at).slice(0, givenCharsMax);
  const text = `${given} is no time: write one, as "2030-01-31T09:00:00Z", or a length of time from now, a number and ms, s, m, h or d: schedule("2h", work), enqueue(work, args, { in: "2h" }).`;
  return new PlatformError("ARGUMENT_INVALID", { at: given }, { text });
}

function progress(
  scope: ProcedureScope,
  { value }: Readonly<Record<string, Json>>,
): Later<boolean> {
  const id = scope.run.job?.id;
  if (id === undefined) throw new PlatformError("SYSTEM_CALL_DENIED", { problem: "no job runs" });
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return false;
    const job = jobOfRow(row);
    const info = moreOf({ ...job, progress: value ?? null });
    return andThen(scope.tx.update("workJob", id, { info }), () => true);
  });
}

function objectOf(value: Json): Readonly<Record<string, Json>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, Json>>;
  }
  throw new PlatformError("ARGUMENT_INVALID", { problem: "an object is needed" });
}

const textCharsMax = 200;

function textOf(value: Json | undefined, name: string): string {
  const isShort = typeof value === "string" && value !== "" && value.length <= textCharsMax;
  const unfit = isShort ? textProblem(value) : null;
  if (isShort && unfit === null) return value;
  const problem =
    unfit === null ? `${name} is a text of 1 to ${textCharsMax} characters` : `${name} ${unfit}`;
  throw new PlatformError("ARGUMENT_INVALID", { problem });
}
