// Rows that came and went within some commits: outside of them they never were.
import type { Commit } from "./store.ts";

/** @param isAsked which tables count. @returns ids of rows that were not there before the first commit, nor are after the last. */
export function passedIn(
  commits: Iterable<Commit>,
  isAsked: (table: string) => boolean,
): ReadonlySet<string> {
  const passed = new Set<string>();
  const cameFirst = new Map<string, boolean>();
  for (const { changes } of commits) {
    for (const { table, id, before, after } of changes) {
      if (!isAsked(table)) continue;
      if (!cameFirst.has(id)) cameFirst.set(id, before === null);
      if (after === null && cameFirst.get(id) === true) passed.add(id);
      else passed.delete(id);
    }
  }
  return passed;
}
