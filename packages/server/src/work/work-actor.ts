// Attempts in the world: an action runs where isolates for actions are, and what came of it is recorded by the
// writer. One that takes too long, or was cancelled, is cut off: it may still run, what it writes is refused; here as
// soon as this thread knows, and in the writer from the commit on (attempt-guard.ts).
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText, type GateApp, type Run } from "../gate/gate-app.ts";
import { functionOf } from "../gate/call-function.ts";
import { executeOperation, type Places } from "../gate/stage-execute.ts";
import { startWork, type Work } from "../gate/work.ts";
import type { WriteJob, Writer } from "../gate/writer.ts";
import type { LogLine } from "../isolate/app-isolate.ts";
import type { Egress } from "../isolate/egress.ts";
import { failureOf } from "./job-failure.ts";
import { callerOfMe, kindOf, labelOf } from "./job-run.ts";
import type { Job, JobFailure } from "./job.ts";
import { originWithin } from "./lineage.ts";
import type { ActOutcome, WorkKinds, WorkWorld } from "./work-kind.ts";
import { workJob } from "./work-submit.ts";

/** How an attempt ended, for whoever watches. Plain data: it may come from another thread. */
export interface ActReport {
  readonly failure: JobFailure | null;
  readonly log: readonly LogLine[];
}

/** Runs attempts. */
export interface WorkActor {
  /** Resolves when the attempt is over and recorded. Rejects when nobody knows what came of it. */
  act(job: Job): Promise<ActReport>;
  /** Cuts off an attempt under way. */
  cancel(jobId: string): void;
}

/** What an actor works with. */
export interface WorkActorParts {
  readonly app: GateApp;
  readonly kinds: WorkKinds;
  readonly places: Places;
  readonly egress: Egress;
  readonly clock: Clock;
}

/** Opens an actor in this thread. */
export function openWorkActor(parts: WorkActorParts): WorkActor {
  const under = new Map<string, AbortController>();
  return {
    async act(job) {
      const aborter = new AbortController();
      under.set(job.id, aborter);
      try {
        const log: LogLine[] = [];
        const outcome = await attempt(parts, job, { aborter, log });
        const input = { id: job.id, attempt: job.attempts, outcome } as unknown as Json;
        const work = startWork();
        await parts.places.writer.submit(
          workJob(parts.app, { procedure: "work.end", input, cause: labelOf(job.queue) }),
          work,
        );
        return { failure: outcome.ok ? null : outcome.failure, log };
      } finally {
        if (under.get(job.id) === aborter) under.delete(job.id);
      }
    },
    cancel(jobId) {
      under.get(jobId)?.abort(new PlatformError("FUNCTION_INTERRUPTED", { job: jobId }));
    },
  };
}

async function attempt(
  parts: WorkActorParts,
  job: Job,
  { aborter, log }: { readonly aborter: AbortController; readonly log: LogLine[] },
): Promise<ActOutcome> {
  const { app, kinds, clock } = parts;
  const kind = kindOf(kinds, job.queue);
  const policy = kind?.policy(app, job.queue) ?? null;
  assert(kind?.act !== undefined, "a job in the world is of a kind that acts");
  const msMax = policy?.timeoutMs ?? app.limits.actionMsMax;
  const { signal } = aborter;
  const stop = clock.after(msMax, () =>
    aborter.abort(new PlatformError("FUNCTION_TIMEOUT", { job: job.id, msMax })),
  );
  const writes = new Set<Promise<unknown>>();
  const over = Promise.withResolvers<never>();
  const onAbort = (): void => over.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  over.promise.catch(() => undefined);
  try {
    const acting = kind.act(worldOf(parts, job, { signal, log, writes }), job);
    const result = await Promise.race([acting, over.promise]);
    // What it did not wait for belongs to it: the end of the attempt must not overtake it.
    if (writes.size > 0) {
      await Promise.race([Promise.allSettled(writes), over.promise.catch(() => undefined)]);
    }
    return { ok: true, result };
  } catch (error) {
    return { ok: false, failure: failureOf(error, clock.nowMs()), isLast: false };
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
    // From here on nothing that it still does may be taken.
    if (!signal.aborted) aborter.abort(new PlatformError("FUNCTION_INTERRUPTED", { job: job.id }));
  }
}

function worldOf(
  parts: WorkActorParts,
  job: Job,
  {
    signal,
    log,
    writes,
  }: {
    readonly signal: AbortSignal;
    readonly log: LogLine[];
    /** Under way. */
    readonly writes: Set<Promise<unknown>>;
  },
): WorkWorld {
  const { app, places, egress, clock } = parts;
  const origin = originWithin(job.origin, labelOf(job.queue));
  const cause = origin.chain.join(" > ");
  const writer: Writer = {
    submit(write, work) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const writing = places.writer.submit(write, work);
      writes.add(writing);
      const written = (): void => void writes.delete(writing);
      writing.then(written, written);
      return writing;
    },
    drain: () => places.writer.drain(),
  };
  const run = (): Run => ({
    app,
    caller: callerOfMe(job.me),
    nowMs: clock.nowMs(),
    requestId: origin.root,
    work: startWork(),
    authority: "caller",
    origin,
    job: { id: job.id, token: job.id, attempt: job.attempts },
    spoiled: null,
  });
  return {
    app,
    egress,
    signal,
    async call(name, args) {
      const own = run();
      const checked = functionOf(own, name).args(args, timeText(own.nowMs));
      const operation = { kind: "call", name, args: checked } as const;
      const request = { operation, cause, idempotencyKey: null };
      try {
        return (await executeOperation(own, { ...places, writer }, operation, request)).json;
      } finally {
        log.push(...(own.work.log ?? []).slice(0, app.limits.logLinesMax - log.length));
      }
    },
    async submit(procedure, input) {
      const own = run();
      const write: WriteJob = {
        ...workJob(app, { procedure, input, cause }),
        caller: own.caller,
        origin,
        ...(own.job === undefined ? {} : { job: own.job }),
      };
      const work: Work = startWork();
      return JSON.parse((await writer.submit(write, work)).json) as Json;
    },
  };
}
