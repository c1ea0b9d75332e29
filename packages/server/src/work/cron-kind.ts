// Crons: one job for each, which waits for its next tick. A tick of a mutation runs in one transaction with the
// move to the tick after it, so each happens exactly once, whatever the clock, the process or the zone do. What
// is next follows from the tick before, not from the clock: an hour that comes twice runs nothing twice.
import type { CronSpec } from "@keelson/sdk/spec";
import { andThen, type Later } from "../base/later.ts";
import type { Json } from "../base/json.ts";
import { timeText, type GateApp } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { parseCron } from "../model/cron-expression.ts";
import { nextTick } from "./cron-time.ts";
import { argsFor, callMutation, functionKinds, nameOfQueue } from "./function-kind.ts";
import { firstJob } from "./job-read.ts";
import { countingWork, scopeWithin } from "./job-run.ts";
import { addJob, jobByOnce, type NewJob } from "./job-write.ts";
import type { Job } from "./job.ts";
import { afterLanes } from "./lane.ts";
import { workOf } from "./work-app.ts";
import type { JobEnd, WorkKind } from "./work-kind.ts";

const once = "next";
/** Where the lanes of crons end. */
const afterKind = "cron;";
/** A tick that is this late is not a missed one: machines are busy. */
const lateMs = 60_000;
/** How far back the newest tick is sought, shortest first: a schedule of every minute has 10,000 a week. */
const lookBacksMs: readonly number[] = [3_600_000, 86_400_000, 31 * 86_400_000, 366 * 86_400_000];

/** What a cron's job waits for. */
interface CronInput {
  readonly atMs: number;
  /** As it was when this tick was worked out: another schedule makes it void. */
  readonly schedule: string;
  readonly zone: string;
}

/** Ticks: `cron:<name>`. */
export const cronKind: WorkKind = {
  kind: "cron",
  policy: (app, queue) => workOf(app).crons.get(nameOfQueue(queue))?.policy ?? null,
  hasOwnInput: true,
  place: () => "writer",
  run(scope, job) {
    const { app } = scope.run;
    const name = nameOfQueue(job.queue);
    const spec = workOf(app).crons.get(name)?.spec;
    if (spec === undefined) return { kind: "done" };
    const { atMs } = job.input as unknown as CronInput;
    // A dead letter that is tried again while the next tick is waited for, or a tick that somebody wants now: that tick
    // alone, and nothing after it.
    const isAlone = job.once === null;
    const due = isAlone ? { runMs: atMs, lastMs: atMs } : dueTick(spec, atMs, scope.run.nowMs);
    const next = isAlone ? null : tickAfter(spec, due.lastMs);
    const end: JobEnd =
      next === null ? { kind: "done" } : { kind: "again", dueMs: next, input: inputOf(spec, next) };
    if (due.runMs === null) return end;
    // Each tick is a root of its own: what it causes is no sum over all nights.
    const root = `cron ${name} ${timeText(due.runMs)}`;
    const own = scopeWithin(scope, { me: null, origin: { root, chain: [`cron ${name}`] } });
    const tick = { name, spec, atMs: due.runMs };
    return andThen(
      countingWork(scope, own, () => runTick(own, tick)),
      () => end,
    );
  },
  // A tick of now, by itself: to run the one that is waited for before its time would leave that time out.
  hurried(scope, job) {
    const { nowMs } = scope.run;
    const name = nameOfQueue(job.queue);
    const spec = workOf(scope.run.app).crons.get(name)?.spec;
    const { atMs } = job.input as unknown as CronInput;
    const isBegun = job.attempts > 0 || atMs <= nowMs;
    if (spec === undefined || job.once === null || isBegun) return null;
    return addTick(scope, name, { input: inputOf(spec, nowMs), once: null, dueMs: null });
  },
  // A tick that failed for good is a dead letter; the one after it is waited for all the same. One that somebody takes
  // back is left out, unless the clock was ahead when it was worked out: then it goes by the clock as it is now.
  died(scope, job, failure) {
    const name = nameOfQueue(job.queue);
    const spec = workOf(scope.run.app).crons.get(name)?.spec;
    if (spec === undefined) return undefined;
    const { atMs } = job.input as unknown as CronInput;
    const { nowMs } = scope.run;
    const first = failure.code === "WORK_CANCELLED" ? tickAfter(spec, nowMs) : null;
    const wasAhead = first !== null && first < atMs;
    const next = wasAhead ? first : tickAfter(spec, dueTick(spec, atMs, nowMs).lastMs);
    return next === null ? undefined : andThen(wait(scope, name, spec, next), () => undefined);
  },
};

/**
 * Brings the jobs of crons in line with what the app declares: new ones wait for their first tick, changed ones
 * for the next tick of their new schedule, those that are gone are taken away.
 */
export function syncCrons(scope: ProcedureScope): Later<Json> {
  const { app } = scope.run;
  const names = [...workOf(app).crons.keys()];
  const from = (index: number): Later<Json> => {
    const name = names[index];
    if (name === undefined) return null;
    return andThen(syncCron(scope, app, name), () => from(index + 1));
  };
  return andThen(dropGone(scope), () => from(0));
}

/** Takes away what crons wait for that the app has no more: one that comes back later has missed nothing. */
function dropGone(scope: ProcedureScope): Later<void> {
  const { crons } = workOf(scope.run.app);
  const from = (after: string): Later<void> =>
    andThen(firstJob(scope.tx, { gte: after, lt: afterKind }), (job) => {
      if (job === null) return undefined;
      const isGone = !crons.has(nameOfQueue(job.queue));
      const dropped = isGone ? dropNext(scope, job.queue) : undefined;
      return andThen(dropped, () => from(afterLanes(job.queue)));
    });
  return from("cron:");
}

function dropNext(scope: ProcedureScope, queue: string): Later<unknown> {
  return andThen(jobByOnce(scope, queue, once), (job) =>
    job === null ? undefined : scope.tx.delete("workJob", job.id),
  );
}

function syncCron(scope: ProcedureScope, app: GateApp, name: string): Later<void> {
  const spec = workOf(app).crons.get(name)?.spec as CronSpec;
  return andThen(jobByOnce(scope, `cron:${name}`, once), (job) => {
    if (job !== null && isOf(spec, job)) return undefined;
    const next = tickAfter(spec, scope.run.nowMs);
    const removed = job === null ? undefined : scope.tx.delete("workJob", job.id);
    return andThen(removed, () => {
      if (next === null) return undefined;
      return andThen(wait(scope, name, spec, next), () => undefined);
    });
  });
}

function isOf(spec: CronSpec, job: Job): boolean {
  const { schedule, zone } = job.input as unknown as CronInput;
  return schedule === spec.schedule && zone === spec.zone;
}

function wait(scope: ProcedureScope, name: string, spec: CronSpec, atMs: number): Later<string> {
  return addTick(scope, name, { input: inputOf(spec, atMs), once, dueMs: atMs });
}

function addTick(
  scope: ProcedureScope,
  name: string,
  job: Pick<NewJob, "input" | "once" | "dueMs">,
): Later<string> {
  const origin = { root: `cron ${name}`, chain: [] };
  return addJob(scope, { ...job, queue: `cron:${name}`, me: null, origin });
}

function inputOf({ schedule, zone }: CronSpec, atMs: number): Json {
  return { atMs, schedule, zone };
}

function runTick(
  scope: ProcedureScope,
  tick: { readonly name: string; readonly spec: CronSpec; readonly atMs: number },
): Later<unknown> {
  const { name, spec, atMs } = tick;
  const { app } = scope.run;
  const args = argsFor(app, spec.function, { at: timeText(atMs) });
  if (app.functions.get(spec.function)?.model.kind === "mutation") {
    return callMutation(scope, spec.function, args);
  }
  return addJob(scope, { queue: `${functionKinds.tick}:${name}`, input: args });
}

/** Which of the ticks from `atMs` to now runs, and from which on the next is sought. */
function dueTick(
  spec: CronSpec,
  atMs: number,
  nowMs: number,
): { readonly runMs: number | null; readonly lastMs: number } {
  if (spec.missed === "all") return { runMs: atMs, lastMs: atMs };
  const lastMs = newestTick(spec, atMs, nowMs);
  const isMissed = spec.missed === "none" && nowMs - lastMs > lateMs;
  return { runMs: isMissed ? null : lastMs, lastMs };
}

/** The newest tick up to now, that of `atMs` or a later one. */
function newestTick(spec: CronSpec, atMs: number, nowMs: number): number {
  let lastMs = atMs;
  for (const backMs of lookBacksMs) {
    const fromMs = nowMs - backMs;
    const next = fromMs <= atMs ? null : tickAfter(spec, fromMs);
    if (next === null || next > nowMs) continue;
    lastMs = next;
    break;
  }
  for (;;) {
    const next = tickAfter(spec, lastMs);
    if (next === null || next > nowMs) return lastMs;
    lastMs = next;
  }
}

function tickAfter({ schedule, zone }: CronSpec, afterMs: number): number | null {
  const cron = parseCron(schedule);
  return typeof cron === "string" ? null : nextTick(cron, zone, afterMs);
}
