// What the parts of the dispatcher share.
import type { Clock } from "../base/clock.ts";
import type { GateApp } from "../gate/gate-app.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import type { WorkActor } from "./work-actor.ts";
import type { WorkKinds } from "./work-kind.ts";
import type { SubmitWork } from "./work-submit.ts";

/** How an attempt ended, for whoever watches. */
export interface WorkTold {
  readonly queue: string;
  /** Of the job; of several that shared a transaction, their number. */
  readonly id: string;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly error: unknown;
}

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly app: GateApp;
  readonly kinds: WorkKinds;
  readonly store: Pick<Store, "read" | "commitsAfter" | "lastSeq">;
  readonly commits: CommitFeed;
  /** To the writer of this thread: errors come back as they were thrown. */
  readonly submit: SubmitWork;
  readonly actor: WorkActor;
  readonly clock: Clock;
  /** Told of failures of the machine. */
  report(error: unknown): void;
  /** Told of every attempt that ended. Default: nobody is. */
  told?(told: WorkTold): void;
}
