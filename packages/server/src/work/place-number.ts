// Numbers that give work its order: they follow from the commit that brings it, so that they grow for ever,
// whatever the clock does and however often the server starts.
import { PlatformError } from "../base/platform-error.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";

/** Pieces of one commit that are told apart. 2^53 / 16,384 commits are 17 years of 1,000 in every second. */
const perCommit = 16_384;

/** The last piece of a commit that has a number of its own. */
export const lastIndex = perCommit - 1;

/**
 * The next number in this transaction.
 * @throws WORK_TOO_MUCH when it started as much as limits.workStartsMax.
 */
export function nextPlace({ run, tx }: Pick<ProcedureScope, "run" | "tx">): number {
  const { started } = run;
  const { workStartsMax } = run.app.limits;
  if (started === undefined) throw new PlatformError("SYSTEM_CALL_DENIED");
  if (started.count >= workStartsMax) throw new PlatformError("WORK_TOO_MUCH", { workStartsMax });
  return placeOf(tx.seq + 1, started.count++);
}

/** The place of the `index`-th piece of a commit. */
export function placeOf(seq: number, index: number): number {
  return seq * perCommit + index;
}

/** The commit of a place, and which piece of it it is. */
export function commitOf(place: number): { readonly seq: number; readonly index: number } {
  return { seq: Math.floor(place / perCommit), index: place % perCommit };
}
