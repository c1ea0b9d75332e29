// A job as queries and mutations see it.
import type { AnyFunction, ResultOf } from "./function.ts";
import type { AnyQueue, Deferrable } from "./work-context.ts";

type OutOf<W extends Deferrable> = W extends AnyFunction
  ? ResultOf<W>
  : W extends AnyQueue
    ? W["~out"]
    : never;

/** How far a job is. */
export interface JobState<R> {
  readonly id: string;
  /** `waiting` also between two attempts; `dead`: its attempts are used up. */
  readonly state: "waiting" | "running" | "done" | "dead";
  /** Whose rights it runs with: the id of a user, or null. */
  readonly by: string | null;
  /** What its action told last by `job.progress(value)`; null: nothing. */
  readonly progress: unknown;
  /** Null until it is done. */
  readonly result: R | null;
  /** Why its last attempt failed; null when none did, and when it is done. */
  readonly error: {
    readonly code: string;
    readonly text: string;
    readonly details: unknown;
  } | null;
}

/** What queries and mutations are given to look at jobs. A live query that looks is run again when the job goes on. */
export interface JobReads {
  /**
   * A job of this queue or function, whoever enqueued it: compare `by`.
   * @param job the id that `enqueue` gave. @returns null when there is none: it was cancelled, or it is done and its
   * queue keeps no results (`keep`).
   */
  readonly jobState: <W extends Deferrable>(
    work: W,
    job: string,
  ) => Promise<JobState<OutOf<W>> | null>;
}
