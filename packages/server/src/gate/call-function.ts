// Runs a function of the app, to its end. A query or mutation runs on one transaction, and what it runs
// runs on the same; an action has none, and what it runs goes through the gate's inner part as the same
// caller. Whether the caller may call was asked before, at the door: inside, `allow` is not asked.
import type { Json } from "../base/json.ts";
import { andThen, recover, type Later } from "../base/later.ts";
import { errorCodes } from "../base/error-codes.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { CallOutcome, LogLine, SystemCall } from "../isolate/app-isolate.ts";
import { takeFailureLog } from "../isolate/failure-log.ts";
import { answerDataCall, answerRow, type DataCall } from "./answer-data-call.ts";
import type { CheckedFunction } from "./checked-function.ts";
import { FirstReads } from "./first-reads.ts";
import { timeText, type Run } from "./gate-app.ts";
import type { GuardedDb } from "./guarded-db.ts";
import { procedureForFunctions, procedureOf } from "./procedure.ts";
import { countSystemCall } from "./system-call-count.ts";
import { payloadObject, payloadText } from "./system-payload.ts";

/** Runs another function for an action. @returns its result as JSON text. */
export type RunInner = (name: string, args: Json) => Later<string>;

/** A call about to run. */
export interface FunctionCall {
  readonly fn: CheckedFunction;
  /** Validated and normalised. */
  readonly args: Json;
  /** How many functions are running around it; 0 for the one that was asked for. */
  readonly depth: number;
}

/** A function by name. @throws FUNCTION_NOT_FOUND. */
export function functionOf(run: Pick<Run, "app">, name: string): CheckedFunction {
  const fn = run.app.functions.get(name);
  if (fn === undefined) throw functionNotFound(name);
  return fn;
}

/**
 * Inside, `allow` is not asked, but what it promises to a function's code holds: one for people who are
 * signed in never runs without `me.id`.
 * @throws SIGN_IN_REQUIRED.
 */
export function assertSignedInWhereAsked(run: Pick<Run, "caller">, fn: CheckedFunction): void {
  const { allow, name } = fn.model;
  if (allow === "anyone" || allow === "nobody" || run.caller.id !== null) return;
  throw new PlatformError("SIGN_IN_REQUIRED", { function: name });
}

/** The refusal for a function that is not there, or that nobody outside reaches. */
export function functionNotFound(name: string): PlatformError {
  return new PlatformError("FUNCTION_NOT_FOUND", { function: name.slice(0, 64) });
}

/**
 * Runs a query or mutation on a transaction.
 * @returns its checked result as JSON text.
 * @throws every refusal of the function, FUNCTION_*, RESULT_INVALID.
 */
export function callInTx(run: Run, db: GuardedDb, call: FunctionCall): Later<string> {
  const writes = call.fn.model.kind === "mutation";
  const first = new FirstReads(run, db, call.fn.model.name, call.args);
  const system: SystemCall = (operation, payloadJson, target) => {
    countSystemCall(run);
    first.watch(operation, payloadJson, target);
    if (operation === "run") return runInTx(run, db, call, payloadJson);
    let answer: Later<string>;
    try {
      answer =
        target === undefined
          ? answerInTx(run, db, { operation, payloadJson, writes })
          : answerRow(run, db, target, payloadJson);
    } catch (error) {
      throw noteOurs(run, error);
    }
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      throw noteOurs(run, error);
    });
  };
  return andThen(callChecked(run, call, system, first), (resultJson) => {
    if (run.spoiled !== null) throw run.spoiled.error;
    return resultJson;
  });
}

function answerInTx(run: Run, db: GuardedDb, call: DataCall): Later<string> {
  const { operation } = call;
  if (operation.startsWith("db.") || procedureForFunctions(run, operation) === null) {
    return answerDataCall(run, db, call);
  }
  return runProcedure(run, db, call);
}

function noteOurs(run: Run, error: unknown): unknown {
  if (isOurs(error)) run.spoiled ??= { error };
  return error;
}

/** A failure of ours: what the transaction holds is not known any more, so no function may go on with it. */
function isOurs(error: unknown): boolean {
  return !(error instanceof PlatformError) || errorCodes[error.code].fault === "host";
}

/** A procedure of the platform, on the transaction of the mutation that calls it. */
function runProcedure(run: Run, db: GuardedDb, call: DataCall): Later<string> {
  const { operation, payloadJson } = call;
  const { writeTx } = db.scope;
  if (!call.writes || writeTx === null) {
    const problem = "a query starts nothing; make it a mutation";
    throw new PlatformError("SYSTEM_CALL_DENIED", { operation, problem });
  }
  const input = payloadObject(run, payloadJson);
  const answer = procedureOf(run, operation).run({ run, tx: writeTx, db }, input);
  return andThen(answer, (answer) => JSON.stringify(answer));
}

/** What an action reaches: functions of the app, and procedures of the platform, each a transaction of its own. */
export interface Outside {
  readonly runInner: RunInner;
  readonly runProcedure: (name: string, input: Json) => Later<string>;
}

/** Runs an action or http function. */
export function callOutsideTx(run: Run, call: FunctionCall, outside: Outside): Later<string> {
  const system: SystemCall = (operation, payloadJson) => {
    countSystemCall(run);
    const service = run.app.services?.get(operation);
    if (service !== undefined) {
      return service(run, payloadObject(run, payloadJson)).then((answer) => JSON.stringify(answer));
    }
    if (procedureForFunctions(run, operation) !== null) {
      return outside.runProcedure(operation, payloadObject(run, payloadJson));
    }
    if (operation !== "run") {
      const problem = "only queries and mutations have db; use run(...) to call one";
      throw new PlatformError("SYSTEM_CALL_DENIED", { operation, problem });
    }
    const payload = payloadObject(run, payloadJson);
    return outside.runInner(payloadText(payload, "name"), payload["args"] ?? null);
  };
  return callChecked(run, call, system, null);
}

function callChecked(
  run: Run,
  call: FunctionCall,
  system: SystemCall,
  first: FirstReads | null,
): Later<string> {
  const { app, work } = run;
  const { model } = call.fn;
  const input = {
    name: model.name,
    kind: model.kind,
    argsJson: JSON.stringify(call.args),
    me: run.caller.me,
    nowMs: run.nowMs,
    seed: app.nextSeed(),
    requestId: run.requestId,
    job: run.job,
    ahead: first?.ahead ?? undefined,
  };
  const outcome = recover(
    () => app.isolates.call(input, system),
    (error): never => {
      first?.failed();
      keepLines(run, takeFailureLog(error));
      throw error;
    },
  );
  return andThen(outcome, ({ resultJson, cpuUs, log }: CallOutcome) => {
    work.cpuUs += cpuUs;
    keepLines(run, log);
    first?.done();
    return call.fn.result(resultJson);
  });
}

function keepLines({ app, work }: Run, log: readonly LogLine[]): void {
  if (log.length > 0) work.log = (work.log ?? []).concat(log).slice(0, app.limits.logLinesMax);
}

function runInTx(run: Run, db: GuardedDb, call: FunctionCall, payloadJson: string): Later<string> {
  const payload = payloadObject(run, payloadJson);
  const fn = functionOf(run, payloadText(payload, "name"));
  assertSignedInWhereAsked(run, fn);
  const { kind, name } = fn.model;
  if (kind === "action" || kind === "http") {
    const problem = "an action reaches the world: only another request can run it";
    throw new PlatformError("SYSTEM_CALL_DENIED", { function: name, problem });
  }
  if (kind === "mutation" && call.fn.model.kind !== "mutation") {
    const problem = "a query runs queries only";
    throw new PlatformError("SYSTEM_CALL_DENIED", { function: name, problem });
  }
  const { runDepthMax } = run.app.limits;
  if (call.depth + 1 >= runDepthMax) {
    throw new PlatformError("FUNCTION_CALLS_EXCEEDED", { limit: "runDepthMax", max: runDepthMax });
  }
  const args = fn.args(payload["args"], timeText(run.nowMs));
  if (kind === "query") return callInTx(run, db, { fn, args, depth: call.depth + 1 });
  // What a mutation that failed has written stays unless the one that ran it fails too: there is one
  // savepoint. So a failed mutation inside can't be caught: it fails the outermost one.
  return recover(
    () => callInTx(run, db, { fn, args, depth: call.depth + 1 }),
    (error) => {
      run.spoiled ??= { error };
      throw error;
    },
  );
}
