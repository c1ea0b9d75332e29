// The port to the one writer (DESIGN section 5). Doors send jobs as plain data, so that the writer may be
// this thread or another; it runs them one after the other, commits them in groups, and answers when a
// group is durable.
import type { MutationMeta } from "../store/store.ts";
import type { Caller } from "./identity.ts";
import type { GateOperation } from "./gate-request.ts";
import type { ProcedureCall } from "./procedure.ts";
import type { Authority } from "./table-rules.ts";
import type { JobInfo, WorkOrigin } from "./work-origin.ts";
import type { Work } from "./work.ts";

/** One write, validated and with its caller known. Structured-cloneable. */
export interface WriteJob {
  /** A mutation call, a table write, a batch with at least one of them, or a transaction of the platform's own. */
  readonly operation: GateOperation | ProcedureCall;
  readonly caller: Caller;
  /** `system` comes from the operator only: rules are skipped, new rows may bring their id. Default: `caller`. */
  readonly authority?: Authority;
  /** Who it counts for while it waits: the caller, or the address of somebody anonymous. Default: the caller's id. */
  readonly lane?: string;
  readonly cause: string;
  readonly requestId: string;
  /** Of what piece of work it is part. Default: it is the first of its kind, and `requestId` the root. */
  readonly origin?: WorkOrigin;
  readonly job?: JobInfo;
  readonly atMs: number;
  /** Hashed over the request as it came, before defaults were filled in: those differ in a repeat. */
  readonly idempotency: MutationMeta["idempotency"];
}

export interface WriteResult {
  readonly json: string;
  readonly seq: number;
  readonly repeated: boolean;
}

export interface Writer {
  /**
   * Runs a job and answers when it is durable.
   * @param work filled in with what the job used before the promise settles, also when the job is refused.
   * @throws OVERLOADED when limits.writeQueueMax jobs wait, or too many of this caller's; SHUTTING_DOWN; and
   * every refusal of the job itself.
   */
  submit(job: WriteJob, work: Work): Promise<WriteResult>;
  /** Finishes every accepted job, then takes no more. */
  drain(): Promise<void>;
}

/** Who a job counts for in a queue. */
export function laneOf(job: WriteJob): string {
  return job.lane ?? job.caller.id ?? "";
}
