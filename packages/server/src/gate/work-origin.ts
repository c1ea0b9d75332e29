// What caused a piece of work (lineage): the request at its root, and each piece of work from there to here.
// It travels with runs and write jobs, so that what a job starts is known to be its child.

/** Where a run comes from. Plain data. */
export interface WorkOrigin {
  /** The request, cron tick or command that all of it began with. */
  readonly root: string;
  /** What ran from the root to here, oldest first: `cinema.book`, `queue mail.send`. Its length is the depth. */
  readonly chain: readonly string[];
}

/** What a function knows of the work that it runs for, as `ctx.job`. */
export interface JobInfo {
  readonly id: string;
  /** The same in every attempt: what an external call is made idempotent by. */
  readonly token: string;
  /** 1 for the first. */
  readonly attempt: number;
}
