// Runs a workflow's function in an isolate, by the replay: what it asks for is numbered and begun, what came of it is
// told, until it ends or nothing is left to tell.
import type { Json } from "../../base/json.ts";
import { recover, andThen, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { FunctionRunner } from "../../gate/function-runner.ts";
import { anonymous } from "../../gate/identity.ts";
import type { CallOutcome, LogLine, SystemCall } from "../../isolate/app-isolate.ts";
import { takeFailureLog } from "../../isolate/failure-log.ts";
import { failureOf, isHostFailure } from "../job-failure.ts";
import type { Replay, Delivery, WorkflowFailure } from "./replay.ts";
import { commandOf, type Tick } from "./workflow-begin.ts";
import { wireFailure } from "./workflow-failure.ts";

/** How far a function came. */
export interface Evaluated {
  readonly end:
    | { readonly kind: "parked" }
    | { readonly kind: "done"; readonly result: Json }
    | { readonly kind: "failed"; readonly error: WorkflowFailure }
    | { readonly kind: "restart"; readonly args: Json }
    | { readonly kind: "stuck"; readonly error: WorkflowFailure };
  readonly status: Json;
  readonly undoFailures: readonly string[];
}

const undoFailuresMax = 20;

/**
 * Runs it.
 * @throws what a step of the tick threw, and failures of the machine: then nothing of the tick may be kept.
 */
export function evaluate(tick: Tick, replay: Replay, runner: FunctionRunner): Later<Evaluated> {
  const { run } = tick;
  const { info } = run;
  let { status } = run;
  let thrown: { readonly error: unknown } | null = null;
  const undoFailures: string[] = [];
  const isOld = () => info.seen !== null && replay.given < info.seen;

  const ask = (payload: string): string => {
    const { kind, name, input, isUndo } = JSON.parse(payload) as Readonly<Record<string, Json>>;
    const command = commandOf(String(kind), String(name), input ?? null);
    tick.isUndoing ||= isUndo === true;
    const seq = replay.ask(command, isUndo === true);
    tick.commands[seq] = command;
    return String(seq);
  };
  // After this slice, when all that it asks for is known.
  const next = async (): Promise<string> => {
    await Promise.resolve();
    try {
      const wasOld = isOld();
      return told(await replay.next(), wasOld);
    } catch (error) {
      thrown = { error };
      return "null";
    }
  };
  const system: SystemCall = (operation, payload) => {
    switch (operation) {
      case "workflow.ask":
        return ask(payload);
      case "workflow.next":
        return next();
      case "workflow.tell":
        ({ status } = JSON.parse(payload) as { status: Json });
        return "null";
      case "workflow.undoFailed":
        if (undoFailures.length < undoFailuresMax && !isOld()) {
          undoFailures.push((JSON.parse(payload) as { text: string }).text);
        }
        return "null";
      case "workflow.end":
        replay.end();
        return "null";
      default:
        throw new PlatformError("SYSTEM_CALL_DENIED", { operation, problem: "use step(...)" });
    }
  };
  const input = {
    name: run.workflow,
    kind: "workflow",
    argsJson: JSON.stringify({ id: run.id, args: run.args, isOld: info.seen !== null }),
    me: info.me ?? anonymous.me,
    nowMs: run.startedMs,
    seed: info.seed,
    requestId: info.root,
  } as const;
  const outcome = recover<
    CallOutcome | { readonly error: unknown; readonly log: readonly LogLine[] }
  >(
    () => runner.call(input, system),
    (error) => ({ error, log: takeFailureLog(error) }),
  );
  return andThen(outcome, (outcome) => {
    keepLog(tick, outcome.log);
    if (thrown !== null) throw thrown.error;
    const end =
      "error" in outcome ? endOfError(tick, replay, outcome.error) : endOf(replay, outcome);
    return { end, status, undoFailures };
  });
}

/** What it wrote to the console. What it wrote before, in an earlier tick, it does not write again. */
function keepLog({ scope: { run } }: Tick, log: readonly LogLine[]): void {
  const { app, work } = run;
  if (log.length > 0) work.log = (work.log ?? []).concat(log).slice(0, app.limits.logLinesMax);
}

function told(delivery: Delivery | null, isOld: boolean): string {
  if (delivery === null) return "null";
  const { atMs: nowMs } = delivery;
  switch (delivery.kind) {
    case "done":
      return JSON.stringify({ seq: delivery.seq, value: delivery.value, nowMs, isOld });
    case "failed":
      return JSON.stringify({ seq: delivery.seq, error: delivery.error, nowMs, isOld });
    case "interrupt":
      return JSON.stringify({ error: delivery.error, isStop: delivery.isStop, nowMs, isOld });
    default:
      return delivery satisfies never;
  }
}

function endOf(replay: Replay, { resultJson }: CallOutcome): Evaluated["end"] {
  const stuck = stuckOf(replay);
  if (stuck !== null) return stuck;
  const result = JSON.parse(resultJson) as {
    readonly value?: Json;
    readonly error?: WorkflowFailure;
    readonly restart?: Json;
  };
  if (result.error !== undefined) return { kind: "failed", error: result.error };
  if (result.restart !== undefined) return { kind: "restart", args: result.restart };
  return { kind: "done", result: result.value ?? null };
}

/** @throws what is no fault of the workflow. */
function endOfError({ scope }: Tick, replay: Replay, error: unknown): Evaluated["end"] {
  if (!(error instanceof PlatformError) || isHostFailure(error)) throw error;
  const { code } = error;
  if (code === "FUNCTION_INTERRUPTED") throw error;
  const failure = wireFailure(failureOf(error, scope.run.nowMs));
  if (code === "FUNCTION_NOT_FOUND") return { kind: "stuck", error: failure };
  const isParked = code === "FUNCTION_NEVER_SETTLES" && !replay.isOver;
  const stuck = isParked || replay.isOver || replay.mismatch !== null ? stuckOf(replay) : null;
  if (stuck !== null) return stuck;
  if (isParked && replay.open.size > 0) return { kind: "parked" };
  return { kind: "failed", error: failure };
}

function stuckOf(replay: Replay): Evaluated["end"] | null {
  try {
    replay.assertWhole();
    return null;
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const { code, message, details } = error;
    return { kind: "stuck", error: { code, text: message, details } };
  }
}
