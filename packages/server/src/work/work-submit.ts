// Write jobs of work: a procedure, by nobody in particular, with the lineage it stands for in the log. What the
// log says of a commit (its request and its cause) is where a trigger on it finds the root and the chain again.
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { RandomSource } from "../base/random.ts";
import { anonymous } from "../gate/identity.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import type { Work } from "../gate/work.ts";
import type { WriteJob } from "../gate/writer.ts";

const chainSign = " > ";

/** A write job that runs a procedure. */
export function workJob(
  { clock, random }: { readonly clock: Clock; readonly random: RandomSource },
  {
    procedure,
    input,
    cause,
    requestId,
  }: {
    readonly procedure: string;
    readonly input: Json;
    readonly cause: string;
    readonly requestId?: string;
  },
): WriteJob {
  return {
    operation: { kind: "procedure", name: procedure, input },
    caller: anonymous,
    lane: "work",
    cause,
    requestId: requestId ?? `work_${Buffer.from(random.bytes(12)).toString("hex")}`,
    atMs: clock.nowMs(),
    idempotency: null,
  };
}

/** What a write job is known by in the log. */
export interface WorkMark {
  readonly requestId: string;
  readonly cause: string;
}

/** What stands for an origin in the log. */
export function markOf(origin: WorkOrigin): WorkMark {
  return { requestId: origin.root, cause: origin.chain.join(chainSign) };
}

/** The origin of what a commit of the log causes. */
export function originOfCommit(commit: {
  readonly requestId: string;
  readonly cause: string;
}): WorkOrigin {
  return { root: commit.requestId, chain: commit.cause.split(chainSign) };
}

/**
 * Sends a write job of work. @param work where what it used is written. Default: nobody asks.
 * @returns the answer, when it is durable. @throws what the procedure threw, as it was.
 */
export type SubmitWork = (job: WriteJob, work?: Work) => Promise<Json>;
