// How a kind of work plugs in: queues, event consumers, crons, workflow ticks, webhook deliveries. A kind says
// by which policy its jobs run and what running one does; waiting, retrying, limits, fairness, dead letters,
// crashes and lineage are the same for all (dispatcher.ts, job-procedures.ts).
//
// A job runs in one of two places. In the writer: `run` is ONE transaction with the job's removal, so its
// effect happens once; it may be undone and called again, and reaches the world by nothing. In the world:
// `act` runs outside any transaction, at least once, and `ended` takes what came of it into the data.
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { GateApp, ProcedureScope } from "../gate/gate-app.ts";
import type { Egress } from "../isolate/egress.ts";
import type { Job, JobFailure } from "./job.ts";

/** By what rules the jobs of one queue run. */
export interface QueuePolicy {
  /** Jobs in the world at once. Those in the writer run one after the other anyway. */
  readonly concurrency: number;
  /** The same for one key; null: as many as `concurrency`. */
  readonly perKey: number | null;
  /** Starts in a period, all keys together, and for each. Null: no limit. */
  readonly rate: WorkRate | null;
  readonly ratePerKey: WorkRate | null;
  /** Attempts in all before a job becomes a dead letter. */
  readonly attemptsMax: number;
  /** Before the second attempt; doubles with each up to the most, give or take a quarter. */
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  /** One attempt in the world. One in the writer has the limits of a mutation. */
  readonly timeoutMs: number;
  /** How long a finished job can be looked up with its result; 0: it is forgotten at once. */
  readonly keepMs: number;
  /** Jobs of one key run in the order in which they came, also when one fails: later ones wait. */
  readonly ordered: boolean;
}

/** So many in a period. */
export interface WorkRate {
  readonly count: number;
  readonly perMs: number;
}

/** What a run did, for whoever watches. */
export interface JobDid {
  readonly did: string;
  /** What the work itself failed with, though the run went well. */
  readonly failure: Pick<JobFailure, "code" | "text" | "details"> | null;
}

/** How a run in the writer, or `ended`, leaves its job. */
export type JobEnd = JobEnding & { readonly told?: JobDid };

type JobEnding =
  /** It is over; `result` is kept if the queue keeps results. */
  | { readonly kind: "done"; readonly result?: Json }
  /** The same job again, with attempts counted anew: at `dueMs` (null: at once), with another input when given. */
  | {
      readonly kind: "again";
      readonly dueMs: number | null;
      /** Now, when `dueMs` is a length of time from now: a clock that is set back does not make it longer. */
      readonly sinceMs?: number;
      readonly input?: Json;
    }
  /** It failed for good: a dead letter now, whatever attempts are left. */
  | { readonly kind: "dead"; readonly failure: JobFailure };

/** What came of an attempt in the world. */
export type ActOutcome =
  | { readonly ok: true; readonly result: Json }
  | { readonly ok: false; readonly failure: JobFailure; readonly isLast: boolean };

/** What an attempt in the world works with. */
export interface WorkWorld {
  readonly app: GateApp;
  readonly egress: Egress;
  readonly signal: AbortSignal;
  /** Runs a function of the app, as the job's `me` and as its child. @returns its result as JSON text. */
  call(name: string, args: Json): Promise<string>;
  /** Runs a procedure in the writer, as the job's child. @returns its answer. */
  submit(procedure: string, input: Json): Promise<Json>;
}

/** A kind of work. Holds no state: it is asked in several threads. */
export interface WorkKind {
  /** What stands before the colon of its queues. */
  readonly kind: string;
  /** The policy of a queue; null when the app has no such queue any more: its jobs wait, listed as stranded. */
  policy(app: GateApp, queue: string): QueuePolicy | null;
  place(app: GateApp, job: Job): "writer" | "world";
  /** In the writer. `scope.run` is the job's: its `me`, its origin, a request id of its own. */
  run?(scope: ProcedureScope, job: Job): Later<JobEnd>;
  /** In the world. What it throws is the attempt's failure. */
  act?(world: WorkWorld, job: Job): Promise<Json>;
  /** In the writer, in one transaction with the end of the attempt. Default: done, or retried by the policy. */
  ended?(scope: ProcedureScope, job: Job, outcome: ActOutcome): Later<JobEnd | "default">;
  /** In the writer, in one transaction with a job that is put off anew: the clock was set back to before its delay began. */
  clockSetBack?(scope: ProcedureScope, job: Job): Later<void>;
  /**
   * In the writer, in one transaction with the job's move to the dead letters, or with its being taken back.
   * @returns `told` when whoever waited knows, and there is nothing to try again: it leaves no dead letter.
   */
  died?(scope: ProcedureScope, job: Job, failure: JobFailure): Later<"told" | void>;
  /**
   * In the writer: somebody wants a job that waits for its time to run now. Given when moving it up would do harm.
   * @returns the id of a job that runs in its place, while it goes on waiting; null: it may be moved up.
   */
  hurried?(scope: ProcedureScope, job: Job): Later<string | null>;
  /** Its jobs' input is no argument of anybody's: the operator gives them no other. Default: they may be given one. */
  readonly hasOwnInput?: boolean;
  /** In the writer, in one transaction with the return of its dead letter: it is a job again. */
  revived?(scope: ProcedureScope, job: Job): Later<void>;
}

/** Every kind of a server, by name. */
export type WorkKinds = ReadonlyMap<string, WorkKind>;
