// The gate's stages for live queries: the same ones, in the same order, but for a read that is run again and
// again. Who watches is identified and counted once, when a subscription begins, and identified again before
// every push; validate, authorise, execute and filter happen at every run, on a snapshot that the caller of
// this port holds, so that many queries stand on one moment.
import { andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { ReadTx } from "../store/store.ts";
import { functionOf } from "./call-function.ts";
import type { Reach } from "./caller-rights.ts";
import { openDb, timeText, type GateApp, type Run } from "./gate-app.ts";
import type { GateOperation, GateRequest } from "./gate-request.ts";
import type { Caller, Identity, Revocation } from "./identity.ts";
import type { OperationName } from "./operation-name.ts";
import { publicError } from "./public-error.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { ReadRecorder } from "./read-recorder.ts";
import { runOperation } from "./run-operation.ts";
import { authoriseOperation } from "./stage-authorise.ts";
import { identifyCaller } from "./stage-identify.ts";
import { validateOperation } from "./stage-validate.ts";
import type { TraceLog } from "./trace-log.ts";
import { startWork } from "./work.ts";

/** What can be watched. */
export type WatchOperation = Extract<GateOperation, { kind: "call" | "list" | "get" }>;

/** Credentials as they came, with where from. */
export type Credentials = Pick<GateRequest, "authorization" | "cookie" | "address">;

/** One run of a live query. */
export interface WatchRun {
  readonly operation: WatchOperation;
  readonly caller: Caller;
  readonly requestId: string;
  /** What it is called in the log. */
  readonly cause: string;
  /** Not its first run: it is metered, and traced only when it fails, or re-runs would push out all else. */
  readonly again?: boolean;
}

/** The way of live queries through the gate. Refusals are thrown as a door may tell them. */
export interface Watcher {
  /** @throws TOKEN_INVALID, TOKEN_EXPIRED, RATE_LIMITED. */
  identify(credentials: Credentials): Later<Caller>;
  /**
   * Begins a subscription: counts it as one request, and looks whether it may be at all.
   * @throws RATE_LIMITED; TABLE_NOT_FOUND, FUNCTION_NOT_FOUND, ARGUMENT_INVALID, SIGN_IN_REQUIRED, CALL_DENIED;
   * REQUEST_INVALID for what is no read.
   */
  begin(asked: WatchRun, address: string): void;
  /** Runs it on a snapshot, all rights asked. @returns the answer as JSON text. @throws as the gate does. */
  run(tx: ReadTx, asked: WatchRun, reads: ReadRecorder): Later<string>;
  /** What a caller may read now. */
  reach(caller: Caller): Reach;
  /** These credentials are not to be taken any more: whoever calls with them is identified anew. */
  revoke(what: Revocation): void;
  /** The app that it is the gate of. */
  readonly app: GateApp;
}

/** What the gate hands over. */
export interface WatcherParts {
  readonly app: GateApp;
  readonly limiter: RateLimiter;
  readonly identity: Identity;
  readonly trace: TraceLog;
  readonly nameOf: OperationName;
}

/** Opens the way of live queries of one gate. */
export function openWatcher(parts: WatcherParts): Watcher {
  const { app, limiter, identity, trace, nameOf } = parts;
  const { clock } = app;

  function publicly(error: unknown): never {
    throw publicError(error, trace.development);
  }

  function runOf(asked: WatchRun, reads: ReadRecorder | null): Run {
    return {
      app,
      caller: asked.caller,
      nowMs: clock.nowMs(),
      requestId: asked.requestId,
      work: startWork(),
      ...(reads === null ? {} : { reads }),
      authority: "caller",
      spoiled: null,
    };
  }

  function prepared(run: Run, asked: WatchRun): GateOperation {
    const operation = validateOperation(run, asked.operation);
    if (operation.kind === "call" && functionOf(run, operation.name).model.kind !== "query") {
      throw new PlatformError("REQUEST_INVALID", { problem: "only queries can be watched" });
    }
    authoriseOperation(run, operation);
    return operation;
  }

  function traced(run: Run, asked: WatchRun, end: RunEnd): void {
    const { error, seq, bytesOut } = end;
    const { work } = run;
    const operation = nameOf(asked.operation);
    const wallUs = clock.monotonicUs() - end.startedUs;
    const code = error === null ? null : publicError(error, true).code;
    if (asked.again === true && error === null) {
      trace.meter.count({ operation, code, wallUs, bytesOut, work });
      return;
    }
    trace.record({
      requestId: asked.requestId,
      cause: asked.cause,
      operation,
      caller: asked.caller.id,
      role: asked.caller.role,
      startedAtMs: run.nowMs,
      wallUs,
      code,
      error,
      seq,
      repeated: false,
      bytesOut,
      work,
    });
  }

  return {
    app,
    identify(credentials) {
      return recover(() => {
        const nowUs = clock.monotonicUs();
        return identifyCaller(identity, limiter, credentials, nowUs);
      }, publicly);
    },
    begin(asked, address) {
      try {
        limiter.admit(asked.operation, { caller: asked.caller, address }, clock.monotonicUs());
        prepared(runOf(asked, null), asked);
      } catch (error) {
        publicly(error);
      }
    },
    run(tx, asked, reads) {
      const startedUs = clock.monotonicUs();
      const run = runOf(asked, reads);
      return recover(
        () =>
          andThen(runOperation(run, openDb(run, tx, null), prepared(run, asked)), (json) => {
            traced(run, asked, { error: null, seq: tx.seq, bytesOut: json.length, startedUs });
            return json;
          }),
        (error) => {
          traced(run, asked, { error, seq: -1, bytesOut: 0, startedUs });
          return publicly(error);
        },
      );
    },
    reach: (caller) => app.rights.reach(caller, timeText(clock.nowMs())),
    revoke: (what) => identity.revoke?.(what),
  };
}

interface RunEnd {
  readonly error: unknown;
  readonly seq: number;
  readonly bytesOut: number;
  readonly startedUs: number;
}
