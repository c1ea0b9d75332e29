// The gate (law 2): the only way in, whatever the door. Every request passes these stages in this order:
// identify -> limit -> validate -> authorise -> execute -> filter the answer -> meter -> trace.
// Filtering happens inside execute, where rows leave the guard (guarded-db.ts). On an engine that answers
// at once a read goes from first to last stage without a promise.
import type { Clock } from "../base/clock.ts";
import { andThen, isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Store } from "../store/store.ts";
import type { FunctionRunner } from "./function-runner.ts";
import { openGateApp, type Procedures, type Run, type Services } from "./gate-app.ts";
import type { Gate, GateAnswer, GateRequest, LimitState } from "./gate-request.ts";
import { anonymous, type Caller, type Identity } from "./identity.ts";
import { operationNames } from "./operation-name.ts";
import { publicError } from "./public-error.ts";
import { openRateLimiter } from "./rate-limit.ts";
import type { SharedQuotas } from "./shared-quota.ts";
import { authoriseOperation } from "./stage-authorise.ts";
import { executeOperation, type Executed } from "./stage-execute.ts";
import { identifyCaller } from "./stage-identify.ts";
import { validateOperation } from "./stage-validate.ts";
import type { TraceLog } from "./trace-log.ts";
import { openWatcher, type Watcher } from "./watcher.ts";
import { startWork, type Work } from "./work.ts";
import type { Writer } from "./writer.ts";

/** What a gate is made of. */
export interface GateParts {
  readonly manifest: Manifest;
  readonly store: Store;
  /** Where mutations, table writes and batches with writes go; made for the same manifest. */
  readonly writer: Writer;
  /** Runs the app's functions; an isolate pool. */
  readonly isolates: FunctionRunner;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly procedures?: Procedures;
  readonly services?: Services;
  /** Where rate limits are counted when several threads hold callers to them. Default: in this thread. */
  readonly quotas?: SharedQuotas;
  /** Where traces and meters go; outlives a reload of the app. */
  readonly trace: TraceLog;
}

/** A gate that live queries pass too. */
export interface WatchedGate extends Gate {
  readonly watcher: Watcher;
}

/** A request on its way. */
interface Passing {
  readonly request: GateRequest;
  readonly startedMs: number;
  readonly startedUs: number;
  readonly work: Work;
  caller: Caller;
}

/** Opens the gate of one manifest. @returns a gate that answers at once where the engine does. */
export function openGate(parts: GateParts): WatchedGate {
  const { clock, identity, trace } = parts;
  const app = openGateApp({ ...parts, development: trace.development });
  const limiter = openRateLimiter(parts);
  const nameOf = operationNames(parts.manifest);

  function admitted(passing: Passing, caller: Caller): Later<GateAnswer> {
    const { request, startedMs, startedUs, work } = passing;
    passing.caller = caller;
    const who = { caller, address: request.address };
    const limit = limiter.admit(request.operation, who, startedUs);
    const run: Run = {
      app,
      caller,
      nowMs: startedMs,
      requestId: request.requestId,
      work,
      authority: "caller",
      address: request.address,
      userAgent: request.userAgent ?? null,
      isSecure: request.isSecure ?? false,
      spoiled: null,
    };
    const operation = validateOperation(run, request.operation);
    authoriseOperation(run, operation);
    const executed = executeOperation(run, parts, operation, request);
    return andThen(executed, (executed) => answered(passing, executed, limit));
  }

  function answered(passing: Passing, executed: Executed, limit: LimitState): GateAnswer {
    const { json, seq, repeated } = executed;
    traced(passing, { error: null, seq, repeated, bytesOut: json.length });
    return { json, seq, repeated, limit };
  }

  function failed(passing: Passing, error: unknown): never {
    const refusal = publicError(error, trace.development);
    traced(passing, { error, seq: -1, repeated: false, bytesOut: 0 });
    throw refusal;
  }

  function traced(
    passing: Passing,
    end: {
      readonly error: unknown;
      readonly seq: number;
      readonly repeated: boolean;
      readonly bytesOut: number;
    },
  ): void {
    const { request, caller, startedMs, startedUs, work } = passing;
    const { error, seq, repeated, bytesOut } = end;
    trace.record({
      requestId: request.requestId,
      cause: request.cause,
      operation: nameOf(request.operation),
      caller: caller.id,
      role: caller.role,
      startedAtMs: startedMs,
      wallUs: clock.monotonicUs() - startedUs,
      code: error === null ? null : publicError(error, true).code,
      error,
      seq,
      repeated,
      bytesOut,
      work,
    });
  }

  return {
    watcher: openWatcher({ app, limiter, identity, trace, nameOf }),
    handle(request) {
      const startedUs = clock.monotonicUs();
      const work = startWork();
      const startedMs = clock.nowMs();
      const passing: Passing = { request, startedMs, startedUs, work, caller: anonymous };
      let answer: Later<GateAnswer>;
      try {
        const caller = identifyCaller(identity, limiter, request, startedUs);
        answer = isLater(caller)
          ? caller.then((caller) => admitted(passing, caller))
          : admitted(passing, caller);
      } catch (error) {
        return failed(passing, error);
      }
      if (!isLater(answer)) return answer;
      return answer.catch((error: unknown) => failed(passing, error));
    },
  };
}
