// What a request leaves to be done after its answer: queued calls, what follows events and changes, workflows. It is
// done at once, one piece after the other, and what it changes is judged as if the request had changed it. What never
// comes to its end in any of the requests was not seen, and is open.
import type { Change } from "../../store/store.ts";
import { runOfRow } from "../../work/workflow/workflow-run.ts";
import type { Inconclusive } from "./attack-report.ts";
import type { LeftWork, WorkTarget } from "./attack-target.ts";

/** Of one request: work may cause work without end. */
const runsMax = 40;
const endless = `a request left more than ${runsMax} pieces of work`;

/** What a piece of work changed. */
export interface WorkDone {
  /** The function that ran, or the workflow. */
  readonly name: string;
  readonly changes: readonly Change[];
}

/** Has work done, and knows what never came to its end. */
export class StartedWork {
  readonly #target: WorkTarget;
  /** Why it did not come to its end, by function and workflow; null: it did, once. */
  readonly #ends = new Map<string, string | null>();

  constructor(target: WorkTarget) {
    this.#target = target;
  }

  /**
   * Has done what these changes left, and what that leaves.
   * @param taken gives what was committed since the last look. @returns what changed, in its order.
   */
  async run(
    changes: readonly Change[],
    taken: () => Promise<readonly Change[]>,
  ): Promise<readonly WorkDone[]> {
    const done: WorkDone[] = [];
    let fresh = changes;
    let count = 0;
    while (fresh.length > 0) {
      const next: Change[] = [];
      for (const left of this.#target.left(fresh)) {
        count += 1;
        if (count > runsMax) {
          if (!this.#ends.has(left.name)) this.#ends.set(left.name, endless);
          continue;
        }
        await this.#runOne(left);
        const own = await taken();
        if (own.length > 0) done.push({ name: left.name, changes: own });
        next.push(...own);
      }
      fresh = next;
    }
    this.#endRuns([...changes, ...done.flatMap((each) => each.changes)]);
    return done;
  }

  /** What was begun, and never seen to its end. */
  open(): readonly Omit<Inconclusive, "accepted">[] {
    return [...this.#ends].flatMap(([subject, why]) =>
      why === null
        ? []
        : [{ subject, says: `is begun by requests, and none of its runs came to its end: ${why}` }],
    );
  }

  async #runOne({ name, isWorkflow, run }: LeftWork): Promise<void> {
    const code = await run();
    if (code !== null) this.#end(name, code);
    else if (!isWorkflow) this.#end(name, null);
  }

  /** A workflow is at its end when its run is, not with its first tick. */
  #endRuns(changes: readonly Change[]): void {
    const runs = new Map<string, NonNullable<Change["after"]>>();
    for (const { table, id, after } of changes) {
      if (table === "workRun" && after !== null) runs.set(id, after);
    }
    for (const row of runs.values()) {
      const { workflow, state } = runOfRow(row);
      if (state === "done" || state === "cancelled") this.#end(workflow, null);
      else if (state === "running") this.#end(workflow, "it waits for what no request brings");
      else this.#end(workflow, `it is ${state}`);
    }
  }

  /** Once it came to its end, a later failure leaves nothing open. */
  #end(name: string, why: string | null): void {
    if (this.#ends.get(name) !== null) this.#ends.set(name, why);
  }
}
