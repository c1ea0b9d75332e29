// What the parts of the dispatcher share.
import type { Clock } from "../base/clock.ts";
import type { GateApp } from "../gate/gate-app.ts";
import type { FollowGroup } from "../gate/inline-writer.ts";
import type { LogLine } from "../isolate/app-isolate.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import type { JobFailure } from "./job.ts";
import type { WorkActor } from "./work-actor.ts";
import type { WorkKinds } from "./work-kind.ts";
import type { SubmitWork } from "./work-submit.ts";

/** How attempts ended, for whoever watches. */
export interface WorkTold {
  /** `<kind>:<name>`. */
  readonly queue: string;
  /** How many shared a transaction and did the same. */
  readonly count: number;
  /** What they did, when there is more to say than that they ran: the steps of a workflow. */
  readonly did: string | null;
  /** Of the transaction they shared, or of the attempt in the world. */
  readonly tookMs: number;
  /** Of the attempt, or what the work itself ended with. Null: it went well. */
  readonly failure: Pick<JobFailure, "code" | "text" | "details"> | null;
  /** What they wrote to the console, all that shared the transaction together. */
  readonly log: readonly LogLine[];
}

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly app: GateApp;
  readonly kinds: WorkKinds;
  readonly store: Pick<Store, "read" | "commitsAfter" | "lastSeq">;
  readonly commits: CommitFeed;
  /** To the writer of this thread: errors come back as they were thrown. */
  readonly submit: SubmitWork;
  /** The same writer: what it asks when a group has run. Default: nothing follows in the group that causes it. */
  readonly follow?: (next: FollowGroup | null) => void;
  readonly actor: WorkActor;
  readonly clock: Clock;
  /** Told of failures of the machine. */
  report(error: unknown): void;
  /** Told of every attempt that ended. Must not throw. Default: nobody is. */
  told?(told: WorkTold): void;
}
