// Begins what a workflow asked for and nobody has begun: runs a mutation here and now, puts an action off to a job,
// looks whether an event or signal is there already, starts a child, sets a timer.
import { createHash } from "node:crypto";
import type { Json } from "../../base/json.ts";
import { andThen, recover, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { assertSignedInWhereAsked, callInTx, functionNotFound } from "../../gate/call-function.ts";
import type { CheckedFunction } from "../../gate/checked-function.ts";
import { timeText, type ProcedureScope } from "../../gate/gate-app.ts";
import { msOfTime } from "../../model/field-time.ts";
import { backoffMs } from "../job-failure.ts";
import { countingWork, scopeWithin } from "../job-run.ts";
import { addJob } from "../job-write.ts";
import type { Job } from "../job.ts";
import { originOf, originWithin } from "../lineage.ts";
import type { Asked, CommandKind, Delivery } from "./replay.ts";
import { bytesOf, endedStep, type StepEnd } from "./workflow-answer.ts";
import { isFinal, stepPolicy, stepQueue, failureOfJob, wireFailure } from "./workflow-failure.ts";
import { readDeliveries } from "./workflow-history.ts";
import {
  infoJson,
  nowText,
  readRun,
  waitsForTime,
  writeRun,
  type WorkflowRun,
  type WorkflowStep,
} from "./workflow-run.ts";
import { startRun } from "./workflow-start.ts";
import { takeEvent, takeSignal, waitOfEvent, waitOfSignal } from "./workflow-wait.ts";

/** What a workflow asked for, with all that it said. */
export interface Command extends Asked {
  readonly input: {
    readonly args?: Json;
    readonly ms?: number;
    readonly until?: string;
    readonly timeoutMs?: number;
    readonly key?: string;
  };
}

/** When something is over by itself. `sinceMs`: it is a length of time that began then; null: a time on the wall. */
export interface Due {
  readonly dueMs: number;
  readonly sinceMs: number | null;
}

/** A tick under way. */
export interface Tick {
  readonly scope: ProcedureScope;
  /** Of the tick. */
  readonly job: Job;
  readonly run: WorkflowRun;
  /** Recorded before this tick, by number. */
  readonly steps: ReadonlyMap<number, WorkflowStep>;
  readonly commands: Command[];
  /** Answers of the run that this tick knows of. */
  answers: number;
  /** A tick runs one mutation: what fails is undone alone. */
  hasRun: boolean;
  /** There is more to begin, in a tick of its own. */
  isUnfinished: boolean;
  /** It has asked for what undoes its work. */
  isUndoing: boolean;
  /** What the run waits for until, of what was begun in this tick. */
  due: Due[];
  /** What was begun in this tick, for whoever watches: `step seats.hold`. */
  readonly begun: string[];
}

const hashChars = 16;

/** A command as the isolate sent it. */
export function commandOf(kind: string, name: string, input: Json): Command {
  const text = JSON.stringify(input ?? {});
  const hash = createHash("sha256").update(text).digest("hex").slice(0, hashChars);
  return { kind: kind as CommandKind, name, hash, input: (input ?? {}) as Command["input"] };
}

/** Begins one command. @returns the answers that came of it, in their order. */
export function beginCommand(tick: Tick, seq: number): Later<readonly Delivery[]> {
  const command = tick.commands[seq] as Command;
  const recorded = tick.steps.get(seq);
  const isPutOff = (command.kind === "step" || command.kind === "child") && recorded?.job === null;
  if (recorded !== undefined && !isPutOff) return [];
  switch (command.kind) {
    case "step":
      return beginStep(tick, seq, command);
    case "sleep":
      return beginSleep(tick, seq, command);
    case "event": {
      const { key = null } = command.input;
      const waits = waitOfEvent(command.name, key);
      const looked = andThen(readRun(tick.scope, tick.run.id), (run) => {
        const info = run?.info ?? tick.run.info;
        const place = info.taken[waits] ?? info.place;
        return takeEvent(tick.scope, { name: command.name, key, place });
      });
      return andThen(looked, (event) => {
        if (event === null) return wait(tick, seq, { waits, dueMs: timeoutOf(tick, command) });
        const taken = (run: WorkflowRun) => ({ ...run.info.taken, [waits]: event.place });
        return record(tick, seq, { ok: true, value: event.payload }, taken);
      });
    }
    case "signal":
      return andThen(takeSignal(tick.scope, tick.run.id, command.name), (payload) => {
        const waits = waitOfSignal(tick.run.id, command.name);
        if (payload === undefined) {
          return wait(tick, seq, { waits, dueMs: timeoutOf(tick, command) });
        }
        return record(tick, seq, { ok: true, value: payload });
      });
    case "child":
      return beginChild(tick, seq, command);
    default:
      return command.kind satisfies never;
  }
}

function beginStep(tick: Tick, seq: number, command: Command): Later<readonly Delivery[]> {
  const { scope, job } = tick;
  const { run } = scope;
  const fn = run.app.functions.get(command.name);
  // Of an earlier version's code: its job waits until the app has the function again, as all jobs do.
  if (fn === undefined) return putOff(tick, seq, { args: command.input.args ?? {} });
  if (fn.model.kind === "http") return record(tick, seq, failed(functionNotFound(command.name)));
  let args: Json;
  try {
    assertSignedInWhereAsked(run, fn);
    args = fn.args(command.input.args ?? {}, timeText(run.nowMs));
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    return record(tick, seq, failed(error));
  }
  const isMutation = fn.model.kind !== "action";
  const before = isMutation ? failureOfJob(job, seq) : null;
  if (before !== null) {
    const policy = stepPolicy(run.app, command.name);
    if (isFinal(before) || policy.attemptsMax <= 1) {
      return record(tick, seq, { ok: false, error: wireFailure(before) });
    }
    const dueMs = run.nowMs + backoffMs(policy, 1, run.app.random);
    return putOff(tick, seq, { args, dueMs, attempts: 1, failure: before });
  }
  if (isMutation ? tick.hasRun : isFull(tick)) {
    tick.isUnfinished = true;
    return wait(tick, seq, {});
  }
  if (!isMutation) return putOff(tick, seq, { args });
  tick.hasRun = true;
  return runHere(tick, seq, fn, args);
}

/** Whether this transaction has started so much work that the rest is for the next. */
function isFull({ scope }: Tick): boolean {
  const { started, app } = scope.run;
  return (started?.count ?? 0) * 2 > app.limits.workStartsMax;
}

/** As a job of its own, that is tried again by the policy of the function. */
function putOff(
  tick: Tick,
  seq: number,
  given: {
    readonly args: Json;
    readonly dueMs?: number;
    readonly attempts?: number;
    readonly failure?: Job["failure"];
  },
): Later<readonly Delivery[]> {
  const { scope, run, commands } = tick;
  const { args, ...more } = given;
  const queue = stepQueue((commands[seq] as Command).name);
  const input = { run: run.id, seq, args };
  return andThen(addJob(scope, { queue, input, ...more }), (job) => wait(tick, seq, { job }));
}

/** In this transaction, with the record of its result. What it throws undoes the whole tick. */
function runHere(
  tick: Tick,
  seq: number,
  fn: CheckedFunction,
  args: Json,
): Later<readonly Delivery[]> {
  const { scope, run, job } = tick;
  const own = scopeWithin(scope, {
    me: run.info.me,
    origin: originWithin(originOf(scope.run), `step ${fn.model.name}`),
    job: { id: job.id, token: `${run.id}.${seq}`, attempt: 1 },
  });
  const running = recover(
    () => countingWork(scope, own, () => callInTx(own.run, own.db, { fn, args, depth: 0 })),
    (error) => {
      throw ofStep(error, seq);
    },
  );
  return andThen(running, (json) =>
    record(tick, seq, { ok: true, value: JSON.parse(json) as Json }),
  );
}

/** The same refusal, with the step that it is about. */
function ofStep(error: unknown, seq: number): unknown {
  if (!(error instanceof PlatformError)) return error;
  const { code, details, message } = error;
  return new PlatformError(
    code,
    { ...details, workflowStep: seq },
    { cause: error, text: message },
  );
}

function beginSleep(tick: Tick, seq: number, { input }: Command): Later<readonly Delivery[]> {
  const { nowMs } = tick.scope.run;
  const dueMs = input.until === undefined ? nowMs + (input.ms ?? 0) : msOfTime(input.until);
  const isOnWall = input.until !== undefined;
  if (dueMs > nowMs)
    return wait(tick, seq, { dueMs, ...(isOnWall ? { waits: waitsForTime } : {}) });
  return record(tick, seq, { ok: true, value: null });
}

/** What a start is refused with before anything of it is written. */
const refusals: ReadonlySet<string> = new Set([
  "WORK_NOT_FOUND",
  "ARGUMENT_INVALID",
  "WORK_TOO_DEEP",
  "WORK_FUEL_SPENT",
]);

function beginChild(tick: Tick, seq: number, command: Command): Later<readonly Delivery[]> {
  const { scope, run } = tick;
  if (isFull(tick)) {
    tick.isUnfinished = true;
    return wait(tick, seq, {});
  }
  const given = { workflow: command.name, args: command.input.args ?? {} };
  const started = recover<string | PlatformError>(
    () => startRun(scope, { ...given, parent: { run: run.id, seq } }),
    (error) => {
      if (error instanceof PlatformError && refusals.has(error.code)) return error;
      throw error;
    },
  );
  return andThen(started, (child) =>
    typeof child === "string" ? wait(tick, seq, { job: child }) : record(tick, seq, failed(child)),
  );
}

function failed(error: PlatformError): StepEnd {
  const { code, message, details } = error;
  return { ok: false, error: { code, text: message, details } };
}

function timeoutOf({ scope }: Tick, { input }: Command): number | null {
  return input.timeoutMs === undefined ? null : scope.run.nowMs + input.timeoutMs;
}

/** Records that something is waited for. */
function wait(
  tick: Tick,
  seq: number,
  on: { readonly waits?: string; readonly dueMs?: number | null; readonly job?: string },
): Later<readonly Delivery[]> {
  const { waits = null, dueMs = null, job = null } = on;
  const sinceMs = waits === waitsForTime ? null : tick.scope.run.nowMs;
  if (dueMs !== null) tick.due.push({ dueMs, sinceMs });
  const dueAt = dueMs === null ? null : timeText(dueMs);
  return andThen(put(tick, seq, { state: "waiting", waits, dueAt, job }), () => []);
}

/** Records an answer that is there at once, after what came meanwhile. @returns all of it. */
function record(
  tick: Tick,
  seq: number,
  end: StepEnd,
  taken: (run: WorkflowRun) => WorkflowRun["info"]["taken"] = ({ info }) => info.taken,
): Later<readonly Delivery[]> {
  const { scope } = tick;
  return andThen(readRun(scope, tick.run.id), (run) => {
    if (run === null) return [];
    return andThen(cameSince(tick, run), (came) => {
      // It was interrupted by its own step: whose result nobody takes any more.
      if (came.some(({ kind }) => kind === "interrupt")) {
        const endedAt = nowText(scope);
        return andThen(put(tick, seq, { state: "cancelled", endedAt }), () => came);
      }
      const place = run.info.answers;
      tick.answers = place + 1;
      const bytes = run.info.bytes + bytesOf(end);
      const info = { ...run.info, answers: place + 1, bytes, taken: taken(run) };
      const atMs = scope.run.nowMs;
      const delivery: Delivery = end.ok
        ? { kind: "done", seq, value: end.value, atMs }
        : { kind: "failed", seq, error: end.error, atMs };
      return andThen(put(tick, seq, endedStep(scope, end, place)), () =>
        andThen(writeRun(scope, run.id, { info: infoJson(info) }), () => [...came, delivery]),
      );
    });
  });
}

/** Answers that others brought in this transaction. */
function cameSince(tick: Tick, run: WorkflowRun): Later<readonly Delivery[]> {
  if (run.info.answers === tick.answers) return [];
  return andThen(readDeliveries(tick.scope, run.id), (all) => {
    const came = all.slice(tick.answers);
    tick.answers = all.length;
    return came;
  });
}

function put(tick: Tick, seq: number, fields: { readonly [field: string]: Json }): Later<unknown> {
  const { scope, run, commands, steps } = tick;
  const { tx } = scope;
  const recorded = steps.get(seq);
  if (recorded !== undefined) return tx.update("workStep", recorded.id, fields);
  const { kind, name, hash } = commands[seq] as Command;
  tick.begun.push(`${kind} ${name}`.trim());
  return tx.insert("workStep", {
    id: scope.run.app.newId("workStep"),
    run: run.id,
    seq,
    kind,
    name: name.slice(0, 300),
    hash,
    place: null,
    result: null,
    error: null,
    waits: null,
    dueAt: null,
    job: null,
    askedAt: nowText(scope),
    endedAt: null,
    ...fields,
  });
}
