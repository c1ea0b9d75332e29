// Handling a webhook, as work: the app's function runs with the delivery. A mutation runs in one transaction with
// the end of its job, so the event's effect happens once; an action at least once, with the job's token.
//
// Order: some providers send events in any order. A hook that names the thing an event is about and its time leaves
// out what is older than the newest that was handled of that thing; it is listed as late and can be replayed.
//
// An event may have two jobs: a replay of its own, and its dead letter tried again. What was handled is left out by
// the one that comes second; of two actions, only the job that holds the event's `once` runs.
//
// States of an event: waiting -> done | late | dead; dead -> waiting, and by a replay any -> waiting.
import type { HookSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { callInTx, functionOf } from "../gate/call-function.ts";
import type { CheckedFunction } from "../gate/checked-function.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { msOfTime, parseTime } from "../model/field-time.ts";
import { rowWith } from "../store/row-find.ts";
import type { Row } from "../store/store.ts";
import type { Job } from "../work/job.ts";
import { policyOf } from "../work/work-app.ts";
import { jobByOnce } from "../work/job-write.ts";
import type { ActOutcome, JobEnd, WorkKind } from "../work/work-kind.ts";
import { hookOf } from "./hook-app.ts";
import { jsonOrNull, thingCharsMax } from "./hook-receive.ts";
import { placeIn } from "./json-place.ts";
import { fitJson, fitName } from "./sender-text.ts";

/** The kind of work. */
export const hookKind: WorkKind = {
  kind: "hook",
  hasOwnInput: true,
  policy(app, queue) {
    const spec = hookOf(app, nameOf(queue));
    return spec === null ? null : policyOf(app, spec);
  },
  place(app, job) {
    const spec = hookOf(app, nameOf(job.queue));
    const kind = spec === null ? null : app.functions.get(spec.function)?.model.kind;
    return kind === "action" ? "world" : "writer";
  },
  run: (scope, job) => handleHere(scope, job),
  async act(world, job) {
    const spec = specOf(world.app, job);
    const begun = await world.submit(beginHookName, { job: job.id });
    const { args } = begun as { readonly args: Json };
    if (args === null) return { isHandled: false, result: null };
    const result = JSON.parse(await world.call(spec.function, args)) as Json;
    return { isHandled: true, result };
  },
  ended: (scope, job, outcome) => ended(scope, job, outcome),
  died: (scope, job) => mark(scope, job, { from: "waiting", to: "dead" }),
  revived: (scope, job) => mark(scope, job, { from: "dead", to: "waiting" }),
};

/** The name of the procedure that an action's delivery begins with: it decides whether the event is late. */
export const beginHookName = "hook.begin";

/** Answers `{ args }`: what the function is called with, or null when the event is late, gone, or not this job's. */
export function beginHook(scope: ProcedureScope, input: Json): Later<Json> {
  const id = (input as { readonly job: string }).job;
  return andThen(scope.tx.get("workJob", id, null), (row) => {
    if (row === null) return { args: null };
    const job = { queue: row["queue"] as string, input: row["input"] ?? null };
    return andThen(jobByOnce(scope, job.queue, eventOf(job)), (holder) => {
      if (holder !== null && holder.id !== id) return { args: null };
      return andThen(due(scope, job), (event): Json => {
        if (event === null) return { args: null };
        const fn = functionOf(scope.run, specOf(scope.run.app, job).function);
        return { args: argsOf(event, fn, scope.run.app.limits.jsonDepthMax) };
      });
    });
  });
}

function ended(scope: ProcedureScope, job: Job, outcome: ActOutcome): Later<JobEnd | "default"> {
  if (!outcome.ok) return "default";
  const { isHandled, result } = outcome.result as {
    readonly isHandled: boolean;
    readonly result: Json;
  };
  if (!isHandled) return { kind: "done" };
  return andThen(mark(scope, job, { to: "done" }), () => ({ kind: "done", result }));
}

function handleHere(scope: ProcedureScope, job: Job): Later<JobEnd> {
  const spec = specOf(scope.run.app, job);
  return andThen(due(scope, job), (event) => {
    if (event === null) return { kind: "done" };
    const fn = functionOf(scope.run, spec.function);
    const given = argsOf(event, fn, scope.run.app.limits.jsonDepthMax);
    const args = fn.args(given, timeText(scope.run.nowMs));
    return andThen(callInTx(scope.run, scope.db, { fn, args, depth: 0 }), (json) =>
      andThen(mark(scope, job, { to: "done" }), (): JobEnd => ({
        kind: "done",
        result: JSON.parse(json) as Json,
      })),
    );
  });
}

/** The event to handle; null when it is gone, was handled, or is late, which is then noted. */
function due(scope: ProcedureScope, job: Pick<Job, "queue" | "input">): Later<Row | null> {
  const spec = specOf(scope.run.app, job);
  const { isReplay = false } = job.input as { readonly isReplay?: boolean };
  return andThen(scope.tx.get("hookEvent", eventOf(job), null), (row) => {
    if (row?.["state"] === "done") return null;
    if (row === null || spec.order === undefined || isReplay) return row;
    return andThen(isNewest(scope, nameOf(job.queue), row, spec.order), (isNew) => {
      if (isNew) return row;
      return andThen(mark(scope, job, { to: "late" }), () => null);
    });
  });
}

/** Whether nothing newer of the same thing was handled; if so this one is the newest from now on. */
function isNewest(
  { tx, run }: ProcedureScope,
  hook: string,
  row: Row,
  order: NonNullable<HookSpec["order"]>,
): Later<boolean> {
  const body = jsonOrNull(row["body"] as string);
  const key = placeIn(body, order.key);
  const at = instantOf(placeIn(body, order.at));
  if (typeof key !== "string" || at === null) return true;
  const thing = fitName(key, thingCharsMax);
  const found = rowWith(tx, "hookNewest", { hook, key: thing });
  const seenAt = timeText(run.nowMs);
  return andThen(found, (known) => {
    if (known === null) {
      const id = run.app.newId("hookNewest");
      return andThen(tx.insert("hookNewest", { id, hook, key: thing, at, seenAt }), () => true);
    }
    // Of the same moment nobody knows which came first: both are handled.
    if (at < (known["at"] as number)) return false;
    return andThen(tx.update("hookNewest", known["id"] as string, { at, seenAt }), () => true);
  });
}

/** A number of seconds or a time of RFC 3339, as ms; null: neither, so nobody knows what is older. */
function instantOf(value: Json): number | null {
  if (typeof value === "number" && Number.isFinite(value)) return Math.round(value * 1_000);
  const time = typeof value === "string" ? parseTime(value) : null;
  return time === null ? null : msOfTime(time);
}

/** What no text may hold, as JSON writes it. */
const unfitText = /\\u(?:0000|d[89a-f])/iv;

/**
 * What the app's function is called with: of what there is, the arguments that it has. A body whose texts no argument
 * could take comes with them made fit; the row has it as it came.
 */
function argsOf(row: Row, fn: CheckedFunction, depthMax: number): Json {
  const text = row["body"] as string;
  const parsed = row["form"] === "text" ? jsonOrNull(text) : null;
  const body = parsed ?? text;
  const all: Readonly<Record<string, Json>> = {
    id: row["event"] ?? null,
    type: row["type"] ?? null,
    body: unfitText.test(text) ? fitJson(body, depthMax) : body,
    headers: row["headers"] ?? null,
    at: row["at"] ?? null,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => Object.hasOwn(fn.model.args, name)),
  );
}

/** @param state.from only when it is that. Default: whatever it is. */
function mark(
  { tx }: ProcedureScope,
  job: Pick<Job, "input">,
  { from, to: state }: { readonly from?: string; readonly to: string },
): Later<void> {
  const event = eventOf(job);
  return andThen(tx.get("hookEvent", event, null), (row) => {
    if (row === null || (from !== undefined && row["state"] !== from)) return undefined;
    return andThen(tx.update("hookEvent", event, { state }), () => undefined);
  });
}

function eventOf({ input }: Pick<Job, "input">): string {
  return (input as { readonly event: string }).event;
}

function specOf(app: Parameters<typeof hookOf>[0], { queue }: Pick<Job, "queue">): HookSpec {
  const spec = hookOf(app, nameOf(queue));
  if (spec === null) throw new PlatformError("WORK_NOT_FOUND", { hook: nameOf(queue) });
  return spec;
}

function nameOf(queue: string): string {
  return queue.slice("hook:".length);
}
