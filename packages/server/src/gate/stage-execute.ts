// The stage "execute": sends an operation where it runs. Reads and queries run here on a snapshot, at once
// where the engine answers at once; whatever writes goes to the writer; actions run here and reach data
// through this same stage, as the same caller.
import { hash } from "node:crypto";
import { andThen, type Later } from "../base/later.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { MutationMeta, Store } from "../store/store.ts";
import { assertSignedInWhereAsked, callOutsideTx, functionOf } from "./call-function.ts";
import { addressKey } from "./address-key.ts";
import { openDb, timeText, type Run } from "./gate-app.ts";
import type { GateOperation, GateRequest } from "./gate-request.ts";
import { runOperation } from "./run-operation.ts";
import { addWork, startWork } from "./work.ts";
import type { WriteJob, Writer } from "./writer.ts";

/** Where operations run. */
export interface Places {
  readonly store: Store;
  readonly writer: Writer;
}

/** An answer before it is limited and traced. */
export interface Executed {
  readonly json: string;
  /** The commit made or stood on. */
  readonly seq: number;
  readonly repeated: boolean;
}

/** Runs an operation that was validated and authorised. @param request the one it came with. */
export function executeOperation(
  run: Run,
  places: Places,
  operation: GateOperation,
  request: Pick<GateRequest, "operation" | "cause" | "idempotencyKey" | "mayBeRepeat">,
): Later<Executed> {
  const place = placeOf(run, operation);
  switch (place) {
    case "read":
      return read(run, places, operation);
    case "world":
      if (request.mayBeRepeat === true) throw new PlatformError("ACTION_MAYBE_DONE");
      return act(run, places, operation, request.cause);
    case "writer":
      return places.writer.submit(
        jobOf(run, operation, { cause: request.cause, idempotency: idempotencyOf(run, request) }),
        run.work,
      );
    default:
      return place satisfies never;
  }
}

function jobOf(
  run: Run,
  operation: WriteJob["operation"],
  { cause, idempotency }: Pick<WriteJob, "cause" | "idempotency">,
): WriteJob {
  return {
    operation,
    caller: run.caller,
    authority: run.authority,
    lane: laneOfRun(run),
    cause,
    requestId: run.requestId,
    ...(run.origin === undefined ? {} : { origin: run.origin }),
    ...(run.job === undefined ? {} : { job: run.job }),
    atMs: run.nowMs,
    idempotency,
  };
}

function laneOfRun({ caller, address }: Run): string {
  if (caller.id !== null) return caller.id;
  return address === undefined ? "operator" : addressKey(address);
}

/** Where an operation runs: on a snapshot here, in the writer, or in no transaction at all. */
function placeOf(run: Run, operation: GateOperation): "read" | "writer" | "world" {
  switch (operation.kind) {
    case "get":
    case "list":
      return "read";
    case "create":
    case "update":
    case "delete":
      return "writer";
    case "http":
      return "world";
    case "call": {
      const { kind } = functionOf(run, operation.name).model;
      if (kind === "query") return "read";
      return kind === "mutation" ? "writer" : "world";
    }
    case "batch":
      return operation.steps.some((step) => placeOf(run, step) === "writer") ? "writer" : "read";
    default:
      return operation satisfies never;
  }
}

function read(run: Run, places: Places, operation: GateOperation): Later<Executed> {
  return places.store.read((tx) =>
    andThen(runOperation(run, openDb(run, tx, null), operation), (json) => ({
      json,
      seq: tx.seq,
      repeated: false,
    })),
  );
}

function act(run: Run, places: Places, operation: GateOperation, cause: string): Later<Executed> {
  if (operation.kind !== "call" && operation.kind !== "http") {
    throw new PlatformError("INTERNAL", {}, { cause: new Error(`no action: ${operation.kind}`) });
  }
  const fn = functionOf(run, operation.name);
  const args: Json =
    operation.kind === "call"
      ? operation.args
      : { params: operation.params, request: { ...operation.request } };
  let seq = 0;
  const runInner = (name: string, innerArgs: Json): Later<string> =>
    andThen(executeInner(run, places, { name, args: innerArgs, cause }), (executed) => {
      seq = Math.max(seq, executed.seq);
      return executed.json;
    });
  const runProcedure = (name: string, input: Json): Later<string> => {
    const operation = { kind: "procedure", name, input } as const;
    const now = { ...run, nowMs: run.app.clock.nowMs() };
    const request = { cause: `${cause} > ${name}`, idempotency: null };
    const done = places.writer.submit(jobOf(now, operation, request), run.work);
    return done.then((result) => {
      seq = Math.max(seq, result.seq);
      return result.json;
    });
  };
  const result = callOutsideTx(run, { fn, args, depth: 0 }, { runInner, runProcedure });
  return andThen(result, (json) => ({ json, seq, repeated: false }));
}

/** What an action runs: a query or mutation as the same caller. Each has budgets of its own. */
function executeInner(
  run: Run,
  places: Places,
  call: { readonly name: string; readonly args: Json; readonly cause: string },
): Later<Executed> {
  const { name, cause } = call;
  const fn = functionOf(run, name);
  assertSignedInWhereAsked(run, fn);
  const { kind } = fn.model;
  if (kind !== "query" && kind !== "mutation") {
    const problem = "an action runs queries and mutations; call the other function instead";
    throw new PlatformError("SYSTEM_CALL_DENIED", { function: name, problem });
  }
  const nowMs = run.app.clock.nowMs();
  const inner: Run = { ...run, nowMs, work: startWork(), spoiled: null };
  const operation = { kind: "call", name, args: fn.args(call.args, timeText(nowMs)) } as const;
  const request = { operation, cause: `${cause} > ${name}`, idempotencyKey: null };
  const executed = executeOperation(inner, places, operation, request);
  const added = <T>(value: T): T => {
    addWork(run.work, inner.work);
    return value;
  };
  if (!(executed instanceof Promise)) return added(executed);
  return executed.then(added, (error: unknown) => {
    throw added(error);
  });
}

const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** @throws IDEMPOTENCY_KEY_INVALID. */
function idempotencyOf(
  run: Run,
  request: Pick<GateRequest, "operation" | "idempotencyKey">,
): MutationMeta["idempotency"] {
  const { idempotencyKey: key, operation } = request;
  if (key === null) return null;
  if (!keyPattern.test(key)) throw new PlatformError("IDEMPOTENCY_KEY_INVALID");
  const requestHash = hash("sha256", JSON.stringify(operation), "base64url");
  // A user's keys are its own. Who is not signed in shares one scope: the key itself is then the secret.
  const own = run.caller.id === null ? "anonymous" : `user:${run.caller.id}`;
  const scope = run.authority === "system" ? "operator" : own;
  return { scope, key, requestHash };
}
